"""A photo and its canvas as the denoiser sees them: small squares, as tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import EllipsisType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from npe_core.blend import TEXTURE, TEXTURE_QUIET, detail_weight, texture_within
from npe_core.canvas import Canvas
from npe_core.canvas.boxes import Box, box_of, cut, pad
from npe_core.device import upload
from npe_core.editor.engine import Engine, resize, to_tensor
from npe_core.errors import NothingMarked
from npe_core.faces import FaceCrop
from npe_core.models.surroundings import surroundings_of
from npe_core.opencv import opencv
from npe_core.parallel import each
from npe_core.photo import Photo

REACH = 32
"""Pixels of a crop: how far what is told of a pixel's texture depends on others (blurred by 4, made smaller by 4)."""
THIN = 15
"""Small pixels: a bare mask narrower than that is drawn around something that is to go."""


@dataclass(frozen=True)
class Views:
    """One row a crop, on the engine's device."""

    original: Tensor
    """(B, 3, 128, 128) in [-1, 1]"""
    guide: Tensor
    """(B, 3, 128, 128): with the paint"""
    mask: Tensor
    """(B, 1, 128, 128) in [0, 1]"""
    painted: Tensor
    """(B, 1, 128, 128): where there is paint, as opposed to mask only; counts under the mask"""
    thin: Tensor
    """(B, 1, 128, 128): the mask where it is bare and narrow, see ``bare_and_thin``"""
    marks: list[np.ndarray]
    """(size, size) float32 of each crop: the canvas's mask at the crop's own size"""


def look_at(photo: Photo, canvas: Canvas, crops: list[FaceCrop], fades: list[np.ndarray], engine: Engine) -> Views:
    """The views of the crops; ``fades`` (size, size) limit the mask at their borders.

    Raises NothingMarked if nothing is in any of them.
    """
    side, device = engine.image_size, engine.device
    whole = each(lambda crop: crop.extract(canvas.mask_parts), crops)
    marks = [mark * fade for mark, fade in zip(whole, fades, strict=True)]
    mask = to_masks(marks, side)
    painted, thin = torch.ones_like(mask), torch.zeros_like(mask)  # of fills all is paint
    if canvas.by_hand:
        paint = as_map(canvas.painted, crops)
        painted = to_masks(each(lambda crop: crop.extract(paint, side), crops), side)
        paints = each(lambda crop: crop.extract(paint), crops)
        thin = bare_and_thin([mark * (own == 0) for mark, own in zip(marks, paints, strict=True)], side)
    mask = torch.maximum(mask, thin)
    if not bool((mask > 0).any()):
        raise NothingMarked(
            "Nothing is marked on the chosen faces. Mark something there, choose the faces that are marked (--face), "
            "or say where one is (--box X,Y,W,H)."
        )
    return Views(
        original=upload(to_tensor(each(lambda crop: crop.extract(photo.image, side), crops)), device),
        guide=upload(to_tensor(each(lambda crop: crop.extract(canvas.guide_parts, side), crops)), device),
        mask=mask.to(device),
        painted=painted.to(device),
        thin=thin.to(device),
        marks=whole,
    )


def as_map(where: np.ndarray, crops: list[FaceCrop]) -> np.ndarray:
    """(H, W) bool -> float32, in and just around the crops; 0 elsewhere, where it takes neither time nor memory."""
    values = np.zeros(where.shape, np.float32)
    for crop in crops:
        around = cut(pad(crop.box((where.shape[1], where.shape[0])), 8, where.shape))
        values[around] = where[around]
    return values


def to_masks(maps: list[np.ndarray], side: int) -> Tensor:
    """[(S, S) float32, ...] -> (B, 1, side, side) in [0, 1]: means over areas, so that what is 0 stays 0."""
    x = torch.from_numpy(np.stack(maps))[:, None]
    return F.adaptive_avg_pool2d(x, side).clamp(0, 1)


def bare_and_thin(maps: list[np.ndarray], side: int) -> Tensor:
    """[(S, S) float32, ...] -> (B, 1, side, side) in [0, 1]: what of these masks is narrower than ``THIN``.

    It is widened by one of the small pixels: a scratch that is finer than they are shows in all that it touches and,
    for the smoothing, in their neighbours. A mean over areas would hardly mark it, and leave it to be seen beside it.
    """
    cv2 = opencv()
    x = torch.from_numpy(np.stack(maps))[:, None]
    touched = F.max_pool2d(F.adaptive_max_pool2d(x, side).clamp(0, 1), 3, stride=1, padding=1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THIN, THIN))
    hats = [cv2.morphologyEx(one.numpy(), cv2.MORPH_TOPHAT, disc) for (one,) in touched]
    return torch.from_numpy(np.stack(hats))[:, None]


def surroundings(photo: Photo, views: Views, crops: list[FaceCrop]) -> Tensor:
    """(B, 4, size, size): what may be known of the photo around what is marked, see ``surroundings_of``."""
    pictures = to_tensor(each(lambda crop: crop.extract(photo.image), crops))
    return surroundings_of(pictures, torch.from_numpy(np.stack(views.marks))[:, None])


def own_texture(photo: Photo, canvas: Canvas, crops: list[FaceCrop], engine: Engine) -> Tensor:
    """(B, 1, 128, 128): 1 where the fine detail of the canvas is the photograph's, 0 where flat paint covers it."""
    side = engine.image_size
    if not canvas.by_hand:
        return torch.ones((len(crops), 1, side, side), device=engine.device)
    original = upload(to_tensor(each(lambda crop: crop.extract(photo.image), crops)), engine.device)
    guide = upload(to_tensor(each(lambda crop: crop.extract(canvas.guide_parts), crops)), engine.device)
    own = torch.ones_like(original[:, :1])  # but where there is paint
    if (painted := box_of((original != guide).any(dim=1).any(dim=0).cpu().numpy())) is None:
        return resize(own, side)
    there = _square_around(painted, own.shape[-1], own.shape[-1] // side)
    original, guide = original[there], guide[there]
    small, length = original.shape[-1] * side // own.shape[-1], original.shape[-1]
    fine, fine_guide = (x - resize(resize(x, small), length) for x in (original, guide))
    own[there] = detail_weight(fine, fine_guide, TEXTURE, TEXTURE_QUIET)
    covered = as_map(canvas.covered, crops)
    whole = torch.from_numpy(np.stack(each(lambda crop: crop.extract(covered), crops)))[:, None]
    inside = 1 - F.max_pool2d((whole < 0.99).float(), 3, stride=1, padding=1)  # a neighbour may show in what is cut out
    if bool(inside.any()):
        tinted = texture_within(original, guide, upload(inside, engine.device)[there])
        own[there] = torch.maximum(own[there], tinted)
    return resize(own, side).clamp(0, 1)


def _square_around(box: Box, size: int, step: int) -> tuple[EllipsisType, slice, slice]:
    """The index of a square of (..., size, size) that holds all that depends on what is in the box.

    Its side and place are multiples of ``step``, so that it is made smaller as the whole is.
    """
    x0, y0, x1, y1 = box
    steps = math.ceil((max(x1 - x0, y1 - y0) + 2 * REACH) / step) + 1  # one more: it begins at one
    length = min(size, steps * step)
    left, top = (min(max(0, first - REACH) // step * step, size - length) for first in (x0, y0))
    return ..., slice(top, top + length), slice(left, left + length)
