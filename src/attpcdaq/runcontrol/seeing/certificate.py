"""Until when the certificate is good with which nginx answers."""

from datetime import datetime
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=4)
def _expires(path: Path, changed: int) -> datetime:
    from cryptography import x509  # not above: megabytes, for nothing where no certificate is named

    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc


def days_left(path: Path | None, now: datetime) -> tuple[float | None, str]:
    """Days until the first certificate in the PEM file `path` expires, or why nobody can tell; read when it changed."""
    if path is None:
        return None, ""
    try:
        return (_expires(path, path.stat().st_mtime_ns) - now).total_seconds() / 86400, ""
    except OSError as error:
        return None, f"{path}: {error.strerror}"
    except ValueError:
        return None, f"{path} holds no certificate (PEM)"
