"""The three streams of a program: closed by the shell, letters that one cannot show, refusals, the rest at the end."""

from __future__ import annotations

import codecs
import io
import os
import sys

from npe_core.errors import EnvironmentFault
from npe_core.filenames import printable
from npe_core.files import answer_of

_SPELT = "npe.printable"


def prepare() -> None:
    """There is a stream under every name, and what a file is called is written to it as ``printable`` spells it.

    Where stdout was closed, what is written to it is refused as on a full disk; what goes to stderr is lost.
    """
    codecs.register_error(_SPELT, _spelt)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # in this order each gets the lowest number that is free, so that no file gets it later
            opened = open(os.devnull, mode, opener=None if name == "stderr" else _for_reading)  # noqa: SIM115
            setattr(sys, name, opened)  # for as long as the process lives
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_SPELT)


def _for_reading(path: str, flags: int) -> int:
    return os.open(path, os.O_RDONLY)


def _spelt(error: UnicodeError) -> tuple[str, int]:
    """What stands for letters that a stream cannot encode."""
    assert isinstance(error, UnicodeEncodeError), "streams of text are written to"
    letters = printable(error.object[error.start : error.end])
    return letters.encode("ascii", "backslashreplace").decode(), error.end


def stdout_refused(error: OSError) -> str:
    """What is said where the output cannot be written."""
    return f"The output (stdout) cannot be written: {answer_of(error)}. Send it elsewhere, or free some space."


def tell(text: str) -> None:
    """Print to stdout, at once. Raises EnvironmentFault; BrokenPipeError where nobody reads it any more."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EnvironmentFault(stdout_refused(error)) from None


def finish() -> None:
    """What could not be written by now is given up, or the interpreter would fail over it at its very end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
