"""Careful work with files: every change is one call here, durable when it returns, and never overwrites."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from npe_core import renaming
from npe_core.daemon.tracker import Stamp

_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL)


class TooLarge(OSError):
    """A stranger's file that is not worth a copy."""


class Files:
    """The changes that a spool makes to its folders. They raise OSError, and FileExistsError instead of overwriting."""

    def make_folder(self, path: Path) -> None:
        """A new folder; the spool around it is for nobody else."""
        path.mkdir()

    def write(self, path: Path, content: bytes, durable: bool = True) -> None:
        """Replaces a small file of our own; a half-written one is never seen."""
        temporary = path.with_name(".writing")
        with _closing(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)) as file:
            _write_all(file, content)
            if durable:
                os.fsync(file)
        temporary.replace(path)
        if durable:
            self.sync(path.parent)

    def rename(self, source: Path, target: Path) -> None:
        """Moves anything on one file system; the target must not exist."""
        place(source, target)
        self.sync(target.parent)

    def move_folder(self, source: Path, target: Path) -> None:
        """One rename; the target must not exist, or be empty."""
        source.rename(target)
        self.sync(target.parent)  # the same transaction of the file system takes the name out of the source's folder

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
        self.sync(target.parent)  # before the only other name for these bytes goes
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
                place(source, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._copy_over(source, target)
        self.sync(folder)
        for source in files:
            source.unlink(missing_ok=True)

    def _copy_over(self, source: Path, target: Path) -> None:
        temporary = target.with_name(".npe-copying.part")
        try:
            temporary.unlink(missing_ok=True)
            copy(source, temporary)
            place(temporary, target)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def remove(self, path: Path) -> None:
        """Removes a file that is stored elsewhere, or never was an input."""
        path.unlink(missing_ok=True)

    def remove_folder(self, path: Path) -> None:
        """Removes a folder of ours with all that is left in it."""
        shutil.rmtree(path)

    def sync(self, folder: Path) -> None:
        """Makes the names in a folder durable, where the file system can."""
        with _closing(os.open(folder, os.O_RDONLY | os.O_DIRECTORY)) as descriptor:
            try:
                os.fsync(descriptor)
            except OSError as error:
                if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.EROFS):
                    raise


def place(source: Path, target: Path) -> None:
    """Gives a file a new name that is free: by the one rename that never replaces, or by what comes next to it.

    Without that rename a link keeps the name of a stranger's file safe, but the source stays until it is removed: who
    dies in between and finds the target gone gives it a second time. A copy too many is better than a file lost.
    """
    if renaming.try_rename_new(source, target):
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS or os.path.lexists(target):
            raise
        source.rename(target)  # somebody else's file, or no hard links there either


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


def copy(source: Path, target: Path) -> None:
    """A durable copy under a new name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with _closing(open_regular(source)) as reading, _closing(os.open(target, flags, 0o644)) as writing:
        while block := os.read(reading, 1 << 20):
            _write_all(writing, block)
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


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
