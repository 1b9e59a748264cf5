"""The same work on several things at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Thing = TypeVar("Thing")
Outcome = TypeVar("Outcome")


def each(work: Callable[[Thing], Outcome], things: Sequence[Thing]) -> list[Outcome]:
    """``[work(thing) for thing in things]`` on as many threads as there are cores, 4 at most, as memory has its limits.

    For work of numpy and OpenCV on large arrays, which let go of the interpreter's lock.
    """
    threads = min(len(things), os.cpu_count() or 1, 4)
    if threads < 2:
        return [work(thing) for thing in things]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, things))
