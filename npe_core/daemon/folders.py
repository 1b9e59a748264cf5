"""Where everything lies, what is refused before the daemon starts, and the lock that keeps it alone."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from npe_core import locks
from npe_core.errors import AlreadyRunning, EnvironmentFault, UsageError
from npe_core.filenames import printable


@dataclass(frozen=True)
class Folders:
    """The three folders that people see, and those inside the outbox that they need not see."""

    inbox: Path
    outbox: Path
    failed: Path

    @classmethod
    def of(cls, inbox: Path, outbox: Path, failed: Path | None = None) -> Folders:
        """``failed`` lies beside the outbox where nothing else is said."""
        beside = failed or Path(os.path.abspath(outbox)).parent / "failed"  # noqa: PTH100  resolve() follows links
        return cls(*(Path(os.path.abspath(folder)) for folder in (inbox, outbox, beside)))  # noqa: PTH100

    @property
    def spool(self) -> Path:
        """The daemon's own."""
        return self.outbox / ".spool"

    @property
    def tmp(self) -> Path:
        return self.spool / "tmp"

    @property
    def run(self) -> Path:
        return self.spool / "run"

    @property
    def out(self) -> Path:
        return self.spool / "out"

    @property
    def trash(self) -> Path:
        return self.spool / "trash"

    @property
    def done(self) -> Path:
        """The inputs of what was published."""
        return self.outbox / ".done"

    @property
    def lock(self) -> Path:
        return self.spool / "lock"

    @property
    def status(self) -> Path:
        return self.spool / "status.json"

    @property
    def owner(self) -> dict[str, str]:
        """Whose a failed job is, for its reason.json: the inbox and the outbox as seen from the folder for failed jobs.

        So it holds wherever they are moved or mounted together.
        """
        failed = os.path.realpath(self.failed)
        seen = {"inbox": self.inbox, "outbox": self.outbox}
        return {name: os.path.relpath(os.path.realpath(folder), failed) for name, folder in seen.items()}

    def prepare(self, allow_world_writable: bool = False) -> list[Path]:
        """Makes the folders that are missing and refuses what is not safe.

        Returns those of the three that it made. Raises UsageError and EnvironmentFault.
        """
        # Not by resolve(), for which a link in a circle is no OSError.
        inbox, outbox, failed = (Path(os.path.realpath(folder)) for folder in (self.inbox, self.outbox, self.failed))
        for name, folder in (("outbox", outbox), ("folder for failed jobs", failed)):
            if folder == inbox or inbox in folder.parents:
                raise UsageError(
                    f"The {name} {printable(str(folder))} lies in the inbox: what comes out would go in again. "
                    "Move it out."
                )
        made = [folder for folder in (self.inbox, self.outbox, self.failed) if make(folder)]
        if not allow_world_writable:
            for folder in (inbox, outbox, failed):
                refuse_world_writable(folder)
        make(self.spool, 0o755, self.outbox)  # others may read status.json and see whether the lock is held
        make(self.done, told=self.outbox)
        for folder in (self.tmp, self.run, self.out, self.trash):
            make(folder, 0o700, self.outbox)
        if os.stat(self.failed).st_dev != os.stat(self.outbox).st_dev:  # noqa: PTH116
            raise EnvironmentFault(
                f"{printable(str(self.failed))} is on another file system than the outbox, but a failed job moves "
                "there by one rename.\nName a folder beside it with --failed."
            )
        return made


def make(folder: Path, mode: int = 0o775, told: Path | None = None) -> bool:
    """The folder, made if it is missing; under no umask one that everybody can write to.

    Returns whether it was missing. Raises EnvironmentFault, in which ``told`` stands for a folder that people need not
    know.
    """
    is_missing = not os.path.lexists(folder)
    try:
        folder.mkdir(mode, exist_ok=True)
        os.listdir(folder)  # noqa: PTH208  raises what is wrong with it
        return is_missing
    except FileExistsError:
        raise EnvironmentFault(f"{printable(str(folder))} is not a folder, or a link to none. Name another.") from None
    except OSError as error:
        raise EnvironmentFault(
            f"The folder {printable(str(told or folder))} cannot be used: {error.strerror}. {remedy(error)}"
        ) from None


def remedy(error: OSError) -> str:
    """What helps where a folder of the daemon's cannot be used."""
    match error.errno:
        case errno.EROFS:
            return "Mount it so that it can be written to."
        case errno.EACCES | errno.EPERM:
            return "Let the daemon's user read it and write to it, or name another."
        case _:
            return "Mount it again, create it, or name another."


def refuse_world_writable(folder: Path) -> None:
    """Anybody could take away or replace what others put there. Raises EnvironmentFault."""
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise EnvironmentFault(
            f"{printable(str(folder))} is writable for everybody (mode {stat.S_IMODE(mode):o}): anyone could replace "
            "files in it.\nTake that away (chmod o-w), set the sticky bit (chmod +t), or pass --allow-world-writable."
        )


class Lock:
    """Held while a daemon works on its folders; the system lets go of it when the process ends, however it ends."""

    def __init__(self, folders: Folders) -> None:
        """Raises AlreadyRunning when another daemon holds the outbox or the inbox."""
        self._folders = folders
        self._held: list[int] = []
        try:
            self._hold_outbox()
            self._hold(os.open(folders.inbox, os.O_RDONLY | os.O_DIRECTORY), folders.inbox)
        except BaseException:
            self.release()
            raise
        self._device = folders.outbox.stat().st_dev

    def _hold_outbox(self) -> None:
        """The folder as well as the file in it: somebody may remove the .spool."""
        outbox = self._folders.outbox
        self._hold(os.open(self._folders.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644), outbox)
        if not any(os.path.samestat(os.fstat(held), outbox.stat()) for held in self._held):
            self._hold(os.open(outbox, os.O_RDONLY | os.O_DIRECTORY), outbox)

    def renew(self, allow_world_writable: bool = False) -> bool:
        """Makes and locks what belongs into an outbox that somebody has emptied, or removed and made again.

        Returns whether it was that. What is on another file system may be the place where the outbox is to be mounted.
        Raises UsageError and EnvironmentFault as ``prepare``, AlreadyRunning.
        """
        outbox = self._folders.outbox
        try:
            if outbox.stat().st_dev != self._device or any(outbox.iterdir()):
                return False
        except OSError:
            return False
        self._folders.prepare(allow_world_writable)
        self._hold_outbox()
        return True

    def _hold(self, descriptor: int, folder: Path) -> None:
        self._held.append(descriptor)
        try:
            locks.take(descriptor)
        except BlockingIOError:
            raise AlreadyRunning(
                f"Another daemon is at work on {printable(str(folder))}. `npe status` tells what it does; "
                "stop it, or name other folders."
            ) from None
        except OSError as error:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                return  # a network mount without locks for folders; the file is locked
            raise EnvironmentFault(f"{printable(str(folder))} cannot be locked: {error.strerror}.") from None

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Lets another daemon in."""
        while self._held:
            os.close(self._held.pop())


def is_held(folders: Folders) -> bool:
    """Whether a daemon is at work on the outbox. Raises EnvironmentFault where that may not be known."""
    try:
        descriptor = os.open(folders.lock, os.O_RDONLY | os.O_NOFOLLOW)
    except PermissionError:
        raise EnvironmentFault(
            f"{printable(str(folders.lock))} may not be read (permission denied): it tells whether a daemon is at work."
            " Ask as its user."
        ) from None
    except OSError:
        return is_folder_held(folders.outbox)
    return _is_locked(descriptor) or is_folder_held(folders.outbox)


def is_folder_held(folder: Path) -> bool:
    """Whether a daemon holds the folder itself, which it does where its file system has locks for folders."""
    try:
        return _is_locked(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
    except OSError:
        return False


def _is_locked(descriptor: int) -> bool:
    """Whether somebody else holds a lock on it. Closes it."""
    try:
        return locks.is_taken(descriptor)  # without locks there is no daemon either
    finally:
        os.close(descriptor)


def free_bytes(folder: Path) -> int | None:
    """Free space on the file system of a folder; None where there is none."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
