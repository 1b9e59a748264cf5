"""Training data in an npz: ``images`` (N, 3, H, W), maybe ``masks`` (N, H, W), ``beliefs`` (N, 11, h, w), all uint8."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from npe_core.errors import InputError
from npe_core.regions import REGIONS
from npe_core.training.decoding import check_ids
from npe_core.training.sources import DAMAGED


def holds_arrays(path: Path) -> bool:
    """Whether a source is an npz, by its name."""
    return path.suffix.lower() == ".npz"


@dataclass(frozen=True, eq=False)
class Arrays:
    """What an npz holds, as it is stored."""

    images: Tensor
    """(N, 3, H, W) uint8"""
    masks: Tensor | None
    """(N, H, W) uint8 region ids, 255 = unknown"""
    beliefs: Tensor | None
    """(N, 11, h, w) uint8: how likely a teacher found each region, in 1/255"""


def read_arrays(path: Path) -> Arrays:
    """The arrays of an npz. Raises InputError."""
    try:
        with np.load(path) as arrays:
            images = arrays["images"]
            masks, beliefs = arrays.get("masks"), arrays.get("beliefs")
    except FileNotFoundError:
        raise InputError(
            f"{path} does not exist; expected a folder, a .tar, a .zip or an .npz of images. Check the path."
        ) from None
    except (*DAMAGED, KeyError, TypeError) as error:  # TypeError: a single array, under the name of an npz
        raise InputError(f"{path} cannot be read as an npz with an array `images`: {error}. Save it anew.") from None
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3 or not images.size:
        raise InputError(f"{path}: `images` is {_told(images)}; expected uint8 (N, 3, H, W) with N > 0. Convert it.")
    count, _, height, width = images.shape
    if masks is not None:
        if masks.dtype != np.uint8 or masks.shape != (count, height, width):
            raise InputError(
                f"{path}: `masks` is {_told(masks)}; expected uint8 {(count, height, width)}, as `images`. Convert it."
            )
        check_ids(f"{path}: `masks`", masks)
    if beliefs is not None and (
        beliefs.dtype != np.uint8 or beliefs.ndim != 4 or beliefs.shape[:2] != (count, len(REGIONS)) or not beliefs.size
    ):
        raise InputError(
            f"{path}: `beliefs` is {_told(beliefs)}; expected uint8 ({count}, {len(REGIONS)}, h, w). Convert it."
        )
    ids, levels = (None if array is None else torch.from_numpy(array) for array in (masks, beliefs))
    return Arrays(torch.from_numpy(images), ids, levels)


def _told(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape}"


def resize_images(images: Tensor, size: int) -> Tensor:
    """(N, 3, H, W) uint8 -> (N, 3, size, size) uint8, antialiased."""
    if images.shape[-1] == size == images.shape[-2]:
        return images
    parts = [F.interpolate(p.float(), size=(size, size), mode="bicubic", antialias=True) for p in images.split(64)]
    return torch.cat([part.round_().clamp_(0, 255).to(torch.uint8) for part in parts])


def resize_masks(masks: Tensor, size: int) -> Tensor:
    """(N, H, W) uint8 -> (N, size, size) uint8, without mixing ids."""
    if masks.shape[-1] == size == masks.shape[-2]:
        return masks
    return F.interpolate(masks[:, None], size=(size, size), mode="nearest-exact")[:, 0]
