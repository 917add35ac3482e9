// Asks the host. An action carries the word that only this page is told.

let action = "";
let loggedOut = () => {};

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Call `callback` whenever the host wants a login.
export function onLogin(callback) {
  loggedOut = callback;
}

async function ask(path, options) {
  const answer = await fetch(path, { credentials: "same-origin", ...options });
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  if (answer.status === 401 && path !== "/api/login") loggedOut();
  throw new Refused(answer.status, body.error ?? `the host answered ${answer.status}`);
}

export const get = (path, query = {}) => {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== undefined));
  const tail = search.size ? `?${search}` : "";
  return ask(`/api/${path}${tail}`);
};

export const post = (path, body = {}) =>
  ask(`/api/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-herald-action": action },
    body: JSON.stringify(body),
  });

// Who we are to the host: `not_needed`, `needed` or `done`.
export async function session() {
  const told = await get("session");
  action = told.action ?? "";
  return told.login;
}
