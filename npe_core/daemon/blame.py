"""Who is to blame where a job has no result, and what is done about it.

::

    error                             blame         the job                            the daemon
    StillWritten, Stopping            NOBODY        goes back to the inbox
    NpeError of exit code 2           INPUT         fails at once
    NotWritten                        DISK          runs again, counts no attempt      pauses until it can write
    DeviceLost                        DEVICE        stays; the next start runs it      ends
    WeightsError, EnvironmentFault    INSTALLATION  runs again, counts no attempt      pauses until the models load
    OutOfMemory, TimeUp, all others   JOB           runs again, alone; fails in the
                                                    end, after ``attempts`` in all

While a result is written, what the system refuses and an EnvironmentFault are NotWritten: see ``of_writing``.
"""

from __future__ import annotations

import enum

from npe_core.daemon.worker import DeviceLost, NotWritten, StillWritten, Stopping
from npe_core.errors import EnvironmentFault, NoSpace, NpeError, OutOfMemory, UsageError, WeightsError
from npe_core.files import from_system


class Blame(enum.Enum):
    """What is at fault."""

    NOBODY = enum.auto()
    """It was not its time."""
    INPUT = enum.auto()
    """Another try would fail too."""
    DISK = enum.auto()
    """Whatever the result is to be written to."""
    DEVICE = enum.auto()
    """It does not answer any more."""
    INSTALLATION = enum.auto()
    """Weights, a package or the device are missing: no job can be done until they are there."""
    JOB = enum.auto()
    """Others may well be done: it wants too much, or meets a bug."""


def blame_for(error: Exception) -> Blame:
    """By the table above."""
    match error:
        case StillWritten() | Stopping():
            return Blame.NOBODY
        case NotWritten():
            return Blame.DISK
        case DeviceLost():
            return Blame.DEVICE
        case OutOfMemory():
            return Blame.JOB
        case WeightsError() | EnvironmentFault():
            return Blame.INSTALLATION
        case NpeError(exit_code=UsageError.exit_code):
            return Blame.INPUT
        case _:
            return Blame.JOB


def of_writing(fault: Exception) -> Exception:
    """What a fault in writing a result comes to: NotWritten where the disk is to blame, or itself.

    What an encoder refuses, or finds no memory for, it would refuse again.
    """
    if isinstance(fault, OutOfMemory) or not (isinstance(fault, EnvironmentFault) or from_system(fault)):
        return fault
    error = NotWritten(str(fault), fault.needed if isinstance(fault, NoSpace) else 0)
    error.__cause__ = fault
    return error
