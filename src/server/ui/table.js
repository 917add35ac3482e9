// A list of any length of which only the visible rows exist. The newest is on top.

import { el } from "./dom.js";
import { clock } from "./time.js";

const narrow = matchMedia("(max-width: 46rem)");
const AROUND = 8;

export class Table {
  // `journal` has the events; `open` is told which one is chosen, `end` when the last one comes into sight.
  constructor(box, journal, { open, end }) {
    this.box = box;
    this.spacer = box.querySelector(".spacer");
    this.journal = journal;
    this.open = open;
    this.end = end;
    this.active = -1;
    this.rows = new Map();
    this.pool = [];
    this.wanted = false;
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    box.addEventListener("keydown", (key) => this.key(key));
    box.addEventListener("click", (click) => {
      const row = click.target.closest("[role=row]");
      if (row) this.choose(Number(row.dataset.index), true);
    });
    box.addEventListener("focus", () => this.active < 0 && this.journal.length && this.choose(0));
    new ResizeObserver(() => this.draw()).observe(box);
    narrow.addEventListener("change", () => this.reset());
  }

  get height() {
    return narrow.matches ? 54 : 28;
  }

  // So many new rows are on top: what is looked at stays where it is.
  grown(count) {
    if (this.active >= 0) this.active = Math.min(this.active + count, this.journal.length - 1);
    if (this.box.scrollTop > this.height) {
      this.resize();
      this.box.scrollTop += count * this.height;
    }
    this.draw();
  }

  // Everything may be different.
  reset() {
    this.active = -1;
    this.box.scrollTop = 0;
    for (const row of this.rows.values()) this.free(row);
    this.rows.clear();
    this.draw();
  }

  draw() {
    if (this.wanted) return;
    this.wanted = true;
    requestAnimationFrame(() => {
      this.wanted = false;
      this.paint();
    });
  }

  resize() {
    this.spacer.style.height = `${this.journal.length * this.height}px`;
    this.box.setAttribute("aria-rowcount", this.journal.length);
  }

  paint() {
    this.resize();
    const { scrollTop, clientHeight } = this.box;
    const total = this.journal.length;
    const first = Math.max(0, Math.floor(scrollTop / this.height) - AROUND);
    const last = Math.min(total, Math.ceil((scrollTop + clientHeight) / this.height) + AROUND);
    const shown = new Map();
    for (let index = first; index < last; index += 1) {
      const event = this.journal.at(index);
      const row = this.rows.get(event.seq) ?? this.row(event);
      this.rows.delete(event.seq);
      this.place(row, index);
      shown.set(event.seq, row);
    }
    for (const row of this.rows.values()) this.free(row);
    this.rows = shown;
    if (total > 0 && last === total) this.end();
  }

  row(event) {
    const row = this.pool.pop() ?? this.make();
    const [time, severity, kind, site, what] = row.cells;
    row.node.className = `row s-${event.severity}`;
    time.textContent = clock(event.time);
    severity.textContent = event.severity;
    kind.textContent = event.kind;
    site.textContent = event.site_name || event.site || "";
    what.textContent = event.summary;
    row.node.title = event.summary;
    this.spacer.append(row.node);
    return row;
  }

  make() {
    const cells = ["time", "severity", "kind", "site", "what"].map((name) => el("span", { class: name, role: "gridcell" }));
    return { node: el("div", { class: "row", role: "row" }, cells), cells };
  }

  place({ node }, index) {
    node.style.transform = `translateY(${index * this.height}px)`;
    node.dataset.index = index;
    node.id = `row-${index}`;
    node.setAttribute("aria-rowindex", index + 1);
    const active = index === this.active;
    node.classList.toggle("active", active);
    node.setAttribute("aria-selected", active);
  }

  free(row) {
    row.node.remove();
    row.node.removeAttribute("id");
    if (this.pool.length < 100) this.pool.push(row);
  }

  choose(index, open = false) {
    const last = this.journal.length - 1;
    if (last < 0) return;
    this.active = Math.max(0, Math.min(index, last));
    const top = this.active * this.height;
    const { scrollTop, clientHeight } = this.box;
    if (top < scrollTop) this.box.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.box.scrollTop = top + this.height - clientHeight;
    this.paint();
    this.box.setAttribute("aria-activedescendant", `row-${this.active}`);
    if (open) this.open(this.journal.at(this.active));
  }

  key(key) {
    if (key.ctrlKey || key.metaKey || key.altKey) return;
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.height) - 1);
    const moves = {
      ArrowDown: this.active + 1,
      j: this.active + 1,
      ArrowUp: this.active - 1,
      k: this.active - 1,
      PageDown: this.active + page,
      PageUp: this.active - page,
      Home: 0,
      End: this.journal.length - 1,
    };
    if (key.key in moves) this.choose(moves[key.key]);
    else if (key.key === "Enter" && this.active >= 0) this.choose(this.active, true);
    else return;
    key.preventDefault();
  }
}
