"""The same work on several things at once."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from npe_core.process import usable_cores

Thing = TypeVar("Thing")
Outcome = TypeVar("Outcome")

_MOST = 4
"""Threads at once: memory has its limits."""

_lock = threading.Lock()
_helpers: list[ThreadPoolExecutor] = []
"""At most one, kept for good: new threads would start with memory that nobody has touched yet, and without what they
keep to themselves (face detectors)."""


def each(work: Callable[[Thing], Outcome], things: Sequence[Thing]) -> list[Outcome]:
    """``[work(thing) for thing in things]`` on as many threads as the process has cores, 4 at most.

    For work of numpy and OpenCV on large arrays, which let go of the interpreter's lock. The calling thread takes part,
    so ``work`` may call ``each`` itself: at worst it then finds all others busy. After an error no more is begun; the
    error of the first thing in the list that had one is raised.
    """
    outcomes: dict[int, Outcome] = {}
    errors: dict[int, BaseException] = {}
    numbers = iter(range(len(things)))

    def take_part() -> None:
        for number in numbers:  # of a range: one step of the interpreter, so that no two threads get the same
            try:
                outcomes[number] = work(things[number])
            except BaseException as error:
                errors[number] = error
            if errors:
                return

    others = min(len(things), _threads()) - 1
    asked: list[Future[None]] = [_pool().submit(take_part) for _ in range(others)]
    take_part()
    for future in asked:
        if not future.cancel():  # what has begun is waited for
            future.result()
    if errors:
        raise errors[min(errors)]
    return [outcomes[number] for number in range(len(things))]


def copied(array: np.ndarray) -> np.ndarray:
    """A copy of a large array, made on all cores: most of the time goes into memory that nobody has touched yet."""
    copy = np.empty_like(array)
    rows = -(-len(array) // _MOST) or 1
    each(lambda top: np.copyto(copy[top : top + rows], array[top : top + rows]), range(0, len(array), rows))
    return copy


@functools.cache
def _threads() -> int:
    return max(1, min(int(usable_cores()), _MOST))


def _pool() -> ThreadPoolExecutor:
    with _lock:
        if not _helpers:
            _helpers.append(ThreadPoolExecutor(max(1, _threads() - 1), "npe-each"))
        return _helpers[0]


def _forget() -> None:
    """In a forked process, to which threads do not come along."""
    global _lock
    _lock = threading.Lock()
    _helpers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
