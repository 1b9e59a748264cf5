"""The same work on several things: order, errors, calls within calls, forks."""

import os
import threading
import time

import numpy as np
import pytest

from npe_core import parallel
from npe_core.parallel import copied, each


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_outcomes_come_in_the_order_of_the_things(count):
    def late_first(number):
        time.sleep(0.01 if number == 0 else 0)
        return number * number

    assert each(late_first, range(count)) == [number * number for number in range(count)]


def test_several_threads_take_part(monkeypatch):
    monkeypatch.setattr(parallel, "_threads", lambda: 2)
    both = threading.Barrier(2, timeout=10)  # breaks unless two are there at once
    assert len(set(each(lambda _: (both.wait(), threading.get_ident())[1], range(2)))) == 2


@pytest.mark.parametrize(("cores", "threads"), [(0.5, 1), (1.0, 1), (2.5, 2), (64.0, 4)])
def test_as_many_threads_as_the_process_may_use(monkeypatch, cores, threads):
    """Of a machine with more: by its affinity and the quota of its container."""
    monkeypatch.setattr(os, "cpu_count", lambda: 96)
    monkeypatch.setattr(parallel, "usable_cores", lambda: cores)
    monkeypatch.setattr(parallel, "_threads", parallel._threads.__wrapped__)
    monkeypatch.setattr(parallel, "_helpers", [])
    try:
        seen = set(each(lambda _: (time.sleep(0.02), threading.get_ident())[1], range(12)))
    finally:
        for helper in parallel._helpers:
            helper.shutdown()
    assert len(seen) == threads


def test_work_may_call_each_itself():
    def row(y):
        return each(lambda x: x * y, range(5))

    assert each(lambda z: each(row, range(z)), range(5)) == [
        [[x * y for x in range(5)] for y in range(z)] for z in range(5)
    ]


def test_the_first_error_is_raised_and_nothing_is_begun_after_it():
    begun = []

    def work(number):
        begun.append(number)
        if number in (3, 4):
            raise ValueError(str(number))

    with pytest.raises(ValueError, match=r"3"):
        each(work, range(1000))
    assert len(begun) < 20
    assert each(str, range(3)) == ["0", "1", "2"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    each(str, range(8))
    child = os.fork()
    if child == 0:
        os._exit(0 if each(lambda n: n + 1, range(8)) == list(range(1, 9)) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("shape", [(1, 3), (4, 5), (7, 2, 3), (1001, 3)])
def test_a_copy_is_equal_and_apart(shape):
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    array.flags.writeable = False
    copy = copied(array)
    assert np.array_equal(copy, array) and copy.dtype == array.dtype
    assert copy.flags.writeable and not np.shares_memory(copy, array)
