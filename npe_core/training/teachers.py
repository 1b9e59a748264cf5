"""Optional helpers that live outside the project: a folder with ``teachers.py`` (LPIPS, VGG features).

Only training and evaluation use them, and only when ``--teachers DIR`` names the folder.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from npe_core.device import is_out_of_memory
from npe_core.errors import InputError

OFFERS = "What it must offer is told in docs/training.md, under Teachers."
LONGEST = 300
"""Letters of what is told of a failure: torch names every tensor that does not fit."""


def load_teachers(folder: Path) -> ModuleType:
    """The module ``teachers.py`` of that folder, once a process. Raises InputError when there is none that works."""
    path = folder.resolve() / "teachers.py"
    if not path.exists():
        raise InputError(f"{folder} holds no teachers.py. {OFFERS}")
    name = f"teachers of {path.parent}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} cannot be imported. {OFFERS}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        with _foreign(f"{path} cannot be imported"):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def teacher(folder: Path, name: str, device: torch.device) -> Any:
    """The network of that name in a teachers folder. Raises InputError when it is missing or cannot be made."""
    module = load_teachers(folder)
    with _foreign(f"{folder / 'teachers.py'} gives no {name}"):
        return getattr(module, name)(device)


@contextmanager
def _foreign(failed: str) -> Iterator[None]:
    """Around code that is not ours and may fail in any way: raises InputError that begins with ``failed``."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or is_out_of_memory(error):
            raise
        reason = shorten(f"{type(error).__name__}: {error}", LONGEST, placeholder=" ...")
        raise InputError(f"{failed} ({reason}). {OFFERS}") from error


def _parts(folder: Path, owner: Any, *names: str) -> list[Any]:
    """What ``owner``, of that teachers folder, must have. Raises InputError when it lacks one."""
    try:
        return [getattr(owner, name) for name in names]
    except AttributeError as error:
        raise InputError(f"{folder} lacks {error.name}. {OFFERS}") from None


class Vgg:
    """Features of VGG16 and LPIPS (VGG, v0.1) on them: the ``Perceptual`` of the teachers folder."""

    channels: tuple[int, ...] = (64, 128, 256, 512, 512)

    def __init__(self, folder: Path, device: torch.device) -> None:
        """Raises InputError when ``folder`` holds no teachers.py, or not what it needs."""
        (self._unit_length,) = _parts(folder, load_teachers(folder), "unit_length")
        self._vgg = teacher(folder, "VggFeatures", device)
        self._linear = _parts(folder, self._vgg, *(f"lin{block}_weight" for block in range(len(self.channels))))

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [-1, 1] -> relu1_2, 2_2, 3_3, 4_3, 5_3; gradients reach the pictures."""
        maps: list[Tensor] = self._vgg(x)
        return maps

    def distance(self, x: list[Tensor], y: list[Tensor]) -> Tensor:
        """LPIPS (B,) of the pictures with these features; 0 = the same, about 0.7 = unrelated."""
        levels = []
        for a, b, weight in zip(x, y, self._linear, strict=True):
            difference = (self._unit_length(a.float()) - self._unit_length(b.float())).square()
            levels.append((difference * weight).sum(dim=1).mean(dim=(1, 2)))
        return torch.stack(levels).sum(dim=0)


class Judge:
    """LPIPS and VGG-FD on one device."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        """Raises InputError when ``folder`` holds no teachers.py, or not what it needs."""
        self._vgg = teacher(folder, "VggFeatures", device)
        names = "vgg_feature_statistics", "frechet_distance"
        self._statistics, self._distance = _parts(folder, load_teachers(folder), *names)
        (self._lpips,) = _parts(folder, self._vgg, "lpips")
        self._device = device

    @torch.no_grad()
    def lpips(self, x: Tensor, y: Tensor) -> Tensor:
        """Distances (B,) of pictures (B, 3, H, W) in [-1, 1]; 0 = the same, about 0.7 = unrelated."""
        distances: Tensor = self._lpips(x.to(self._device), y.to(self._device))
        return distances.cpu()

    def vgg_fd(self, a: Tensor, b: Tensor) -> float:
        """Frechet distance of two sets of pictures, uint8 (N, 3, H, W), N > 1, on VGG features; it is not FID."""
        first, second = (self._statistics(images, self._vgg) for images in (a, b))
        return float(self._distance(first, second))
