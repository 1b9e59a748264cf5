"""What keeps the daemon from working and is nobody's input: it waits, tries again, and burns no attempt of a job.

::

    pause           ended by    as soon as
    models          Service     they load
    space           Service     enough of it is free
    outbox, disk    Outcomes    what was refused is done, and as much can be written as found no room; outbox by
                                Service as well, at the start, when what a former daemon left is taken up
    inbox           Intake      it can be scanned
"""

from __future__ import annotations

import errno
import logging
import re
import time
from collections.abc import Callable

from npe_core.daemon.log import log

_SHORTEST, _LONGEST = 2.0, 60.0
"""Seconds until the next try; they double with each that fails."""

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def refusal_behind(error: BaseException | None) -> OSError | None:
    """What the system said, which may lie behind errors that say it in other words."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    return error


def kind_of(error: BaseException) -> str:
    """``disk`` when it is full, ``outbox`` when it cannot be written to for any other reason."""
    refusal = refusal_behind(error)
    return "disk" if refusal is not None and refusal.errno in _DISK else "outbox"


def _without_numbers(why: str) -> str:
    """What is told of a pause, but for what changes by itself while it lasts: how much is free."""
    return re.sub(r"\d+", "", why)


class Pauses:
    """The reasons for pausing, by kind, and when each is worth another try."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.reasons: dict[str, str] = {}
        self.needed = 0
        """The most bytes that found no room since the disk was last seen to have it."""
        self._clock = clock
        self._next: dict[str, float] = {}
        self._delay: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    def add(self, kind: str, why: str, needed: int = 0) -> None:
        """Begins a pause, or prolongs it; soon after the last one of its kind it is longer than that.

        ``needed``: bytes that found no room.
        """
        now = self._clock()
        again = kind in self.reasons or now - self._ended.get(kind, float("-inf")) < _LONGEST
        delay = min(_LONGEST, 2 * self._delay[kind]) if again and kind in self._delay else _SHORTEST
        if _without_numbers(self.reasons.get(kind, "")) != _without_numbers(why):
            log("paused", logging.WARNING, why=why)
        self.reasons[kind] = why
        self.needed = max(self.needed, needed)
        if self.is_due(kind):  # jobs fail by the batch: all but the first of them were no try
            self._delay[kind], self._next[kind] = delay, now + delay

    def over(self, kind: str) -> None:
        """Ends a pause, if there is one."""
        if self.reasons.pop(kind, None) is not None:
            self._ended[kind] = self._clock()
            del self._next[kind]
            if kind == "disk":
                self.needed = 0
            log("resumed", what=kind)

    def is_due(self, *kinds: str) -> bool:
        """Whether it is time to try again what pauses of these kinds keep from being done."""
        return all(self._clock() >= self._next.get(kind, float("-inf")) for kind in kinds)
