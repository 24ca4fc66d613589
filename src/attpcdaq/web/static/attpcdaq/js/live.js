// Entry of the live parts of a page. A page without them opens no stream.

import { serverNow, setServerNow, takeBeat, tick } from "./clock.js";
import { refresh } from "./panels.js";
import { Stream } from "./stream.js";

const banner = document.getElementById("out-of-touch");
const live = document.querySelector("[data-stream]");

function showSilence(seconds) {
  banner.hidden = seconds === 0;
  document.body.classList.toggle("out-of-touch-now", seconds > 0);
  document.getElementById("out-of-touch-seconds").textContent = Math.floor(seconds);
}

// A message that only says "done" leaves by itself; one that says why something was refused stays until the next.
function expire(event) {
  for (const message of event.target.querySelectorAll?.("[data-expires]") ?? []) {
    setTimeout(() => message.remove(), Number(message.dataset.expires) * 1000);
  }
}

function watchActions() {
  document.body.addEventListener("htmx:afterSwap", expire);
  document.body.addEventListener("htmx:afterRequest", (event) => { if (event.detail.requestConfig.verb === "post") refresh(); });
  for (const kind of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.body.addEventListener(kind, (event) => sayNotSent(event.detail.xhr?.status));
  }
}

function sayNotSent(status) {
  const area = document.getElementById("action-message");
  if (!area) return;
  const text = document.createElement("p");
  text.className = "message";
  text.dataset.level = "bad";
  text.textContent = status ? `The server answered with error ${status}: nothing is known of this operation, see the latest command.`
    : "The server could not be reached: try again when the page is in touch.";
  area.replaceChildren(text);
}

if (live) {
  setServerNow(Number(live.dataset.now));
  new Stream(live.dataset.stream, live.dataset.eventId, {
    change: refresh, reset: () => refresh(), back: () => refresh(), beat: takeBeat, silence: showSilence,
  });
  document.addEventListener("daq:shown", tick);
  document.addEventListener("daq:aged", () => refresh());
  watchActions();
}
if (serverNow()) setInterval(tick, 250);
tick();
