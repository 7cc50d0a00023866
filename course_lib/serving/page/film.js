// A film as it stands in the lists, its reasons, and the two buttons that judge it.

import { ask } from "./api.js";
import { make } from "./dom.js";
import { likes, me } from "./me.js";

const open = new Set(); // films whose score is taken apart

export const named = ({ title, year }) => (year && !title.includes(`(${year})`) ? `${title} (${year})` : title);

const facts = ({ genres, match }) => [...genres, ...(match === "words" ? ["found by meaning"] : [])].join(" · ");

// Liking is a switch in the list of films found; elsewhere a film that is liked leaves.
export function likeButton(item, onLike, onDislike) {
  const pressed = likes(item.item_id);
  const attributes = { type: "button", "data-does": "like", "aria-label": `Like ${named(item)}` };
  if (onDislike) attributes["aria-pressed"] = String(pressed);
  const act = () => (pressed && onDislike ? onDislike(item) : onLike(item));
  return make("button", { ...attributes, click: act }, pressed ? "✓ Liked" : "Like");
}

export function dislikeButton(item, onDislike) {
  const attributes = { type: "button", "data-does": "dislike", "aria-label": `Not for me: ${named(item)}` };
  return make("button", { ...attributes, click: () => onDislike(item) }, "Not for me");
}

export function filmRow(item, ...buttons) {
  const film = make("div", { class: "film" }, make("p", { class: "name" }, named(item)));
  if (facts(item)) film.append(make("p", { class: "facts" }, facts(item)));
  return make("li", {}, film, make("div", { class: "buttons" }, ...buttons));
}

export function because({ graph, words }) {
  const [byGraph, byWords] = [make("span", { class: "graph" }, "graph"), make("span", { class: "words" }, "words")];
  const film = ({ title }) => make("b", {}, title);
  if (graph.item_id === words.item_id) return ["Because of ", film(graph), ", by ", byGraph, " and by ", byWords];
  return ["Because of ", film(graph), " by ", byGraph, ", ", film(words), " by ", byWords];
}

// A recommended film with its reasons. What the service knows about a user, it can take apart.
export function recommendedRow(item, alpha, onLike, onDislike) {
  const buttons = [likeButton(item, onLike)];
  if (me.user) buttons.push(dislikeButton(item, onDislike));
  const row = filmRow(item, ...buttons);
  if (item.because) row.append(make("p", { class: "why" }, ...because(item.because)));
  if (item.because && me.user) row.append(takenApart(item, alpha));
  return row;
}

function takenApart(item, alpha) {
  const inside = make("div", {}, "Asking…");
  const label = { "aria-label": `Why, in numbers: ${named(item)}`, "data-does": "why" };
  const box = make("details", { class: "why" }, make("summary", label, "Why, in numbers"), inside);
  box.addEventListener("toggle", () => {
    open[box.open ? "add" : "delete"](item.item_id);
    if (box.open) explain(item, alpha, inside);
  });
  box.open = open.has(item.item_id);
  return box;
}

async function explain(item, alpha, inside) {
  const query = { user_id: me.user, item_id: item.item_id, alpha };
  try {
    const { data } = await ask("GET", "/v1/explanations", { query });
    inside.replaceChildren(...parts(data));
  } catch (error) {
    inside.replaceChildren(error.message);
  }
}

function parts({ score, graph, words, background, by_graph, by_words, other_graph, other_words }) {
  const most = Math.max(...[...by_graph, ...by_words].map(({ contribution }) => contribution), 1e-9);
  const people = ({ paths }) => (paths === 1 ? "1 person took both" : `${paths} people took both`);
  const alike = ({ cosine }) => `similarity ${cosine.toFixed(2)}`;
  const shared = `what everyone shares ${signed(background)}`;
  const sum = `Score ${signed(score)}: graph ${signed(graph)}, words ${signed(words)}, ${shared}`;
  return [
    make("p", { class: "number" }, sum),
    make(
      "div",
      { class: "parts" },
      side("Through the graph", "graph", by_graph, people, other_graph, most),
      side("Through the words", "words", by_words, alike, other_words, most),
    ),
  ];
}

function side(title, kind, reasons, say, other, most) {
  const rows = reasons.map((reason) => {
    const bar = make("span", { class: `bar ${kind}`, "aria-hidden": "true" });
    bar.style.width = `${(100 * Math.max(reason.contribution, 0)) / most}%`;
    const number = make("span", { class: "number" }, ` ${signed(reason.contribution)}, ${say(reason)}`);
    return make("li", {}, reason.title, number, bar);
  });
  if (Math.abs(other) >= 0.005) rows.push(make("li", { class: "number" }, `all others ${signed(other)}`));
  return make("div", {}, make("h4", { class: kind }, title), make("ul", {}, ...rows));
}

const signed = (number) => `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(2)}`;
