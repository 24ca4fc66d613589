// Follows a log while its page is open and seen: what is new is asked for each second and put at the end.
// Asking is what lets the monitor read the file; a page that is hidden or paused asks for nothing.

const EVERY_MS = 1000;
const RETRY_MS = 3000;
const ANSWER_MS = 8000;
const NEAR_END = 24;            // pixels: whoever is so near to the end is at the end
const MOST_LINES = 5000;        // then the oldest ones go
const MOST_WHILE_READING = 20000;

const log = document.getElementById("log");
const [box, list, tools, follow, level, text, count, newest, empty] =
  ["log-box", "log-lines", "log-tools", "log-follow", "log-level", "log-text", "log-count", "log-newest", "log-empty"].map((id) => document.getElementById(id));

let seen = log.dataset.seen;
let paused = false;
let timer = 0;
let busy = false;
let atEnd = true;               // as whoever reads has scrolled; a window that changes its size is no scrolling
let fresh = 0;                  // lines that came while somebody reads further up

const isLive = () => !paused && !document.hidden;
const toEnd = () => { box.scrollTop = box.scrollHeight; };

function scrolled() {
  atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
  moved();
}

function next(wait) {
  clearTimeout(timer);
  if (isLive()) timer = setTimeout(look, wait);
}

async function look() {
  if (busy) return;
  busy = true;
  let wait = EVERY_MS;
  try {
    const response = await fetch(`${log.dataset.source}?seen=${encodeURIComponent(seen)}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (response.redirected) return location.reload();  // the session ended: on to the log-in page
    if (response.status === 404) throw new Error("it is no longer in the setup");
    if (!response.ok) throw new Error(`the DAQ answered with error ${response.status}`);
    take(await response.text());
  } catch (error) {
    wait = RETRY_MS;
    const why = error instanceof TypeError ? "the DAQ could not be reached" : error.name === "TimeoutError" ? `no answer within ${ANSWER_MS / 1000} s` : error.message;
    say(`Not read: ${why}. Asked again every ${RETRY_MS / 1000} s; what stands here is old.`);
  } finally {
    busy = false;
    next(wait);
  }
}

function say(words) {
  const state = document.getElementById("log-state");
  if (state.dataset.state === "away" && state.textContent === words) return;
  state.dataset.state = "away";
  state.textContent = words;
}

function take(html) {
  const news = new DOMParser().parseFromString(html, "text/html").getElementById("log-news");
  for (const id of ["log-state", "log-facts"]) {
    const [old, now] = [document.getElementById(id), news.querySelector(`#${id}`)];
    if (now && old.innerHTML !== now.innerHTML) old.replaceWith(now);
  }
  const lines = [...news.querySelector("ol").children];
  seen = news.dataset.seen;
  fit();
  if (lines.length) put(lines, Number(news.dataset.from), news.hasAttribute("data-anew"));
}

// The newest line, which is the last, is to be seen without moving the page.
function fit() {
  const height = `${Math.round(innerHeight - box.getBoundingClientRect().top - scrollY - 14)}px`;
  if (box.style.height !== height) box.style.height = height;
  if (atEnd) toEnd();
}

// What was shown at that place of the file and after it comes again: its last line may have had no end yet.
function put(lines, from, isAnew) {
  const before = list.childElementCount;
  if (isAnew) for (const line of list.children) delete line.dataset.at;
  for (let last = list.lastElementChild; last && Number(last.dataset.at ?? -1) >= from; last = list.lastElementChild) last.remove();
  const most = atEnd ? MOST_LINES : MOST_WHILE_READING;
  list.append(...lines);
  while (list.childElementCount > most) list.firstElementChild.remove();
  fresh += Math.max(0, list.childElementCount - before);
  filter(lines);
  tell();
  if (atEnd) toEnd();
  moved();
}

function fits(line) {
  if (!level.value && !text.value) return true;
  const bad = level.value === "" || line.dataset.level === "error" || line.dataset.level === level.value;
  return bad && line.textContent.toLowerCase().includes(text.value.toLowerCase());
}

function filter(lines) {
  for (const line of lines) line.hidden = !fits(line);
}

function tell() {
  const all = list.childElementCount;
  const left = level.value || text.value ? [...list.children].filter((line) => !line.hidden).length : all;
  const words = left === all ? `${all} lines` : `${left} of ${all} lines`;
  if (count.textContent !== words) count.textContent = words;
  empty.hidden = left > 0;
  empty.textContent = all ? "None of these lines fits: change the search or the choice of lines." : "No line yet.";
}

function filterAll() {
  filter(list.children);
  tell();
  goToEnd();
}

function goToEnd() {
  atEnd = true;
  toEnd();
  moved();
}

function moved() {
  if (atEnd) fresh = 0;
  newest.hidden = atEnd;
  newest.textContent = fresh ? `${fresh} new ${fresh === 1 ? "line" : "lines"} ↓` : "Newest ↓";
}

function turn() {
  paused = !paused;
  follow.setAttribute("aria-pressed", String(!paused));
  follow.textContent = paused ? "Paused" : "Following";
  follow.title = paused ? "Follow again" : "Pause";
  if (paused) clearTimeout(timer);
  else look();
}

follow.title = "Pause";
follow.addEventListener("click", turn);
newest.addEventListener("click", () => { goToEnd(); box.focus({ preventScroll: true }); });
box.addEventListener("scroll", scrolled, { passive: true });
level.addEventListener("change", filterAll);
text.addEventListener("input", filterAll);
document.addEventListener("visibilitychange", () => { if (isLive()) look(); else clearTimeout(timer); });

addEventListener("resize", fit);

tools.hidden = false;
fit();
filterAll();
next(EVERY_MS);
