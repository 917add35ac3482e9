// The live stream. It comes back by itself; what it missed is told.

let source = null;
let again = null;

// Listen until `stop`; `on` has `event`, `missed` and `state`.
export function start(on, raw) {
  stop();
  source = new EventSource(`/api/stream${raw ? "?raw=true" : ""}`);
  source.addEventListener("watching", () => on.state(true));
  source.addEventListener("message", (message) => on.event(JSON.parse(message.data)));
  source.addEventListener("missed", (message) => on.missed(JSON.parse(message.data).count));
  source.addEventListener("error", () => {
    on.state(false);
    // A stream that was refused does not try again by itself.
    if (source?.readyState === EventSource.CLOSED) again = setTimeout(() => start(on, raw), 5000);
  });
}

export function stop() {
  clearTimeout(again);
  source?.close();
  source = null;
}
