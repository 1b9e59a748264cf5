"""Waiting for what other threads and processes do."""

import time

PATIENCE = 120.0
"""Seconds: a busy machine is no failure, and who waits goes on as soon as the thing has happened."""


def wait_for(what, seconds=PATIENCE):
    """Until ``what()`` is true; fails when that does not come."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
