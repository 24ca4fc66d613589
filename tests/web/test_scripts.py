"""The page's scripts in a real browser: a refresh takes nothing away from the person at the page, and ages agree."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from attpcdaq import web
from attpcdaq.web.templatetags import daq_tags

SCRIPTS = Path(web.__file__).parent / "static/attpcdaq/js"
SITE = "http://scripts.invalid"
SHELL = "<!doctype html><title>scripts</title><main></main>"
MORPH = """async ([before, after]) => {
  const { morph } = await import("/morph.js");
  const main = document.querySelector("main");
  if (before !== null) main.innerHTML = before;
  window.first ??= {};
  document.querySelectorAll("[id]").forEach((element) => { window.first[element.id] ??= element; });
  morph(main, new DOMParser().parseFromString(`<main>${after}</main>`, "text/html").querySelector("main"));
  return main.innerHTML;
}"""
SAME = "(id) => window.first[id] === document.getElementById(id)"


def answer(route: Route) -> None:
    """Serve our scripts, and an empty page for every other address."""
    script = SCRIPTS / route.request.url.rsplit("/", 1)[1]
    if script.suffix == ".js":
        route.fulfill(body=script.read_text(), content_type="text/javascript")
    else:
        route.fulfill(body=SHELL, content_type="text/html")


@pytest.fixture
def browser_page(page: Page) -> Page:
    page.route("**/*", answer)
    page.goto(f"{SITE}/")
    return page


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>a</p>", "<p>b</p>"),
        ("<p class='x' title='y'>a</p>", "<p class='z'>a</p>"),
        ("<ul><li id='a'>1</li><li id='b'>2</li></ul>", "<ul><li id='b'>2</li><li id='a'>3</li><li id='c'>4</li></ul>"),
        ("<i data-key='1'>x</i> and <b>y</b>", "<b>y</b><i data-key='1'>x</i> or"),
        ("<p>one</p><p>two</p>", "<p>two</p>"),
        ("", "<table><tbody data-key='r'><tr><td>1</td></tr></tbody></table>"),
        ("<p id='a'>x</p>", "<div id='a'>x</div>"),
        ("<!-- old --><p>a</p>", "text"),
    ],
)
def test_it_ends_up_as_wanted(browser_page: Page, before: str, after: str) -> None:
    wanted = browser_page.evaluate(
        "(html) => new DOMParser().parseFromString(`<main>${html}</main>`, 'text/html').body.firstChild.innerHTML",
        after,
    )
    assert browser_page.evaluate(MORPH, [before, after]) == wanted


def test_elements_stay_the_same_when_rows_come_and_go(browser_page: Page) -> None:
    rows = "<table><tbody id='{}'><tr><td>1</td></tr></tbody><tbody id='{}'><tr><td>2</td></tr></tbody></table>"
    browser_page.evaluate(MORPH, [rows.format("a", "b"), rows.format("b", "new")])
    assert browser_page.evaluate(SAME, "b")
    assert browser_page.locator("#a").count() == 0


def test_focus_typed_text_and_an_opened_list_survive(browser_page: Page) -> None:
    panel = (
        "<p>{}</p><input id='title' data-keep><details id='why'><summary id='more'>why</summary><p>{}</p></details>"
        "<button id='go'{}>Go</button>"
    )
    browser_page.evaluate(MORPH, [panel.format("old", "old", ""), panel.format("old", "old", "")])
    browser_page.click("#more")
    browser_page.fill("#title", "half a ti")
    assert "new" in browser_page.evaluate(MORPH, [None, panel.format("new", "newer", " disabled")])
    assert browser_page.input_value("#title") == "half a ti"
    assert browser_page.evaluate("() => document.activeElement.id") == "title"
    assert browser_page.evaluate("() => document.getElementById('why').open")
    assert browser_page.is_disabled("#go")
    assert browser_page.evaluate(SAME, "go")


def test_a_click_that_has_begun_is_not_lost(browser_page: Page) -> None:
    button = "<p>{}</p><button id='stop' class='{}'>Stop</button>"
    browser_page.evaluate(MORPH, [button.format(1, "a"), button.format(1, "a")])
    browser_page.evaluate(
        "() => document.getElementById('stop').addEventListener('click', () => { window.clicked = true; })"
    )
    browser_page.hover("#stop")
    browser_page.mouse.down()
    browser_page.evaluate(MORPH, [None, button.format(2, "b")])
    browser_page.mouse.up()
    assert browser_page.evaluate("() => window.clicked")


def test_ages_and_durations_are_written_as_the_server_writes_them(browser_page: Page) -> None:
    seconds = [-5, 0, 0.9, 3, 59.9, 99.9, 100, 5999, 6000, 86399, 172_799, 172_800, 1e6]
    shown = browser_page.evaluate(
        "async (all) => { const c = await import('/clock.js'); return all.map((s) => [c.age(s), c.duration(s)]); }",
        seconds,
    )
    assert shown == [[daq_tags.age(value), daq_tags.duration(value)] for value in seconds]


def test_a_row_too_old_becomes_unknown_and_says_that_the_page_is_outdated(browser_page: Page) -> None:
    row = "<tbody data-key='e1' data-limit='5'><tr><td><span class='badge' data-state='running'>Running</span>"
    result = browser_page.evaluate(
        """async (html) => {
          document.querySelector("main").innerHTML = html;
          const clock = await import("/clock.js");
          let aged = 0;
          document.addEventListener("daq:aged", () => { aged += 1; });
          const badge = document.querySelector(".badge"), time = document.querySelector("time"), seen = [];
          for (const now of [1000, 1004, 1006, 1007]) {
            clock.takeBeat({ now, monitor: now, ecc: { 1: 1000 }, routers: {} });
            seen.push([time.textContent, badge.textContent, aged]);
          }
          return seen;
        }""",
        f"<table>{row} <time data-seen='ecc:1' data-ago='999'></time></td></tr></tbody></table>",
    )
    assert result == [["0 s", "Running", 0], ["4 s", "Running", 0], ["6 s", "Unknown", 1], ["7 s", "Unknown", 1]]


def test_who_has_fallen_silent_since_the_page_was_drawn_makes_it_look_again_once(browser_page: Page) -> None:
    result = browser_page.evaluate(
        """async () => {
          const main = document.querySelector("main");
          main.innerHTML = "<section data-quiet='4'></section>";
          const clock = await import("/clock.js");
          let aged = 0;
          document.addEventListener("daq:aged", () => { aged += 1; });
          const seen = [], beat = (quiet) => { clock.takeBeat({ now: 1000, quiet }); seen.push(aged); };
          for (const quiet of [[4], [4, 7], [4, 7]]) beat(quiet);
          main.firstChild.dataset.quiet = "4,7";
          for (const quiet of [[4, 7], [], []]) beat(quiet);
          main.replaceChildren();
          beat([7]);
          return seen;
        }"""
    )
    assert result == [0, 1, 1, 1, 2, 2, 2]
