"""Bytes of configuration files, kept once by what they are; never deleted, for runs refer to them."""

from collections.abc import Iterable
from hashlib import sha256

from attpcdaq.topology.models import ConfigBlob


def put(contents: Iterable[bytes]) -> list[str]:
    """Keep these; the SHA-256 of each, in their order.

    Call it first in a transaction, or outside: two who keep the same bytes wait for each other.
    """
    data = list(contents)
    names = [sha256(each).hexdigest() for each in data]
    new = dict(zip(names, data, strict=True))
    for known in ConfigBlob.objects.filter(pk__in=new).values_list("pk", flat=True):
        del new[known]
    blobs = (ConfigBlob(sha256=name, size=len(each), data=each) for name, each in sorted(new.items()))
    ConfigBlob.objects.bulk_create(blobs, ignore_conflicts=True)
    return names


def get(name: str) -> bytes:
    """The bytes with this SHA-256; ConfigBlob.DoesNotExist."""
    return bytes(ConfigBlob.objects.values_list("data", flat=True).get(pk=name))
