"""Writing: folders that are there before any work, files that appear whole or not at all, and faults in words.

A file is written under a temporary name beside its own and takes that by one rename. The temporary names are drawn, so
that no two writers meet in one; they are hidden, and end as programs call what is not whole. What a killed process left
behind goes when something else is written beside it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from npe_core import renaming
from npe_core.errors import EnvironmentFault, UsageError

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system answers where the disk is full, or a quota reached."""
BEYOND_LIMIT = "beyond what ulimit -f or the file system allows"
"""Why there is no room for a file on a disk that is not full."""

_BEGINNING, _END = ".npe-", ".part"
_LEFT_BEHIND = 3600.0
"""Seconds without a change after which nobody writes to a temporary file any more: its process was killed."""
_NO_LINKS = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EINVAL)
_FOLLOWS = os.link not in os.supports_follow_symlinks
"""Whether a link to a link can only be one to what that names."""
_OF_THE_FILE = (
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EILSEQ, errno.ENXIO),
    *(errno.EACCES, errno.EPERM, errno.EINVAL, errno.EOVERFLOW, errno.EIO),
)
"""What the system answers for the sake of one file: its name, its rights, a place in it that is none, a bad sector."""
_NO_FLUSH = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EROFS, errno.EACCES, errno.EPERM)
"""What a system answers that cannot open a folder, or a file system that cannot flush one."""


@contextlib.contextmanager
def written(path: Path) -> Iterator[None]:
    """Around the writing of ``path``: what the system refuses is raised as EnvironmentFault."""
    try:
        yield
    except OSError as error:
        remedy = " Free some space." if error.errno in FULL else ""
        raise EnvironmentFault(f"{path} cannot be written: {answer_of(error)}.{remedy}") from None


def answer_of(error: OSError) -> str:
    """What the system answered, with what it leaves out: the file is too large for a limit, not for the disk."""
    more = f" ({BEYOND_LIMIT})" if error.errno == errno.EFBIG else ""
    return f"{error.strerror or error}{more}"


def from_system(error: Exception) -> TypeGuard[OSError]:
    """Whether the system refused something: that has a number, and what decoders and encoders call OSError has none."""
    return isinstance(error, OSError) and error.errno is not None


def require_of_the_file(error: Exception, name: str) -> None:
    """Raises EnvironmentFault for what kept the file ``name`` from being read, if it is the machine's, not the file's.

    As too many open files, or a server that does not answer: others could not be read either.
    """
    if from_system(error) and error.errno not in _OF_THE_FILE:
        raise EnvironmentFault(f"{name} cannot be read now: {error.strerror}.") from error


def temporary_beside(path: Path) -> Path:
    """A name in the same folder that nobody else uses."""
    return path.with_name(f"{_BEGINNING}{secrets.token_hex(8)}{_END}")


def is_temporary(name: str) -> bool:
    """Whether a file of that name was on its way to another one."""
    return name.startswith(_BEGINNING) and name.endswith(_END)


@contextlib.contextmanager
def replacing(path: Path, durable: bool = True) -> Iterator[Path]:
    """Gives a temporary name beside ``path``; what is written there takes its place, whole or not at all.

    That holds when a process is killed, and where it is ``durable`` when the power fails too. Raises OSError.
    """
    with _temporary(path) as temporary:
        yield temporary
        if durable:
            _flush(temporary)
        temporary.replace(path)
    if durable:
        flush_folder(path.parent)


@contextlib.contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """As ``replacing``, durable. Raises EnvironmentFault."""
    with written(path), replacing(path) as temporary:
        yield temporary


def replace(path: Path, content: bytes, durable: bool = True) -> None:
    """Give a file, there or not, that content; see ``replacing``. Raises OSError."""
    with replacing(path, durable) as temporary:
        create(temporary, content)


def create(path: Path, content: bytes) -> None:
    """Write a file under a name that is free; the umask says who may read it. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        write_all(descriptor, content)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """``os.write``, as often as it takes."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is new, whole or not at all, and durable. Raises FileExistsError and other OSErrors."""
    with _temporary(path) as temporary:
        create(temporary, content)
        _flush(temporary)
        publish_new(temporary, path)
    flush_folder(path.parent)


def publish_new(source: Path, target: Path) -> None:
    """Give a file or folder another name on its file system that is free. Raises FileExistsError and other OSErrors.

    By the one rename that never replaces. Where there is none, by a link: the source is left then, and the caller's to
    remove; who dies in between and finds the target gone publishes it a second time, and a copy too many is better
    than a file lost. Where there are no links either (or it is somebody else's file), the name is reserved by what is
    empty, and taken by a rename.
    """
    if renaming.try_rename_new(source, target):
        return
    try:
        os.link(source, target, follow_symlinks=_FOLLOWS)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _take_reserved(source, target)


def _take_reserved(source: Path, target: Path) -> None:
    is_folder = stat.S_ISDIR(source.lstat().st_mode)
    if is_folder:
        target.mkdir()
    else:
        create(target, b"")
    try:
        source.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            (target.rmdir if is_folder else target.unlink)()
        raise


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Makes the names in a folder durable, where the system and the file system can. Raises OSError."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path``, under which there is nothing any more in the end."""
    _clear_up(path.parent)
    temporary = temporary_beside(path)
    try:
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _clear_up(folder: Path) -> None:
    """Removes what killed processes left in a folder, as far as it can."""
    latest = time.time() - _LEFT_BEHIND
    with contextlib.suppress(OSError):  # a folder that can be written to need not be one that can be read
        for path in folder.iterdir():
            if is_temporary(path.name):
                with contextlib.suppress(OSError):  # another one may do the same
                    if path.lstat().st_mtime < latest:
                        path.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder that files can be written to, with those above it.

    Raises UsageError where a file has the name of one of them, EnvironmentFault.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next((one for one in (folder, *folder.parents) if os.path.lexists(one)), folder)
        kind = "a link to no folder" if file.is_symlink() else "a file"
        raise UsageError(f"{file} is {kind}. Name a folder.") from None
    except OSError as error:
        raise EnvironmentFault(
            f"The folder {error.filename or folder} cannot be made: {answer_of(error)}. Name another place."
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise EnvironmentFault(f"{folder} cannot be written to. Choose another folder.")
