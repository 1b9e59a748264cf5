"""Colours: ``#rrggbb`` text, and sRGB <-> CIE L*a*b* (D65), where distances mean something to an eye."""

from __future__ import annotations

import re

import numpy as np

from npe_core.errors import UsageError

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of r, g, b in brightness, for values as they are coded: ITU-R BT.601, as Pillow's ``convert("L")``."""

_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")

# sRGB (IEC 61966-2-1) primaries to CIE XYZ, D65 white of Y = 1.
_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    dtype=np.float32,
)
_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_XYZ.astype(np.float64)).astype(np.float32)
_WHITE = _RGB_TO_XYZ.sum(axis=1)
_DELTA = 6 / 29

LUMINANCE = _RGB_TO_XYZ[1]
"""(3,) float32: weights of r, g, b in the luminance Y, for linear values; that of white is 1."""
LEAST_LUMINANCE = _DELTA**3
"""Below it lightness falls in proportion to luminance, above it by the cube root."""


def parse_colour(text: str) -> tuple[int, int, int]:
    """``#8b2500``, ``8b2500`` or ``#abc`` -> (r, g, b), each 0..255. Raises UsageError on anything else."""
    match = _HEX.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a colour. Write it as #RRGGBB, for example #8b2500.")
    digits = match.group(1)
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def format_colour(rgb: tuple[int, int, int]) -> str:
    """(139, 37, 0) -> ``#8b2500``."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def srgb_to_lab(image: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB, uint8 in 0..255 or float in [0, 1] -> (..., 3) float32 L* in 0..100, a*, b*."""
    f = _cube_root((srgb_to_linear(image) @ _RGB_TO_XYZ.T) / _WHITE)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def lab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """(..., 3) float L*a*b* -> (..., 3) float32 sRGB in [0, 1]; colours outside the gamut are clipped."""
    lab = lab.astype(np.float32)
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    return linear_to_srgb((_cube(f) * _WHITE) @ _XYZ_TO_RGB.T)


def srgb_to_linear(image: np.ndarray) -> np.ndarray:
    """sRGB, uint8 in 0..255 or float in [0, 1] -> float32 in proportion to light, white 1."""
    rgb = image.astype(np.float32) / 255 if image.dtype == np.uint8 else image.astype(np.float32)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """The way back; what is outside [0, 1] is clipped."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-8) ** (1 / 2.4) - 0.055)


def lightness_of(luminance: np.ndarray) -> np.ndarray:
    """Luminance Y in [0, 1] -> L* in 0..100, of any shape."""
    return 116 * _cube_root(luminance) - 16


def luminance_of(lightness: np.ndarray) -> np.ndarray:
    """L* in 0..100 -> luminance Y in [0, 1], of any shape."""
    return _cube((lightness + 16) / 116)


def _cube_root(value: np.ndarray) -> np.ndarray:
    """The function f of CIE L*a*b*."""
    return np.where(value > LEAST_LUMINANCE, np.cbrt(value), value / (3 * _DELTA**2) + 4 / 29)


def _cube(f: np.ndarray) -> np.ndarray:
    """Its inverse."""
    return np.where(f > _DELTA, f**3, 3 * _DELTA**2 * (f - 4 / 29))
