// Making elements. Strings become text nodes, never markup: a title that holds HTML shows its HTML.

export const find = (id) => document.getElementById(id);

// make("p", { class: "note" }, "text", element): an element; attributes that are functions listen to events.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// Say something, but only if it is new: a screen reader reads what changes.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Fill a list with rows { id, key, node }. A row whose key is the same keeps its element; rows that move glide.
// Whoever had the focus keeps it, or hands it to the row that came in its place; `otherwise` where none did.
export function fill(list, rows, otherwise) {
  const before = [...list.children];
  const active = document.activeElement;
  const place = before.findIndex((row) => row.contains(active));
  const kept = new Map(before.map((row) => [row.dataset.key, row]));
  const tops = new Map(before.map((row) => [row.dataset.id, row.offsetTop]));
  const after = rows.map(({ key, node }) => kept.get(key) ?? node());
  rows.forEach(({ id, key }, number) => Object.assign(after[number].dataset, { id, key }));
  list.replaceChildren(...after);
  if (place >= 0) refocus(active, after, place, otherwise);
  glide(after, tops);
}

function refocus(active, rows, place, otherwise) {
  const row = rows[Math.min(place, rows.length - 1)];
  const same = row?.querySelector(`[data-does="${active.dataset.does}"]`);
  (active.isConnected ? active : (same ?? otherwise)).focus({ preventScroll: active.isConnected });
}

function glide(rows, tops) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const row of rows) {
    const way = (tops.get(row.dataset.id) ?? row.offsetTop) - row.offsetTop;
    const steps = [{ transform: `translateY(${way}px)` }, { transform: "none" }];
    if (way) row.animate(steps, { duration: 180, easing: "ease-out" });
  }
}
