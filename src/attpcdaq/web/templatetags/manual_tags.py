"""Links into the manual that follow from where one is, or from what is shown."""

from typing import Any

from django import template

from attpcdaq.runcontrol.troubles.troubles import trouble_of
from attpcdaq.web import manual_places
from attpcdaq.web.templatetags.daq_tags import manual_link

register = template.Library()


@register.simple_tag(takes_context=True)
def manual_of_page(context: dict[str, Any]) -> str:
    """Where the manual explains this page; "" for an answer that belongs to no address."""
    match = getattr(context.get("request"), "resolver_match", None)
    return manual_link(manual_places.of_page(match.url_name or "")).removesuffix("#") if match else ""


@register.filter
def manual_of_state(title: str) -> str:
    """Where the manual explains an overall state, and what to do then."""
    return manual_link(manual_places.of_state(title))


@register.filter
def manual_of_reason(reason: str) -> str:
    """Where the manual explains why something was refused."""
    trouble = trouble_of(reason)
    return manual_link(trouble.anchor if trouble else "manual#when-a-button-is-grey")
