"""Users: an administrator gives accounts, roles and one-time passwords; everybody changes the own password."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.people import Requester
from attpcdaq.audit.trail import record
from attpcdaq.web import accounts, one_time, tokens
from attpcdaq.web.accounts import AccountRefusedError
from attpcdaq.web.audited import wrong_fields
from attpcdaq.web.guard import for_admins, refused
from attpcdaq.web.people import everybody
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import ROLES
from attpcdaq.web.tokens import TokenRefusedError


class NewPassword(PasswordChangeForm):
    """Another password than the one before: what somebody else knows is not chosen again."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("new_password1") and cleaned.get("new_password1") == cleaned.get("old_password"):
            self.add_error("new_password1", "Choose another password than the one that you have.")
        return cleaned


class AccountForm(forms.Form):
    """A new account."""

    name = forms.CharField(label="User name", max_length=150)
    role = forms.ChoiceField(label="Role", choices=[(role, role.capitalize()) for role in ROLES], initial="shifter")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@for_admins
def overview(request: HttpRequest) -> HttpResponse:
    """Who has which role and which tokens; POST makes an account and shows its password, once."""
    form = AccountForm(request.POST or None)
    made = ("", "")
    if form.is_valid():
        name, role = form.cleaned_data["name"], form.cleaned_data["role"]
        try:
            made = name, accounts.create(name, role, requester_of(request))
            form = AccountForm()
        except AccountRefusedError as error:
            form.add_error("name", str(error))
    wrong_fields(request, form)
    return _shown(request, form, *made)


def _shown(request: HttpRequest, form: AccountForm, made: str = "", password: str = "") -> HttpResponse:
    context = {"form": form, "people": everybody(), "roles": ROLES, "made": made, "password": password}
    return render(request, "accounts/page.html", context, status=400 if form.is_bound else 200)


@require_POST
@for_admins
def give_role(request: HttpRequest) -> HttpResponse:
    """Another role for `name`; nobody takes the own role admin away, nor that of the last one."""
    name, role = request.POST.get("name", ""), request.POST.get("role", "")
    return _changed(request, f"{name} is {role} now.", lambda user, by: accounts.change(user, by, role=role))


@require_POST
@for_admins
def activate(request: HttpRequest) -> HttpResponse:
    """Whether the account `name` may be used: `active` is true or false."""
    name, wish = request.POST.get("name", ""), request.POST.get("active", "")
    if wish not in ("true", "false"):
        return refused(request, [f"active {wish[:40]!r}: use true or false."], 400)
    active = wish == "true"
    done = f"{name} may log in again." if active else f"{name} can do nothing here any more."
    return _changed(request, done, lambda user, by: accounts.change(user, by, active=active))


@require_POST
@never_cache
@for_admins
def give_password(request: HttpRequest) -> HttpResponse:
    """A one-time password for who forgot the own; shown once."""
    name = request.POST.get("name", "")
    try:
        password = accounts.new_password(accounts.find(name), requester_of(request))
    except AccountRefusedError as error:
        return refused(request, [str(error)], 400 if error.field else 409)
    return _shown(request, AccountForm(), name, password)


@require_POST
@for_admins
def revoke_token(request: HttpRequest) -> HttpResponse:
    """The token `name`, whoever has it."""
    name = request.POST.get("name", "")
    try:
        tokens.revoke(name, requester_of(request))
    except TokenRefusedError as error:
        return refused(request, [str(error)], 400)
    messages.success(request, f"The token {name} opens nothing any more.")
    return redirect("accounts")


def _changed(request: HttpRequest, done: str, change: Callable[[User, Requester], object]) -> HttpResponse:
    """The page with what was done, or why it was not."""
    try:
        change(accounts.find(request.POST.get("name", "")), requester_of(request))
    except AccountRefusedError as error:
        return refused(request, [str(error)], 400 if error.field else 409)
    messages.success(request, done)
    return redirect("accounts")


class ChangePassword(PasswordChangeView):
    """The own password."""

    form_class = NewPassword
    template_name = "accounts/password.html"
    success_url = reverse_lazy("status")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        with transaction.atomic():
            first = one_time.chosen(form.user, self.request.session)
            text = "Instead of a one-time password." if first else ""
            by = requester_of(self.request)
            record(by, "password", Outcome.DONE, subject=by.name, text=text)
            answer = super().form_valid(form)
        messages.success(self.request, "Your password was changed.")
        return answer

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        wrong_fields(self.request, form)
        return super().form_invalid(form)
