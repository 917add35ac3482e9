// Times as people read them, in the zone of the browser.

const two = (value) => String(value).padStart(2, "0");

// The time of day; with the day in front where it is not today's.
export function clock(text, now = new Date()) {
  const time = new Date(text);
  const hours = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  if (time.toDateString() === now.toDateString()) return hours;
  return `${two(time.getMonth() + 1)}-${two(time.getDate())} ${hours}`;
}

export function full(text) {
  const time = new Date(text);
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const ms = String(time.getMilliseconds()).padStart(3, "0");
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}

export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} days`;
}

export const ago = (text, now) => `${span((new Date(now) - new Date(text)) / 1000)} ago`;
