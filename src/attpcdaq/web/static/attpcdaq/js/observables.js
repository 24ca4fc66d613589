// Observables are put in order by dragging a row by its handle, with mouse or finger. The keyboard has buttons for it.
// The other rows move past the dragged one, which keeps its place in the tree: a finger does not lose it.

document.documentElement.dataset.drags = "yes";

const ids = (list) => [...list.children].map((row) => row.dataset.observable).join(",");

function follow(row, y) {
  for (let next = row.nextElementSibling; next && y > middle(next); next = row.nextElementSibling) row.before(next);
  for (let last = row.previousElementSibling; last && y < middle(last); last = row.previousElementSibling) row.after(last);
}

function middle(row) {
  const box = row.getBoundingClientRect();
  return box.top + box.height / 2;
}

function putBack(list, order) {
  for (const id of order.split(",")) list.append(list.querySelector(`[data-observable="${id}"]`));
}

function send(list, before) {
  const form = document.getElementById("observables-order");
  form.elements.namedItem("order").value = ids(list);
  // A list that is still there was not replaced by the new one: the order was not kept, so it is not shown as if it were.
  const settled = () => { if (list.isConnected) putBack(list, before); };
  form.addEventListener("htmx:afterRequest", settled, { once: true });
  form.requestSubmit();
}

document.addEventListener("pointerdown", (event) => {
  const row = event.target.closest?.("[data-drag]")?.closest("tr");
  if (!row || event.button) return;
  event.preventDefault();
  const list = row.parentNode, before = ids(list), ended = new AbortController();
  const listen = (kind, action) => document.addEventListener(kind, action, { signal: ended.signal });
  const end = (keep) => {
    ended.abort();
    row.classList.remove("dragged");
    if (!keep) putBack(list, before);
    else if (ids(list) !== before) send(list, before);
  };
  row.classList.add("dragged");
  listen("pointermove", (moved) => follow(row, moved.clientY));
  listen("pointerup", () => end(true));
  listen("pointercancel", () => end(false));
  listen("keydown", (key) => { if (key.key === "Escape") end(false); });
});
