// Controllers, sinks, and how all of it is.

import { get, post } from "./api.js";
import { $, el, number, replace, setBadge } from "./dom.js";
import { ago, clock } from "./time.js";

const BOOKS = ["received", "delivered", "filtered", "duplicate", "dead_lettered", "lost"];
const tests = new Map();
let last = null;

export async function refresh() {
  last = await get("status");
  summary(last);
  replace($("controllers"), ...controllers(last));
  drawSinks();
  return last;
}

function summary({ health, version, store, refused_reload: refused }) {
  const pill = $("health");
  const count = health.reasons.length;
  pill.className = `pill ${!health.alive ? "bad" : count ? "warn" : "good"}`;
  pill.querySelector(".text").textContent = !health.alive ? "stuck" : count === 0 ? "all is well" : count === 1 ? health.reasons[0] : `${count} things are not well`;
  pill.title = health.reasons.join("\n");
  $("version").textContent = `herald ${version}`;
  const trouble = $("store-trouble");
  if (refused) {
    trouble.hidden = false;
    trouble.textContent = `The configuration in the file is not used, the former one stays: ${refused}`;
  } else if (store.degraded) {
    trouble.hidden = false;
    trouble.textContent = store.degraded.away ? `The cluster cannot be used since ${clock(store.degraded.since)}, events wait: ${store.degraded.reason}` : `The store takes nothing since ${clock(store.degraded.since)}; ${number(store.degraded.held)} events are in memory only: ${store.degraded.reason}`;
  } else trouble.hidden = true;
}

function controllers({ controllers, sources, now, ring }) {
  const cards = Object.entries(controllers).map(([name, one]) => {
    const sites = Object.entries(one.sites).map(([site, up]) => el("li", { class: up ? "good" : "bad" }, `${site} ${up ? "up" : "down"}`));
    return el("article", { class: `card ${one.connected ? "good" : "bad"}` },
      el("h2", {}, el("span", { class: "dot" }), name, el("span", { class: "state" }, one.connected ? "connected" : "not connected")),
      one.trouble ? el("p", { class: "error" }, one.trouble) : null,
      el("dl", { class: "pairs" },
        el("dt", {}, "Network application"), el("dd", {}, [one.kind, one.version].filter(Boolean).join(" ") || "not known yet"),
        el("dt", {}, "Last frame"), el("dd", {}, one.last_frame ? ago(one.last_frame, now) : "none yet"),
        el("dt", {}, "Events"), el("dd", {}, `${number(one.events)} of ${number(one.frames)} frames`),
        el("dt", {}, "Unknown, bad"), el("dd", {}, `${number(one.unknown)}, ${number(one.bad_frames)}`),
        el("dt", {}, "Connected, logged in"), el("dd", {}, `${number(one.connects)}×, ${number(one.logins)}×`)),
      sites.length ? el("ul", { class: "chips", "aria-label": "Sites" }, sites) : null);
  });
  cards.push(...Object.entries(sources).map(([name, one]) => source(name, one, now)));
  const all = [...Object.values(controllers), ...Object.values(sources)];
  setBadge("tab-controllers", all.filter((one) => !one.connected).length);
  const waiting = el("p", { class: "muted" }, `${number(ring.events)} events wait in front of the chains, ${number(ring.lost)} were lost there.`);
  return [el("div", { class: "cards" }, cards), waiting];
}

// Another program's events come in where those of a controller do.
function source(name, one, now) {
  return el("article", { class: `card ${one.connected ? "good" : "bad"}` },
    el("h2", {}, el("span", { class: "dot" }), `${name}, a source`, el("span", { class: "state" }, one.connected ? "connected" : "not connected")),
    one.trouble ? el("p", { class: "error" }, one.trouble) : null,
    el("dl", { class: "pairs" },
      el("dt", {}, "Last event"), el("dd", {}, one.last_event ? ago(one.last_event, now) : "none yet"),
      el("dt", {}, "Events"), el("dd", {}, number(one.received)),
      el("dt", {}, "No events, our own, lost"), el("dd", {}, `${number(one.refused)}, ${number(one.own)}, ${number(one.lost)}`)));
}

function drawSinks() {
  replace($("sinks"), el("div", { class: "cards" }, Object.entries(last.sinks).map(sink)));
  setBadge("tab-sinks", Object.values(last.sinks).filter((one) => one.state !== "ok").length);
}

function sink([name, one]) {
  const tone = { ok: "good", retrying: "warn" }[one.state] ?? "bad";
  const books = BOOKS.map((book) => [el("dt", {}, book.replace("_", "-")), el("dd", {}, number(one[book]))]);
  return el("article", { class: `card ${tone}`, "data-sink": name },
    el("h2", {}, el("span", { class: "dot" }), name, el("span", { class: "state" }, one.state)),
    one.last_error ? el("p", { class: "error" }, one.last_error) : null,
    el("p", { class: "queue" }, el("strong", {}, number(one.pending)), " waiting"),
    el("dl", { class: "pairs" }, books),
    one.stalls ? el("p", { class: "muted" }, `Kept its thread for a second or more ${number(one.stalls)}×.`) : null,
    el("p", { class: "row-of" },
      el("button", { type: "button", "data-key": `test-${name}`, onclick: () => test(name) }, "Send a test"),
      el("span", { class: "result", role: "status" }, tests.get(name) ?? "")));
}

// Send a made-up event to a sink, and follow it.
async function test(name) {
  const tell = (text) => {
    tests.set(name, text);
    drawSinks();
  };
  try {
    tell("sending…");
    const { id } = await post(`sinks/${encodeURIComponent(name)}/test`);
    if (!last.store.journal) return tell("sent");
    for (let tries = 0; tries < 40; tries += 1) {
      await new Promise((done) => setTimeout(done, 250));
      const found = await get(`events/${id}`).catch(() => null);
      if (!found) continue;
      const delivery = found.fates[0].deliveries.find((one) => one.sink === name);
      if (!delivery || delivery.state === "settled") return tell("delivered");
      if (delivery.state === "dead_letter") return tell(`refused: ${delivery.reason}`);
    }
    tell("still waiting: see its queue and last error");
  } catch (error) {
    tell(error.message);
  }
}
