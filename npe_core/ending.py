"""How a program ends: the one place where an error becomes a message and an exit code. Imports nothing heavy."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from npe_core import streams
from npe_core.errors import EnvironmentFault, NpeError, OutOfMemory
from npe_core.filenames import printable_lines
from npe_core.packages import fault_of, is_own

BUG = 70
STOPPED = 130
READER_GONE = 141
"""Where a pipe was closed from the other end: what shells tell of a program that SIGPIPE has ended."""

Command = Callable[[list[str]], object]
"""Takes the words of a command line; an integer that it returns is the exit code, anything else stands for 0."""


def leave_after(command: Command, arguments: list[str]) -> NoReturn:
    """Run a command line and leave the process with its exit code. What it needs is best imported by ``command``."""
    signals = unwind_on_signals()
    code = ended(command, arguments)
    streams.finish()
    # A signal while a thread was started leaves one that the interpreter would wait for for ever.
    if code == STOPPED or signals:
        os._exit(code)
    gc.freeze()  # or the interpreter's last collections go through all of torch: two seconds of a slow core
    sys.exit(code)


def unwind_on_signals() -> list[int]:
    """SIGTERM and the end of the terminal end what runs as an error does, so that nothing half-written stays behind.

    Returns the list of those that have come. One that is ignored (nohup) stays so, and a second one ends the process
    at once. Commands with an end of their own (watch, tui, train) take the signals over.
    """
    came: list[int] = []

    def end(number: int, _: object) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL)
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # not every system has both
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
    return came


def ended(command: Command, arguments: list[str]) -> int:
    """Run a command line and return its exit code; every failure is one or two lines on stderr.

    ``--debug``, wherever it stands, shows where it went wrong. A command whose output nobody reads to its end
    (``npe status | head -1``) stops there, quietly.
    """
    streams.prepare()
    words = [word for word in arguments if word != "--debug"]
    debug = len(words) < len(arguments)
    try:
        outcome = command(words)
        return outcome if isinstance(outcome, int) else 0
    except SystemExit as stop:  # argparse, or a signal
        return stop.code if isinstance(stop.code, int) else 2
    except BrokenPipeError:
        return READER_GONE
    except BaseException as error:
        return _fail(*_told(error), debug)


def _told(error: BaseException) -> tuple[str, int]:
    """The message and the exit code of an error."""
    match error:
        case KeyboardInterrupt():
            return "Stopped.", STOPPED
        case NpeError():
            return str(error), error.exit_code
        case OSError():
            return f"The system refused: {error}.", EnvironmentFault.exit_code
        case MemoryError():
            return str(OutOfMemory()), OutOfMemory.exit_code
        case ImportError() if not is_own(error):
            return str(fault_of(error)), EnvironmentFault.exit_code
    return f"This is a bug: {type(error).__name__}: {error}. Run again with --debug and report it.", BUG


def _fail(message: str, code: int, debug: bool) -> int:
    with contextlib.suppress(OSError):  # the exit code has to do, where stderr cannot be written to
        if debug:
            traceback.print_exc()
        print(f"npe: {printable_lines(message)}", file=sys.stderr)
    return code
