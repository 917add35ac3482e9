// One event opened: its subjects, what became of it, and the item as the controller sent it.

import { get } from "./api.js";
import { $, el } from "./dom.js";
import { full } from "./time.js";

const HIDDEN = new Set(["v", "raw", "summary", "level", "category"]);
const DEEDS = {
  skipped: "passed it by",
  kept: "let it pass",
  changed: "changed it",
  dropped: "dropped it",
  replaced: "put others in its place",
  dead_letter: "gave it up",
  given: "took it",
  had_it: "had it already",
  journal_only: "left it in the journal",
  counted: "counted it",
  collected: "collected it",
  said: "said it",
};
const STATES = { pending: "waiting", dead_letter: "given up", settled: "delivered", too_old: "too old for it", merged: "told with its end", lost: "lost", dropped: "dropped" };

let shown = null;

export async function open(event) {
  shown = event.seq;
  const dialog = $("event");
  $("event-title").textContent = event.summary;
  dialog.className = `side s-${event.severity}`;
  $("event-body").replaceChildren(facts(event), el("p", { class: "muted", id: "fate-wait" }, "Looking up what became of it…"));
  if (!dialog.open) dialog.showModal();
  try {
    const { fates } = await get(`events/${encodeURIComponent(event.id)}`);
    if (shown !== event.seq) return;
    const fate = fates.find((fate) => fate.event.seq === event.seq) ?? fates[0];
    $("event-body").replaceChildren(facts(fate.event), story(fate), raw(fate.event));
  } catch (error) {
    if (shown !== event.seq) return;
    $("event-body").replaceChildren(facts(event), el("p", { class: "muted" }, error.message), raw(event));
  }
}

function facts(event) {
  const list = el("dl", { class: "facts" });
  for (const [name, value] of Object.entries(event)) {
    if (!HIDDEN.has(name)) list.append(el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, words(name, value)));
  }
  return list;
}

function words(name, value) {
  if (name === "time" || name === "received") return full(value);
  if (value === null || typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map((item) => words("", item)).join(", ");
  return Object.entries(value)
    .map(([key, inner]) => (key === "name" || key === "mac" ? words(key, inner) : `${key.replaceAll("_", " ")} ${words(key, inner)}`))
    .join(" · ");
}

function story(fate) {
  const part = el("section", { id: "fate" }, el("h3", {}, "What became of it"));
  for (const chain of fate.chains) {
    const steps = chain.steps.map((step) =>
      el("li", { class: step.did },
        el("code", {}, step.step), ` ${DEEDS[step.did] ?? step.did}`, step.failed ? el("strong", { class: "error" }, " after an error") : null));
    part.append(
      el("div", { class: `chain ${chain.entered ? "" : "quiet"}` },
        el("h4", {}, chain.chain, chain.entered ? null : el("span", { class: "muted" }, " — not for this chain")),
        el("ol", {}, steps)));
  }
  const deliveries = fate.deliveries.map((delivery) =>
    el("li", { class: delivery.state },
      el("code", {}, delivery.sink), ` ${STATES[delivery.state] ?? delivery.state}`,
      delivery.reason ? el("span", { class: "error" }, `: ${delivery.reason}`) : null));
  part.append(
    deliveries.length
      ? el("ul", { class: "deliveries" }, deliveries)
      : el("p", { class: "muted" }, "No sink awaits it."));
  return part;
}

function raw(event) {
  if (event.raw === undefined) return el("p", { class: "muted" }, "herald made this event itself: there is no raw form.");
  return el("section", {}, el("h3", {}, "As the controller sent it"),
    el("pre", { id: "raw", tabindex: "0", "aria-label": "Raw form" }, JSON.stringify(event.raw, null, 2)));
}

const dialog = $("event");
$("event-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (click) => click.target === dialog && dialog.close());
dialog.addEventListener("close", () => {
  shown = null;
  $("rows").focus();
});
