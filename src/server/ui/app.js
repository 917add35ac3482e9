// Puts the page together: who we are, which view is shown, and what is asked again and again.

import { onLogin, post, session } from "./api.js";
import * as chains from "./chains.js";
import * as chart from "./chart.js";
import { $, notice } from "./dom.js";
import * as events from "./events.js";
import * as incidents from "./incidents.js";
import * as letters from "./letters.js";
import * as live from "./live.js";
import * as status from "./status.js";

const VIEWS = ["events", "incidents", "controllers", "chains", "sinks", "letters"];
const EVERY = 3000;

// What is asked for the view that is shown; how all of it is, is asked always.
const refreshers = { events: chart.refresh, incidents: incidents.refresh, chains: chains.refresh, letters: letters.refresh };
let view = "events";
let timer = null;
let started = false;
let asking = false;
let round = 0;

function go(name, focus = false) {
  view = name;
  for (const other of VIEWS) {
    const tab = $(`tab-${other}`);
    tab.setAttribute("aria-selected", other === name);
    tab.tabIndex = other === name ? 0 : -1;
    $(other).hidden = other !== name;
  }
  history.replaceState(null, "", `#${name}`);
  if (focus) $(`tab-${name}`).focus();
  if (started) tick(true);
}

// Ask again, unless nobody looks. Every third round asks for what only the badges need.
async function tick(now = false) {
  if (document.hidden || asking) return;
  asking = true;
  round += 1;
  try {
    const told = await status.refresh();
    const all = now || round % 3 === 1 ? Object.values(refreshers) : [refreshers[view]];
    await Promise.all(all.map((refresh) => refresh?.()));
    notice();
    return told;
  } catch (error) {
    if (error.status !== 401) notice(error.status ? error.message : "herald does not answer; trying again");
  } finally {
    asking = false;
  }
}

async function start() {
  const login = await session().catch(() => "away");
  if (login === "needed") return showLogin();
  if (login === "away") {
    notice("herald does not answer; trying again");
    setTimeout(start, EVERY);
    return;
  }
  $("logout").hidden = login !== "done";
  const told = await tick(true);
  if (!told) {
    setTimeout(start, EVERY);
    return;
  }
  started = true;
  clearInterval(timer);
  timer = setInterval(tick, EVERY);
  incidents.start(told.store.journal);
  await events.loadKinds();
  await events.start(told.store.journal);
}

function showLogin() {
  live.stop();
  clearInterval(timer);
  if (!$("login").open) $("login").showModal();
}

$("login").addEventListener("cancel", (cancel) => cancel.preventDefault());
$("login-form").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  try {
    await post("login", { token: $("token").value });
    $("token").value = "";
    $("login-error").textContent = "";
    $("login").close();
    await start();
  } catch (error) {
    $("login-error").textContent = error.status === 401 ? "That is not the token." : error.message;
  }
});
$("logout").addEventListener("click", async () => {
  await post("logout");
  location.reload();
});

for (const name of VIEWS) $(`tab-${name}`).addEventListener("click", () => go(name));
$("tabs").addEventListener("keydown", (key) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key.key];
  if (step) go(VIEWS[(VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length], true);
});

document.addEventListener("keydown", (key) => {
  if (key.ctrlKey || key.metaKey || key.altKey || key.target.closest("input, select, textarea, dialog")) return;
  const number = Number(key.key);
  if (number >= 1 && number <= VIEWS.length) go(VIEWS[number - 1], true);
  else if (key.key === "/") {
    go("events");
    $("f-text").focus();
  } else if (key.key === "p") events.pause();
  else if (key.key === "?") $("help").showModal();
  else return;
  key.preventDefault();
});
$("keys").addEventListener("click", () => $("help").showModal());
$("help-close").addEventListener("click", () => $("help").close());

const THEMES = { auto: "as the system", light: "light", dark: "dark" };
function paint(theme) {
  document.documentElement.dataset.theme = theme;
  $("theme").setAttribute("aria-label", `Colours: ${THEMES[theme]}`);
  $("theme").title = `Colours: ${THEMES[theme]}`;
}
$("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  const theme = names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length];
  localStorage.setItem("theme", theme);
  paint(theme);
});
paint(localStorage.getItem("theme") in THEMES ? localStorage.getItem("theme") : "auto");

function unfold(on) {
  $("more").setAttribute("aria-expanded", on);
  $("fields").classList.toggle("folded", !on);
}
$("more").addEventListener("click", () => unfold($("more").getAttribute("aria-expanded") !== "true"));
unfold(!matchMedia("(max-width: 46rem)").matches);
document.addEventListener("visibilitychange", () => tick());
onLogin(showLogin);
if (VIEWS.includes(location.hash.slice(1))) go(location.hash.slice(1));
start();
