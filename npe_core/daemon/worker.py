"""What the pipeline needs from an engine, and what keeps a job from its result besides errors of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from npe_core.daemon.claimed import Claimed
from npe_core.errors import Cancelled, EnvironmentFault


@dataclass(eq=False)
class Read:
    """A job whose inputs are in memory."""

    job: Claimed
    megapixels: float
    content: Any = None
    """What the worker wants to know of it later."""
    seconds: dict[str, float] = field(default_factory=dict)


class Worker(Protocol):
    """What the pipeline needs from an engine. Jobs' own errors are NpeErrors; anything else is a bug."""

    @property
    def shares_batches(self) -> bool:
        """Whether jobs are quicker together than one after the other. Asked after ``load``."""
        ...

    def load(self) -> tuple[str, str]:
        """Makes the models ready; returns what besides the inputs decides about a result, and the device's name.

        Raises WeightsError and EnvironmentFault.
        """
        ...

    def read(self, job: Claimed) -> Read:
        """In any thread."""
        ...

    def edit(self, jobs: Sequence[Read], keep_going: Callable[[], None]) -> list[Any]:
        """In one thread: for each job its outcome, or a NpeError. ``keep_going`` raises Cancelled to stop it."""
        ...

    def write(self, job: Read, outcome: Any, folder: Path) -> None:
        """Writes the photo and ``report.json`` into an empty folder. In any thread."""
        ...


class DeviceLost(EnvironmentFault):
    """The device does not answer any more; only a new process gets it back."""


class StillWritten(Exception):
    """Somebody still writes to the inputs, or they are out of reach."""


class NotWritten(Exception):
    """The result could not be written, or could not be now: the disk is to blame, not the job."""

    def __init__(self, message: str, needed: int = 0) -> None:
        """``needed``: bytes that found no room; 0 where that is not known."""
        super().__init__(message)
        self.needed = needed


class TimeUp(Cancelled):
    """The job took longer than it may."""


class Stopping(Cancelled):
    """The daemon ends; the job is to be given back."""
