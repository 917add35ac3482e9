// The events at hand: live ones in the order they came, and older ones fetched for the present filter.

import { matcher, NONE } from "./filter.js";

// Most live events, and most older ones, that are kept.
export const MAX = 100_000;
const SLACK = 5_000;

export class Journal {
  constructor() {
    this.live = [];
    this.older = [];
    this.view = [];
    this.wants = matcher(NONE);
    this.known = new Set();
  }

  get length() {
    return this.view.length;
  }

  // The event at `index`, the newest first.
  at(index) {
    return this.view[this.view.length - 1 - index];
  }

  // Add live events; how many of them are wanted.
  add(events) {
    let wanted = 0;
    for (const event of events) {
      if (this.known.has(event.seq)) continue;
      this.known.add(event.seq);
      this.live.push(event);
      if (this.wants(event)) {
        this.view.push(event);
        wanted += 1;
      }
    }
    if (this.live.length > MAX + SLACK) this.trim();
    return wanted;
  }

  // Put what happened before the page was opened under the live events.
  begin(events) {
    this.live = [...events.filter((event) => !this.known.has(event.seq)), ...this.live];
    this.live.sort((a, b) => a.seq - b.seq);
    this.known = new Set(this.live.map((event) => event.seq));
    this.show();
  }

  // Show what `filter` wants.
  filter(filter) {
    this.wants = matcher(filter);
    this.older = [];
    this.show();
  }

  // The moment before which older events are to be fetched.
  floor() {
    const oldest = this.older.length ? this.older : this.live;
    if (!oldest.length) return undefined;
    const times = oldest.slice(0, 200).map((event) => Date.parse(event.time));
    return new Date(Math.min(...times) + 1).toISOString();
  }

  // Add events of the journal, the newest first, under all others; how many were new.
  addOlder(events) {
    const here = new Set(this.older.map((event) => event.seq));
    const fresh = events.filter((event) => !here.has(event.seq) && !this.known.has(event.seq)).reverse();
    this.older = [...fresh, ...this.older].slice(-MAX);
    if (fresh.length) this.show();
    return fresh.length;
  }

  trim() {
    this.live = this.live.slice(-MAX);
    this.known = new Set(this.live.map((event) => event.seq));
    this.older = [];
    this.show();
  }

  show() {
    this.view = [...this.older, ...this.live.filter(this.wants)];
  }
}
