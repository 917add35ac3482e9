// Events a minute in the last hour, as stacked bars.

import { get } from "./api.js";
import { $, number } from "./dom.js";
import { clock } from "./time.js";

const SVG = "http://www.w3.org/2000/svg";
const MINUTES = 60;
const HEIGHT = 60;
// From `debug` to `critical`.
const CLASSES = ["calm", "calm", "calm", "warn", "bad", "bad"];

export async function refresh() {
  const { now, slots } = await get("rates");
  const end = Math.floor(Date.parse(now) / 60_000) + 1;
  const bars = Array.from({ length: MINUTES }, (_, index) => ({ minute: end - MINUTES + index, calm: 0, warn: 0, bad: 0 }));
  for (const { start, counts } of slots) {
    const bar = bars[Math.floor(Date.parse(start) / 60_000) - (end - MINUTES)];
    if (bar) counts.forEach((count, level) => (bar[CLASSES[level]] += count));
  }
  draw(bars);
}

function draw(bars) {
  const sum = (bar) => bar.calm + bar.warn + bar.bad;
  const most = Math.max(4, ...bars.map(sum));
  const total = bars.reduce((all, bar) => all + sum(bar), 0);
  const chart = $("chart");
  chart.setAttribute("viewBox", `0 0 ${MINUTES * 10} ${HEIGHT}`);
  chart.setAttribute("aria-label", `${number(total)} events in the last hour, at most ${number(most)} a minute`);
  chart.replaceChildren(...bars.map((bar, index) => group(bar, index, most)));
  $("rates-sum").textContent = `${number(total)} in the last hour, at most ${number(Math.max(0, ...bars.map(sum)))}`;
}

function group(bar, index, most) {
  const node = document.createElementNS(SVG, "g");
  const title = document.createElementNS(SVG, "title");
  const at = clock(new Date(bar.minute * 60_000).toISOString()).slice(0, -3);
  title.textContent = `${at}: ${bar.calm} calm, ${bar.warn} warnings, ${bar.bad} errors`;
  node.append(title, rect("hit", index, 0, HEIGHT));
  let bottom = HEIGHT;
  for (const name of ["calm", "warn", "bad"]) {
    if (!bar[name]) continue;
    const height = Math.max(1.5, (bar[name] / most) * (HEIGHT - 2));
    bottom = Math.max(0, bottom - height);
    node.append(rect(name, index, bottom, height));
  }
  return node;
}

function rect(name, index, y, height) {
  const node = document.createElementNS(SVG, "rect");
  node.setAttribute("class", name);
  for (const [key, value] of Object.entries({ x: index * 10 + 1, y, width: 8, height })) node.setAttribute(key, value);
  return node;
}
