"""What an edit gives back, and what it tells on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from npe_core.diffusion.samplers import Step
from npe_core.editor.engine import to_images
from npe_core.parts import Source
from npe_core.photo import Photo


@dataclass(frozen=True, eq=False)
class Preview:
    """One step of a running edit."""

    step: int
    """1 .. steps"""
    steps: int
    timestep: int
    images: np.ndarray
    """(faces, 128, 128, 3) uint8: the model's current guess of each finished crop."""

    @classmethod
    def of(cls, step: Step, rows: slice) -> Preview:
        """Of some rows of a sampler's step."""
        return cls(step.index + 1, step.total, step.t, to_images(step.x0[rows]))


Progress = Callable[[Preview], None]
"""Called after each step of the diffusion; raise ``npe_core.errors.Cancelled`` in it to stop the edit."""

KeepGoing = Callable[[], None]
"""Called before each part of some work that takes a second or so; raise ``npe_core.errors.Cancelled`` to stop it."""


@dataclass(frozen=True, eq=False)
class EditResult:
    """An edited photo, and how it came about."""

    photo: Photo
    """The whole photo after the edit, ready to be saved."""
    reached: Source
    """``mask``, of which only the parts that are looked at are made."""
    parameters: dict[str, Any]
    """What it takes to repeat the edit; stored in the saved file."""
    faces: int
    """How many faces were edited."""
    seconds: dict[str, float]
    """Seconds by stage: load, diffusion, upscale, total (all but load; ``Editor.segment`` came before, apart)."""
    warnings: tuple[str, ...] = ()
    face_numbers: tuple[int, ...] = ()
    """Which of the photo's faces were edited, from 1, left to right; empty where none were looked for."""

    @cached_property
    def mask(self) -> np.ndarray:
        """(H, W) float32 in [0, 1]: where the photo may have changed; elsewhere it equals the original bit for bit."""
        return self.reached[:, :]

    @property
    def image(self) -> np.ndarray:
        """(H, W, 3) uint8 sRGB."""
        return self.photo.image

    def save(
        self,
        path: Path | str,
        force: bool = False,
        metadata: Literal["keep", "strip"] = "keep",
        inputs: Iterable[Path | None] = (),
    ) -> tuple[str, ...]:
        """Write the photo as ``Photo.save`` does; returns notes on what the format could not carry."""
        return self.photo.save(path, force, metadata, inputs)
