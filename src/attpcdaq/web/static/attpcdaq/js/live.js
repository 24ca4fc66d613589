// Entry of the live parts of a page. A page without them opens no stream.

import { setServerNow, takeBeat, tick } from "./clock.js";
import { refresh, refreshOld } from "./panels.js";
import { Stream } from "./stream.js";

const DRAWN_FOR_MS = 300;   // a little more than web/shared_panels keeps a drawing
const banner = document.getElementById("out-of-touch");

function showSilence(seconds) {
  banner.hidden = seconds === 0;
  document.body.classList.toggle("out-of-touch-now", seconds > 0);
  document.getElementById("out-of-touch-seconds").textContent = Math.floor(seconds);
}

// Only from the first beat on can silence be noticed.
function hear(data) {
  document.body.dataset.heard = "yes";
  takeBeat(data);
  if (data.version) compareVersions(data.version);
  if ("unacknowledged" in data) showUnacknowledged(data.unacknowledged);
}

// In the navigation and with the events: the number stands there for as long as it is not zero.
function showUnacknowledged(count) {
  for (const place of document.querySelectorAll("[data-unacknowledged]")) {
    const number = place.querySelector("[data-count]");
    if (number.textContent !== count) number.textContent = count;
    place.hidden = count === "";
  }
}

// Calm, and nothing is taken away: what stands on the page works on, Stop above all. An upgrade that failed goes back by itself.
function compareVersions(version) {
  const name = document.getElementById("other-version-name");
  if (name.textContent !== version) name.textContent = version;
  document.getElementById("other-version").hidden = version === page.version;
}

// A message that only says "done" leaves by itself; one that says why something was refused stays until the next.
function showMessage(event) {
  if (event.target.id === "menu") return event.target.showPopover();
  if (event.target.classList.contains("action-message")) addClose(event.target.querySelector(".message"));
  else event.target.scrollIntoView?.({ block: "nearest" });
  for (const message of event.target.querySelectorAll?.("[data-expires]") ?? []) {
    setTimeout(() => message.remove(), Number(message.dataset.expires) * 1000);
  }
}

// It lies over the page, so it can be put away.
function addClose(message) {
  if (!message || message.querySelector(".message-close")) return;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button small message-close";
  close.textContent = "Close";
  close.addEventListener("click", () => message.remove());
  message.prepend(close);
}

// An error page instead of a part of one: show what it says where the part would have gone, if it says anything.
function takeMain(event) {
  if (!/^\s*<!doctype/i.test(event.detail.serverResponse)) return;
  const page = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
  const said = page.querySelector("main .message");
  if (said) event.detail.serverResponse = said.outerHTML;
  else event.detail.shouldSwap = false;
}

function watchActions() {
  document.body.addEventListener("htmx:beforeSwap", takeMain);
  document.body.addEventListener("htmx:afterSwap", showMessage);
  document.body.addEventListener("htmx:afterRequest", (event) => { if (event.detail.requestConfig.verb === "post") refresh(); });
  for (const kind of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.body.addEventListener(kind, (event) => {
      // The page of a bad day says itself what is wrong, and stands there already.
      if (!event.detail.target?.querySelector?.("[data-trouble]")) sayNotSent(event.detail.xhr?.status, kind === "htmx:timeout");
    });
  }
}

function sayNotSent(status, late) {
  const area = document.getElementById("action-message") ?? document.getElementById("control-message");
  if (!area) return;
  const text = document.createElement("p");
  text.className = "message";
  text.dataset.level = "bad";
  text.textContent = late ? "No answer within 10 s: it may have arrived all the same. Look at the latest command, then press again."
    : status ? `The server answered with error ${status}: nothing is known of this operation, see the latest command.`
    : "The server could not be reached: try again when the page is in touch.";
  area.replaceChildren(text);
  if (area.classList.contains("action-message")) addClose(text);
}

// A closed menu is empty, so that it is not refreshed.
const menu = document.getElementById("menu");
menu?.addEventListener("toggle", (event) => { if (event.newState === "closed") menu.replaceChildren(); });

const page = document.body.dataset;
setServerNow(Number(page.now));
if (document.querySelector("[data-panel]")) {
  new Stream(page.stream, page.eventId, page.now, {
    change: refresh, reset: () => refresh(), back: () => refresh(), beat: hear, silence: showSilence,
  });
  document.addEventListener("daq:shown", tick);
  // What was drawn for somebody else before that moment is given out no more by then.
  document.addEventListener("daq:aged", () => setTimeout(refresh, DRAWN_FOR_MS));
  setInterval(refreshOld, 500);
  watchActions();
}
setInterval(tick, 250);
tick();
document.getElementById("not-live").remove();
