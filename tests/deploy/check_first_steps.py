"""From a clean clone to a page: `up`, who may reach what, and what is in the images."""

import json
import re
import time

from tests.deploy.door import Browser, Door
from tests.deploy.programs import Failed
from tests.deploy.runner import Checks, expect, wait_for
from tests.deploy.stack import Stack, image_megabytes

IMAGE_LIMIT = 350
# What is mounted at run time is not in the image.
LOOK_FOR_SECRETS = r"""
find / \( -path /proc -o -path /sys -o -path /run/secrets \) -prune \
    -o \( -name .env -o -name 'ssh_key*' -o -name key.pem \) -print 2>/dev/null
true
"""
# Seconds after which a question to a container counts as not answered (compose.yaml).
HEALTH_TIMEOUT = 9
OWN_PASSWORD = "chosen-for-these-checks-7"
PROBE = """
echo user $(id -u)
touch /etc/forbidden /app/forbidden /srv/forbidden 2>/dev/null && echo writable
for name in cc gcc g++ c++ clang make ld as; do command -v $name; done
true
"""


def check_up(checks: Checks, stack: Stack) -> str:
    """The one-time password of the first admin."""
    said, found = "", [""]
    with checks("`up` from a clean clone asks nothing, and everything is healthy", needed=True):
        said = stack.verb("up", seconds=900)
        sick = [service for service in stack.containers() if service != "migrate" and not stack.is_healthy(service)]
        if sick:
            raise Failed(f"not healthy: {sick}")
    with checks("`up` prints the addresses and the first admin's one-time password", needed=True) as note:
        addresses = re.findall(r"https?://\S+", said)
        if not any(address.startswith(f"http://127.0.0.1:{stack.http}") for address in addresses):
            raise Failed(f"no address of this stack in:\n{said[-600:]}")
        found = re.findall(r"user admin, one-time password (\S+)", said)
        expect(found, f"no password in:\n{said[-600:]}")
        note(", ".join(addresses))
    return found[0]


def check_kept_secret(checks: Checks, stack: Stack) -> None:
    with checks("settings and keys are for their owner only, and nothing of them is in git or in an image") as note:
        modes = {name: (stack.root / name).stat().st_mode & 0o777 for name in (".env", "secrets", "backups")}
        if modes != {".env": 0o600, "secrets": 0o700, "backups": 0o700}:
            raise Failed(str({name: oct(mode) for name, mode in modes.items()}))
        ignored = (stack.root / ".gitignore").read_text().split()
        expect({"/.env", "/secrets/", "/backups/"} <= set(ignored), ignored)
        for service in ("web", "nginx"):
            found = stack.inside(service, "sh", "-c", LOOK_FOR_SECRETS)
            if found.strip():
                raise Failed(f"in the image of {service}: {found}")
        note(".env 600, secrets/ 700")


def check_images(checks: Checks, stack: Stack, version: str) -> None:
    with checks(f"our image is at most {IMAGE_LIMIT} MB") as note:
        sizes = {name: image_megabytes(name) for name in (f"attpcdaq:{version}", f"attpcdaq-nginx:{version}")}
        note(", ".join(f"{name} {size:.0f} MB" for name, size in sizes.items()))
        expect(max(sizes.values()) <= IMAGE_LIMIT)
    with checks("every image has a version of its own, none is `latest`") as note:
        names = sorted({one["Config"]["Image"] for one in stack.containers().values()})
        note(", ".join(names))
        expect(all(":" in name and not name.endswith(":latest") for name in names))
    with checks("every container of ours is read-only, runs without root's rights, and has no compiler"):
        for service, container in stack.containers().items():
            if container["Config"]["Image"].startswith("attpcdaq") and container["State"]["Running"]:
                _check_confined(stack, service)


def _check_confined(stack: Stack, service: str) -> None:
    host = stack.container(service)["HostConfig"]
    expect(host["ReadonlyRootfs"], f"{service} may write to its image")
    expect(host["CapDrop"] == ["ALL"] and not host["Privileged"], f"{service} keeps capabilities")
    expect("no-new-privileges:true" in host["SecurityOpt"], service)
    expect(host["RestartPolicy"]["Name"] in ("unless-stopped", "always") or service == "simulator", service)
    expect(host["Memory"] > 0, f"{service} has no limit of memory")
    said = stack.inside(service, "sh", "-c", PROBE).split()
    expect(said[:1] == ["user"] and said[1] != "0" and said[2:] == [], f"{service}: {said}")


def check_doors(checks: Checks, stack: Stack) -> None:
    with checks("only nginx is published, and only on this computer") as note:
        found = {}
        for service, container in stack.containers().items():
            for port, places in (container["NetworkSettings"]["Ports"] or {}).items():
                found.update({f"{service} {port}": place["HostIp"] for place in places or []})
        note(str(found))
        expect({key.split()[0] for key in found} == {"nginx"})
        expect(set(found.values()) == {"127.0.0.1"})
    door = Door(stack)
    with checks("static files come from nginx, compressed and to be kept for ever by their content's hash"):
        page = door.get("/login/")
        expect(page.status == 200, page.status)
        links = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page.text)
        expect(links, page.text[:500])
        for link in links:
            expect(re.search(r"\.[0-9a-f]{8,}\.(css|js)$", link), f"{link} has no hash")
            file = door.get(link, **{"Accept-Encoding": "gzip"})
            expect((file.status, file.headers["Content-Encoding"]) == (200, "gzip"), link)
            expect("immutable" in (file.headers["Cache-Control"] or ""), file.headers["Cache-Control"])
    with checks("the help pages are there without `web`"):
        stack.compose("pause", "web")
        settled = time.monotonic() + HEALTH_TIMEOUT
        try:
            page = door.get("/help/")
            expect(page.status == 200 and "<h1" in page.text, page.status)
        finally:
            stack.compose("unpause", "web")
        # It may have been asked whether it is well while it could not answer.
        wait_for(lambda: time.monotonic() > settled and stack.is_healthy("web"), "web to be healthy again", 60)


def check_log_in(checks: Checks, stack: Stack, password: str) -> Browser:
    """The admin's browser, logged in."""
    browser = Browser(Door(stack))
    with checks("who logs in with the one-time password chooses another before anything else"):
        entered = browser.post("/login/", username="admin", password=password)
        expect(entered.status == 302, entered.text[:800])
        sent_on = browser.get("/")
        expect((sent_on.status, sent_on.headers["Location"]) == (302, "/password/"), sent_on.headers["Location"])
        fields = {"old_password": password, "new_password1": OWN_PASSWORD, "new_password2": OWN_PASSWORD}
        changed = browser.post("/password/", **fields)
        expect(changed.status == 302, re.findall(r'role="alert"[^>]*>([^<]+)', changed.text))
        expect(browser.get("/").status == 200)
    with checks("cookies of an HTTPS log-in are Secure, and the request id comes back"):
        answer = Browser(Door(stack)).get("/login/")
        expect("Secure" in answer.headers["Set-Cookie"], answer.headers["Set-Cookie"])
        expect(re.fullmatch(r"[0-9a-f-]{32,36}", answer.headers["X-Request-ID"] or ""), answer.headers["X-Request-ID"])
    with checks("guessing passwords is slowed down"):
        codes = [Browser(Door(stack)).post("/login/", username="stranger", password="wrong").status for _ in range(13)]
        expect(codes[0] == 200 and codes[-1] == 429, codes)
    return browser


def check_health(checks: Checks, stack: Stack, version: str) -> None:
    with checks("/health/live and /health/ready say that all is well") as note:
        live = Door(stack).get("/health/live", secure=False)
        expect((live.status, version in live.text) == (200, True), live.text)
        ready = Door(stack).get("/health/ready")
        found = json.loads(ready.text)
        note(", ".join(f"{name} {text}" for name, text in found["checks"].items()))
        expect(ready.status == 200 and found["ready"], found)


def check_memory(checks: Checks, stack: Stack, when: str) -> None:
    with checks(f"memory of each container, {when}") as note:
        used = stack.memory()
        note(
            ", ".join(f"{service} {size:.0f}" for service, size in sorted(used.items()))
            + f"; all {sum(used.values()):.0f} MB"
        )
        limits = {name: one["HostConfig"]["Memory"] / 1e6 for name, one in stack.containers().items()}
        expect(all(size < 0.8 * limits[name] for name, size in used.items() if limits[name]), limits)
