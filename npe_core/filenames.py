"""The names of files as people and other programs are told them, whatever bytes they have."""

from __future__ import annotations

import unicodedata
from pathlib import Path

_JOINERS = "\u200c\u200d"


def printable(name: str) -> str:
    r"""A name as text that can be printed and put into JSON.

    Bytes that are not UTF-8, which Python holds as lone surrogates, become ``\xff``, control characters ``\n``. A space
    of any width stays, and a joiner: they are in names of screenshots, in Persian words and in emoji.
    """
    return "".join(map(_printable, name))


def printable_lines(text: str) -> str:
    """A text in which names may stand, spelt likewise; its lines stay lines."""
    return "\n".join(map(printable, text.split("\n")))


def _printable(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # as ``surrogateescape`` holds a byte
        return f"\\x{ord(letter) - 0xDC00:02x}"
    stays = letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"
    return letter if stays else repr(letter)[1:-1]


def quoted(path: Path | str) -> str:
    """The path as an error message shows it."""
    return f"'{printable(str(path))}'"
