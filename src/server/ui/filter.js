// Which events are wanted, by the rules of the host's own search.

const SEVERITIES = ["debug", "info", "notice", "warning", "error", "critical"];

export const NONE = { text: "", kind: "", severity: "", site: "", client: "", device: "" };

const isMac = (text) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text);

// A word without wildcards means any name with it.
const loose = (text) => (text === "" || /[*?]/.test(text) || isMac(text) ? text : `*${text}*`);

// What the host is asked for.
export const query = (filter) => ({
  ...filter,
  client: loose(filter.client),
  device: loose(filter.device),
  site: loose(filter.site),
});

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function pattern(text) {
  return new RegExp(`^${escaped(text).replaceAll("\\*", ".*").replaceAll("\\?", ".")}$`, "is");
}

function named(text) {
  if (!text) return () => true;
  const wanted = pattern(loose(text));
  return (subject) =>
    subject !== undefined && [subject.name, subject.hostname, subject.mac].some((name) => name !== undefined && wanted.test(name));
}

function sites({ controller, site, site_name: name = "" }) {
  return [site, name, `${controller}/${site}`, `${controller}/${name}`];
}

// A function that says of an event whether it is wanted.
export function matcher(filter) {
  const level = SEVERITIES.indexOf(filter.severity);
  const kinds = filter.kind.split(",").map((kind) => kind.trim()).filter((kind) => kind).map(pattern);
  const text = filter.text ? new RegExp(escaped(filter.text), "i") : null;
  const site = filter.site ? pattern(loose(filter.site)) : null;
  const client = named(filter.client);
  const device = named(filter.device);
  return (event) =>
    event.level >= level &&
    (kinds.length === 0 || kinds.some((kind) => kind.test(event.kind))) &&
    (!text || text.test(event.summary)) &&
    (!site || sites(event).some((name) => site.test(name))) &&
    client(event.client) &&
    device(event.device);
}

export const isEmpty = (filter) => Object.values(filter).every((value) => value === "");
