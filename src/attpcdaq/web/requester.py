"""Who sent a request, and from where."""

from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from attpcdaq.audit.people import Requester
from attpcdaq.web.request_ids import request_id_of
from attpcdaq.web.roles import role_of


def requester_of(request: HttpRequest) -> Requester:
    """The user of the session or of the token that was accepted; without either, nobody by name."""
    user = _user(request)
    if not isinstance(user, AbstractBaseUser):
        return Requester("", origin=origin_of(request), request_id=request_id_of(request))
    return Requester(user.get_username(), user, role_of(user), origin_of(request), request_id=request_id_of(request))


def _user(request: HttpRequest) -> AbstractBaseUser | AnonymousUser | None:
    accepted = getattr(request, "auth", None)  # set by the API when it accepted a token or a session
    return accepted if isinstance(accepted, AbstractBaseUser) else getattr(request, "user", None)


def origin_of(request: HttpRequest) -> str:
    """An address, or `token NAME from ADDRESS`."""
    token = getattr(request, "api_token", "")
    address = address_of(request)
    return f"token {token} from {address}"[:100] if token else address


def address_of(request: HttpRequest) -> str:
    """The address of the sender.

    What a proxy says of it is believed only of a trusted one (our nginx), and only the hop that it added itself.
    """
    peer = peer_of(request)
    if not is_trusted(peer):
        return peer
    hop = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    return hop if _is_address(hop) else peer


def address_or_none(request: HttpRequest) -> str | None:
    """For django-axes, which counts failed log-ins for each address."""
    return address_of(request) or None


def peer_of(request: HttpRequest) -> str:
    """The address at the other end of the connection; empty for a Unix socket."""
    return str(request.META.get("REMOTE_ADDR") or "")


def is_trusted(peer: str) -> bool:
    """Whether a proxy there is believed: on this machine, or in a network of ATTPCDAQ_TRUSTED_PROXIES."""
    if not peer:
        return True
    if not _is_address(peer):
        return False
    address = ip_address(peer)
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or any(address in network for network in settings.TRUSTED_PROXIES)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text
