"""The three streams of a command: one that the shell has closed, a full disk behind it, a reader that has gone."""

from __future__ import annotations

import codecs
import io
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from npe_core.filenames import printable

READER_GONE = 141
"""The exit code where a pipe was closed from the other end: what shells tell of a program that SIGPIPE has ended."""

_SPELT = "npe.printable"


class ReaderGone(Exception):
    """A pipe was closed from the other end."""


@contextmanager
def telling_of_pipes() -> Iterator[None]:
    """Turns a broken pipe into ReaderGone, which click lets pass: of the other it makes an exit code 1."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error


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


def is_of_stdout(error: OSError) -> bool:
    """Whether it was raised where the output was written: the system does not say which file was at fault."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_code is click.echo.__code__ and frame.f_locals["file"] is sys.stdout


def finish() -> None:
    """What could not be written by now is given up, or the interpreter would fail over it at its very end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
