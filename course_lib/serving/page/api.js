// Talking to the service. Every answer is JSON; every error is problem+json and becomes a Trouble: a plain sentence.

export class Trouble extends Error {
  constructor(message, { code = "", retry = 0 } = {}) {
    super(message);
    this.code = code;
    this.retry = retry; // seconds after which it is worth another try; 0: it is not
  }
}

// Ask, and time it as the person in front of the screen does: from the request to the last byte, read.
// Gives { data, milliseconds, server }; server is the part spent in the service, where it says so.
export async function ask(method, path, { query = {}, body, headers = {} } = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const url = given.length ? `${path}?${new URLSearchParams(given)}` : path;
  const options = { method, headers };
  if (body !== undefined) {
    options.headers = { ...headers, "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const began = performance.now();
  let response;
  let text;
  try {
    response = await fetch(url, options);
    text = await response.text();
  } catch {
    throw new Trouble("The service does not answer.", { code: "down", retry: 2 });
  }
  const milliseconds = performance.now() - began;
  const data = parsed(text);
  if (!response.ok || data === undefined) throw trouble(response, data);
  const timing = /dur=([\d.]+)/.exec(response.headers.get("Server-Timing") ?? "");
  return { data, milliseconds, server: timing && Number(timing[1]) };
}

// A name for an event. Sent again under the same name, it is not counted again.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function trouble(response, problem) {
  if (!problem?.code) return new Trouble(`The service answered ${response.status} and did not say why.`);
  const { code, detail, errors = [] } = problem;
  const retry = Number(response.headers.get("Retry-After")) || 0;
  const sentences = {
    "rate-limit": "Too many requests at once.",
    "encoder-not-ready": "The service cannot read new texts now: its text encoder is not loaded. Titles still work.",
    "disk-full": "The service's disk is full, so this was not kept.",
    "admin-token": "This is not the admin's token.",
    "admin-off": "This service has no admin, so it can forget nobody. Start it with COURSE_ADMIN_TOKEN set.",
    invalid: `Not accepted. ${errors.map(({ where, what }) => `${where.split(".").at(-1)}: ${what}`).join("; ")}.`,
  };
  return new Trouble(sentences[code] ?? `Not possible: ${detail}.`, { code, retry });
}
