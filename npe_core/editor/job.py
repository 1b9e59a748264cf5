"""One edit as it is asked for, and the checks that need no model."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from npe_core.canvas import Canvas
from npe_core.defaults import SAMPLER, TIMESTEP
from npe_core.editor.face_choice import FaceChoice
from npe_core.editor.recipe import Recipe, with_fill
from npe_core.editor.result import KeepGoing, Progress
from npe_core.errors import InputError, UsageError
from npe_core.photo import Photo
from npe_core.strength import check_strength


@dataclass(frozen=True, eq=False)
class EditJob:
    """A photo, its canvas, and how far to go; the arguments of ``Editor.edit``, which says what they mean."""

    photo: Photo
    canvas: Canvas
    timestep: int = TIMESTEP
    steps: int | None = None
    sampler: str = SAMPLER
    seed: int | None = None
    choice: FaceChoice | None = None
    upscale: bool = True
    sharpness: float = 1.0
    progress: Progress | None = None
    keep_going: KeepGoing | None = None
    """Asked more often than ``progress`` is called, and without a preview."""

    def recipe(self) -> Recipe:
        """What the edited file will tell of it; a seed is drawn where there is none. Raises UsageError."""
        fills: dict[str, str] = {}
        for fill in self.canvas.targets:
            fills = with_fill(fills, fill.region, fill.colour)
        seed = secrets.randbelow(2**31) if self.seed is None else self.seed
        strength = check_strength(self.timestep, self.steps, self.sampler)
        return Recipe(
            fills,
            timestep=strength.timestep,
            steps=strength.steps,
            sampler=strength.sampler,
            seed=seed,
            upscale=self.upscale,
            sharpness=float(self.sharpness),
            feather=self.canvas.feathered,
            painted=self.canvas.by_hand,
        )


def check_canvas(photo: Photo, canvas: Canvas) -> None:
    """The canvas is of the photo, and something is marked."""
    width, height = photo.size
    if canvas.size != (height, width):
        raise UsageError(f"The canvas has {canvas.size[1]}x{canvas.size[0]} pixels, the photo {width}x{height}.")
    if not canvas.levels.any():
        raise InputError("Nothing is marked. Fill a region, paint, or give a mask.")
