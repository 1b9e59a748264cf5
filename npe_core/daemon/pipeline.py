"""Reading, editing and writing of different jobs overlap: photos are decoded and encoded while the models run."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from npe_core.daemon.blame import of_writing
from npe_core.daemon.claimed import Claimed
from npe_core.daemon.worker import Read, Stopping, TimeUp, Worker
from npe_core.errors import NpeError

_ALONE = object()
"""In place of an outcome: the job is to be tried alone."""


@dataclass(frozen=True)
class Finished:
    """A job that has left the pipeline."""

    job: Claimed
    error: Exception | None = None
    """None: its result is whole, in ``job.result``."""


class Room:
    """Bounds the megapixels in memory, to the photo: what a photo takes is known when it has been read.

    So a photo of any size finds room, and each of several readers may exceed the limit by the one that it reads.
    """

    def __init__(self, megapixels: float) -> None:
        self._limit, self._used = megapixels, 0.0
        self._changed = threading.Condition()

    def wait(self, stop: threading.Event) -> None:
        """Until there is room, or ``stop``."""
        with self._changed:
            while self._used >= self._limit and not stop.is_set():
                self._changed.wait(0.5)

    def take(self, megapixels: float) -> None:
        """A negative number gives room back."""
        with self._changed:
            self._used += megapixels
            self._changed.notify_all()


class Pipeline:
    """Takes jobs in ``submit``; they come out of ``finished``, in any order, with or without an error."""

    def __init__(
        self,
        worker: Worker,
        wake: Callable[[], None],
        batch: int = 8,
        megapixels: float = 48,
        time_limit: float = 600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``wake`` is called after each job; ``batch`` jobs are edited together where the worker gains by it, in as
        many times ``time_limit`` seconds. If that is too long for them, each is tried alone, in ``time_limit``."""
        self.finished: queue.SimpleQueue[Finished] = queue.SimpleQueue()
        self.in_flight = 0
        """Jobs submitted and not yet taken out of ``finished``: counted by the caller's thread alone."""
        self.running: tuple[str, ...] = ()
        """The folders' names of the jobs that are with the models."""
        self._worker, self._wake, self._clock = worker, wake, clock
        self._batch, self._time_limit = batch, time_limit
        self._room = Room(megapixels)
        self._stop, self._cut = threading.Event(), threading.Event()
        self._deadline = float("inf")
        self._ready: queue.Queue[Read | None] = queue.Queue()
        self._readers = ThreadPoolExecutor(2, "npe-read")
        self._writers = ThreadPoolExecutor(2, "npe-write")
        self._editor = threading.Thread(target=self._edit_all, name="npe-edit", daemon=True)
        self._editor.start()

    def submit(self, job: Claimed) -> None:
        """Starts on a job; its result folder is there and empty."""
        self.in_flight += 1
        self._readers.submit(self._read, job)

    def take(self) -> list[Finished]:
        """What has finished since the last call."""
        done = []
        while not self.finished.empty():
            done.append(self.finished.get())
        self.in_flight -= len(done)
        return done

    @property
    def has_room(self) -> bool:
        """Whether another job would keep it busy: one batch is edited while the next is read and the last written."""
        return self.in_flight < 2 * self._together + 2

    @property
    def _together(self) -> int:
        return self._batch if self._worker.shares_batches else 1

    @property
    def overdue(self) -> float:
        """Seconds by which the running batch is beyond its time limit; cancelling did not help then."""
        return max(0.0, self._clock() - self._deadline)

    def stop(self) -> None:
        """No new work is begun; what is with the models goes on. All else comes back as Stopping."""
        self._stop.set()

    def cut_short(self) -> None:
        """What is with the models stops at its next step, and comes back as Stopping."""
        self._cut.set()

    @property
    def is_alive(self) -> bool:
        """Whether the thread of the models runs; if not, nothing will ever come out again."""
        return self._editor.is_alive()

    def abandon(self) -> None:
        """Lets the threads end that can, and waits for none: that of the models may hang for ever."""
        self.stop()
        self.cut_short()
        self._ready.put(None)

    def close(self) -> None:
        """Ends the threads; what is in flight stops as soon as it can."""
        self.abandon()
        self._readers.shutdown()
        self._writers.shutdown()

    # --- the threads ----------------------------------------------------------------------------------------------

    def _read(self, job: Claimed) -> None:
        self._room.wait(self._stop)
        if self._stop.is_set():
            self._done(job, Stopping())
            return
        try:
            read = self._worker.read(job)
        except Exception as error:
            self._done(job, error)
            return
        self._room.take(read.megapixels)
        self._ready.put(read)

    def _edit_all(self) -> None:
        while (batch := self._next_batch()) is not None:
            outcomes = self._edit(batch)
            for read, outcome in zip(batch, outcomes, strict=True):
                if self._stop.is_set():  # there may be no writers any more: the process may be about to end
                    self._write(read, outcome)
                else:
                    self._writers.submit(self._write, read, outcome)

    def _next_batch(self) -> list[Read] | None:
        first = self._ready.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < self._together and not self._ready.empty():
            more = self._ready.get()
            if more is None:
                self._ready.put(None)
                break
            batch.append(more)
        return batch

    def _edit(self, batch: list[Read]) -> Sequence[Any]:
        """For each job its outcome or error. Who fails in company for no fault of its own is tried alone, at once."""
        if self._stop.is_set():
            return [Stopping() for _ in batch]
        self.running = tuple(read.job.folder.name for read in batch)
        self._deadline = self._clock() + self._time_limit * len(batch)
        outcomes: list[Any] = []
        try:
            outcomes = list(self._worker.edit(batch, self._keep_going))
        except (NpeError, MemoryError) as error:
            outcomes = [error for _ in batch]
        except Exception as error:
            outcomes = [error if len(batch) == 1 else _ALONE for _ in batch]
        finally:
            self.running, self._deadline = (), float("inf")
        if len(batch) == 1:
            return outcomes
        # One bad job must not take the others with it, nor an attempt of theirs. Behind the except, and without the
        # errors of those who are tried again: an error holds what the batch took.
        outcomes = [_ALONE if isinstance(outcome, TimeUp) else outcome for outcome in outcomes]
        return [
            self._edit([read])[0] if outcome is _ALONE else outcome
            for read, outcome in zip(batch, outcomes, strict=True)
        ]

    def _keep_going(self) -> None:
        if self._cut.is_set():
            raise Stopping
        if self._clock() > self._deadline:
            raise TimeUp(f"The edit took longer than {self._time_limit:g} seconds.")

    def _write(self, read: Read, outcome: Any) -> None:
        error: Exception | None = None
        try:
            if isinstance(outcome, Exception):
                error = outcome
            else:
                self._worker.write(read, outcome, read.job.result)
        except Exception as fault:
            error = of_writing(fault)
        self._room.take(-read.megapixels)
        self._done(read.job, error)

    def _done(self, job: Claimed, error: Exception | None) -> None:
        self.finished.put(Finished(job, error))
        self._wake()
