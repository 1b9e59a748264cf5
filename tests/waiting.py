"""Waiting for what other threads and processes do."""

import itertools
import time

PATIENCE = 120.0
"""Seconds: a busy machine is no failure, and who waits goes on as soon as the thing has happened."""
PAUSE = 0.02
"""Seconds between two looks."""


def looks(seconds=PATIENCE):
    """The looks that fit into so many seconds. Counted, not timed: when the whole machine stood still, that is one."""
    return itertools.repeat(None, round(seconds / PAUSE))


def wait_for(what):
    """Until ``what()`` is true; fails when that does not come."""
    for _ in looks():
        if what():
            return
        time.sleep(PAUSE)
    raise AssertionError("it did not happen")
