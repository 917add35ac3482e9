// Small helpers for the document. Text is always set as text, never as HTML.

export const $ = (id) => document.getElementById(id);

// An element with classes, attributes, listeners and children; strings become text.
export function el(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

// Show `node` in the place of what `parent` had, unless it is the same; focus stays where it was.
export function replace(parent, ...nodes) {
  const held = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...nodes);
  if (held) parent.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
}

// A number for people.
const numbers = new Intl.NumberFormat("en");
export const number = (value) => numbers.format(value ?? 0);

export function setBadge(tab, count) {
  const badge = $(tab).querySelector(".badge");
  badge.hidden = !count;
  badge.textContent = count ? String(count) : "";
}

// Tell something at the top of the page until it is told otherwise.
export function notice(text) {
  const place = $("notice");
  place.hidden = !text;
  place.textContent = text ?? "";
}
