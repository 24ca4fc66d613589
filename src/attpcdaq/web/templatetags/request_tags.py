"""The id of the request on pages that say that something went wrong."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from structlog.contextvars import get_contextvars

register = template.Library()


@register.simple_tag
def request_id() -> SafeString | str:
    """By it an admin finds what happened in the logs; from the context, for error pages are made without a request."""
    found = get_contextvars().get("request_id")
    return format_html('<p class="muted">Request ID <code id="request-id">{}</code></p>', found) if found else ""
