"""The names of files as people and other programs are told them, whatever bytes they have."""

from __future__ import annotations

from pathlib import Path


def printable(name: str) -> str:
    r"""A name as text that can be printed and put into JSON.

    Bytes that are not UTF-8, which Python holds as lone surrogates, become ``\xff``, control characters ``\n``.
    """
    return "".join(map(_printable, name))


def _printable(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # as ``surrogateescape`` holds a byte
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter if letter.isprintable() else repr(letter)[1:-1]


def quoted(path: Path | str) -> str:
    """The path as an error message shows it."""
    return f"'{printable(str(path))}'"
