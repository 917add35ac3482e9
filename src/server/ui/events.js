// The view of events: live rows, pause, filters, and the journal behind them.

import { get, Refused } from "./api.js";
import { open as openEvent } from "./detail.js";
import { $, el, notice, number } from "./dom.js";
import { isEmpty, NONE, query } from "./filter.js";
import { Journal, MAX } from "./journal.js";
import * as live from "./live.js";
import { Table } from "./table.js";

const FIRST = 1000;
const PAGE = 500;
const FIELDS = Object.keys(NONE);

const journal = new Journal();
const table = new Table($("rows"), journal, { open: openEvent, end: fetchOlder });

let filter = NONE;
let hasJournal = false;
let paused = false;
let held = [];
let arrived = [];
let heldWanted = 0;
let missed = 0;
let fetching = false;
let exhausted = false;
// Grows with every change of the filter: an answer to an older question is not shown.
let question = 0;

// Add events as if they had come from the stream.
export function add(events) {
  arrived.push(...events);
  if (arrived.length === events.length) requestAnimationFrame(takeIn);
}

function takeIn() {
  const events = arrived;
  arrived = [];
  if (paused) {
    held = [...held, ...events].slice(-MAX);
    heldWanted += events.filter(journal.wants).length;
  } else {
    const count = journal.add(events);
    if (count) table.grown(count);
  }
  seen(events);
  tell();
}

export function pause(on = !paused) {
  paused = on;
  const button = $("pause");
  button.setAttribute("aria-pressed", paused);
  if (!paused) {
    const count = journal.add(held);
    held = [];
    heldWanted = 0;
    table.grown(count);
    $("rows").scrollTop = 0;
  }
  tell();
}

function tell() {
  const button = $("pause");
  button.textContent = !paused ? "Pause" : heldWanted ? `${number(heldWanted)} new` : "Paused";
  button.setAttribute("aria-label", !paused ? "Pause" : `Paused, ${heldWanted} new; go on`);
  $("new").textContent = paused && heldWanted ? `${heldWanted} new` : "";
  const lost = missed ? `, ${number(missed)} not shown` : "";
  $("count").textContent = `${number(journal.length)} events${lost}`;
  const empty = $("rows").querySelector(".empty");
  empty.hidden = journal.length > 0;
  empty.textContent = isEmpty(filter) ? "Nothing has happened yet." : "No event fits the filter.";
}

// Start with what the journal has, and listen.
export async function start(withJournal) {
  hasJournal = withJournal;
  live.start(
    {
      event: (event) => add([event]),
      missed: (count) => {
        missed += count;
        tell();
      },
      state: (on) => {
        const link = $("link");
        link.classList.toggle("good", on);
        link.querySelector(".text").textContent = on ? "live" : "not live";
      },
    },
    !hasJournal,
  );
  if (hasJournal) {
    const { events } = await get("events", { limit: FIRST });
    journal.begin(events);
    exhausted = events.length < FIRST;
    seen(events);
    table.draw();
  }
  tell();
}

async function fetchOlder() {
  if (!hasJournal || fetching || exhausted || journal.older.length >= MAX) return;
  fetching = true;
  const asked = question;
  try {
    const until = journal.floor();
    const { events } = await get("events", { ...query(filter), until, limit: PAGE });
    if (asked === question) {
      exhausted = events.length < PAGE || journal.addOlder(events) === 0;
      table.draw();
    }
    notice();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    // A kind that is not yet written to its end is no news.
    if (error.status !== 400) notice(error.message);
    exhausted = true;
  } finally {
    fetching = false;
    tell();
    if (asked !== question) table.draw();
  }
}

function refilter() {
  filter = Object.fromEntries(FIELDS.map((name) => [name, $(`f-${name}`).value.trim()]));
  question += 1;
  exhausted = false;
  journal.filter(filter);
  heldWanted = held.filter(journal.wants).length;
  table.reset();
  tell();
}

// What may be chosen as a site.
const sites = new Set();
function seen(events) {
  for (const { site_name: name, site } of events) {
    const shown = name || site;
    if (shown && !sites.has(shown)) {
      sites.add(shown);
      $("sites").append(el("option", { value: shown }));
    }
  }
}

let waiting = null;
for (const name of FIELDS) {
  $(`f-${name}`).addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(refilter, 150);
  });
}
$("filter").addEventListener("submit", (submit) => submit.preventDefault());
$("filter").addEventListener("reset", () => setTimeout(refilter));
$("pause").addEventListener("click", () => pause());

export async function loadKinds() {
  const { kinds } = await get("kinds");
  $("kinds").replaceChildren(...kinds.map((kind) => el("option", { value: kind })));
}
