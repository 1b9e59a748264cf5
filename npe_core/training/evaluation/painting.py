"""Rough paint of real faces, brought back: how near the edit comes to the face that somebody meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from npe_core.diffusion.masked import Strength, masked_edit
from npe_core.editor.engine import Engine
from npe_core.models.surroundings import surroundings_of
from npe_core.report import markdown, shown, told
from npe_core.sheets import grid
from npe_core.training.augment import random_blobs, rough_paint
from npe_core.training.data import to_float, to_uint8
from npe_core.training.teachers import Judge

TIMESTEPS = (250, 350, 425)
STEPS = 12
BATCH = 8
WAVES = (2, 4, 6)
"""The shapes of a batch are of one coarseness."""


def measure_painting(
    engine: Engine, faces: Tensor, sheets: dict[str, np.ndarray], judge: Judge | None = None
) -> dict[str, Any]:
    """Edits of faces, uint8 (N, 3, S, S), with rough paint of themselves in random shapes.

    By timestep the root mean square difference of edit and face in the shapes ([-1, 1]), with a judge their LPIPS; the
    same of the paint alone. Nothing holds the edit to the paint's colours here. Adds the sheet "painting": faces,
    paint, and a row a timestep.
    """
    rng = torch.Generator().manual_seed(0)
    x0, side = to_float(faces), faces.shape[-1]
    parts = enumerate(x0.split(BATCH))
    masks = torch.cat([random_blobs(len(p), side, rng, WAVES[n % len(WAVES)], least=0.1) for n, p in parts])
    paint = torch.cat([rough_paint(face, mask, rng) for face, mask in _batches(x0, masks)])
    numbers: dict[str, Any] = {"faces": len(faces), "paint": differences(paint, x0, masks, judge)}
    rows = [x0[:BATCH], paint[:BATCH]]
    for t in told(TIMESTEPS, "painting"):
        edited = torch.cat([bring_back(engine, t, *batch) for batch in _batches(x0, paint, masks)])
        numbers[str(t)] = differences(edited, x0, masks, judge)
        rows.append(edited[:BATCH])
    sheets["painting"] = grid(to_uint8(torch.cat(rows)).permute(0, 2, 3, 1).numpy(), len(rows[0]))
    return numbers


def _batches(*tensors: Tensor) -> zip[tuple[Tensor, ...]]:
    return zip(*(tensor.split(BATCH) for tensor in tensors), strict=True)


def bring_back(engine: Engine, t: int, face: Tensor, paint: Tensor, mask: Tensor) -> Tensor:
    """The edit that starts from the paint at t: (B, 3, S, S) in [-1, 1]."""
    face, paint, mask = (x.to(engine.device) for x in (face, paint, mask))
    known = surroundings_of(face, mask)
    seeds = list(range(len(face)))
    edited = masked_edit(lambda xt, at: engine.denoise(xt, at, known), face, paint, mask, Strength(t, STEPS), seeds)
    return edited.clamp(-1, 1).cpu()


def differences(edited: Tensor, x0: Tensor, masks: Tensor, judge: Judge | None) -> dict[str, float]:
    """``rmse`` inside the masks, and ``lpips`` where there is a judge."""
    square = (edited - x0).square().sum(dim=(1, 2, 3)) / (3 * masks.sum(dim=(1, 2, 3)))
    numbers = {"rmse": float(square.mean()) ** 0.5}
    if judge is not None:
        numbers["lpips"] = float(judge.lpips(edited, x0).mean())
    return numbers


def painting_table(numbers: dict[str, Any]) -> str:
    """A row a measure; the paint alone, then a column a timestep."""
    columns = ["paint", *map(str, TIMESTEPS)]
    rows = [
        [name, *(shown(numbers[column].get(key, float("nan")), 4) for column in columns)]
        for key, name in (("rmse", "RMSE inside"), ("lpips", "LPIPS"))
    ]
    return markdown([f"rough paint of {numbers['faces']} faces", "alone", *(f"t = {t}" for t in TIMESTEPS)], rows)
