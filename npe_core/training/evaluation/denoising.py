"""How far the denoiser's one prediction of x0 is from the face, by timestep: on whole faces, and inside an edit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from npe_core.diffusion.schedule import draw_noise, q_sample
from npe_core.editor.engine import Engine
from npe_core.models.surroundings import surroundings_of
from npe_core.report import as_cell, markdown, told
from npe_core.training.augment import random_blobs
from npe_core.training.data import to_float
from npe_core.training.teachers import Judge

TIMESTEPS = (100, 200, 300, 400, 470)
BATCH = 8
WAVES = (2, 3, 4, 5, 6, 8)
"""The masks of a batch are of one coarseness."""


def measure_denoising(engine: Engine, faces: Tensor, judge: Judge | None = None) -> dict[str, Any]:
    """Errors of D(x_t, t) on faces, uint8 (N, 3, S, S).

    ``inside``: in random shapes, the clean picture around them shown to models that look at it. ``whole``: everywhere,
    nothing known. Each a root mean square of x0 in [-1, 1] by timestep; ``lpips`` is of the whole picture, with the
    face itself around a shape.
    """
    count, side = len(faces), faces.shape[-1]
    rng = torch.Generator().manual_seed(1)
    x0 = to_float(faces)
    masks = torch.cat(
        [
            random_blobs(len(part), side, rng, WAVES[number % len(WAVES)], least=0.1)
            for number, part in enumerate(x0.split(BATCH))
        ]
    )
    noise = draw_noise((3, side, side), list(range(count)))
    numbers: dict[str, Any] = {"faces": count}
    for place, shapes in (("inside", masks), ("whole", torch.ones_like(masks))):
        rows = [errors_at(engine, x0, shapes, noise, t, judge) for t in told(TIMESTEPS, f"denoising {place}")]
        numbers[place] = {str(t): row for t, row in zip(TIMESTEPS, rows, strict=True)}
    return numbers


def errors_at(
    engine: Engine, x0: Tensor, masks: Tensor, noise: Tensor, t: int, judge: Judge | None
) -> dict[str, float]:
    """``rmse`` inside the masks (N, 1, S, S), and ``lpips`` where there is a judge."""
    square, distance = 0.0, 0.0
    for face, mask, eps in zip(x0.split(BATCH), masks.split(BATCH), noise.split(BATCH), strict=True):
        xt = q_sample(face, t, eps).to(engine.device)
        predicted = engine.denoise(xt, t, surroundings_of(face, mask).to(engine.device)).cpu().clamp(-1, 1)
        predicted = torch.where(mask > 0, predicted, face)
        shares = 3 * mask.sum(dim=(1, 2, 3))
        square += float(((predicted - face).square().sum(dim=(1, 2, 3)) / shares).sum())
        distance += float(judge.lpips(predicted, face).sum()) if judge is not None else float("nan")
    return {"rmse": (square / len(x0)) ** 0.5, "lpips": distance / len(x0)}


def denoising_table(numbers: dict[str, Any]) -> str:
    """A row a measure, a column a timestep."""
    rows = [
        [f"{name} {place}", *(as_cell(numbers[place][str(t)][key], 4) for t in TIMESTEPS)]
        for key, name in (("rmse", "RMSE of x0"), ("lpips", "LPIPS of x0"))
        for place in ("inside", "whole")
    ]
    return markdown([f"{numbers['faces']} faces, t =", *map(str, TIMESTEPS)], rows)
