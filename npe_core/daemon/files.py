"""Careful work with files: every change is one call here, durable when it returns, and never overwrites."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from npe_core.daemon.tracker import Stamp
from npe_core.files import flush_folder, publish_new, replace, write_all


class TooLarge(OSError):
    """A stranger's file that is not worth a copy."""


class Files:
    """The changes that a spool makes to its folders. They raise OSError, and FileExistsError instead of overwriting."""

    def make_folder(self, path: Path) -> None:
        """A new folder; the spool around it is for nobody else."""
        path.mkdir()

    def write(self, path: Path, content: bytes, durable: bool = True) -> None:
        """Replaces a small file of our own; a half-written one is never seen."""
        replace(path, content, durable)

    def rename(self, source: Path, target: Path) -> None:
        """Moves anything on one file system; the target must not exist."""
        publish_new(source, target)
        flush_folder(target.parent)

    def move_folder(self, source: Path, target: Path) -> None:
        """One rename; the target must not exist, or be empty."""
        source.rename(target)
        flush_folder(target.parent)  # the same transaction of the file system takes the name out of the source's folder

    def take(self, source: Path, target: Path, most: int) -> None:
        """Moves a stranger's file into a private folder of ours, where the name is free; over file systems if need be.

        There a file of more than ``most`` bytes is not copied but refused as TooLarge. A crash on the way over leaves
        a part under a hidden name, or a whole copy beside the source, which ``give`` recognizes.
        """
        try:
            source.rename(target)
            return
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        if source.stat().st_size > most:
            raise TooLarge(errno.EFBIG, os.strerror(errno.EFBIG), str(source))
        part = target.with_name(".copying")
        part.unlink(missing_ok=True)
        copy(source, part)
        part.rename(target)
        flush_folder(target.parent)  # before the only other name for these bytes goes
        source.unlink()

    def give(self, files: Mapping[Path, str], folder: Path) -> None:
        """Moves files of ours into a folder, under names that are free there; a name shows all of a file or nothing.

        Each by one rename, where the file system can: whatever dies and whoever takes a file away at once, it is given
        once. What had been given already is left out; the names are durable in the end.
        """
        for source, name in files.items():
            target = folder / name
            if same_content(source, target):  # left over from a move in two steps that was cut off
                continue
            try:
                publish_new(source, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._copy_over(source, target)
        flush_folder(folder)
        for source in files:
            source.unlink(missing_ok=True)

    def _copy_over(self, source: Path, target: Path) -> None:
        # Whoever goes on after a crash has the same source, and no two are at it at once.
        whose = hashlib.sha256(os.fsencode(source.absolute())).hexdigest()[:16]
        temporary = target.with_name(f".npe-{whose}.part")
        try:
            temporary.unlink(missing_ok=True)
            copy(source, temporary)
            publish_new(temporary, target)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def remove(self, path: Path) -> None:
        """Removes a file that is stored elsewhere, or never was an input."""
        path.unlink(missing_ok=True)

    def remove_folder(self, path: Path) -> None:
        """Removes a folder of ours with all that is left in it, or a file that lies where one should be."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def open_regular(path: Path) -> int:
    """A descriptor for reading a regular file: no link is followed, no pipe waited for. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return descriptor


def require_readable(path: Path) -> None:
    """Raises PermissionError, with the file's own name, before it is moved to where the fault would seem to be ours."""
    if not os.access(path, os.R_OK):
        path.lstat()  # it may be gone: FileNotFoundError
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def read_small(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most ``limit`` bytes. Raises OSError; ValueError when it is larger."""
    with _closing(open_regular(path)) as file:
        content = b""
        while len(content) <= limit and (block := os.read(file, limit + 1 - len(content))):
            content += block
    if len(content) > limit:
        raise ValueError(f"more than {limit} bytes")
    return content


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Around reads from a descriptor: their OSErrors name the file, which the system's own do not."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


def _blocks(descriptor: int, path: Path) -> Iterator[bytes]:
    with reading(path):
        while block := os.read(descriptor, 1 << 20):
            yield block


def copy(source: Path, target: Path) -> None:
    """A durable copy under a new name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with _closing(open_regular(source)) as given, _closing(os.open(target, flags, 0o644)) as writing:
        for block in _blocks(given, source):
            write_all(writing, block)
        os.fsync(writing)


def stamp_of(path: Path) -> Stamp | None:
    """The stamp of a regular file; None for anything else, links included."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return Stamp.of(status) if stat.S_ISREG(status.st_mode) else None


def same_content(one: Path, other: Path) -> bool:
    """Whether two regular files hold the same bytes."""
    try:
        with _closing(open_regular(one)) as a, _closing(open_regular(other)) as b:
            if os.fstat(a).st_size != os.fstat(b).st_size:
                return False
            while block := os.read(a, 1 << 20):
                if block != os.read(b, len(block)):
                    return False
    except OSError:
        return False
    return True


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
