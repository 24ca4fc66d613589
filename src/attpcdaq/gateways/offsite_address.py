"""Where copies of backups go: `sftp://user@host:port/directory`."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

HOME = "/~/"
SHAPE = "it must be sftp://user@host:port/directory (/~/directory below the home of the user there)"


@dataclass(frozen=True, slots=True)
class OffsiteAddress:
    """A directory on another computer; it lies below the home directory when it does not begin with `/`."""

    user: str
    host: str
    port: int
    directory: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port} {self.directory}"


def offsite_address(url: str) -> OffsiteAddress:
    """What the URL names; ValueError says what is allowed."""
    parts = urlsplit(url)
    if parts.password is not None:
        raise ValueError("it takes no password: the other computer lets the DAQ's SSH key in")
    directory = unquote(parts.path).removeprefix(HOME).rstrip("/")
    if parts.scheme != "sftp" or not (parts.username and parts.hostname and directory) or parts.query or parts.fragment:
        raise ValueError(SHAPE)
    return OffsiteAddress(unquote(parts.username), parts.hostname, parts.port or 22, directory)
