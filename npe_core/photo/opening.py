"""Opening an untrusted picture: format by content, limits from the header, damage reported, nothing half-decoded."""

from __future__ import annotations

import itertools
import logging
import os
import stat
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin
from PIL.TiffImagePlugin import TiffImageFile

from npe_core.errors import EnvironmentFault, InputError, OutOfMemory
from npe_core.filenames import quoted
from npe_core.files import require_of_the_file
from npe_core.photo import code_points, deep_colour, exif, heif_boxes, png_data, tiff_kind, xmp
from npe_core.photo.identifying import EXPECTED, identified
from npe_core.photo.samples import bits_per_channel, unpack_transparent_grey

_FIRST_PICTURE_IS_THE_PHOTO = ("MPO", "HEIF")  # what follows are other views, depth and gain maps of the same photo
_NEW_SUBFILE_TYPE = 254
_LONGEST_TEXT = 16 << 20
"""Bytes of an inflated text or profile in a PNG: programs store long histories of edits, and Pillow allows 1 MiB."""
_LOSSY_IN_TIFF = ("jpeg", "tiff_jpeg", "webp")
"""Compressions by Pillow's names; WebP may be lossless there, of which no tag tells."""
_HEIF = ("HEIF", "AVIF")

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture of that EXIF orientation upright."""

_pillow = threading.Lock()

logging.getLogger("PIL").addHandler(logging.NullHandler())  # or what it logs of damaged files goes to stderr


@dataclass(frozen=True)
class Opened:
    """A decoded picture as Pillow gives it."""

    picture: Image.Image
    """Loaded; ``size`` may still be sideways."""
    format: str
    """Pillow's name; MPO, the JPEG of some cameras, is called JPEG."""
    bits: int
    """Bits per channel in the file, before Pillow reduced them."""
    orientation: int
    """EXIF orientation 1..8 that ``upright`` still has to apply."""
    sideways: bool
    """Whether the rows of the file are columns of the upright picture, whoever turns it."""
    pictures: int
    """How many the file holds; more than 1 only where the first is the photo."""
    lossless: bool
    _file: BinaryIO

    def deep(self) -> deep_colour.Deep | None:
        """The samples with 16 bits; None where the file has fewer, or is of a kind that holds none."""
        if self.bits != 16 or self.format not in deep_colour.FORMATS:
            return None
        return deep_colour.read(self.content())

    def png_chunks(self) -> tuple[tuple[bytes, bytes], ...]:
        """(name, body) of the chunks beside the pixels; none of other formats."""
        return tuple(png_data.chunks(self._file, but=b"IDAT")) if self.format == "PNG" else ()

    def colour(self) -> tuple[tuple[bytes, bytes], ...]:
        """How its colours are meant, as (name, body) of ``png_data.COLOUR`` chunks; a profile says more than HEIF."""
        if self.format in _HEIF and "icc_profile" not in self.picture.info:
            return heif_boxes.colour(self._file)
        if self.format != "PNG":
            return ()
        # They lie before the pixels.
        head = itertools.takewhile(lambda chunk: chunk[0] != b"IDAT", png_data.chunks(self._file))
        return tuple(chunk for chunk in head if chunk[0] in png_data.COLOUR)

    def content(self) -> bytes:
        """The whole file."""
        self._file.seek(0)
        return self._file.read()

    def upright(self, array: np.ndarray) -> np.ndarray:
        """(H, W[, C]) samples as decoded -> as they should be looked at."""
        return upright(array, self.orientation)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) upright."""
        width, height = self.picture.size
        return (height, width) if self.orientation >= 5 else (width, height)


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W[, C]) samples as a file of this EXIF orientation, 1..8, holds them -> as they should be looked at."""
    turned = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.swapaxes(a[::-1, ::-1], 0, 1),
        8: lambda a: np.rot90(a, 1),
    }
    return np.ascontiguousarray(turned.get(orientation, lambda a: a)(array))


@contextmanager
def open_picture(path: Path | str, check: Callable[[tuple[int, int]], None], max_pixels: float) -> Iterator[Opened]:
    """Opens and decodes the picture; ``check`` is called with the header's (width, height) before any decoding.

    Raises InputError for whatever is wrong with the file, EnvironmentFault where the machine cannot open or hold it;
    OutOfMemory also for what is done with the picture while it is open.
    """
    name = quoted(path)
    with _regular_file(Path(path)) as file, _in_memory(name):
        with _decoding(name), pillow_settings(max_pixels):
            opened = _decode(file, name, check)
        try:
            yield opened
        finally:
            opened.picture.close()


@contextmanager
def _regular_file(path: Path) -> Iterator[BinaryIO]:
    name = quoted(path)
    try:
        mode = path.stat().st_mode  # first, because opening a pipe would wait for its writer
        if stat.S_ISDIR(mode):
            raise InputError(f"{name} is a folder, not a picture. Name one file in it.")
        if not stat.S_ISREG(mode):
            raise InputError(f"{name} is not a regular file. Save the picture to a file first.")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"There is no file {name}. Check the path.") from error
    except PermissionError as error:
        raise InputError(f"{name} may not be read (permission denied). Change its permissions or copy it.") from error
    except (OSError, ValueError) as error:  # a name too long, a loop of links, a null character
        require_of_the_file(error, name)
        raise InputError(f"{name} cannot be opened: {getattr(error, 'strerror', None) or error}.") from error
    with file:
        if os.fstat(file.fileno()).st_size == 0:
            raise InputError(f"{name} is empty (0 bytes). {EXPECTED} Copy it again.")
        yield file


@contextmanager
def _in_memory(name: str) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory(f"Not enough memory to decode {name}. Make the picture smaller.") from error


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    try:
        yield
    except (InputError, EnvironmentFault, MemoryError):
        raise
    except Exception as error:  # on damaged files Pillow's decoders raise nearly anything
        require_of_the_file(error, name)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "MAX_TEXT_" in reason:  # of a chunk or of all of them
            raise InputError(
                f"{name} holds more text or a larger profile than a photo needs. Save it without."
            ) from error
        raise InputError(
            f"{name} is damaged and cannot be decoded: {reason}. Copy it again or re-export it."
        ) from error


@contextmanager
def pillow_settings(max_pixels: float | None) -> Iterator[list[warnings.WarningMessage]]:
    """Pillow's warnings go into a list (errors and notes tell of them), and its limits are ours (None: any size).

    All are settings of the whole process, hence one decoding at a time.
    """
    with _pillow, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        before = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
        PngImagePlugin.MAX_TEXT_CHUNK = _LONGEST_TEXT
        # For what hides behind a small header as well, such as a TIFF's tiles.
        Image.MAX_IMAGE_PIXELS = None if max_pixels is None else max(int(max_pixels), 1)
        try:
            yield warned
        finally:
            Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = before


def _decode(file: BinaryIO, name: str, check: Callable[[tuple[int, int]], None]) -> Opened:
    head = file.read(64)
    picture = identified(file, head, name)
    check(picture.size)
    if isinstance(picture, TiffImageFile) and _is_raw(picture, head):
        raise InputError(f"{name} is a camera's raw photo. Develop it to JPEG, PNG or TIFF first.")
    pictures = int(getattr(picture, "n_frames", 1))
    kind = picture.format or ""
    if pictures > 1 and kind not in _FIRST_PICTURE_IS_THE_PHOTO:
        what = "pages" if kind == "TIFF" else "frames"
        raise InputError(
            f"{name} has {pictures} {what}; only single pictures can be edited. Save one of them as a file."
        )
    if kind == "PNG":
        at = file.tell()
        png_data.check_whole(file)
        file.seek(at)
    orientation = orientation_of(picture)
    sideways = orientation >= 5
    if isinstance(picture, TiffImageFile):
        if unread := tiff_kind.read_planes(picture):
            raise InputError(f"{name} {unread}")
        sideways = picture.tag_v2.get(ExifTags.Base.Orientation, 1) >= 5
    bits = heif_boxes.av1_bits(file) or 8 if kind == "AVIF" else bits_per_channel(picture)
    unpack_transparent_grey(picture)
    picture.load()
    lossless = _is_lossless(picture, kind, file)
    kind = "JPEG" if kind == "MPO" else kind
    opened = Opened(picture, kind, bits, orientation, sideways, pictures, lossless, file)
    if profile := code_points.profile_of(opened.colour()):
        picture.info.setdefault("icc_profile", profile)
    return opened


def _is_lossless(picture: Image.Image, kind: str, file: BinaryIO) -> bool:
    if kind == "TIFF":
        return picture.info.get("compression") not in _LOSSY_IN_TIFF
    return kind in ("PNG", "BMP", "GIF") or (kind == "WEBP" and _is_lossless_webp(file))


def _is_raw(picture: TiffImageFile, head: bytes) -> bool:
    """Whether what looks like a TIFF holds a sensor's data, its first picture being a preview.

    By DNGVersion (DNG specification), by Canon's mark, or by a reduced picture (NewSubfileType) beside SubIFDs, which
    is how NEF, ARW and PEF begin.
    """
    tags = picture.tag_v2
    is_preview = bool(int(tags.get(_NEW_SUBFILE_TYPE, 0)) & 1) and ExifTags.Base.SubIFDs in tags
    return ExifTags.Base.DNGVersion in tags or head[8:10] == b"CR" or is_preview


def _is_lossless_webp(file: BinaryIO) -> bool:
    """By the chunk that holds the pixels: ``VP8L`` is lossless, ``VP8 `` is not (WebP container specification)."""
    file.seek(12)
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", head)
        if name in (b"VP8L", b"VP8 "):
            return bool(name == b"VP8L")
        file.seek(length + length % 2, os.SEEK_CUR)
    return False


def orientation_of(picture: Image.Image) -> int:
    """EXIF orientation 1..8 that is still to be applied, by what EXIF says, else XMP."""
    if picture.format in ("TIFF", "HEIF"):
        return 1  # those two are turned by their decoders
    block = picture.info.get("exif")
    if not block and "Raw profile type exif" in picture.info:
        block = picture.getexif().tobytes()
    found = exif.read_orientation(block.removeprefix(exif.PREFIX)) if isinstance(block, bytes) else None
    packet = picture.info.get("xmp")
    if found is None and isinstance(packet, bytes):
        found = xmp.read_orientation(packet)
    return found or 1
