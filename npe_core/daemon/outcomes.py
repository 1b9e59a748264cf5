"""What becomes of a job that leaves the pipeline: published, failed, tried again, or given back."""

from __future__ import annotations

import errno
import logging
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from npe_core.daemon import journal
from npe_core.daemon.blame import Blame, blame_for
from npe_core.daemon.claimed import Claimed
from npe_core.daemon.log import log
from npe_core.daemon.pauses import Pauses, kind_of, refusal_behind
from npe_core.daemon.pipeline import Finished
from npe_core.daemon.reasons import reason_for
from npe_core.daemon.spool import Spool
from npe_core.daemon.status import Counters
from npe_core.daemon.worker import NotWritten
from npe_core.errors import NpeError
from npe_core.filenames import printable
from npe_core.files import answer_of

Step = Callable[[Claimed], None]


class Outcomes:
    """Does what is to be done to jobs; what the disk refuses is done later, and pauses the daemon until then."""

    def __init__(self, spool: Spool, pauses: Pauses, attempts: int, given_back: Callable[[], None]) -> None:
        """``given_back`` is called when something has come back to the inbox."""
        self.counters = Counters()
        self.last = ""
        """What happened last."""
        self.again: deque[Claimed] = deque()
        """Jobs that are to be run once more."""
        self.later: deque[tuple[Step, Claimed]] = deque()
        """What the disk refused."""
        self._spool, self._pauses, self._attempts, self._given_back = spool, pauses, attempts, given_back

    def settle(self, finished: Finished) -> None:
        """Decides what becomes of it, and does it. What hits the device or the installation, the service sees to."""
        job, error = finished.job, finished.error
        if error is None:
            self.do(self.publish, job)
            return
        blame = blame_for(error)
        if blame is Blame.NOBODY:
            self.do(self.give_back, job)
        elif blame is Blame.DISK:
            needed = error.needed if isinstance(error, NotWritten) else 0
            self._pauses.add(kind_of(error), self._told_of_result(job, error, needed), needed)
            self.do(self._blameless, job)
        elif blame is Blame.INSTALLATION:
            self.do(self._blameless, job)
        elif blame is Blame.INPUT or job.record.attempts >= self._attempts:
            self.fail(job, error)
        else:
            trace = None if isinstance(error, NpeError) else error
            log("to be tried again", logging.WARNING, trace, job=journal.label(job.record), why=str(error))
            self.again.append(job)

    def fail(self, job: Claimed, error: Exception) -> None:
        """To the failed folder, with the reason."""
        reason = reason_for(job, error) | self._spool.folders.owner

        def step(job: Claimed) -> None:
            try:
                self._spool.fail(job, journal.as_json(reason))
            finally:
                if self._has_come_to(self._spool.folders.failed, job):
                    self.counters.failed += 1
                    self.last = f"{reason['job']} failed"
                    told = {key: reason[key] for key in ("job", "code", "reason")}
                    log("failed", logging.ERROR, error if reason["code"] == "error" else None, **told)

        self.do(step, job)

    def publish(self, job: Claimed) -> None:
        """To the outbox."""
        committed = self._spool.commit(job)
        seconds = journal.seconds_of(committed.folder)
        try:
            self._spool.publish(committed)
        finally:
            if self._has_come_to(done := self._spool.folders.done, job):
                record = journal.load(done / job.folder.name) or committed.record
                names = ", ".join(printable(name) for name in reversed(record.published.values()))
                self.counters.done += 1
                self.counters.edit_seconds += seconds
                self.last = f"{names} done"
                log("done", job=journal.label(record), output=names, seconds=round(seconds, 2))

    def _has_come_to(self, state: Path, job: Claimed) -> bool:
        """Whether the job has been put away there: it counts, though of the last step the flush was refused."""
        return (state / job.folder.name).is_dir() and not self._spool.holds(job)

    def give_back(self, job: Claimed) -> None:
        """To the inbox, as if it had never been claimed."""
        self._spool.give_back(job)
        self._given_back()
        log("given back", job=journal.label(job.record))

    def _blameless(self, job: Claimed) -> None:
        self.again.append(self._spool.count_attempt(job, -1))

    def do(self, step: Step, job: Claimed) -> None:
        """One step, now or later."""
        try:
            step(job)
        except OSError as error:
            self.pause(error)
            self.later.append((step, job))

    def pause(self, error: OSError) -> None:
        """Until what the disk refused has been caught up with, and as much can be written."""
        self._pauses.add(kind_of(error), self._told(error))

    def _told(self, error: OSError) -> str:
        """Which folder is at fault, in the words of its owner."""
        folders = self._spool.folders
        at_fault = [str(name) for name in (error.filename2, error.filename) if name is not None]
        is_failed = any(Path(name).is_relative_to(folders.failed) for name in at_fault)
        if is_failed and not os.access(folders.failed, os.W_OK | os.X_OK):
            return f"The folder for failed jobs cannot be written to: {answer_of(error)}. Let the daemon's user do so."
        return f"The outbox cannot be written to: {answer_of(error)}."

    def _told_of_result(self, job: Claimed, error: Exception, needed: int) -> str:
        """Why a result could not be written, of ``needed`` bytes (0: not known)."""
        refusal = refusal_behind(error)
        if refusal is None:
            return str(error)
        if kind_of(refusal) != "disk":
            return f"{self._told(refusal)} Mount it so that it can be, or let the daemon's user write to it."
        size = f" ({needed / 1e6:.1f} MB needed)" if needed else ""
        outbox, result = printable(str(self._spool.folders.outbox)), f"the result of {journal.label(job.record)}{size}"
        remedy = "Raise that limit." if refusal.errno == errno.EFBIG else "Free some space."
        return f"The outbox {outbox} has no room for {result}: {answer_of(refusal)}. {remedy}"

    def catch_up(self, is_stopping: bool = False) -> None:
        """Tries again what the disk refused, when it is time to, or when there is not much time left."""
        if not (self._is_due or (is_stopping and self.later)):
            return
        if not self._spool.is_there:
            self._pauses.add("outbox", "The outbox is gone, or what is in it. Mount it again, or restart the daemon.")
            return
        for _ in range(len(self.later)):
            step, job = self.later.popleft()
            if self._spool.holds(job):  # else only the last call of the step was refused
                self.do(step, job)
        if self._is_due and not self.later and self._can_write():
            self._pauses.over("disk")
            self._pauses.over("outbox")

    @property
    def _is_due(self) -> bool:
        return self._pauses.is_due("disk", "outbox")

    def give_up(self) -> None:
        """At the end: what the disk still refuses goes back to the inbox, for which no room is needed.

        What is in ``later`` after that stays for the next start: results that are whole, and what cannot go back.
        """
        if not self._spool.is_there:
            return
        for _ in range(len(self.later)):
            step, job = self.later.popleft()
            if self._spool.is_whole(job):
                self.later.append((step, job))
            elif self._spool.holds(job):
                self.do(self.give_back, job)

    def _can_write(self) -> bool:
        """Whether there is room for what found none, if there was reason to doubt it.

        Jobs may have been refused at the door, or their results, which are made again when there is room for them.
        """
        if not self._pauses.reasons.keys() & {"disk", "outbox"}:
            return True
        try:
            self._spool.try_writing(self._pauses.needed)
        except OSError as error:
            kind = kind_of(error)
            self._pauses.add(kind, self._pauses.reasons.get(kind, self._told(error)))
            return False
        return True
