"""The scenes: each breaks something, looks at the page, and takes the way out that the page offers."""

import re

from playwright.sync_api import expect

from tests.e2e.walk.walker import SOON, Walker

RUNNING = re.compile(r"Run \d+ is running")


def dead_at_configure(walker: Walker) -> None:
    walker.begin("One ECC server dies at Configure")
    walker.desk.step("breakup")
    walker.desk.sees_all("prepared")
    walker.system.fault("ecc-cobo3", "die", operation="Configure", times=1)
    walker.say("The process of `ecc-cobo3` ends when it is asked to configure. *Go to Ready* is pressed.")
    walker.desk.press("go_ready")
    walker.sees("failed")
    walker.sees("nothing-listens")
    expect(walker.desk.state_of("ecc-cobo3").first).to_have_attribute("data-state", "unknown", timeout=SOON)
    walker.look("dead-at-configure", "The server is named; the others are Ready; the MuTAnT was not configured.")
    walker.say("*Restart* is pressed on its card (the expert's), and confirmed; then *Go to Ready*.")
    walker.page.locator('[data-restart="ecc-cobo3"]').click()
    expect(walker.desk.state_of("ecc-cobo3").first).to_have_attribute("data-state", "idle", timeout=SOON)
    walker.look("dead-restarted", "The plan of *Go to Ready* takes along who must be taken along.")
    walker.desk.press("go_ready")
    walker.desk.sees_all("ready")
    walker.look("dead-mended", "Afterwards.")


def wedged(walker: Walker) -> None:
    walker.begin("A wedged server")
    walker.system.fault("ecc-cobo6", "wedge", operation="Breakup", times=1)
    walker.say("The Breakup of `ecc-cobo6` fails inside the server: state 0 from then on. *Go to Idle* was pressed.")
    walker.desk.press("go_idle")
    walker.sees("wedged")
    expect(walker.page.locator("#command-state")).to_have_text("Failed", timeout=SOON)
    walker.look("wedged", "What it means, that only a restart helps, and the button for it.")
    walker.say("*Restart*, confirmed; then *Go to Ready*.")
    walker.page.locator('[data-restart="ecc-cobo6"]').click()
    expect(walker.card("wedged")).to_be_hidden(timeout=SOON)
    walker.desk.press("go_ready")
    walker.desk.sees_all("ready")
    walker.look("wedged-mended", "Afterwards.")


def failed_start(walker: Walker) -> None:
    walker.begin("A failed start")
    message = "CoBo 5 does not answer on its slow control link"
    walker.system.fault("ecc-cobo5", "fail", operation="Start", message=message, times=1)
    walker.say("*Start run* is pressed, and `ecc-cobo5` refuses to start.")
    walker.desk.press("start")
    walker.sees("failed")
    walker.desk.sees_all("ready")
    expect(walker.page.locator("#last-run")).to_be_visible(timeout=SOON)
    walker.look(
        "failed-start", "What ran was stopped again; the number is used up; the reason is the server's own words."
    )
    walker.say("*Retry* is pressed: the same run under the next number.")
    walker.page.locator("#retry").click()
    walker.desk.sees_title(RUNNING)
    walker.look("failed-start-retried", "Afterwards.")
    walker.stop()


def double_start(walker: Walker) -> None:
    walker.begin("A double start")
    other = walker.page.context.new_page()
    other.goto(walker.desk.url)
    expect(other.locator("#action-start")).to_be_enabled(timeout=SOON)
    expect(other.locator("body[data-heard]")).to_be_attached(timeout=SOON)
    walker.say("*Start run* is pressed on two screens in the same moment.")
    before = len(walker.system.runs())
    for page in (walker.page, other):
        page.locator("#action-start").dispatch_event("click")
    refusal = other.locator('#action-message .message[data-level="bad"]')
    expect(refusal).to_be_visible(timeout=SOON)
    walker.desk.sees_title(RUNNING)
    walker.say(f"The second screen says: “{' '.join(refusal.inner_text().split())}”")
    walker.say(f"Runs made by the two clicks: {len(walker.system.runs()) - before}.")
    walker.look("double-start", "The first screen.")
    other.close()
    walker.stop()


def worker_killed(walker: Walker) -> None:
    walker.begin("The worker is killed in the middle of Prepare")
    walker.desk.press("go_idle")
    walker.desk.sees_all("idle")
    walker.system.speed(2)
    worker = walker.real.parts["worker"]
    walker.say("*Go to Ready* is pressed; while the CoBos prepare, the worker gets `kill -9`.")
    walker.desk.press("go_ready")
    expect(walker.page.locator('[data-ecc="ecc-cobo4"] .progress')).to_have_text("Prepare: sent", timeout=SOON)
    worker.kill()
    walker.look("worker-killed", "In the moment after: the calls go on in the servers, and the page shows them.")
    walker.say("It is started again at once, as systemd or Docker would; that takes it some seconds.")
    worker.start()
    state = walker.page.locator("#command-state")
    missed = walker.page.locator("#advice", has_text="no worker is at work on it")
    back_at_once = state.filter(has_text=re.compile("Done|Expired"))
    expect(missed.or_(back_at_once).first).to_be_visible(timeout=SOON)
    walker.look("worker-away", "While it is away.")
    worker.wait_until_back()
    expect(state).to_have_text(re.compile("Done|Expired"), timeout=SOON)
    if state.inner_text() == "Expired":
        walker.look("worker-late", "It came back too late: the command is not carried on with.")
        walker.say("*Retry* is pressed.")
        walker.page.locator("#retry").click()
    walker.desk.sees_all("ready")
    expect(state).to_have_text("Done", timeout=SOON)
    walker.look("worker-back", "The new worker read the hardware first, and did what was left.")


def broker_stopped(walker: Walker) -> None:
    walker.begin("The broker is stopped while Start is pressed")
    broker = walker.real.parts["broker"]
    broker.kill()
    walker.say("RabbitMQ gets `kill -9`; then *Start run* is pressed.")
    walker.desk.press("start")
    expect(walker.page.locator("#command-state")).to_have_text("Queued", timeout=SOON)
    walker.look("broker-stopped", "The order is recorded, nobody has taken it.")
    expect(walker.page.locator("#command-state")).to_have_text("Expired", timeout=SOON)
    walker.sees("failed")
    walker.look(
        "broker-expired", "After 15 s it has expired: it will not be carried out later, and no board was touched."
    )
    walker.say("The broker is started again, and *Retry* is pressed.")
    broker.restart()
    walker.page.locator("#retry").click()
    walker.desk.sees_title(RUNNING)
    walker.look("broker-back", "Afterwards.")
    walker.stop()


SCENES = (dead_at_configure, wedged, failed_start, double_start, worker_killed, broker_stopped)
