"""Locks on open files that end with the process that holds them, however it ends."""

from __future__ import annotations

import time

try:
    import fcntl
except ImportError:  # a system without flock: nothing is ever locked
    fcntl = None  # type: ignore[assignment]

_PATIENCE = 1.0
"""Seconds in which whoever only looked at a lock lets go of it again."""


def take(descriptor: int) -> None:
    """Locks an open file for its holder alone; tries for a second, because ``is_taken`` takes it for a moment.

    Raises BlockingIOError where another process holds it, any other OSError where its file system has no locks.
    """
    until = time.monotonic() + _PATIENCE
    while fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
        time.sleep(0.02)


def wait_for(descriptor: int) -> None:
    """Locks an open file for its holder alone, as soon as nobody else holds it.

    Raises OSError where its file system has no locks.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def is_taken(descriptor: int) -> bool:
    """Whether somebody else holds the lock of an open file; never where its file system has no locks."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
