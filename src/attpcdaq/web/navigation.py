"""The main navigation: where one can go from everywhere, and where one is."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

# Name on the page, name of the address, and what else lies there (the longest that fits tells where one is).
PLACES = (
    ("Status", "status", ("/partials/",)),
    ("Runs", "runs", ()),
    ("Measurements", "measurements", ("/runs/plots/", "/runs/observables/")),
    ("Shift", "shifts", ()),
    ("Events", "events", ("/logs/",)),
    ("Setup", "setup", ()),
    ("Manual", "help", ()),
)
ROOT = "/"


@dataclass(frozen=True, slots=True)
class Place:
    """One link of the navigation."""

    name: str
    key: str
    address: str
    is_here: bool


def places(path: str) -> list[Place]:
    """Every place that there is; the one in which `path` lies is marked."""
    found = [(name, key, address, below) for name, key, below in PLACES if (address := _address(key))]
    here = max((_depth(path, address, below) for _, _, address, below in found), default=0)
    return [Place(name, key, to, 0 < here == _depth(path, to, below)) for name, key, to, below in found]


def _address(key: str) -> str:
    try:
        return reverse(key)
    except NoReverseMatch:
        return ""


def _depth(path: str, address: str, below: tuple[str, ...]) -> int:
    """How much of the path says that it lies there; the root holds itself only."""
    starts = (start for start in (address, *below) if start != ROOT)
    return max((len(start) for start in starts if path.startswith(start)), default=int(path == address == ROOT))
