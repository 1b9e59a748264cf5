"""Which files of a folder are whole: those that have stopped changing, or were renamed from a temporary name."""

from __future__ import annotations

import os
import stat
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from npe_core.daemon.names import final_name, is_unfinished

ABANDONED = 5
"""Times the settling time without a change after which a file under a temporary name is treated as abandoned."""


@dataclass(frozen=True)
class Stamp:
    """What changes when a file does."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


def scan(folder: Path) -> dict[str, Stamp]:
    """The regular files of a folder by name; no symbolic links. Raises OSError when the folder cannot be read."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:  # it went away meanwhile
                continue
            if stat.S_ISREG(status.st_mode):
                found[entry.name] = Stamp.of(status)
    return found


class Tracker:
    """Tells from one scan to the next what has settled. Time is that of ``clock``, which never jumps."""

    def __init__(
        self,
        settle: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``wall`` is the clock of the files' own times, which is believed only where there is no other."""
        self.settle = settle
        """Seconds without a change after which a file counts as whole."""
        self._clock, self._wall = clock, wall
        self._is_first = True
        self._since: dict[str, tuple[Stamp, float]] = {}
        self._unfinished: dict[int, tuple[str, Stamp]] = {}
        self._heard: deque[tuple[str, Stamp]] = deque()
        self._renamed: dict[str, Stamp] = {}

    def renamed(self, name: str, stamp: Stamp) -> None:
        """A file got this name from a temporary one: with this stamp it is whole. May be called from any thread.

        Events come late (a rename is told half a second after it happened): scans before and after may have seen it.
        """
        self._heard.append((name, stamp))

    def look(self, files: Mapping[str, Stamp]) -> set[str]:
        """Takes in a scan; returns the names that are whole."""
        now = self._clock()
        heard = dict(self._heard.popleft() for _ in range(len(self._heard)))
        renamed = self._renamed | heard
        since: dict[str, tuple[Stamp, float]] = {}
        for name, stamp in files.items():
            known = self._since.get(name)
            if renamed.get(name) == stamp or self._is_renamed(name, stamp):
                since[name] = stamp, now - self.settle
            elif known is not None and known[0] == stamp:
                since[name] = known
            else:
                since[name] = stamp, now - (self._age(stamp) if self._is_first and is_unfinished(name) else 0)
        self._since, self._is_first = since, False
        self._unfinished = {stamp.inode: (name, stamp) for name, stamp in files.items() if is_unfinished(name)}
        self._renamed = {name: stamp for name, stamp in heard.items() if name not in files}
        return {name for name, (_, start) in since.items() if now - start >= self.settle}

    def _is_renamed(self, name: str, stamp: Stamp) -> bool:
        """Whether the last look saw that very file under a temporary name; the number alone may be another file's."""
        if stamp.inode not in self._unfinished or is_unfinished(name):
            return False
        old, before = self._unfinished[stamp.inode]
        return stamp == before or name == final_name(old)

    def _age(self, stamp: Stamp) -> float:
        return max(0.0, self._wall() - stamp.mtime_ns / 1e9)

    @property
    def given_up(self) -> set[str]:
        """The temporary names, as of the last look, under which nothing has changed for a few settling times."""
        latest = self._clock() - ABANDONED * self.settle
        return {name for name, (_, start) in self._since.items() if is_unfinished(name) and start <= latest}

    def forget(self) -> None:
        """The folder went away: whatever comes back is new."""
        self._is_first = True
        self._since.clear()
        self._unfinished.clear()
        self._heard.clear()
        self._renamed.clear()
