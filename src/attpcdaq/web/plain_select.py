"""A select whose options are written here: Django would draw a template for each, and a filter has forty of them."""

from collections.abc import Mapping
from html import escape
from typing import Any

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.safestring import SafeString, mark_safe


class PlainSelect(forms.Select):
    """As Django's own, for choices without groups."""

    def render(
        self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        """The same HTML but for white space."""
        chosen = set(self.format_value(value))
        options = "".join(
            f'<option value="{escape(str(key))}"{" selected" * (str(key) in chosen)}>{escape(str(label))}</option>'
            for key, label in self.choices
        )
        own = flatatt(self.build_attrs(self.attrs, dict(attrs or {})))
        return mark_safe(f'<select name="{escape(name)}"{own}>{options}</select>')  # noqa: S308  # all were escaped
