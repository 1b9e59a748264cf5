"""Optional helpers that live outside the project: a folder with ``teachers.py`` (LPIPS, VGG features).

Only training and evaluation use them, and only when ``--teachers DIR`` names the folder.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from npe_core.errors import InputError


def load_teachers(folder: Path) -> ModuleType:
    """The module ``teachers.py`` of that folder. Raises InputError when there is none."""
    path = folder / "teachers.py"
    if not path.exists():
        raise InputError(f"{folder} holds no teachers.py; LPIPS and VGG-FD need it.")
    if "teachers" in sys.modules:
        return sys.modules["teachers"]
    spec = importlib.util.spec_from_file_location("teachers", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["teachers"] = module
    spec.loader.exec_module(module)
    return module


class Vgg:
    """Features of VGG16 and LPIPS (VGG, v0.1) on them: the ``Perceptual`` of the teachers folder."""

    channels: tuple[int, ...] = (64, 128, 256, 512, 512)

    def __init__(self, folder: Path, device: torch.device) -> None:
        """Raises InputError when ``folder`` holds no teachers.py."""
        teachers = load_teachers(folder)
        self._unit_length = teachers.unit_length
        self._vgg = teachers.VggFeatures(device)
        self._linear = [getattr(self._vgg, f"lin{block}_weight") for block in range(len(self.channels))]

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
        """Raises InputError when ``folder`` holds no teachers.py."""
        self._teachers = load_teachers(folder)
        self._vgg = self._teachers.VggFeatures(device)
        self._device = device

    @torch.no_grad()
    def lpips(self, x: Tensor, y: Tensor) -> Tensor:
        """Distances (B,) of pictures (B, 3, H, W) in [-1, 1]; 0 = the same, about 0.7 = unrelated."""
        distances: Tensor = self._vgg.lpips(x.to(self._device), y.to(self._device))
        return distances.cpu()

    def vgg_fd(self, a: Tensor, b: Tensor) -> float:
        """Frechet distance of two sets of pictures, uint8 (N, 3, H, W), on VGG features; it is not FID."""
        first, second = (self._teachers.vgg_feature_statistics(images, self._vgg) for images in (a, b))
        return float(self._teachers.frechet_distance(first, second))
