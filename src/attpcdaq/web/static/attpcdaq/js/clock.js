// Everything that moves by itself: ages, the duration of a run, and states that have become too old to be believed.
// All times are the server's: `offset` is its clock minus ours.

let offset = 0;
let known = "";
let lookedFor = null;

export const serverNow = () => Date.now() / 1000 + offset;
export const setServerNow = (epoch) => { offset = epoch - Date.now() / 1000; };

/** An age as short as possible, as the server writes it: 4 s, 3 min, 2 h, 5 d. */
export function age(seconds) {
  for (const [limit, size, unit] of [[100, 1, "s"], [6000, 60, "min"], [172800, 3600, "h"]]) {
    if (seconds < limit) return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
  }
  return `${Math.floor(seconds / 86400)} d`;
}

/** Seconds as h:mm:ss. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };

/** Take over a beat: the server's time, when each server and router was last seen, and the figures of the moment. */
export function takeBeat(beat) {
  setServerNow(beat.now);
  for (const element of document.querySelectorAll("[data-seen]")) {
    const [kind, id] = element.dataset.seen.split(":");
    const seen = kind === "monitor" ? beat.monitor : beat[kind]?.[id];
    if (seen) element.dataset.ago = seen;
  }
  for (const element of document.querySelectorAll("[data-figure]")) {
    const text = beat.figures?.[element.dataset.figure];
    if (text !== undefined) say(element, text);
  }
  tick();
  // Who has fallen silent since the page was drawn, or writes again, may change what the whole page says.
  const now = String(beat.quiet);
  const drawn = document.querySelector("[data-quiet]")?.dataset.quiet ?? now;
  if (now !== drawn && now !== lookedFor) document.dispatchEvent(new CustomEvent("daq:aged"));
  lookedFor = now === drawn ? null : now;
}

// A row says with data-limit how many seconds its state may be believed.
function isStale(row, now) {
  const ago = row.querySelector("[data-ago]")?.dataset.ago;
  return Boolean(ago) && now - Number(ago) > Number(row.dataset.limit);
}

function markUnknown(row) {
  for (const badge of row.querySelectorAll(".badge[data-state]:not([data-state=unknown])")) {
    badge.dataset.state = "unknown";
    badge.textContent = "Unknown";
  }
}

/** Write every age and duration anew. Sends `daq:aged` when rows became too old or young again: their page is outdated. */
export function tick() {
  const now = serverNow();
  for (const element of document.querySelectorAll("[data-ago]")) {
    if (element.dataset.ago) say(element, age(now - Number(element.dataset.ago)));
  }
  for (const element of document.querySelectorAll("[data-duration]")) say(element, duration(now - Number(element.dataset.duration)));
  const stale = [...document.querySelectorAll("[data-limit]")].filter((row) => isStale(row, now));
  stale.forEach(markUnknown);
  const names = stale.map((row) => row.dataset.key).join();
  if (names !== known) document.dispatchEvent(new CustomEvent("daq:aged"));
  known = names;
}
