// Dead letters: what was given up, tried again or dropped.

import { get, post } from "./api.js";
import { open } from "./detail.js";
import { $, el, notice, replace, setBadge } from "./dom.js";
import { clock } from "./time.js";

const PAGE = 200;

export async function refresh() {
  const { letters, next } = await get("dead-letters", { limit: PAGE });
  setBadge("tab-letters", next ? `${letters.length}+` : letters.length);
  if (!letters.length) {
    replace($("letters"), el("p", { class: "empty" }, "Nothing was given up."));
    return;
  }
  const bar = el("p", { class: "row-of" },
    el("button", { type: "button", "data-key": "retry-all", onclick: () => act("retry", { all: true }) }, "Retry all"),
    el("span", { class: "muted" }, next ? `The first ${letters.length} are shown.` : ""));
  replace($("letters"), bar, el("ul", { class: "list" }, letters.map(item)));
}

function item(letter) {
  const which = { sink: letter.sink, id: letter.id };
  const key = `${letter.sink}/${letter.id}`;
  return el("li", { class: `card s-${letter.event.severity}` },
    el("h2", {}, el("button", { type: "button", class: "plain", "data-key": `open-${key}`, onclick: () => open(letter.event) }, letter.event.summary || letter.event.kind)),
    el("p", { class: "error" }, letter.reason),
    el("p", { class: "row-of muted" },
      el("code", {}, letter.sink), `${letter.attempts} ${letter.attempts === 1 ? "try" : "tries"}, last ${clock(letter.last)}`,
      el("span", { class: "space" }),
      el("button", { type: "button", "data-key": `retry-${key}`, onclick: () => act("retry", which) }, "Retry"),
      el("button", { type: "button", "data-key": `drop-${key}`, onclick: () => act("drop", which) }, "Drop")));
}

async function act(what, which) {
  try {
    await post(`dead-letters/${what}`, which);
    notice();
  } catch (error) {
    notice(error.message);
  }
  await refresh();
}
