"""All templates read and compiled at the start, so that nobody who opens a page first has to wait for it."""

from pathlib import Path

from django.template.loader import get_template

TEMPLATES = Path(__file__).parent / "templates"


def read_all() -> int:
    """How many there are; Django keeps them."""
    names = [path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html")]
    for name in names:
        get_template(name)
    return len(names)
