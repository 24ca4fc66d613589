// Make one tree of elements look like another while keeping the elements themselves: a click that has begun, the focus,
// an open menu and a half-typed word survive a refresh. Elements are matched by id or data-key, else by place and kind.

const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.id || node.dataset.key || "" : "";

// What the person at the page decides, not the server: whether a <details> is open.
const isOurs = (element, name) => name === "open" && element.localName === "details";

function morphAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !isOurs(from, name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && !isOurs(from, name)) from.setAttribute(name, value);
  }
}

function morphChildren(from, to) {
  const wantedKeys = new Set([...to.children].map(keyOf));
  for (const child of [...from.children]) if (keyOf(child) && !wantedKeys.has(keyOf(child))) child.remove();
  const keyed = new Map([...from.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let cursor = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const key = keyOf(wanted);
    const candidate = key ? keyed.get(key) : cursor && !keyOf(cursor) ? cursor : null;
    if (!candidate || candidate.nodeName !== wanted.nodeName) {
      from.insertBefore(wanted, cursor);
      continue;
    }
    if (candidate === cursor) cursor = cursor.nextSibling;
    else from.insertBefore(candidate, cursor);
    morph(candidate, wanted);
  }
  while (cursor) {
    const next = cursor.nextSibling;
    cursor.remove();
    cursor = next;
  }
}

/** Turn `from` (in the page) into `to` (freshly parsed, used up). An element with data-keep stays as it is. */
export function morph(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
  } else if (!from.hasAttribute("data-keep") && !from.isEqualNode(to)) {
    morphAttributes(from, to);
    morphChildren(from, to);
  }
}
