"""Real processes that die by SIGKILL at a chosen system call: the calls that change files are counted from outside."""

import itertools
import os
import signal
import traceback

from npe_core import renaming

CALLS = ("rename", "replace", "link", "unlink", "mkdir", "rmdir", "write", "open")


def die_at(number):
    """Replaces the calls of ``os`` in this process: the call of that number does not come back, nor is it made.

    Returns the counter, whose next value is how many calls there were.
    """
    counter = itertools.count()

    def replaced(call):
        def counted(*arguments, **options):
            reading = call is opened and not arguments[1] & (os.O_CREAT | os.O_TRUNC)
            if not reading and next(counter) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return counted

    opened = os.open
    for name in CALLS:
        setattr(os, name, replaced(getattr(os, name)))
    renaming.rename_new = replaced(renaming.rename_new)
    return counter


def in_a_process(work):
    """Runs ``work`` in a forked process; returns its exit status: 0, or -9 if it was killed."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def count_calls(work):
    """How many calls that change files ``work`` makes."""
    reading, writing = os.pipe()

    def counted():
        plain = os.write
        counter = die_at(None)
        work()
        plain(writing, str(next(counter)).encode())

    assert in_a_process(counted) == 0
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return int(pipe.read())
