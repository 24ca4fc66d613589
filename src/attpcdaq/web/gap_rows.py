"""Times without a run as rows of a table, written here: with a form in each a template takes most of a page's time."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from attpcdaq.shifts.causes import label_of
from attpcdaq.web.shift_gaps import CAUSES, GapLine
from attpcdaq.web.templatetags.daq_tags import duration

OPTIONS = '<option value="">not said</option>' + "".join(
    f'<option value="{value}">{escape(label)}</option>' for value, label in CAUSES
)
LABELS = ("Cause of the time lost", "What happened")


def gap_rows(lines: Sequence[GapLine], back: str, token: str) -> SafeString:
    """With a `token` to send it with each has the form that names its cause; `back`: where that leads to."""
    names = {line.experiment for line in lines if line.after}
    sheets = {name: reverse("run-sheet", args=[name, 1]).removesuffix("1/") for name in names}
    form = _form_begins(back, token) if token else ""
    return mark_safe("".join(_row(line, sheets, form) for line in lines))  # noqa: S308  # every text was escaped


def _row(line: GapLine, sheets: dict[str, str], form: str) -> str:
    at = localtime(line.begin)
    after = f'<a href="{escape(sheets[line.experiment])}{line.after}/">Run {line.after}</a>' if line.after else ""
    seen = "; ".join(f"{escape(words)} {duration(seconds)}" for words, seconds in line.seen)
    by = f' <span class="muted">said by {escape(line.by)}</span>' if line.by else ""
    return (
        f'<tr data-key="gap-{escape(line.key)}-{at.timestamp():.3f}">'
        f'<td><time datetime="{at.isoformat()}">{at.day} {at:%b %H:%M:%S}</time></td>'
        f'<td class="num" data-label="For">{duration(line.seconds)}</td>'
        f'<td data-label="After">{after or "the beginning"}</td>'
        f'<td class="wrap" data-label="The DAQ saw">{seen}</td>'
        f'<td class="wrap">{_form(line, form, at) if form else _said(line)}{by}</td></tr>'
    )


def _said(line: GapLine) -> str:
    words = label_of(line.cause) if line.cause else "Not said"
    return escape(f"{words}: {line.comment}" if line.comment else words)


def _form_begins(back: str, token: str) -> str:
    """What all of them have in common."""
    return (
        f'<form class="gap-form" method="post" action="{reverse("shift-gap")}">'
        f'<input type="hidden" name="csrfmiddlewaretoken" value="{escape(token)}">'
        f'<input type="hidden" name="back" value="{escape(back)}">'
    )


def _form(line: GapLine, begins: str, at: datetime) -> str:
    hidden = {"experiment": line.experiment, "after": str(line.after or ""), "was": line.cause}
    kept = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in hidden.items())
    options = OPTIONS.replace(f'value="{line.cause}"', f'value="{line.cause}" selected') if line.cause else OPTIONS
    cause, comment = (f'aria-label="{what} from {at:%H:%M:%S}" data-keep' for what in LABELS)
    return (
        f'{begins}{kept}<select name="cause" {cause}>{options}</select>'
        f'<input name="comment" value="{escape(line.comment)}" maxlength="200" autocomplete="off"'
        f' placeholder="What happened" {comment}><button class="button small">Save</button></form>'
        f'<p class="only-print">{_said(line)}</p>'
    )
