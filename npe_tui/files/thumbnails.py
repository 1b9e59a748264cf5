"""Small pictures of photo files, decoded no larger than needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from npe_core.defaults import MAX_MEGAPIXELS
from npe_core.filenames import printable
from npe_core.formats import INPUT_SUFFIXES
from npe_tui.files import places


@dataclass(frozen=True)
class Entry:
    """A line of the browser: a folder or a photo."""

    path: Path
    folder: bool = False
    name: str = ""
    """What to show; the file's name where it is empty."""

    @property
    def title(self) -> str:
        return printable(self.name or (f"{self.path.name}/" if self.folder else self.path.name))


def entries_of(folder: Path) -> list[Entry]:
    """The photos of a folder, its folders and the way up, without hidden ones. Raises OSError."""
    folders, photos = [], []
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if places.is_folder(path):
            folders.append(Entry(path, True))
        elif path.suffix.lower() in INPUT_SUFFIXES and places.is_file(path):
            photos.append(Entry(path))

    def by_name(entry: Entry) -> str:
        return entry.path.name.casefold()

    up = [Entry(folder.parent, True, "../")] if folder.parent != folder else []
    return [*sorted(photos, key=by_name), *sorted(folders, key=by_name), *up]


_DECODED_SMALL = ("JPEG", "MPO")
"""Formats of which a small picture takes a tenth of the time of the whole one."""


def thumbnail(path: Path, width: int, height: int, quick: bool = False) -> tuple[np.ndarray, tuple[int, int]] | None:
    """The photo as (h, w, 3) uint8 inside width x height, upright, and its own (width, height); None if unreadable.

    ``quick``: nor where it would take as long as to open the photo. What is no regular file is not opened: a pipe would
    wait for its writer.
    """
    from PIL import Image, ImageOps

    from npe_core.photo import formats_of  # of the whole package: another thread may be importing it just now

    if not places.is_file(path):
        return None
    try:
        with path.open("rb") as file:
            formats = formats_of(file.read(64), path.name)
        with Image.open(path, formats=formats) as picture:
            size = picture.size
            if quick and picture.format not in _DECODED_SMALL:
                return None
            if size[0] * size[1] > MAX_MEGAPIXELS * 1e6:
                return None
            picture.draft("RGB", (2 * width, 2 * height))
            upright = ImageOps.exif_transpose(picture)
            if upright.size != picture.size:
                size = size[1], size[0]
            small = upright.convert("RGB")
            small.thumbnail((width, height), Image.Resampling.BOX, reducing_gap=2.0)
            return np.asarray(small), size
    except Exception:
        # Whatever a decoder makes of a stranger's file: the browser goes on, opening it will tell what is wrong.
        return None
