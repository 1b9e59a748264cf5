"""Rough paint of real faces, brought back: how near the edit comes to the face that somebody meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from npe_core.editor.engine import Engine
from npe_core.editor.hold import walk
from npe_core.report import as_cell, markdown, told
from npe_core.sheets import grid
from npe_core.strength import Strength
from npe_core.training.augment import random_blobs, rough_paint
from npe_core.training.data import to_float, to_uint8
from npe_core.training.teachers import Judge

TIMESTEPS = (250, 350, 425)
BATCH = 8
WAVES = (2, 4, 6)
"""The shapes of a batch are of one coarseness."""


@dataclass(frozen=True)
class Paintings:
    """Faces and rough paint of them, (N, 3, S, S) in [-1, 1]; masks (N, 1, S, S) are 1 where there is paint."""

    faces: Tensor
    paint: Tensor
    masks: Tensor

    @classmethod
    def of(cls, faces: Tensor, seed: int = 0) -> Paintings:
        """Faces, uint8 (N, 3, S, S), with rough paint of themselves in random shapes."""
        rng = torch.Generator().manual_seed(seed)
        x0, side = to_float(faces), faces.shape[-1]
        parts = enumerate(x0.split(BATCH))
        masks = torch.cat([random_blobs(len(p), side, rng, WAVES[n % len(WAVES)], least=0.1) for n, p in parts])
        paint = [rough_paint(*batch, rng) for batch in zip(x0.split(BATCH), masks.split(BATCH), strict=True)]
        return cls(x0, torch.cat(paint), masks)

    def brought_back(self, engine: Engine, strength: Strength) -> Tensor:
        """(N, 3, S, S): the edits that start from the paint, as the denoiser leaves them."""
        edited = []
        columns = (column.split(BATCH) for column in (self.faces, self.paint, self.masks))
        for batch in zip(*columns, strict=True):
            face, paint, mask = (x.to(engine.device) for x in batch)
            result = walk(engine, face, paint, mask, torch.ones_like(mask), strength, list(range(len(face))))
            edited.append(result.clamp(-1, 1).cpu())
        return torch.cat(edited)


def measure_painting(
    engine: Engine, faces: Tensor, sheets: dict[str, np.ndarray], judge: Judge | None = None
) -> dict[str, Any]:
    """Edits of faces, uint8 (N, 3, S, S), with rough paint of themselves in random shapes.

    By timestep the root mean square difference of edit and face in the shapes ([-1, 1]), with a judge their LPIPS; the
    same of the paint alone. Adds the sheet "painting": faces, paint, and a row a timestep.
    """
    painted = Paintings.of(faces)
    x0, masks = painted.faces, painted.masks
    numbers: dict[str, Any] = {"faces": len(faces), "paint": differences(painted.paint, x0, masks, judge)}
    rows = [x0[:BATCH], painted.paint[:BATCH]]
    for t in told(TIMESTEPS, "painting"):
        edited = painted.brought_back(engine, Strength(t))
        numbers[str(t)] = differences(edited, x0, masks, judge)
        rows.append(edited[:BATCH])
    sheets["painting"] = grid(to_uint8(torch.cat(rows)).permute(0, 2, 3, 1).numpy(), len(rows[0]))
    return numbers


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
        [name, *(as_cell(numbers[column].get(key, float("nan")), 4) for column in columns)]
        for key, name in (("rmse", "RMSE inside"), ("lpips", "LPIPS"))
    ]
    return markdown([f"rough paint of {numbers['faces']} faces", "alone", *(f"t = {t}" for t in TIMESTEPS)], rows)
