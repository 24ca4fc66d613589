"""Every form of the pages has its call of the API, and with it its command."""

import pytest
from django.urls import resolve

from tests.client.documents import operations
from tests.client.samples import COMMANDS
from tests.web.everywhere import something_at_every_address
from tests.web.people import admin, browser
from tests.web.test_audited_routes import ADDRESSES

PAGES = [address for address in ADDRESSES if not address.startswith("/api/")]
# By the name of the address that takes the form.
CALLS: dict[str, set[str]] = {
    "action": {"POST /commands"},
    "set-aside": {"POST /set-aside"},
    "adopt": {"POST /adopt"},
    "exclude": {"POST /exclusions"},
    "include": {"DELETE /exclusions/{ecc_server}"},
    "restart": {"POST /restarts"},
    "preferences": {"POST /preferences"},
    "control": {"POST /control"},
    "acknowledge": {"POST /events/acknowledge"},
    "run-sheet": {"PATCH /runs/{number}/sheet"},
    "run-check": {"POST /runs/{number}/check"},
    "experiments": {"POST /experiments"},
    "experiment": {"PATCH /experiments/{name}"},
    "experiment-activate": {"POST /experiments/{name}/activate"},
    "observables": {"POST /observables"},
    "observable": {"PATCH /observables/{id}"},
    "observable-move": {"POST /observables/order"},
    "observables-order": {"POST /observables/order"},
    "observables-copy": {"POST /observables/copy"},
    "observable-retire": {"POST /observables/{id}/retire"},
    "observable-bring-back": {"POST /observables/{id}/bring-back"},
    "observable-remove": {"DELETE /observables/{id}"},
    "accounts": {"POST /users"},
    "account-role": {"PATCH /users/{name}"},
    "account-active": {"PATCH /users/{name}"},
    "account-password": {"POST /users/{name}/password"},
    "account": {"POST /tokens"},
    "account-revoke": {"DELETE /tokens/{name}"},
    "account-token-revoke": {"DELETE /tokens/{name}"},
    "setup-configs": {"POST /configurations/choose"},
    "setup-config-all": {"POST /configurations/choose"},
    "setup-fetch": {"POST /configurations/fetch"},
    "setup-load": {"PUT /setup"},
    "setup-apply": {"PUT /setup"},
    "setup-easy": {"POST /setup/easy"},
    "setup-row-add": {"POST /setup/{kind}/{name}"},
    "setup-row": {"PATCH /setup/{kind}/{name}"},
    "setup-row-remove": {"DELETE /setup/{kind}/{name}"},
    "setup-row-test": {"POST /connection-tests"},
    "setup-saved-test": {"POST /connection-tests"},
    "host-key-read": {"POST /host-keys/read"},
    "host-key-pin": {"POST /host-keys/pin"},
    "host-key-unpin": {"POST /host-keys/unpin"},
    "shift-begin": {"POST /shifts"},
    "shift-write": {"POST /shifts/current/hand-over", "POST /shifts/current/end"},
    "shift-checklist": {"POST /shifts/current/checks"},
    "shift-note": {"POST /notes"},
    "shift-gap": {"PUT /gaps"},
}
# What belongs to a browser: its session, its looks, what is typed and not yet saved.
OF_THE_BROWSER = {"login", "logout", "password", "theme", "wall", "setup-draft-discard"}


def test_every_form_has_its_call(db: None) -> None:
    something_at_every_address()
    ada = browser(admin())
    names = {address: resolve(address).url_name for address in PAGES}
    others = [address for address in PAGES if names[address] not in OF_THE_BROWSER]
    assert {names[address] for address in others if ada.post(address).status_code != 405} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_the_call_is_there_and_has_a_command(name: str) -> None:
    known = {f"{method} {path}" for method, path in operations()}
    by_command = set().union(*(calls for _, calls in COMMANDS.values()))
    assert CALLS[name] <= known
    assert CALLS[name] <= by_command
