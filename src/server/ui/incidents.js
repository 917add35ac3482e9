// Incidents with silence and acknowledge; silences; the latest digests.

import { get, post } from "./api.js";
import { open } from "./detail.js";
import { $, el, notice, number, replace, setBadge } from "./dom.js";
import { clock, span } from "./time.js";

const HOURS = [1, 4, 24, 24 * 7];
const STATES = { open: "open", waiting: "not told yet", folded: "another explains it" };
const ORDER = ["open", "waiting", "folded"];
const DIGESTS = 5;

let journal = true;
let digests = [];

export function start(withJournal) {
  journal = withJournal;
}

export async function refresh() {
  const [{ incidents }, { silences }] = await Promise.all([get("incidents"), get("silences")]);
  setBadge("tab-incidents", incidents.filter((one) => one.state === "open" && !one.acknowledged).length);
  // What is being written is left alone.
  const form = $("silence-form") ?? silenceForm();
  const now = Date.now();
  replace($("incident-list"), ...(incidents.length ? sorted(incidents).map((one) => incident(one, now)) : [el("p", { class: "empty" }, "Nothing is going on.")]));
  if (!form.isConnected) $("silence-box").append(form);
  replace($("silence-list"), ...(silences.length ? silences.map((one) => silence(one, now)) : [el("p", { class: "muted" }, "Nothing is silenced.")]));
  if (journal) digests = (await get("events", { kind: "digest.ready", limit: DIGESTS })).events;
  replace($("digest-list"), ...(digests.length ? digests.map(digest) : [el("p", { class: "muted" }, "No digest has been made yet.")]));
}

// What is open stands above what only waits; within each the newest first.
function sorted(incidents) {
  return incidents.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || Date.parse(b.since) - Date.parse(a.since));
}

function incident(one, now) {
  // Of what waits or is explained the state says that nobody was told.
  const untold = one.state === "open" ? "not told" : null;
  const told = one.silenced_until ? `silenced until ${clock(one.silenced_until)}` : one.acknowledged ? "acknowledged" : one.told ? "told" : untold;
  const facts = [one.alert, `${one.controller}/${one.site}`, `since ${clock(one.since)} (${span((now - Date.parse(one.since)) / 1000)})`, `${number(one.count)} ${one.count === 1 ? "event" : "events"}`, told];
  if (one.flapping) facts.push("comes and goes");
  const keys = one.keys.length > 1 ? el("p", { class: "muted" }, one.keys.join(", ")) : null;
  return el("li", { class: `card s-${one.severity}`, "data-incident": one.id },
    el("h2", {}, one.title, el("span", { class: "state" }, STATES[one.state] ?? one.state)),
    el("p", { class: "muted" }, facts.filter(Boolean).join(" · ")), keys,
    el("p", { class: "row-of" },
      one.acknowledged ? null : el("button", { type: "button", "data-key": `ack-${one.id}`, onclick: () => act(() => post(`incidents/${encodeURIComponent(one.id)}/acknowledge`)) }, "Acknowledge"),
      el("button", { type: "button", "data-key": `hush-${one.id}`, onclick: () => prepare(one) }, "Silence…")));
}

// Put the alert into the form: how long and why is left to say.
function prepare(one) {
  $("silence-alert").value = one.alert;
  $("silence-hours").focus();
}

function silenceForm() {
  return el("form", { id: "silence-form", class: "row-of", "aria-label": "New silence", onsubmit: begin },
    el("input", { id: "silence-alert", placeholder: "Alert: wan_*", "aria-label": "Alert", autocomplete: "off" }),
    el("input", { id: "silence-device", placeholder: "Device", "aria-label": "Device", autocomplete: "off" }),
    el("select", { id: "silence-hours", "aria-label": "For how long" }, HOURS.map((hours) => el("option", { value: hours }, `for ${span(hours * 3600)}`))),
    el("input", { id: "silence-reason", placeholder: "Why", "aria-label": "Reason", autocomplete: "off" }),
    el("button", { type: "submit" }, "Silence"));
}

async function begin(submit) {
  submit.preventDefault();
  const field = (name) => $(`silence-${name}`).value.trim() || undefined;
  const done = await act(() => post("silences", { alert: field("alert"), device: field("device"), seconds: Number($("silence-hours").value) * 3600, reason: field("reason") ?? "" }));
  if (done) submit.target.reset();
}

function silence(one, now) {
  const what = [one.alert && `alert ${one.alert}`, one.device && `device ${one.device}`].filter(Boolean).join(", ");
  return el("li", { class: "row-of", "data-silence": one.id },
    el("strong", {}, what), `${span((Date.parse(one.until) - now) / 1000)} left`, el("span", { class: "muted" }, one.reason), el("span", { class: "space" }),
    el("button", { type: "button", "data-key": `end-${one.id}`, onclick: () => act(() => post(`silences/${encodeURIComponent(one.id)}/end`)) }, "End"));
}

function digest(event) {
  const { name, since, until, counts, incidents } = event.digest;
  const most = Object.entries(counts).sort(([, a], [, b]) => b - a).slice(0, 5).map(([kind, count]) => `${number(count)} ${kind}`);
  return el("li", {},
    el("p", {}, el("button", { type: "button", class: "plain", "data-key": `digest-${event.id}`, onclick: () => open(event) }, name), ` ${clock(since)} to ${clock(until)}`),
    el("p", { class: "muted" }, [`${incidents.length} ${incidents.length === 1 ? "incident" : "incidents"}`, ...most].join(" · ")));
}

async function act(action) {
  let done = true;
  try {
    await action();
    notice();
  } catch (error) {
    notice(error.message);
    done = false;
  }
  await refresh();
  return done;
}
