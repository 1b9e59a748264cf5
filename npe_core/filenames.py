"""The names of files, whatever bytes they have: as people and other programs are told them, and how long they are."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

NAME_ROOM = 200
"""Bytes of a photo's name that the names of files beside it begin with; most file systems allow 255 in all."""

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


def shortened(stem: str, room: int) -> str:
    """The longest beginning of a name that takes at most ``room`` bytes and splits no letter."""
    kept = os.fsencode(stem)[:room]
    while kept and len(kept) < len(os.fsencode(stem)):
        try:
            kept.decode("utf-8")
            break
        except UnicodeDecodeError as error:
            if error.end < len(kept) or error.reason != "unexpected end of data":
                break  # not UTF-8 to begin with: any place will do
            kept = kept[: error.start]
    return os.fsdecode(kept)
