"""Functions, methods, classes and imports that nothing uses. Exit status 1 when there are any.

The product counts as user of the product; tests count only for get_protocol, which is a library, and for the shipped
twins in attpcdaq/testing, which exist for tests. Words in templates and dotted names in the settings count as uses too.
"""

import re
import sys
from pathlib import Path

from vulture import Vulture  # type: ignore[import-untyped,unused-ignore]

ROOT = Path(__file__).resolve().parent.parent
FOR_TESTS_TOO = ("src/get_protocol/", "src/attpcdaq/testing/")
KINDS = {"function", "method", "class", "property", "import", "unreachable_code"}
CALLED_BY_NAME = [
    "ready", "handle", "add_arguments", "Meta", "*Config", "Command", "Migration", "as_sqlite",  # Django
    "get_queryset", "get_context_data", "formfield_callback", "clean", "clean_*", "has_*_permission",  # Django
    "connection_made", "connection_lost", "data_received", "eof_received",  # asyncio.Protocol
    "begin_auth", "public_key_auth_supported", "validate_public_key", "password_auth_supported",  # asyncssh
    "validate_host_public_key",  # asyncssh
    "connection_requested", "session_requested", "exec_requested", "shell_requested", "server_requested",  # asyncssh
    "on_starting", "when_ready", "worker_abort", "worker_int", "post_fork", "pre_fork", "on_exit",  # Gunicorn
    "post_worker_init", "worker_exit", "logger_class",  # Gunicorn
    "application", "model_config", "do_GET", "do_POST", "do_DELETE",
    "authenticate",  # django-ninja
    "process_view",  # Django: middleware
]  # fmt: skip
CALLED_BY_DECORATOR = [
    "@*.task", "@*.connect", "@shared_task", "@field_validator", "@model_validator", "@register*", "@receiver",
    "@*.get", "@*.post", "@*.put", "@*.patch", "@*.delete", "@*.register", "@*.exception_handler", "@*.simple_tag",
    "@*.filter", "@*.command", "@*.inclusion_tag", "@admin.*", "@overload",
]  # fmt: skip


def unused(*folders: str) -> dict[tuple[str, int], str]:
    """(file, line) -> what is unused there, when only `folders` are looked at."""
    vulture = Vulture(ignore_names=CALLED_BY_NAME, ignore_decorators=CALLED_BY_DECORATOR)
    vulture.scavenge([ROOT / folder for folder in folders if (ROOT / folder).exists()], exclude=["*/migrations/*"])
    vulture.used_names.update(words_of_templates() | dotted_names())
    return {
        (str(Path(item.filename).resolve().relative_to(ROOT)), item.first_lineno): f"{item.typ} {item.name}"
        for item in vulture.get_unused_code(min_confidence=60)
        if item.typ in KINDS
    }


def words_of_templates() -> set[str]:
    files = [path for pattern in ("*.html", "*.toml") for path in (ROOT / "src").rglob(pattern)]
    return {word for path in files for word in re.findall(r"\w+", path.read_text())}


def dotted_names() -> set[str]:
    """The last words of dotted names in settings and addresses: Django and Celery import them by name."""
    settings = (ROOT / "src/attpcdaq/config" / name for name in ("settings.py", "celery.py", "urls.py"))
    return {word for file in settings for word in re.findall(r'"(?:\w+\.)+(\w+)"', file.read_text())}


def main() -> int:
    by_product = unused("src", "bench", "deploy", "manage.py")
    by_anyone = unused("src", "bench", "deploy", "manage.py", "tests")
    found = {
        place: what
        for place, what in by_product.items()
        if place in by_anyone or not place[0].startswith(FOR_TESTS_TOO)
    }
    for (file, line), what in sorted(found.items()):
        print(f"{file}:{line}: unused {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
