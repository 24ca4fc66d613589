"""Behind a proxy: HTTPS and addresses as the browser has them, from trusted proxies only; cookies that fit."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

from attpcdaq.audit.models import Entry
from tests.web.people import browser, operator

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"
SESSION, CSRF = "attpcdaq_session", "attpcdaq_csrf"


@pytest.fixture
def _proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = (ip_network("172.20.0.0/24"), ip_network("fd00::/64"))


def at_the_log_in(peer: str, scheme: str | None = "https", **more: str) -> Any:
    headers = {} if scheme is None else {"X-Forwarded-Proto": scheme}
    return Client(enforce_csrf_checks=True, REMOTE_ADDR=peer, **more).get("/login/", headers=headers)


@pytest.mark.usefixtures("_proxies")
class TestWhoIsBelieved:
    @pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "", "172.20.0.9", "::ffff:172.20.0.9", "fd00::7"])
    def test_it_came_by_https(self, peer: str) -> None:
        cookie = at_the_log_in(peer).cookies[f"__Host-{CSRF}"]
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")

    @pytest.mark.parametrize("peer", ["10.0.0.7", "172.20.1.9", "2001:db8::1", "nonsense", "::1%lo"])
    def test_others_may_say_what_they_want(self, peer: str) -> None:
        cookies = at_the_log_in(peer).cookies
        assert list(cookies) == [CSRF]
        assert not cookies[CSRF]["secure"]

    @pytest.mark.parametrize("scheme", ["http", "https, http", "", "ftp", None])
    def test_it_did_not(self, scheme: str | None) -> None:
        assert list(at_the_log_in("127.0.0.1", scheme).cookies) == [CSRF]

    @pytest.mark.parametrize(("peer", "origin"), [("172.20.0.9", "192.0.2.8"), ("10.0.0.7", "10.0.0.7")])
    def test_the_address_in_the_audit_trail(self, peer: str, origin: str) -> None:
        client = browser(operator("kim"))
        client.post("/actions/stop", REMOTE_ADDR=peer, headers={"X-Forwarded-For": "198.51.100.1, 192.0.2.8"})
        assert Entry.objects.all()[0].origin == origin


class TestLogIn:
    @pytest.mark.parametrize("host", ["daq.example.org", "daq.example.org:8443", "127.0.0.1:40123"])
    def test_by_https_at_any_port_it_works_as_by_http(self, host: str, settings: Any) -> None:
        settings.ALLOWED_HOSTS = ["daq.example.org", "127.0.0.1"]
        user = operator("kim")
        user.set_password(PASSWORD)
        user.save()
        for scheme, names in {"https": {f"__Host-{SESSION}", f"__Host-{CSRF}"}, "http": {SESSION, CSRF}}.items():
            client = Client(enforce_csrf_checks=True, HTTP_HOST=host, HTTP_X_FORWARDED_PROTO=scheme)
            page = client.get("/login/")
            token = page.context["csrf_token"]
            sent = {"username": "kim", "password": PASSWORD, "csrfmiddlewaretoken": str(token)}
            answer = client.post("/login/", sent, headers={"Origin": f"{scheme}://{host}"})
            assert (answer.status_code, answer.headers.get("Location")) == (302, "/"), scheme
            assert set(answer.cookies) == names
            assert all(bool(cookie["secure"]) == (scheme == "https") for cookie in answer.cookies.values())
            assert client.get("/").status_code == 200
            wrong = client.post("/login/", sent, headers={"Origin": f"{scheme}://elsewhere.example"})
            assert wrong.status_code == 403

    def test_a_log_in_by_http_and_one_by_https_leave_each_other_alone(self) -> None:
        client = browser(operator("kim"))
        assert client.get("/").status_code == 200
        assert client.get("/", headers={"X-Forwarded-Proto": "https"}).status_code == 302
        client.cookies[f"__Host-{SESSION}"] = client.cookies[SESSION].value
        assert client.get("/", headers={"X-Forwarded-Proto": "https"}).status_code == 200
        answer = client.post("/logout/", headers={"X-Forwarded-Proto": "https"})
        assert answer.cookies[f"__Host-{SESSION}"]["max-age"] == 0


class TestHsts:
    def test_not_unless_it_is_asked_for(self, settings: Any) -> None:
        assert "Strict-Transport-Security" not in at_the_log_in("127.0.0.1").headers
        settings.SECURE_HSTS_SECONDS = 3600
        assert at_the_log_in("127.0.0.1").headers["Strict-Transport-Security"] == "max-age=3600"
        assert "Strict-Transport-Security" not in at_the_log_in("127.0.0.1", "http").headers
