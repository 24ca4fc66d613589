// The live parts of a page: <section data-panel="runs" data-topics="run command" data-source="/partials/status">.
// A refresh asks each source once for all panels concerned (?panels=a,b); the answer holds a [data-panel] element for each.
// The first refresh goes out at once, the next ones at most every 100 ms, and never two at a time per source.

import { serverNow } from "./clock.js";
import { morph } from "./morph.js";

const SPACING_MS = 100;
const RETRY_MS = 1000;
const sources = new Map();

function concerned(topics) {
  return [...document.querySelectorAll("[data-panel][data-source]")].filter(
    (panel) => !topics || (panel.dataset.topics || "").split(" ").some((topic) => topics.includes(topic)));
}

/** Fetch again every panel which shows one of `topics` (a list), or all panels. */
export function refresh(topics = null) {
  fetchAgain(concerned(topics));
}

function fetchAgain(panels) {
  for (const panel of panels) {
    const url = panel.dataset.source;
    if (!sources.has(url)) sources.set(url, { wanted: new Set(), timer: 0, busy: false, last: -Infinity });
    sources.get(url).wanted.add(panel.dataset.panel);
  }
  for (const [url, source] of sources) if (source.wanted.size) schedule(url, source);
}

let turn = 0;

/** Each data-every seconds of the server's clock fetch again what a panel's source draws: some things change because time
    passes. All pages that look do it in the same moment, and the server draws once for all of them. */
export function refreshOld() {
  const before = turn;
  turn = Math.floor(serverNow());
  if (!before || turn === before || document.hidden) return;
  const isTurn = ({ dataset: { every } }) => Math.floor(turn / every) !== Math.floor(before / every);
  const due = [...document.querySelectorAll("[data-every]")].filter(isTurn).map((panel) => panel.dataset.source);
  if (due.length) fetchAgain(concerned().filter((panel) => due.includes(panel.dataset.source)));
}

function schedule(url, source, wait = Math.max(0, source.last + SPACING_MS - performance.now())) {
  if (!source.timer && !source.busy) source.timer = setTimeout(fetchPanels, wait, url, source);
}

async function fetchPanels(url, source) {
  const names = [...source.wanted];
  source.wanted.clear();
  Object.assign(source, { timer: 0, busy: true, last: performance.now() });
  let wait;
  try {
    const response = await fetch(`${url}${url.includes("?") ? "&" : "?"}panels=${names.join(",")}`, { signal: AbortSignal.timeout(10000) });
    if (response.redirected) return location.reload();  // the session ended: on to the log-in page
    if (!response.ok) throw new Error(`${response.status} for ${url}`);
    show(await response.text());
  } catch {
    names.forEach((name) => source.wanted.add(name));
    wait = RETRY_MS;
  }
  source.busy = false;
  if (source.wanted.size) schedule(url, source, wait);
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const panel of fresh.querySelectorAll("[data-panel]")) {
    const old = document.querySelector(`[data-panel="${panel.dataset.panel}"]`);
    if (!old) continue;
    morph(old, panel);
    window.htmx?.process(old);
  }
  document.dispatchEvent(new CustomEvent("daq:shown"));
}
