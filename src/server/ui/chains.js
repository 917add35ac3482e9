// Chains with their counts, step by step.

import { get } from "./api.js";
import { $, el, number, replace, setBadge } from "./dom.js";

const STOPS = new Set(["dropped", "dead_letter", "counted", "collected"]);
const WORDS = { skipped: "passed by", kept: "passed", changed: "changed", dropped: "dropped", replaced: "replaced", dead_letter: "given up", given: "given", had_it: "had it", journal_only: "journal only", counted: "counted", collected: "collected", said: "said" };

export async function refresh() {
  const [{ chains }, { scripts }, { filters }] = await Promise.all([get("chains"), get("scripts"), get("filters")]);
  const steps = [...scripts.map((one) => [`${one.chain}/script ${one.script}`, one.bypassed]), ...filters.map((one) => [`${one.chain}/filter ${one.filter}`, one.bypassed])];
  const bypassed = new Map(steps.filter(([, trouble]) => trouble));
  setBadge("tab-chains", bypassed.size);
  replace($("chains"), ...chains.map((chain) => card(chain, bypassed)));
}

function card(chain, bypassed) {
  const all = Math.max(1, chain.entered + chain.passed_by);
  return el("article", { class: "card wide" },
    el("h2", {}, chain.name, el("span", { class: "state" }, `${number(chain.entered)} entered, ${number(chain.passed_by)} passed by`)),
    meter(chain.entered / all),
    el("ol", { class: "steps" }, chain.steps.map((step) => row(step, chain, bypassed.get(`${chain.name}/${step.step}`)))));
}

function row(step, chain, trouble) {
  const did = Object.entries(step.did);
  const seen = did.reduce((sum, [, count]) => sum + count, 0);
  const on = did.filter(([name]) => !STOPS.has(name)).reduce((sum, [, count]) => sum + count, 0);
  const [verb, ...rest] = step.step.split(" ");
  return el("li", { class: trouble ? "bad" : "" },
    el("p", { class: "step" }, el("span", { class: "verb" }, verb), el("code", {}, rest.join(" "))),
    el("p", { class: "counts" }, seen === 0 ? el("span", { class: "muted" }, "nothing yet") : did.map(([name, count]) => el("span", { class: name }, `${number(count)} ${WORDS[name] ?? name}`)),
      step.failed ? el("span", { class: "error" }, `${number(step.failed)} failed`) : null),
    meter(chain.entered ? on / Math.max(chain.entered, seen) : 0),
    trouble ? el("p", { class: "error" }, `Bypassed: ${trouble}`) : null);
}

function meter(part) {
  const fill = el("i");
  fill.style.width = `${Math.min(100, part * 100)}%`;
  return el("div", { class: "meter", "aria-hidden": "true" }, fill);
}
