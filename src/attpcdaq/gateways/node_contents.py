"""Contents of small files on a node over SFTP: read, copy, and put there whole or not at all."""

import asyncio
import posixpath
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import asyncssh

from attpcdaq.gateways import sftp_answers, sftp_batch
from attpcdaq.gateways.errors import Refused
from attpcdaq.gateways.node_connection import LOST
from attpcdaq.gateways.node_files import ABSENT, make_directories, reason
from attpcdaq.gateways.node_listing import listing
from attpcdaq.gateways.ports import HEAD_BYTES, FileStat, MovedFile
from attpcdaq.gateways.sftp_batch import Answer, Request, Session

# So many files are open at once: servers allow a hundred or more.
AT_ONCE = 32
MAX_BYTES = 64 * 1024 * 1024


async def copy(session: Session, source: str, names: Sequence[str], destination: str) -> tuple[MovedFile, ...]:
    """Copy each file; one that lies there already and is the same counts as copied, another is Refused."""
    await make_directories(session, destination)
    there = {name for name, *_ in await listing(session, destination)}
    new = {name: posixpath.join(destination, name) for name in names}
    known = [name for name in new if name in there]
    data = dict(zip(new, await read_all(session, [posixpath.join(source, name) for name in new]), strict=True))
    before = await read_all(session, [new[name] for name in known])
    for name, found in zip(known, before, strict=True):
        if found != data[name]:
            old = posixpath.join(source, name)
            raise Refused(f"{new[name]} exists already and differs from {old}; it was left as it is")
    await put(session, {new[name]: data[name] for name in new if name not in there}, sftp_batch.rename)
    return tuple(MovedFile(new[name], len(data[name])) for name in names)


async def read_all(session: Session, paths: Sequence[str]) -> list[bytes]:
    """Whole small files; Refused when there is none (MISSING), or when one is larger than 64 MiB."""
    answers = await session.ask(
        [request(path) for path in paths for request in (sftp_batch.open_file, sftp_batch.stat)]
    )
    opened = list(zip(paths, answers[::2], answers[1::2], strict=True))
    try:
        return [await _content(session, *one) for one in opened]
    finally:
        session.forget([sftp_answers.data(one) for _, one, _ in opened if isinstance(one, bytes)])


async def _content(session: Session, path: str, opened: Answer, stat: Answer) -> bytes:
    with refusals(path):
        handle, size = sftp_answers.data(opened), sftp_answers.stat_of(stat).size
        _check_size(path, size)
        found = b""
        while len(found) < size:
            asked = sftp_batch.read_all(handle, size - len(found), len(found))
            more = without_gap([sftp_answers.data(piece) for piece in await session.ask(asked)])
            if not more:
                raise Refused(f"{path} ends after {len(found)} of its {size} bytes")
            found += more
        return found


def without_gap(pieces: Sequence[bytes]) -> bytes:
    """Up to the first that is shorter than was asked for, as a server may answer: after it something is missing."""
    short = next((at for at, piece in enumerate(pieces) if len(piece) < sftp_batch.PIECE), len(pieces))
    return b"".join(pieces[: short + 1])


def _check_size(path: str, size: int) -> None:
    if size > MAX_BYTES:
        raise Refused(f"{path} has {size} bytes, more than the {MAX_BYTES} that are read of one file")


@contextmanager
def refusals(path: str) -> Iterator[None]:
    """What a server says of a file that it cannot read."""
    try:
        yield
    except ABSENT as error:
        raise Refused(f"there is no {path}", Refused.MISSING) from error
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure) as error:
        raise Refused(f"{path} cannot be read: {reason(error)}") from error


async def read(sftp: asyncssh.SFTPClient, path: str) -> tuple[bytes, FileStat]:
    """A whole file; Refused when there is none (MISSING), or when it is larger than 64 MiB."""
    with refusals(path):
        async with sftp.open(path, "rb") as handle:
            found = _stat(await handle.stat())
            _check_size(path, found.size)
            return await take(handle, found.size), found


async def take(handle: asyncssh.SFTPClientFile, size: int, at: int = 0) -> bytes:
    """So many bytes of a file, fewer where it ends."""
    return cast(bytes, await handle.read(size, at))  # its types do not know that it was opened for bytes


async def heads(sftp: asyncssh.SFTPClient, directory: str, names: Sequence[str]) -> dict[str, bytes]:
    """The first bytes of each file; what cannot be read is left out."""
    room = asyncio.Semaphore(AT_ONCE)

    async def head(name: str) -> tuple[str, bytes | None]:
        async with room:
            try:
                async with sftp.open(posixpath.join(directory, name), "rb") as handle:
                    return name, await take(handle, HEAD_BYTES)
            except LOST:
                raise
            except asyncssh.SFTPError:
                return name, None

    return {name: data for name, data in await asyncio.gather(*map(head, names)) if data is not None}


async def stats(sftp: asyncssh.SFTPClient, paths: Sequence[str]) -> tuple[FileStat | None, ...]:
    """Size and time of each; None where there is nothing."""
    return tuple(await asyncio.gather(*(_stat_one(sftp, path) for path in paths)))


async def write(session: Session, path: str, data: bytes) -> None:
    """Put a file there under another name first, then in the place of an older one in one step."""
    await make_directories(session, posixpath.dirname(path))
    await put(session, {path: data}, sftp_batch.replace)


async def _stat_one(sftp: asyncssh.SFTPClient, path: str) -> FileStat | None:
    try:
        return _stat(await sftp.stat(path))
    except ABSENT:
        return None


def _stat(attributes: asyncssh.SFTPAttrs) -> FileStat:
    return FileStat(attributes.size or 0, float(attributes.mtime or 0))


async def put(session: Session, files: Mapping[str, bytes], rename: Callable[[str, str], Request]) -> None:
    """Files with these contents, by path: under other names first, so that each is there whole or not at all."""
    partial = {path: _partial(path) for path in files}
    made = await session.ask([sftp_batch.make_file(one) for one in partial.values()])
    handles = {path: sftp_answers.data(one) for path, one in zip(files, made, strict=True) if isinstance(one, bytes)}
    pieces = [
        (path, request)
        for path, handle in handles.items()
        for request in (*sftp_batch.write_all(handle, files[path]), sftp_batch.close(handle))
    ]
    written = await session.ask([request for _, request in pieces])
    failed = _failed(files, made) + _failed([path for path, _ in pieces], written)
    if not failed:
        renamed = await session.ask([rename(one, path) for path, one in partial.items()])
        failed = _failed(files, renamed)
    if failed:
        await session.ask([sftp_batch.remove(partial[path]) for path in handles])  # what we made a moment ago
        path, error = failed[0]
        raise Refused(f"{path} was not written: {reason(error)}") from error


def _partial(path: str) -> str:
    directory, name = posixpath.split(path)
    return posixpath.join(directory, f".{name}.{secrets.token_hex(4)}.partial")


def _failed(paths: Iterable[str], answers: Sequence[Answer]) -> list[tuple[str, asyncssh.SFTPError]]:
    pairs = zip(paths, answers, strict=True)
    return [(path, answer) for path, answer in pairs if isinstance(answer, asyncssh.SFTPError)]
