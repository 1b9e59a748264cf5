"""Paint and mask on disk while a person works, so that neither a crash nor a lost connection takes them away.

One ``.paint`` file a session in the state folder: a line of JSON (the photo, the time, what the last Enhance was made
with), then the canvas, then the enhanced picture where it could not be made again from that. It appears under its name
complete or not at all, and goes when the work is saved or dropped. Beside it lies a lock that the session holds as long
as it lives, however it ends: a file whose lock is free was *left behind*.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from npe_core import locks
from npe_core.errors import NpeError, OutOfMemory
from npe_core.filenames import NAME_ROOM, shortened
from npe_core.files import answer_of

_SUFFIX = ".paint"
_KEPT = 30 * 86400
"""Seconds after which what nobody came back for is removed."""


@dataclass(frozen=True)
class Saved:
    """One autosave on disk."""

    file: Path
    photo: Path
    when: float
    """Seconds since the epoch."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Of the last Enhance; empty if there was none, or the version that wrote it kept none."""
    made_size: int = 0
    """Bytes of the enhanced picture; 0 where none is kept."""

    @property
    def fits(self) -> bool:
        """Whether that Enhance was of the paint that is here, and can be repeated."""
        return bool(self.parameters.get("fits", bool(self.parameters)))

    @property
    def picture(self) -> Path | None:
        """The file that the enhanced picture of then was saved in."""
        saved_as = self.parameters.get("saved_as")
        return Path(saved_as) if isinstance(saved_as, str) else None

    def read(self) -> bytes:
        """The canvas. Raises OSError."""
        body = self._body()
        return body[: len(body) - self.made_size]

    def read_made(self) -> bytes:
        """The enhanced picture; nothing where none is kept. Raises OSError."""
        return self._body()[-self.made_size :] if self.made_size else b""

    def _body(self) -> bytes:
        return self.file.read_bytes().partition(b"\n")[2]

    def remove(self) -> None:
        """Forget it."""
        for file in (self.file, _lock_of(self.file)):
            with contextlib.suppress(OSError):
                file.unlink()


def left_behind(folder: Path, photo: Path | None = None) -> list[Saved]:
    """The autosaves of sessions that are gone, newest first; only those of one photo if it is given."""
    found = []
    _forget_locks(folder)
    for file in folder.glob("*" + _SUFFIX):
        saved = _read_head(file)
        if saved is None or _held(_lock_of(file)):
            continue
        if time.time() - saved.when > _KEPT:
            saved.remove()
        elif photo is None or os.path.realpath(saved.photo) == os.path.realpath(photo):
            found.append(saved)
    return sorted(found, key=lambda saved: saved.when, reverse=True)


def _forget_locks(folder: Path) -> None:
    """Removes old locks whose paint has gone, and whose session could not take them along."""
    for lock in folder.glob("*.lock"):
        with contextlib.suppress(OSError):
            alone = not lock.with_suffix(_SUFFIX).exists() and time.time() - lock.stat().st_mtime > _KEPT
            if alone and not _held(lock):
                lock.unlink()


class Autosave:
    """Writes the canvas of one session a while after it changed, in a thread of its own."""

    def __init__(
        self,
        folder: Path,
        photo: Path,
        seconds: float,
        snapshot: Callable[[], bytes],
        parameters: Callable[[], dict[str, Any]] = dict,
        failed: Callable[[str], object] = lambda reason: None,
        picture: Callable[[], bytes] = bytes,
    ) -> None:
        """``seconds`` after a change it is written; 0 turns that off. ``parameters``: of the last Enhance, for JSON.

        ``picture``: what that made, where it is to be kept as well, else nothing. ``failed`` is told why it could not
        be written, from any thread.
        """
        self.file = folder / f"{shortened(photo.stem, NAME_ROOM)}-{secrets.token_hex(6)}{_SUFFIX}"
        self._photo = photo.absolute()
        self._seconds = seconds
        self._snapshot = snapshot
        self._parameters = parameters
        self._failed = failed
        self._picture = picture
        self._writing = threading.Lock()
        """Held by who writes or removes the file."""
        self._counting = threading.Lock()
        """Held, for a moment, by who reads or changes the next three."""
        self._changes = 0
        self._settled = 0
        """Changes up to this one lie on the disk, or are not wanted there."""
        self._timer: threading.Timer | None = None
        self._lock: IO[str] | None = None
        self._closed = False
        self._taken: Saved | None = None

    def take_over(self, saved: Saved) -> None:
        """Its canvas is this session's now: it goes once that is on disk anew, or saved, or not wanted."""
        self._taken = saved

    @property
    def changes(self) -> int:
        """How many were told of so far."""
        with self._counting:
            return self._changes

    def touch(self) -> None:
        """Say that the canvas changed: at most ``seconds`` later it is on disk."""
        with self._counting:
            self._changes += 1
            if self._seconds and not self._closed and self._timer is None:
                self._timer = threading.Timer(self._seconds, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> bool:
        """Write now, if there is anything new; returns whether all there is lies on the disk."""
        from npe_core.photo import write_atomically

        with self._writing:
            with self._counting:
                timer, self._timer = self._timer, None
                changes, is_new = self._changes, self._changes > self._settled
            if timer is not None:
                timer.cancel()
            if self._closed or not is_new or not self._seconds:
                return not is_new and self.file.exists()
            try:
                self._take_lock()
                made = self._picture()
                head = {"photo": str(self._photo), "when": time.time(), "made": len(made)}
                told = json.dumps(head | {"parameters": self._parameters()}).encode()
                write_atomically(self.file, told + b"\n" + self._snapshot() + made, force=True)
                self._settle(changes)  # what changes while it is written is another change
                self._forget_taken()
            except NpeError as error:  # tried again at the next change, and when the session ends
                self._failed(f"Autosave failed. {error}")
            except OSError as error:
                why = f"{self.file.parent} cannot be written to: {answer_of(error)}."
                self._failed(f"Autosave failed. {why} Set XDG_STATE_HOME or HOME to a folder that can.")
            except MemoryError:
                self._failed(f"Autosave failed. {OutOfMemory()}")
            with self._counting:
                return self._changes == self._settled

    def discard(self, changes: int) -> None:
        """The work up to this number of ``changes`` is saved, or not wanted; what came after it is still written."""
        with self._writing, contextlib.suppress(OSError):
            if self._settle(changes):
                self._forget_taken()
                self.file.unlink(missing_ok=True)

    def _settle(self, changes: int) -> bool:
        """No change up to this one is written again. Returns False if a later one was settled before."""
        with self._counting:
            if changes < self._settled:
                return False
            self._settled = changes
            return True

    def _forget_taken(self) -> None:
        if self._taken is not None:
            self._taken.remove()
        self._taken = None

    def close(self) -> None:
        """Write what is new, then no more; a file that is on disk stays, to be found as left behind."""
        self.flush()
        self._closed = True
        with self._writing:
            if self._lock is not None:
                self._lock.close()
                if not self.file.exists():
                    _lock_of(self.file).unlink(missing_ok=True)

    def _take_lock(self) -> None:
        if self._lock is None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lock = _lock_of(self.file).open("w")
            try:
                locks.take(lock.fileno())
            except BlockingIOError:
                lock.close()
                raise
            except OSError:  # a file system without locks: better found by another session than not written
                pass
            self._lock = lock


def _lock_of(file: Path) -> Path:
    return file.with_suffix(".lock")


def _held(lock: Path) -> bool:
    """Whether a living session holds it; without locks every file but one's own counts as left behind."""
    try:
        with lock.open("r") as opened:
            return locks.is_taken(opened.fileno())
    except OSError:
        return False


def _read_head(file: Path) -> Saved | None:
    try:
        with file.open("rb") as opened:
            head = json.loads(opened.readline(65536))
        parameters, made_size = dict(head.get("parameters", {})), max(int(head.get("made", 0)), 0)
        return Saved(file, Path(head["photo"]), float(head["when"]), parameters, made_size)
    except (OSError, ValueError, KeyError, TypeError):
        return None
