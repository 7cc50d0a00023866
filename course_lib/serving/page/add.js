// A new film: nobody has seen it, so its words alone decide who gets it.

import { ask } from "./api.js";
import { find, make, say } from "./dom.js";
import { because, likeButton, named } from "./film.js";
import { K, me, recommendations } from "./me.js";

const DEEP = 100; // how far down the lists it is looked for
const NEW = "The graph has never met this film: move the slider towards the words, and more people may get it.";

let film = null;
let last = 0; // an answer that was overtaken is thrown away

// Add what the form says; gives whether that worked.
export async function addFilm() {
  const genres = find("genres").value.split(",").map((genre) => genre.trim()).filter(Boolean);
  const year = find("year").value ? Number(find("year").value) : null;
  const body = { title: find("title").value, year, genres, description: find("description").value };
  say(find("added-note"), "Reading it…");
  try {
    const { data } = await ask("POST", "/v1/items", { body });
    film = data.item;
    say(find("added-note"), `${named(film)} ${data.created ? "can be recommended now" : "was there already"}.`);
    return true;
  } catch (error) {
    say(find("added-note"), error.message);
    return false;
  }
}

// Who would see it, with the weight that the slider gives to the words.
export async function showAudience(onLike) {
  if (!film) return;
  const mine = ++last;
  const path = `/v1/items/${encodeURIComponent(film.item_id)}`;
  const audience = (k) => ask("GET", `${path}/audience`, { query: { k, alpha: me.alpha } });
  const [high, deep, similar, own] = await Promise.all([
    audience(K),
    audience(DEEP),
    ask("GET", `${path}/similar`, { query: { k: 5, alpha: 1 } }),
    recommendations(DEEP),
  ]);
  if (mine !== last) return;
  const { num_users, readers } = deep.data;
  const [few, many] = [high.data.num_reached, deep.data.num_reached];
  const reached = `${few} find it among their first ${K}, ${many} among their first ${DEEP}.`;
  find("added").replaceChildren(
    make("h3", {}, "Who gets it"),
    make("p", {}, `Of ${num_users} people of the training data, ${reached}`),
    make("ul", {}, ...readers.map(reader)),
    make("p", { class: "note" }, NEW),
    make("p", {}, place(own.data)),
    make("h3", {}, "Nearest by its words"),
    make("ul", {}, ...similar.data.items.map((item) => make("li", {}, named(item)))),
    make("div", { class: "row" }, likeButton(film, onLike)),
  );
}

function reader({ user_id, rank, because: why }) {
  return make("li", {}, make("b", {}, `User ${user_id}`), `, place ${rank}. `, ...because(why));
}

function place({ basis, items }) {
  if (basis === "popularity") return "Like some films, and you see here where it lands in your own list.";
  const rank = items.findIndex(({ item_id }) => item_id === film.item_id) + 1;
  return rank ? `In your own list it is at place ${rank}.` : `In your own list it is not among the first ${DEEP}.`;
}
