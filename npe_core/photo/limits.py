"""What is refused from a file's header, before a single pixel is decoded."""

from __future__ import annotations

from npe_core.errors import InputError

MIN_SIDE = 64
"""Pixels. Below it there is no face that the 128-pixel models could learn anything from."""


def check_size(shown: str, size: tuple[int, int], max_megapixels: float) -> None:
    """Raises InputError unless (width, height) pixels are within the limits; ``shown`` names the file."""
    width, height = size
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise InputError(
            f"{shown} is {width}x{height} = {round(megapixels, 2):g} megapixels; the limit is {max_megapixels:g}.\n"
            f"Make the picture smaller, or raise the limit (--max-megapixels) if this machine has the memory."
        )
    if min(width, height) < MIN_SIDE:
        raise InputError(
            f"{shown} is only {width}x{height} pixels; each side must have at least {MIN_SIDE}. Use a larger picture."
        )
