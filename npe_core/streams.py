"""The three streams of a program: one that the shell has closed, letters that it cannot show, the rest at the end."""

from __future__ import annotations

import codecs
import io
import os
import sys

from npe_core.filenames import printable

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


def finish() -> None:
    """What could not be written by now is given up, or the interpreter would fail over it at its very end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
