"""Names for files that are not there yet."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from npe_core.filenames import shortened

_STEM_ROOM = 240
"""Bytes of a name that number and suffix follow; most file systems allow 255 in all."""


def next_free(path: Path, taken: Collection[Path]) -> Path:
    """The path, with the next number if there is such a file or will be: ``lips.png``, ``lips-2.png``."""
    stem, _, number = path.stem.rpartition("-")
    if not (number.isdecimal() and stem and path.with_stem(stem).exists()):  # a number of its own is no count
        stem = shortened(path.stem, _STEM_ROOM)
    count = 1
    while path.exists() or path.absolute() in taken:
        count += 1
        path = path.with_stem(f"{stem}-{count}")
    return path
