"""What lies in the inbox, and taking it in."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from npe_core.daemon.claimed import LARGEST_FILE, Claimed
from npe_core.daemon.files import TooLarge
from npe_core.daemon.folders import remedy
from npe_core.daemon.log import log
from npe_core.daemon.names import Group, Sorted, Waiting, sort_out
from npe_core.daemon.pauses import Pauses, kind_of
from npe_core.daemon.spool import Spool
from npe_core.daemon.tracker import Stamp, Tracker, scan
from npe_core.daemon.watcher import Watcher
from npe_core.filenames import printable
from npe_core.files import answer_of

_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)
_AGAIN, _LONGEST = 30.0, 3600.0
"""Seconds after which a job that could not be taken out of the inbox is tried again; they double with each try."""
_LEAST_GAP = 0.02
"""Seconds between scans, however many events there are."""
_SHARE = 10
"""Times as long as a scan takes lies at least between two: 20,000 files take a quarter of a second."""


@dataclass(frozen=True)
class Refusal:
    """A job that stays in the inbox."""

    waiting: Waiting
    """One file of it, and why."""
    stamp: Stamp | None
    """Of that file, as it was claimed."""
    rights: tuple[object, ...]
    """Of all its files, and of the inbox: as soon as anybody changes those, it is worth another try."""
    delay: float
    again: float
    """When it is tried again in any case, ``delay`` seconds after the last try."""


class Intake:
    """Looks through the inbox and claims what is whole, the oldest first."""

    def __init__(
        self,
        spool: Spool,
        pauses: Pauses,
        wake: Callable[[], None],
        settle: float,
        interval: float,
        events: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``interval`` seconds lie between scans at most; with ``events`` changes are seen sooner, by ``wake``."""
        self.inbox = Sorted()
        """As of the last scan."""
        self.duplicates = 0
        self._spool, self._pauses, self._clock = spool, pauses, clock
        self._settle, self._interval, self._events = settle, interval, events
        self._tracker = Tracker(settle, clock)
        self._changed = threading.Event()
        self._wake = wake
        self._watcher = Watcher(spool.folders.inbox, self._tell_change, self._tracker.renamed)
        self._stamps: dict[str, Stamp] = {}
        self._refused: dict[str, Refusal] = {}
        self._last, self._cost = float("-inf"), 0.0
        self._is_stale = True

    def _tell_change(self) -> None:
        self._changed.set()
        self._wake()

    @property
    def due_in(self) -> float:
        """Seconds until the next scan."""
        gap = self._settle / 4 if self.inbox.unsettled else self._interval
        if self._changed.is_set() and not self.inbox.ready:  # while there is enough to do, events can wait
            gap = _LEAST_GAP
        return max(0.0, self._last + max(min(gap, self._interval), _SHARE * self._cost) - self._clock())

    @property
    def is_through(self) -> bool:
        """Whether nothing in the inbox can be claimed, now or once it has settled."""
        return not (self.inbox.unsettled or self.inbox.ready or self._is_stale)

    def expect(self) -> None:
        """Something has come back to the inbox, or is another than it was: it is worth another look."""
        self._is_stale = True
        self._changed.set()

    @property
    def waiting(self) -> list[Waiting]:
        """What cannot be claimed, and why."""
        return [*self.inbox.waiting, *self.refused]

    @property
    def refused(self) -> list[Waiting]:
        """What is complete but may not be read, moved or copied: one file of each such job, and why."""
        return [refusal.waiting for refusal in self._refused.values()]

    def look(self) -> None:
        """Scans the inbox, if it is time to."""
        if self.due_in > 0:
            return
        start = self._clock()
        self._changed.clear()
        self._is_stale = False
        if self._events:
            self._watcher.follow()
        try:
            self._stamps = scan(self._spool.folders.inbox)
            if os.statvfs(self._spool.folders.inbox).f_flag & os.ST_RDONLY:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            self._undo_claims()
            self._pauses.over("inbox")
        except OSError as error:
            self._stamps = {}
            self._tracker.forget()
            self._pauses.add("inbox", f"The inbox cannot be used: {error.strerror}. {remedy(error)}")
        self.inbox = sort_out(self._stamps, self._tracker.look(self._stamps), self._tracker.given_up)
        there = {*(group.stem for group in self.inbox.ready), *self.inbox.unsettled}
        self._refused = {stem: refusal for stem, refusal in self._refused.items() if stem in there}
        ready = [group for group in self.inbox.ready if self._is_worth_a_try(group)]
        self.inbox.ready = sorted(ready, key=lambda group: (self._stamps[group.photo].mtime_ns, group.photo))
        self._last = self._clock()
        self._cost = self._last - start

    def _undo_claims(self) -> None:
        """Gives back what could not be given back before. Raises OSError where the inbox is at fault, not the spool."""
        if not self._spool.is_there:
            return
        try:
            self._spool.undo_claims()
        except OSError as error:
            if not os.access(self._spool.folders.inbox, os.W_OK | os.X_OK):
                raise
            self._pauses.add(kind_of(error), f"Claims cannot be undone: {answer_of(error)}.")

    @property
    def is_open(self) -> bool:
        """Whether there is a job to be claimed, and nothing that keeps the daemon from working."""
        return bool(self.inbox.ready) and not self._pauses.reasons

    def claim(self) -> Claimed | None:
        """Tries to take in the next job, while ``is_open``; None where it stays in the inbox or is there already."""
        group = self.inbox.ready.pop(0)
        try:
            job = self._spool.claim(group, self._stamps)
        except OSError as error:
            self._refuse(group, error)
            return None
        self._refused.pop(group.stem, None)
        if job is not None:
            log("claimed", job=printable(job.record.id))
            return job
        self.duplicates += 1
        self.expect()
        log("already there, or changed meanwhile", job=printable(group.stem))
        return None

    def _refuse(self, group: Group, error: OSError) -> None:
        why = self._fault_of_the_file(error)
        if why is None:
            needed = sum(self._stamps[name].size for name in group.names)
            self._pauses.add(kind_of(error), f"A job cannot be taken in: {answer_of(error)}.", needed)
            return
        name = Path(error.filename).name
        waiting, stamp = Waiting((name,), why), self._stamps.get(name)
        before = self._refused.get(group.stem)
        delay = _AGAIN
        if before is not None and (before.waiting, before.stamp) == (waiting, stamp):
            delay = min(_LONGEST, 2 * before.delay)
        else:
            log("refused", logging.WARNING, job=printable(group.stem), file=printable(name), why=why)
        self._refused[group.stem] = Refusal(waiting, stamp, self._rights(group), delay, self._clock() + delay)

    def _is_worth_a_try(self, group: Group) -> bool:
        """Whether a job was not refused, or is to be tried again: with time, or since somebody changed what may be."""
        refusal = self._refused.get(group.stem)
        return refusal is None or refusal.again <= self._clock() or refusal.rights != self._rights(group)

    def _rights(self, group: Group) -> tuple[object, ...]:
        """What changes with the content or the rights of a job's files, or with the rights of the inbox."""
        inbox = self._spool.folders.inbox
        try:
            folder, files = inbox.stat(), [(inbox / name).lstat() for name in group.names]
        except OSError:
            return ()
        return (folder.st_mode, folder.st_uid, folder.st_gid, *(file.st_ctime_ns for file in files))

    def _fault_of_the_file(self, error: OSError) -> str | None:
        """What is wrong with a file of the inbox; None where something else is to blame."""
        if not isinstance(error.filename, str) or Path(error.filename).parent != self._spool.folders.inbox:
            return None
        if isinstance(error, TooLarge):
            return f"has more than {LARGEST_FILE >> 20} MiB, the limit for a file in the inbox. Take it out"
        if error.errno in _NOT_OURS and not os.access(self._spool.folders.inbox, os.W_OK | os.X_OK):
            return "cannot be taken out of the inbox. Let the daemon's group write to that folder (chmod g+w)"
        if error.errno in _NOT_OURS:
            return f"cannot be read and moved: {error.strerror}. Let the daemon's group do so (chmod g+rw)"
        if kind_of(error) != "disk":  # in use, stale, or on a disk with errors: the others need not wait for it
            return f"cannot be read or moved: {error.strerror}. That is tried again"
        return None

    def close(self) -> None:
        """Ends watching."""
        self._watcher.stop()
