"""Accounts: an administrator makes them and gives them a role; everybody changes the own password."""

from django import forms
from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from attpcdaq.audit.models import Outcome
from attpcdaq.audit.trail import record
from attpcdaq.web import accounts
from attpcdaq.web.accounts import AccountRefusedError
from attpcdaq.web.audited import wrong_fields
from attpcdaq.web.guard import for_admins, refused
from attpcdaq.web.requester import requester_of
from attpcdaq.web.roles import ROLES, role_of


class AccountForm(forms.Form):
    """A new account."""

    name = forms.CharField(label="User name", max_length=150)
    role = forms.ChoiceField(label="Role", choices=[(role, role.capitalize()) for role in ROLES], initial="shifter")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@for_admins
def overview(request: HttpRequest) -> HttpResponse:
    """Who has which role; POST makes an account and shows its password, once."""
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
    people = [(user, role_of(user)) for user in User.objects.order_by("username")]
    context = {"form": form, "people": people, "roles": ROLES, "made": made[0], "password": made[1]}
    return render(request, "accounts/page.html", context, status=400 if form.is_bound else 200)


@require_POST
@for_admins
def give_role(request: HttpRequest) -> HttpResponse:
    """Another role for `name`; nobody takes the own role admin away."""
    name, role = request.POST.get("name", ""), request.POST.get("role", "")
    user = User.objects.filter(username=name).first() if name.isprintable() else None
    if user is None:
        return refused(request, [f"There is no user {name[:80]!r}."], 400)
    if user == request.user and role != "admin":
        return refused(request, ["You would lose the role admin yourself: another administrator must do that."])
    try:
        before = accounts.set_role(user, role, requester_of(request))
    except AccountRefusedError as error:
        return refused(request, [str(error)], 400)
    messages.success(request, f"{name}: {before} -> {role}.")
    return redirect("accounts")


class ChangePassword(PasswordChangeView):
    """The own password."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("status")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        record(requester_of(self.request), "password", Outcome.DONE, subject=self.request.user.get_username())
        messages.success(self.request, "Your password was changed.")
        return super().form_valid(form)

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        wrong_fields(self.request, form)
        return super().form_invalid(form)
