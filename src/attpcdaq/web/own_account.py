"""Your account: what it may do, its password, and its API tokens."""

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.web import tokens
from attpcdaq.web.audited import wrong_fields
from attpcdaq.web.guard import refused
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import role_of
from attpcdaq.web.tokens import TokenRefusedError

MAY = {
    "observer": "You may look at everything.",
    "shifter": "You may take runs and fill in their sheets.",
    "expert": "You may take runs, set the system up and restart its parts.",
    "admin": "You may do everything, and give accounts to others.",
}


class TokenForm(forms.Form):
    """A new token of one's own."""

    name = forms.CharField(
        label="What it is for",
        max_length=tokens.NAME_LENGTH,
        help_text="A name by which you know it again, such as the computer or the program that uses it.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """POST makes a token and shows its text, once."""
    user = _own(request)
    form = TokenForm(request.POST or None)
    made = {}
    if form.is_valid():
        name = form.cleaned_data["name"]
        try:
            made = {"made": name, "text": tokens.create(name, user, requester_of(request))}
            form = TokenForm()
        except TokenRefusedError as error:
            form.add_error("name", str(error))
    wrong_fields(request, form)
    role = role_of(user)
    context = {"form": form, "own_tokens": list(tokens.of(user)), "role": role, "may": MAY[role], **made}
    return render(request, "accounts/own.html", context, status=400 if form.is_bound else 200)


@require_POST
def revoke(request: HttpRequest) -> HttpResponse:
    """One's own token `name`."""
    name = request.POST.get("name", "")
    try:
        tokens.revoke(name, requester_of(request), owner=_own(request))
    except TokenRefusedError as error:
        return refused(request, [str(error)], 400)
    messages.success(request, f"The token {name} opens nothing any more.")
    return redirect("account")


def _own(request: HttpRequest) -> User:
    """Who is logged in; the middleware lets nobody else come here."""
    assert isinstance(request.user, User)
    return request.user
