// The form of the run sheet: nothing that was typed is lost. What is not saved is kept in this tab (the session may end
// meanwhile, or somebody else may write), and leaving the page asks first. Only what this tab wrote is put back; whether
// somebody else changed the field meanwhile the server still decides, by the value that the writer saw.

const form = document.getElementById("sheet");
const place = `attpcdaq-sheet ${location.pathname}`;
let leaving = false;

const plain = (text) => text.replace(/\r\n/g, "\n").replace(/[\u00a0\u202f]/g, " ").trim();
const seen = (name) => form.elements.namedItem(`was-${name}`);

function edits() {
  const found = {};
  for (const control of form.elements) {
    const was = control.name && !control.name.startsWith("was-") ? seen(control.name) : null;
    if (was && plain(control.value) !== plain(was.value)) found[control.name] = { was: was.value, now: control.value };
  }
  return found;
}

function keep(found) {
  try {
    if (Object.keys(found).length) sessionStorage.setItem(place, JSON.stringify(found));
    else sessionStorage.removeItem(place);
  } catch { /* a browser that keeps nothing: leaving still asks */ }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(place) ?? "{}");
  } catch {
    return {};
  }
}

function putBack(found) {
  const names = [];
  for (const [name, { was, now }] of Object.entries(found)) {
    const control = form.elements.namedItem(name);
    if (!control || !seen(name) || plain(control.value) === plain(now)) continue;
    control.value = now;
    seen(name).value = was;
    names.push((control.labels[0]?.firstChild.textContent ?? name).trim());
  }
  const said = document.getElementById("sheet-restored");
  said.hidden = !names.length;
  said.querySelector("[data-fields]").textContent = names.join(", ");
}

function look() {
  const found = edits(), count = Object.keys(found).length;
  keep(found);
  document.getElementById("sheet-unsaved").textContent = count ? `${count} field${count > 1 ? "s" : ""} not saved yet` : "";
}

function send(event) {
  leaving = true;
  const same = event.submitter?.name === "same" ? event.submitter.value : "";
  const found = edits();
  delete found[same];  // the previous run's value is wanted instead
  keep(found);
}

if (form && document.getElementById("sheet-unsaved")) {
  if (!("refused" in form.dataset)) putBack(kept());
  look();
  form.addEventListener("input", look);
  form.addEventListener("change", look);
  form.addEventListener("submit", send);
  document.querySelector("#sheet-restored button").addEventListener("click", () => {
    leaving = true;
    keep({});
    location.assign(location.pathname);
  });
  addEventListener("pageshow", () => { leaving = false; });
  addEventListener("beforeunload", (event) => { if (!leaving && Object.keys(edits()).length) event.preventDefault(); });
}
