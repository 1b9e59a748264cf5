"""Masks and paint from files, of exactly the photo's size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from npe_core.errors import InputError
from npe_core.photo import colour_profile
from npe_core.photo.opening import Opened, open_picture, shown
from npe_core.photo.samples import native_samples

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow's convert("L")
_LOSSY_NOISE = 16 / 255
"""What JPEG leaves around an edge that was painted black on white."""
_COLOURFUL = 64
"""Levels between the channels of a pixel that somebody painted in a colour."""


def read_mask(path: Path | str, size: tuple[int, int], notes: list[str] | None = None) -> np.ndarray:
    """A mask file -> (H, W) float32 in [0, 1], 1 = edit; ``size`` is the upright photo's (width, height).

    Grey, 16-bit and 1-bit pictures give their brightness, colours their luma, and RGBA whose alpha varies gives the
    alpha. In lossily compressed masks values within 16/255 of black or white are taken as that, so that compression
    noise does not mark pixels. ``notes`` gets one where most of what is marked has a colour: red edits by less than a
    third, which nobody means who paints a mask red. Raises InputError as ``Photo.open`` does, and when the sizes
    differ.
    """
    with _open_sized(path, size, "mask") as opened:
        if opened.picture.mode.startswith("I;16"):
            return opened.upright(np.array(opened.picture).astype(np.float32) / 65535)
        opened.picture.info.pop("icc_profile", None)  # the numbers are meant, not a colour
        samples = native_samples(opened.picture, opened.bits, shown(path))
        if samples.alpha is not None and samples.alpha.min() != samples.alpha.max():
            mask = samples.alpha.astype(np.float32) / 255
        else:
            mask = np.clip(samples.rgb.astype(np.float32) @ _LUMA / 255, 0, 1)
            grey = (samples.rgb[..., 0] == samples.rgb[..., 1]) & (samples.rgb[..., 0] == samples.rgb[..., 2])
            mask[grey] = samples.rgb[grey][:, 0].astype(np.float32) / 255  # exactly, without the luma's rounding
            if notes is not None and _is_colourful(samples.rgb):
                notes.append(
                    f"the mask {shown(path)} is in colour: its brightness counts, here at most "
                    f"{100 * float(mask.max()):.0f} %; white edits in full"
                )
        if not opened.lossless:
            mask[mask < _LOSSY_NOISE] = 0
            mask[mask > 1 - _LOSSY_NOISE] = 1
        return opened.upright(mask)


def _is_colourful(rgb: np.ndarray) -> bool:
    """Whether most of the pixels of (H, W, 3) uint8 that are not black have a colour."""
    highest = rgb.max(axis=2)
    lit = highest > _COLOURFUL
    return bool(lit.any()) and float(((highest - rgb.min(axis=2))[lit] > _COLOURFUL).mean()) > 0.5


def read_paint(path: Path | str, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A paint file -> (rgb (H, W, 3) uint8 sRGB, alpha (H, W) float32 in [0, 1]); ``size`` as in ``read_mask``.

    Raises InputError as ``Photo.open`` does, when the sizes differ, and when the file has no alpha.
    """
    with _open_sized(path, size, "paint") as opened:
        samples = native_samples(opened.picture, opened.bits, shown(path))
        if samples.alpha is None:
            raise InputError(
                f"The paint {shown(path)} has no transparency, but its alpha says where to edit.\n"
                f"Save it as RGBA PNG, or use it as --mask with --color."
            )
        rgb = colour_profile.to_srgb(samples.rgb, samples.profile)
        return opened.upright(rgb), opened.upright(samples.alpha.astype(np.float32) / 255)


@contextmanager
def _open_sized(path: Path | str, size: tuple[int, int], what: str) -> Iterator[Opened]:
    def check(found: tuple[int, int]) -> None:
        if found != size:
            raise InputError(
                f"The {what} {shown(path)} is {found[0]}x{found[1]} pixels, the upright photo is {size[0]}x{size[1]}. "
                f"Save the {what} at the photo's size."
            )

    def check_header(stored: tuple[int, int]) -> None:
        if stored != size[::-1]:  # which may still be turned upright
            check(stored)

    with open_picture(path, check_header, max_pixels=size[0] * size[1]) as opened:
        check(opened.size)
        yield opened
