"""One picture or mask of training data, from the bytes of its file to an array of the asked size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, UnidentifiedImageError

from npe_core.errors import InputError
from npe_core.photo import colour_profile
from npe_core.photo.opening import TURNS, orientation_of
from npe_core.photo.samples import bits_per_channel, native_samples, unpack_transparent_grey
from npe_core.regions import REGIONS

UNKNOWN = 255
"""Mask id of pixels that nobody labelled: left out of losses and scores."""


def decode_image(name: str, content: bytes, size: int) -> np.ndarray:
    """One file -> (size, size, 3) uint8 sRGB as the editor sees it, upright; what is transparent lies on white.

    Raises InputError for what is no picture; ``name`` is for its words.
    """
    with _opened(name, content) as picture:
        image = _upright(_srgb(name, picture), orientation_of(picture))
        return np.asarray(image if image.size == (size, size) else image.resize((size, size), Image.Resampling.LANCZOS))


def size_of(name: str, content: bytes) -> tuple[int, int]:
    """(width, height) of a file's picture, as its header says them; nothing is decoded. Raises InputError."""
    with _opened(name, content) as picture:
        return picture.size


def _srgb(name: str, picture: Image.Image) -> Image.Image:
    if picture.mode in ("I", "F"):
        raise InputError(f"{name} has samples of 32 bits. Save it with 8 or 16 bits per channel.")
    bits = bits_per_channel(picture)
    unpack_transparent_grey(picture)
    picture.load()
    samples = native_samples(picture, bits, name)
    rgb = Image.fromarray(colour_profile.to_srgb(samples.rgb, samples.profile))
    if samples.alpha is None:
        return rgb
    rgb.putalpha(Image.fromarray(samples.alpha))
    return Image.alpha_composite(Image.new("RGBA", rgb.size, "white"), rgb).convert("RGB")


def decode_mask(name: str, content: bytes, size: int, image: bytes) -> np.ndarray:
    """One file -> (size, size) uint8 region ids, resized without mixing them. ``image``: what the mask belongs to.

    Raises InputError for what is no mask, holds other ids, or is of another shape than its image.
    """
    with _opened(name, content) as stored, _opened(name, image) as picture:
        mask = _upright(stored, orientation_of(stored))
        if mask.mode not in ("L", "P"):  # of a palette the indices are the ids
            raise InputError(f"{name} is a picture of mode {mask.mode}; expected 8-bit region ids. Save it grey (L).")
        check_shape(name, mask.size, _upright_size(picture))
        ids = np.asarray(mask)
        check_ids(name, ids)
        return ids if mask.size == (size, size) else np.asarray(mask.resize((size, size), Image.Resampling.NEAREST))


def check_ids(name: str, ids: np.ndarray) -> None:
    """Raises InputError unless all ids are those of regions, or UNKNOWN."""
    others = np.flatnonzero(np.bincount(ids.reshape(-1), minlength=256)[len(REGIONS) : UNKNOWN]) + len(REGIONS)
    if len(others):
        shown = ", ".join(map(str, others[:5])) + (", ..." if len(others) > 5 else "")
        raise InputError(
            f"{name} holds the ids {shown}; expected 0 to {len(REGIONS) - 1}, and {UNKNOWN} where nobody knows.\n"
            f"Merge the classes of the data into the {len(REGIONS)} regions first."
        )


def check_shape(name: str, mask: tuple[int, int], image: tuple[int, int]) -> None:
    """Raises InputError when (width, height) of a mask is not that of its image, but for scale and rounding."""
    if abs(mask[0] * image[1] - mask[1] * image[0]) > max(*mask, *image):
        raise InputError(
            f"{name} has {mask[0]}x{mask[1]} pixels, its image {image[0]}x{image[1]}; expected the same proportions. "
            "Crop both alike, or take them out."
        )


def _upright_size(picture: Image.Image) -> tuple[int, int]:
    width, height = picture.size
    return (height, width) if orientation_of(picture) >= 5 else (width, height)


def _upright(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(TURNS[orientation]) if orientation in TURNS else picture


@contextmanager
def _opened(name: str, content: bytes) -> Iterator[Image.Image]:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            yield picture
    except (InputError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise InputError(f"{name} is not a picture in a known format. Convert it to PNG, or take it out.") from None
    except Exception as error:  # on damaged files Pillow's decoders raise nearly anything
        raise InputError(
            f"{name} is not a picture that can be read ({error}). Copy it again, or take it out."
        ) from None
