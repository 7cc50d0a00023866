// Who sits here: a guest, whose picks stay in this tab, or a user, whose clicks the service keeps.

import { ask, newKey } from "./api.js";

const STORED = "graphs-and-words";
const unsent = new Map(); // events without an answer yet: tried again, they go under the same key

export const K = 10; // films recommended

// alpha, the weight of the words, is undefined until the slider is moved: the bundle has a weight of its own.
export const me = { user: "", picks: { "": [] }, alpha: undefined, ...stored() };

export const liked = () => (me.picks[me.user] ??= []);
export const likes = (itemId) => liked().some((item) => item.item_id === itemId);

// A click of a user is on the service's disk once this returns.
export async function like(item) {
  if (me.user) await send(item, { kind: "click" });
  me.picks[me.user] = [...liked().filter(({ item_id }) => item_id !== item.item_id), item];
  store();
}

// A guest's pick is dropped; a user's stays known, as a bad rating.
export async function dislike(item) {
  if (me.user) await send(item, { kind: "rating", rating: 1 });
  drop((one) => one.item_id === item.item_id);
}

export function drop(isGone) {
  me.picks[me.user] = liked().filter((item) => !isGone(item));
  store();
}

export function become(user) {
  me.user = user;
  store();
}

// The k best films; the popular ones for a user of whom nothing is known.
export async function recommendations(k) {
  const { user, alpha } = me;
  const anyone = (item_ids) => ask("POST", "/v1/recommendations", { body: { item_ids, k, alpha: alpha ?? null } });
  if (!user) return anyone(liked().map(({ item_id }) => item_id));
  try {
    return await ask("GET", "/v1/recommendations", { query: { user_id: user, k, alpha } });
  } catch (error) {
    if (error.code !== "unknown-user") throw error;
    return anyone([]);
  }
}

async function send(item, event) {
  const body = { user_id: me.user, item_id: item.item_id, ...event };
  const name = JSON.stringify(body);
  if (!unsent.has(name)) unsent.set(name, newKey());
  await ask("POST", "/v1/events", { body, headers: { "Idempotency-Key": unsent.get(name) } });
  unsent.delete(name);
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(STORED)) ?? {};
  } catch {
    return {}; // the browser allows no storage: picks last until the page is left
  }
}

function store() {
  try {
    sessionStorage.setItem(STORED, JSON.stringify({ user: me.user, picks: me.picks }));
  } catch {
    // as above
  }
}
