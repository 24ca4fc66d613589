"""The select that is written without templates is the one that Django would draw."""

import pytest
from django import forms
from django.test.html import parse_html

from attpcdaq.web.plain_select import PlainSelect
from attpcdaq.web.run_filter import RunFilter

CHOICES = [("", "any"), (1, "one"), ('"<b>', "more & 'less'")]


@pytest.mark.parametrize("value", ["", None, 1, "1", '"<b>', "nothing of these"])
def test_it_is_what_django_draws(value: object) -> None:
    attrs = {"id": "id_x", "aria-describedby": 'a "hint"', "required": True, "disabled": False}
    drawn = PlainSelect(attrs={"class": "wide"}, choices=CHOICES).render("x", value, attrs)
    by_django = forms.Select(attrs={"class": "wide"}, choices=CHOICES).render("x", value, attrs)
    assert parse_html(drawn) == parse_html(by_django)


def test_a_refused_choice_is_said_beside_it() -> None:
    form = RunFilter({"state": "gone"})
    assert form.errors
    assert 'aria-invalid="true"' in str(form["state"])
    assert " selected" not in str(form["state"])
    assert '<option value="closed" selected>' in str(RunFilter({"state": "closed"})["state"])
