// The page: search, pick, be recommended to, move the slider, add a film. Each answer of the service is shown as text.

import { addFilm, showAudience } from "./add.js";
import { ask } from "./api.js";
import { fill, find, make, say } from "./dom.js";
import { filmRow, likeButton, named, recommendedRow } from "./film.js";
import { become, dislike, drop, K, like, liked, likes, me, recommendations } from "./me.js";

const PAUSE = 80; // milliseconds between two questions while the slider moves
const TYPING = 150; // milliseconds without a key after which a search begins

const latencies = []; // of the last 20 lists
let found = { query: "", items: [] };
let [lastList, lastSearch] = [0, 0]; // an answer that was overtaken is thrown away
let [listTimer, retryTimer, searchTimer] = [0, 0, 0];
const waiting = new Set(); // functions that failed and are called again

// Recommendations

// Ask for the list and show it; `since` is when the click happened that it answers.
async function refresh(since) {
  const mine = ++lastList;
  try {
    const answer = await recommendations(K);
    if (mine !== lastList) return;
    showList(answer.data);
    showLatency(answer, since);
    succeeded(refresh);
  } catch (error) {
    if (mine !== lastList) return;
    if (error.code === "unknown-item") return void dropMissing();
    failed(refresh, error);
  }
}

// While the slider moves: ask now and then, and for the last place in any case.
function refreshSoon() {
  listTimer ||= setTimeout(() => {
    listTimer = 0;
    refresh();
  }, PAUSE);
}

function showList({ items, basis, num_history, alpha }) {
  showAlpha(alpha);
  const rows = items.map((item) => ({
    id: item.item_id,
    key: JSON.stringify([item, me.user, alpha]),
    node: () => recommendedRow(item, alpha, (one) => judge(like, one), (one) => judge(dislike, one)),
  }));
  fill(find("recommended"), rows, find("for-you-title"));
  const films = num_history === 1 ? "the film" : `the ${num_history} films`;
  const known = me.user ? `${films} known of ${me.user}` : `${films} you like`;
  say(find("basis"), basis === "popularity" ? "What is popular, until you like something." : `From ${known}.`);
}

function showAlpha(alpha) {
  const slider = find("alpha");
  if (me.alpha === undefined) slider.value = alpha;
  const text = `${Math.round(100 * slider.value)} %`;
  slider.setAttribute("aria-valuetext", `${text} words`);
  find("alpha-text").textContent = text;
}

function showLatency({ milliseconds, server }, since) {
  latencies.push(milliseconds);
  if (latencies.length > 20) latencies.shift();
  const median = [...latencies].sort((one, other) => one - other)[Math.floor(latencies.length / 2)];
  const inside = server === null ? "" : `, ${time(server)} of it in the service`;
  const click = since === undefined ? "" : ` From your click to this list: ${time(performance.now() - since)}.`;
  const usual = latencies.length > 2 ? ` Median of the last ${latencies.length}: ${time(median)}.` : "";
  find("latency").textContent = `This list took ${time(milliseconds)}${inside}.${usual}${click}`;
}

const time = (milliseconds) => `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)}\u00a0ms`;

// Films of an earlier bundle may be gone.
async function dropMissing() {
  const known = new Set();
  for (const { item_id } of liked()) {
    try {
      await ask("GET", `/v1/items/${encodeURIComponent(item_id)}`);
      known.add(item_id);
    } catch (error) {
      if (error.code !== "unknown-item") return complain(error);
    }
  }
  drop(({ item_id }) => !known.has(item_id));
  showPicks();
  refresh();
}

// Judging films

async function judge(how, item) {
  const since = performance.now();
  const plain = { item_id: item.item_id, title: item.title, year: item.year, genres: item.genres };
  try {
    await how(plain);
  } catch (error) {
    return complain(error, " This click was not kept: click again.");
  }
  showPicks();
  await refresh(since);
  await Promise.all([showNewFilm(), showState()]);
}

const showNewFilm = () => showAudience((one) => judge(like, one)).catch(complain);

function showPicks() {
  const row = (item) => ({ id: item.item_id, key: `${me.user} ${item.item_id}`, node: () => pickRow(item) });
  const rows = liked().map(row);
  fill(find("picked"), rows, find("picked-title"));
  const kept = me.user ? ` What you click is kept by the service, under “${me.user}”.` : "";
  say(find("picked-note"), (rows.length ? "" : "Nothing in this tab yet. Like a film.") + kept);
  showFound();
}

function pickRow(item) {
  const label = me.user ? `Not for me after all: ${named(item)}` : `Remove ${named(item)}`;
  const attributes = { type: "button", "aria-label": label, "data-does": "remove", click: () => judge(dislike, item) };
  return make("li", {}, make("span", {}, named(item)), make("button", attributes, "✕"));
}

// Search

async function search() {
  const mine = ++lastSearch;
  try {
    const { data } = await ask("GET", "/v1/items", { query: { query: find("query").value, k: 20 } });
    if (mine !== lastSearch) return;
    found = data;
    showFound();
    find("found").scrollTop = 0;
    succeeded(search);
  } catch (error) {
    if (mine === lastSearch) failed(search, error);
  }
}

function showFound() {
  const { query, semantic, items } = found;
  const rows = items.map((item) => {
    const button = () => likeButton(item, (one) => judge(like, one), (one) => judge(dislike, one));
    const key = JSON.stringify([item, likes(item.item_id), me.user]);
    return { id: item.item_id, key, node: () => filmRow(item, button()) };
  });
  fill(find("found"), rows, find("query"));
  const count = items.length === 1 ? "1 film" : `${items.length} films`;
  const only = semantic ? "" : " Only titles are searched: the text encoder is not loaded.";
  const note = items.length ? `${count} for “${query}”.${only}` : `No film for “${query}”.${only}`;
  say(find("found-note"), query ? note : "What many people took:");
}

// Who sits here

function showWho() {
  find("user").value = me.user;
  say(find("who-note"), me.user ? `You are user ${me.user}.` : "You are a guest: what you like stays in this tab.");
  showPicks();
}

async function forget() {
  if (me.user) {
    say(find("forget-title"), `Forget ${me.user}?`);
    say(find("forget-trouble"), "");
    return find("forget-dialog").showModal();
  }
  drop(() => true);
  showPicks();
  say(find("who-note"), "Forgotten. You are a guest: the service kept nothing.");
  return refresh();
}

async function forgetUser(event) {
  event.preventDefault();
  const headers = { Authorization: `Bearer ${find("token").value}` };
  try {
    const { data } = await ask("DELETE", `/v1/users/${encodeURIComponent(me.user)}`, { headers });
    drop(() => true);
    find("forget-dialog").close();
    showPicks();
    const events = data.events_deleted === 1 ? "1 event" : `${data.events_deleted} events`;
    say(find("who-note"), `${me.user} is forgotten: ${events} deleted.`);
    refresh();
  } catch (error) {
    const nobody = error.code === "unknown-user";
    say(find("forget-trouble"), nobody ? `The service knows nothing about ${me.user}.` : error.message);
  }
  find("token").value = "";
}

// Trouble, and the state of the service

function complain(error, more = "") {
  if (error.code === undefined) throw error; // a mistake of this page, for the console
  const box = find("trouble");
  box.hidden = false;
  say(box, error.message + more);
}

function failed(what, error) {
  complain(error, error.retry ? ` Trying again in ${error.retry} s.` : "");
  if (!error.retry) return;
  waiting.add(what);
  clearTimeout(retryTimer);
  retryTimer = setTimeout(() => waiting.forEach((one) => one()), 1000 * error.retry);
}

function succeeded(what) {
  waiting.delete(what);
  if (waiting.size || find("trouble").hidden) return;
  find("trouble").hidden = true;
  say(find("trouble"), "");
  showState();
}

async function showState() {
  try {
    const { data } = await ask("GET", "/readyz");
    const encoder = { ready: "ready", loading: "loading", absent: "not there", failed: "broken" }[data.encoder];
    say(find("ready"), `Bundle ${data.bundle}, text encoder ${encoder}, ${data.events} events kept.`);
    if (data.encoder === "loading") setTimeout(showState, 500);
  } catch (error) {
    say(find("ready"), error.message);
  }
}

find("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
find("query").addEventListener("input", () => {
  clearTimeout(searchTimer);
  searchTimer = setTimeout(search, TYPING);
});
find("alpha").addEventListener("input", () => {
  me.alpha = Number(find("alpha").value);
  showAlpha(me.alpha);
  refreshSoon();
});
find("alpha").addEventListener("change", showNewFilm);
find("me").addEventListener("submit", (event) => {
  event.preventDefault();
  become(find("user").value);
  showWho();
  refresh();
});
find("forget").addEventListener("click", forget);
find("forget-form").addEventListener("submit", forgetUser);
find("forget-cancel").addEventListener("click", () => find("forget-dialog").close());
find("film").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await addFilm()) await Promise.all([showNewFilm(), refresh()]);
});

showWho();
refresh();
search();
showState();
