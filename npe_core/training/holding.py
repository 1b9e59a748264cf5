"""A run's folder belongs to one run at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from npe_core import locks
from npe_core.errors import UsageError
from npe_core.files import make_folder


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make the folder and keep others from training in it; the system lets go of it when the process ends.

    Raises UsageError where another run is at work in it, EnvironmentFault when it cannot be written.
    """
    make_folder(folder)
    descriptor = None
    try:
        with contextlib.suppress(OSError):  # not every system can open or lock a folder
            descriptor = os.open(folder, os.O_RDONLY)
        if descriptor is not None:
            _take(descriptor, folder)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _take(descriptor: int, folder: Path) -> None:
    try:
        locks.take(descriptor)
    except BlockingIOError:
        raise UsageError(f"Another run is at work in {folder}. Stop it, or give another --out.") from None
    except OSError:  # a network mount without locks for folders
        return
