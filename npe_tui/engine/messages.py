"""What threads, most of all the engine's, tell the screens. Tests post the same messages without a thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from textual.message import Message

from npe_core.canvas.boxes import Box

if TYPE_CHECKING:
    from npe_core.editor import EditResult, RegionMap


@dataclass(frozen=True)
class EngineState:
    """Whether there are models to run."""

    name: str = "loading"
    """``loading``, ``ready`` or ``failed``"""
    device: str = ""
    """As ``npe doctor`` calls it: ``cpu``, ``cuda:0``."""
    weights: str = ""
    """The start of the denoiser's sha256."""
    detail: str = "The models are loading; paint meanwhile."
    """Why this device, or why there are no models and what to do."""


class FromEngine(Message):
    """Base of all of them. ``job`` is the number of the job that it belongs to."""

    bubble = False

    def __init__(self, job: int = 0) -> None:
        super().__init__()
        self.job = job


class StateChanged(FromEngine):
    """The models are on the way, were loaded, or could not be."""

    def __init__(self, state: EngineState) -> None:
        super().__init__()
        self.state = state


class Segmented(FromEngine):
    """The regions of the photo are known."""

    def __init__(self, job: int, regions: RegionMap) -> None:
        super().__init__(job)
        self.regions = regions


@dataclass(frozen=True, eq=False)
class Patch:
    """A piece of the picture as the model sees it just now."""

    box: Box
    image: np.ndarray
    """(h, w, 3) uint8"""


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    what: str
    done: int
    total: int
    seconds_left: float | None = None
    patches: tuple[Patch, ...] = field(default=(), repr=False)


class Advanced(FromEngine):
    """A job came one step further."""

    def __init__(self, job: int, progress: Progress) -> None:
        super().__init__(job)
        self.progress = progress


class Edited(FromEngine):
    """An edit is done: one result, or as many as variants were asked for."""

    def __init__(self, job: int, results: list[EditResult]) -> None:
        super().__init__(job)
        self.results = results


class Studied(FromEngine):
    """The timestep study is done."""

    def __init__(self, job: int, sheet: np.ndarray, timesteps: tuple[int, ...], seed: int) -> None:
        """``sheet`` (H, W, 3) uint8 as ``npe_core.editor.sweep`` makes it, with this seed in all of its rows."""
        super().__init__(job)
        self.sheet, self.timesteps, self.seed = sheet, timesteps, seed


class Stopped(FromEngine):
    """A job was cancelled."""


class Failed(FromEngine):
    """A job went wrong."""

    def __init__(self, job: int, reason: str) -> None:
        super().__init__(job)
        self.reason = reason


class AutosaveFailed(Message):
    """The work could not be written to the disk."""

    bubble = False

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason
