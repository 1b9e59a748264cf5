"""Sides of the pictures that the denoisers of the editor make: edits and samples are laid out for these."""

from __future__ import annotations

from pathlib import Path

from npe_core.errors import InputError
from npe_core.models.denoiser import DenoiserConfig
from npe_core.models.weights import COARSE

SIDES = {"denoiser": DenoiserConfig().image_size, COARSE: 32}


def kind_of_side(side: int) -> str:
    """Which denoiser one that makes pictures of that side is, or would be nearest to."""
    return COARSE if side == SIDES[COARSE] else "denoiser"


def check_side(kind: str, side: int, source: Path) -> None:
    """Raises InputError for a denoiser that the editor cannot use as that kind."""
    if side == SIDES[kind]:
        return
    fitting = next((other for other, wanted in SIDES.items() if wanted == side), None)
    advice = f"Release it as {fitting}." if fitting is not None else f"Train with --config image_size={SIDES[kind]}."
    raise InputError(f"{source} makes pictures of {side} pixels, a {kind} those of {SIDES[kind]}. {advice}")
