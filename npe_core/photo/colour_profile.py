"""ICC profiles: the file's colours -> sRGB for the models, and back (relative colorimetric, black points matched)."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION


def colour_space(profile: bytes) -> str:
    """The profile's colour space: ``RGB``, ``GRAY``, ``CMYK``, ``Lab``, ... Raises ValueError for a broken profile."""
    return str(_opened(profile).profile.xcolor_space).strip()


def to_srgb(pixels: np.ndarray, profile: bytes | None) -> np.ndarray:
    """(..., 3) uint8 samples of an RGB profile -> (..., 3) uint8 sRGB. ``None`` and sRGB itself return ``pixels``.

    Raises ValueError where the profile cannot convert in both directions.
    """
    return _applied(pixels, profile, 0)


def from_srgb(pixels: np.ndarray, profile: bytes | None) -> np.ndarray:
    """(..., 3) uint8 sRGB -> (..., 3) uint8 samples of an RGB profile: the way back of ``to_srgb``."""
    return _applied(pixels, profile, 1)


def is_srgb(profile: bytes | None) -> bool:
    """Whether samples of this profile already are sRGB, to one level of 255."""
    return profile is None or _transforms(profile) is None


def picture_to_srgb(picture: Image.Image, profile: bytes) -> np.ndarray:
    """A Pillow picture in mode L, CMYK, LAB or RGB, and the profile of that space -> (H, W, 3) uint8 sRGB.

    Raises ValueError where the profile does not fit the picture or is broken.
    """
    try:
        converted = ImageCms.profileToProfile(
            picture, _opened(profile), _srgb(), _INTENT, outputMode="RGB", flags=_FLAGS
        )
    except (ImageCms.PyCMSError, OSError) as error:
        raise ValueError(str(error)) from error
    if converted is None:
        raise ValueError("the profile converted nothing")
    return np.array(converted)


def lab_profile() -> bytes:
    """The profile of Pillow's mode LAB (D50)."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile))
    except (ImageCms.PyCMSError, OSError) as error:
        raise ValueError(f"broken colour profile: {error}") from error


@lru_cache(maxsize=8)
def _transforms(profile: bytes) -> tuple[Any, Any] | None:
    """(profile -> sRGB, sRGB -> profile); None where the profile is sRGB and converting would only add rounding."""
    try:
        there = ImageCms.buildTransform(_opened(profile), _srgb(), "RGB", "RGB", _INTENT, _FLAGS)
        back = ImageCms.buildTransform(_srgb(), _opened(profile), "RGB", "RGB", _INTENT, _FLAGS)
    except (ImageCms.PyCMSError, OSError) as error:
        raise ValueError(f"the colour profile cannot convert: {error}") from error
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    difference = _run(there, lattice).astype(int) - lattice
    return None if np.abs(difference).max() <= 1 else (there, back)


def _applied(pixels: np.ndarray, profile: bytes | None, direction: int) -> np.ndarray:
    transforms = None if profile is None else _transforms(profile)
    if transforms is None or pixels.size == 0:
        return pixels
    return _run(transforms[direction], pixels)


def _run(transform: Any, pixels: np.ndarray) -> np.ndarray:
    rows = pixels if pixels.ndim == 3 else pixels.reshape(1, -1, 3)
    return np.array(transform.apply(Image.fromarray(np.ascontiguousarray(rows)))).reshape(pixels.shape)
