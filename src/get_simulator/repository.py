"""An ECC server's configuration repository: a directory of .xcfg files, read again at every call (facts 3)."""

import re
from pathlib import Path
from typing import Protocol

from get_protocol.config_set import ConfigId
from get_protocol.errors import LocalProtocolError, ProtocolError
from get_protocol.xcfg import BoardEntry, ConfigTree, parse_configure, parse_describe

DECLARATION = re.compile(r"\A(?:\xef\xbb\xbf)?\s*<\?xml.*?\?>\s*", re.DOTALL)


class NoConfiguration(Exception):
    """There is no such file; the text is the real server's message."""


class Files(Protocol):
    """The files of one directory."""

    def names(self) -> list[str]: ...
    def read(self, name: str) -> bytes | None:
        """Contents, None if there is no such file."""
        ...

    def path(self, name: str) -> str: ...


class DirectoryFiles:
    """Files on disk; a missing directory is an empty one (facts 3)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def names(self) -> list[str]:
        return [path.name for path in self._directory.iterdir()] if self._directory.is_dir() else []

    def read(self, name: str) -> bytes | None:
        path = self._directory / name
        return path.read_bytes() if path.is_file() else None

    def path(self, name: str) -> str:
        return str(self._directory / name)


class Repository:
    """Configurations by kind and name; raises NoConfiguration for what is absent or broken."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def config_ids(self) -> list[ConfigId]:
        """Every describe with every configure, prepare = configure, sorted (facts 3)."""
        found = []
        for describe in self._named("describe"):
            for configure in self._named("configure"):
                try:
                    found.append(ConfigId(describe, configure, configure))
                except LocalProtocolError:
                    continue  # a file name that cannot be asked for
        return sorted(found)

    def describe(self, name: str) -> tuple[BoardEntry, ...]:
        """The active boards of `describe-<name>`, in the file's order."""
        file, content = self._find("describe", name)
        try:
            return tuple(entry for entry in parse_describe(content) if entry.active)
        except ProtocolError as error:
            raise self._broken(file, error) from None

    def configure(self, name: str) -> ConfigTree:
        """The settings in `configure-<name>`; Prepare reads them too (facts 3)."""
        file, content = self._find("configure", name)
        try:
            return parse_configure(content)
        except ProtocolError as error:
            raise self._broken(file, error) from None

    def root_text(self, kind: str, name: str) -> str:
        """A file's root element, without the XML declaration, as the server writes it into its answers.

        It takes each byte of the UTF-8 file for a character, so `§` arrives as `Â§` (captures 05, 80, 85).
        """
        _, content = self._find(kind, name)
        return DECLARATION.sub("", content.decode("latin-1")).rstrip()

    def _named(self, kind: str) -> list[str]:
        pattern = re.compile(rf"{kind}-(.+)\.(?:xcfg|xml)", re.DOTALL)
        return sorted({match[1] for match in map(pattern.fullmatch, self._files.names()) if match})

    def _find(self, kind: str, name: str) -> tuple[str, bytes]:
        stem = f"{kind}{'_' if kind == 'hardwareDescription' else '-'}{name}"
        for file in (f"{stem}.xcfg", f"{stem}.xml"):
            content = None if "/" in name else self._files.read(file)
            if content is not None:
                return file, content
        raise NoConfiguration(f"Exception: Configuration '{name}' does not exist.")

    def _broken(self, file: str, error: ProtocolError) -> NoConfiguration:
        text = 'Exception: Error loading the document located at: "{}".\nThe text stream is not valid XML.\n{}'
        return NoConfiguration(text.format(self._files.path(file), error))
