"""Log-ins and log-outs in the audit trail."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from attpcdaq.audit import trail
from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.web import one_time
from attpcdaq.web.requester import origin_of
from attpcdaq.web.roles import role_of

# What was typed may be a password in the wrong field: the trail names only people who exist.
STRANGER = "unknown user"


@receiver(user_logged_in)
def _logged_in(request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    once = one_time.logged_in(user, request.session) if isinstance(user, User) else False
    text = "With a one-time password: another is to be chosen." if once else ""
    trail.record(_person(request, user), "log-in", Outcome.DONE, text=text)


@receiver(user_logged_out)
def _logged_out(request: HttpRequest, user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        trail.record(_person(request, user), "log-out", Outcome.DONE)


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    model = get_user_model()
    typed = str(credentials.get(model.USERNAME_FIELD, ""))
    known = "\0" not in typed and model.objects.filter(**{model.USERNAME_FIELD: typed}).exists()
    by = Requester(typed if known else STRANGER, origin=origin_of(request) if request else "")
    trail.record(by, "log-in", Outcome.REFUSED, text="The user name or the password was wrong, or too many tries.")


def _person(request: HttpRequest, user: AbstractBaseUser) -> Requester:
    return Requester(user.get_username(), user, role_of(user), origin_of(request))
