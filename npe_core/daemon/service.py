"""The loop of the daemon: scan, claim, edit, publish. A turn takes no longer than a scan and a few renames."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import time
from collections import deque
from collections.abc import Callable, Iterator

from npe_core import __version__
from npe_core.daemon.blame import Blame, blame_for
from npe_core.daemon.claimed import Claimed
from npe_core.daemon.files import Files
from npe_core.daemon.folders import Folders, free_bytes
from npe_core.daemon.intake import Intake
from npe_core.daemon.log import log
from npe_core.daemon.notify import notify
from npe_core.daemon.outcomes import Outcomes
from npe_core.daemon.pauses import Pauses
from npe_core.daemon.pipeline import Pipeline
from npe_core.daemon.reasons import Crashed
from npe_core.daemon.settings import Settings
from npe_core.daemon.spool import Spool
from npe_core.daemon.status import Status, StatusFiles
from npe_core.daemon.tracker import ABANDONED
from npe_core.daemon.worker import Worker
from npe_core.errors import EnvironmentFault, NpeError
from npe_core.filenames import printable

_CLEARING = 600.0
"""Seconds between looks for old inputs."""
_CLEARED_AT_ONCE, _CLAIMED_AT_ONCE = 0.2, 1.0
"""Seconds of a turn that go to removing old inputs and to taking in new ones, but for the last of them."""


class Service:
    """A daemon on its folders. ``run`` returns the exit code; ``stop`` may be called from a signal handler."""

    def __init__(
        self,
        folders: Folders,
        worker: Worker,
        settings: Settings,
        files: Files | None = None,
        show: Callable[[Status], None] = lambda status: None,
        renew: Callable[[], bool] = lambda: False,
    ) -> None:
        """``show`` is called after every turn, ``renew`` where the outbox may have been emptied: see ``Lock.renew``."""
        self.status = Status(
            version=__version__,
            inbox=printable(str(folders.inbox)),
            outbox=printable(str(folders.outbox)),
            failed_folder=printable(str(folders.failed)),
            patience=ABANDONED * settings.settle,
        )
        self._folders, self._worker, self._settings, self._show, self._renew = folders, worker, settings, show, renew
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()  # unlike an Event, safe to use in a signal handler
        self._is_stopping = False
        self._files = StatusFiles(folders, settings.metrics)
        self._spool, self._pauses = Spool(folders, files), Pauses()
        self._intake = Intake(self._spool, self._pauses, self.wake, settings.settle, settings.interval, settings.events)
        self._outcomes = Outcomes(self._spool, self._pauses, settings.attempts, self._intake.expect)
        self._pipeline = Pipeline(worker, self.wake, settings.batch, settings.megapixels_in_memory, settings.time_limit)
        self._queue: deque[Claimed] = deque()
        self._alone = False
        self._loaded = self._recovered = self._is_lost = False
        self._fault: Exception | None = None
        self._stop_at = float("inf")
        self._next_status = self._next_clearing = float("-inf")
        self._clearing: Iterator[bool] | None = None
        self._cleared = 0

    def stop(self) -> None:
        """Asks for an end: running edits are finished or given back, and ``run`` returns 0."""
        self._is_stopping = True
        self.wake()

    def wake(self) -> None:
        """There is something to do. May be called from any thread."""
        self._calls.put(None)

    def _wait(self, seconds: float) -> None:
        """Until somebody wakes it; all calls up to now count as one."""
        with contextlib.suppress(queue.Empty):
            self._calls.get(timeout=seconds)
            while True:
                self._calls.get_nowait()

    def run(self) -> int:
        """Works until it is stopped, or with ``once`` until there is nothing left to do."""
        log("started", inbox=self.status.inbox, outbox=self.status.outbox)
        self._files.write(self.status)
        try:
            over = False
            while not over:
                self._turn()
                over = self._is_over()
                if not over:
                    self._wait(min(self._settings.interval, max(0.02, self._intake.due_in)))
        finally:
            self._end()
        if self._is_lost:
            return EnvironmentFault.exit_code
        if self._is_stopping:
            return 0
        if self._pauses.reasons:
            return self._fault.exit_code if isinstance(self._fault, NpeError) else EnvironmentFault.exit_code
        return 1 if self._outcomes.counters.failed or self._intake.refused else 0

    def _is_over(self) -> bool:
        if self._is_lost:
            return True
        busy = bool(self._pipeline.in_flight or self._queue)
        if self._is_stopping:  # which may have come after the last turn: one more gives everything back and says so
            return self._stop_at < float("inf") and not busy
        if not self._settings.once or self._pipeline.in_flight or self._clearing is not None:
            return False
        return bool(self._pauses.reasons) or (not (busy or self._outcomes.later) and self._intake.is_through)

    def _end(self) -> None:
        self.status.state = "stopped"
        self._intake.close()
        if self._is_lost:
            self._pipeline.abandon()
        else:
            self._pipeline.close()
            if self._is_stopping:
                self._outcomes.give_up()
        self._count()
        self.status.wait_for(self._intake.waiting)
        self._files.write(self.status)
        counters = self._outcomes.counters
        log("stopped", done=counters.done, failed=counters.failed, refused=len(self._intake.refused))

    # --- one turn -------------------------------------------------------------------------------------------------

    def _turn(self) -> None:
        if self._is_stopping:
            self._give_everything_back()
        elif self._get_ready():
            self._intake.look()
            self._claim()
            self._dispatch()
            self._clear_old()
        for finished in self._pipeline.take():
            blame = None if finished.error is None else blame_for(finished.error)
            if blame is Blame.DEVICE:
                log("device lost", logging.ERROR, why=str(finished.error))
                self._is_lost = True
                continue
            if blame is Blame.INSTALLATION:
                self._miss_models(finished.error)
            self._outcomes.settle(finished)
        if not self._pipeline.is_alive:
            log("the thread of the models has died", logging.CRITICAL)
            self._is_lost = True
        self._begin_anew()
        self._outcomes.catch_up(self._is_stopping)
        self._queue.extend(self._outcomes.again)
        self._outcomes.again.clear()
        if self._pipeline.overdue > self._settings.time_limit + self._settings.grace:
            self._abandon()
        self._tell()

    def _get_ready(self) -> bool:
        """Loads the models and takes up what a former process left; tried again until it succeeds."""
        if not self._loaded and not self._pipeline.in_flight and self._pauses.is_due("models"):
            try:
                self._spool.salt, self.status.device = self._worker.load()
                self._loaded, self._fault = True, None
                self._pauses.over("models")
            except (NpeError, OSError) as error:
                self._miss_models(error)
        if self._loaded and not self._recovered and self._pauses.is_due("outbox"):
            try:
                self._queue.extend(self._spool.recover())
                self._recovered = True
                self._pauses.over("outbox")
            except OSError as error:
                self._pauses.add("outbox", f"What a former daemon left cannot be taken up: {error}.")
        if self.status.state == "starting":
            notify("READY=1")  # paused or not: it is at work, and `npe status` tells
        return self._loaded and self._recovered

    def _begin_anew(self) -> None:
        """Takes up an outbox that somebody has emptied, if nothing was in work there."""
        if "outbox" not in self._pauses.reasons or self._claimed or self._spool.is_there:
            return
        if self._pauses.is_due("outbox"):  # which gives who empties it the time to be done with it
            try:
                if self._renew():
                    log("the outbox was emptied", logging.WARNING, what="it is begun anew")
            except NpeError as error:
                self._pauses.add("outbox", str(error))

    def _miss_models(self, error: Exception | None) -> None:
        """Pauses until they can be loaded, or loaded again."""
        self._loaded, self._fault = False, error
        self._pauses.add("models", str(error))

    def _claim(self) -> None:
        free, least = free_bytes(self._folders.outbox), self._settings.least_free
        if free is None:
            return  # the outbox is gone, which has a pause of its own
        if free < least:
            why = f"The disk of the outbox is nearly full ({free >> 20} MiB free, {least >> 20} MiB are kept)."
            self._pauses.add("space", f"{why} Free some, or lower --least-free.")
        else:
            self._pauses.over("space")
        enough = time.monotonic() + _CLAIMED_AT_ONCE
        while self._intake.is_open and self._claimed < self._settings.most_claimed and not self._is_stopping:
            if time.monotonic() > enough:
                self.wake()  # the others in the next turn
                return
            job = self._intake.claim()
            if job is not None:
                self._queue.append(job)
                self._dispatch()  # the models need not wait until the last is taken in

    def _dispatch(self) -> None:
        """A job that failed or died before runs alone, so that what it does to the process hits nobody else."""
        if self._pipeline.in_flight == 0:
            self._alone = False
        while self._queue and not self._alone and self._pipeline.has_room:
            tried = self._queue[0].record.attempts
            if tried >= self._settings.attempts:
                died = Crashed(f"The daemon died {tried} times while it worked on this job.")
                self._outcomes.fail(self._queue.popleft(), died)
                continue
            if self._pauses.reasons.keys() & {"disk", "outbox"}:
                return  # an edit that finds no room for its result would be made for nothing
            if tried and self._pipeline.in_flight:
                return
            self._alone = tried > 0
            self._start(self._queue.popleft())

    def _start(self, job: Claimed) -> None:
        """Where the disk refuses it the job stays the next, so that it comes as alone as it is to."""
        try:
            self._spool.new_result(job)
            counted = self._spool.count_attempt(job)
        except OSError as error:
            self._outcomes.pause(error)
            if not self._spool.is_there or self._spool.holds(job):  # else somebody took it away
                self._queue.appendleft(job)
        else:
            self._pipeline.submit(counted)

    def _give_everything_back(self) -> None:
        now = time.monotonic()
        if self._stop_at == float("inf"):
            self._stop_at = now + self._settings.grace
            self.status.state = "stopping"
            notify("STOPPING=1")
            log("stopping", jobs=self._pipeline.in_flight)
            self._pipeline.stop()
        if now > self._stop_at:
            self._pipeline.cut_short()
        while self._queue:
            self._outcomes.do(self._outcomes.give_back, self._queue.popleft())

    # --- the rest -------------------------------------------------------------------------------------------------

    @property
    def _claimed(self) -> int:
        return len(self._queue) + len(self._outcomes.later) + self._pipeline.in_flight

    def _clear_old(self) -> None:
        if self._settings.keep_days is None or self._is_stopping or time.monotonic() < self._next_clearing:
            return
        self._clearing = self._clearing or self._spool.forget_older(self._settings.keep_days, time.time())
        enough = time.monotonic() + _CLEARED_AT_ONCE
        try:
            for is_removed in self._clearing:
                self._cleared += is_removed
                if time.monotonic() > enough:
                    self.wake()  # the others in the next turn
                    return
        except OSError as error:
            log("old inputs could not be removed", logging.WARNING, why=str(error))
        if self._cleared:
            log("removed old inputs", jobs=self._cleared)
        self._clearing, self._cleared = None, 0
        self._next_clearing = time.monotonic() + _CLEARING

    def _abandon(self) -> None:
        """An edit that does not even stop hangs in the device; a new process tries again, and counts the attempt."""
        log("hangs", logging.CRITICAL, jobs=", ".join(map(printable, self._pipeline.running)), what="the process ends")
        os._exit(EnvironmentFault.exit_code)

    def _count(self) -> None:
        status, inbox = self.status, self._intake.inbox
        status.paused, status.claimed = dict(self._pauses.reasons), self._claimed
        status.ready, status.unsettled = len(inbox.ready), len(inbox.unsettled)
        status.running = tuple(printable(name) for name in self._pipeline.running)
        status.since_start, status.last = self._outcomes.counters, self._outcomes.last
        status.since_start.duplicates = self._intake.duplicates

    def _tell(self) -> None:
        self._count()
        status = self.status
        if not self._is_stopping:
            status.state = "paused" if status.paused else "working" if status.claimed or status.ready else "idle"
        self._show(status)
        if time.monotonic() >= self._next_status:
            self._next_status = time.monotonic() + 1.0
            status.wait_for(self._intake.waiting)
            status.free_mib = (free_bytes(self._folders.outbox) or 0) >> 20
            self._files.write(status)
            notify("WATCHDOG=1", f"STATUS={status.line()}")
