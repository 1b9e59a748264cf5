"""The upscaler on sharp faces: PSNR-Y, LPIPS and colour shift, beside bicubic; and as part of a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from npe_core.editor.engine import Engine
from npe_core.models.surroundings import surroundings_of
from npe_core.models.upscaler import SCALE
from npe_core.report import Report, as_cell, markdown, told
from npe_core.sheets import grid
from npe_core.training.augment import random_blobs
from npe_core.training.data import distinct, parse_source, source_name, to_float, to_uint8
from npe_core.training.evaluation.metrics import psnr_y
from npe_core.training.reading import drawn, read_images
from npe_core.training.super_resolution import SIZE, shrink
from npe_core.training.teachers import Judge

SHEET = 12
"""Faces of the sheet."""
SHARE = "LPIPS, share of bicubic's"


def evaluate_super_resolution(
    engines: dict[str, Engine], sources: list[str], judge: Judge | None = None, count: int | None = None
) -> Report:
    """Measure the upscalers of the engines (by name) on faces of 512 pixels reduced to 128.

    Raises InputError, also for smaller faces: those would be blurred before they are reduced.

    ``count``: so many of each source, drawn at random (default: all). ``judge`` adds LPIPS, also of pictures that are
    restored inside random shapes only, without and with a look at what lies around the shapes.
    """
    report = Report({"model": "upscaler", "data": {}})
    tiles: list[np.ndarray] = []
    paths = [parse_source(text)[0] for text in sources]
    for data, path in zip(distinct(map(source_name, paths)), paths, strict=True):
        sums: dict[str, dict[str, float]] = {name: {} for name in ("bicubic", *engines)}
        inside: dict[str, float] = {}
        rng = torch.Generator().manual_seed(0)
        images = read_images(path, SIZE, drawn(count, seed=0), least=SIZE)
        for image in told(images.split(1), "upscaling"):
            high = to_float(image)
            low = to_float(to_uint8(shrink(high)))
            outcomes = {"bicubic": bicubic(low), **{name: e.upscale(low).cpu() for name, e in engines.items()}}
            for name, x in outcomes.items():
                for key, value in compare(x, low, high, judge).items():
                    sums[name][key] = sums[name].get(key, 0.0) + value / len(images)
            if judge is not None:
                mask = random_blobs(1, SIZE, rng)
                known = surroundings_of(high, mask)
                outcomes_inside = {
                    **outcomes,
                    **{f"{name}, seeing around": e.upscale(low, known=known).cpu() for name, e in engines.items()},
                }
                for name, x in outcomes_inside.items():
                    distance = float(judge.lpips(torch.where(mask > 0, to_float(to_uint8(x)), high), high).mean())
                    inside[name] = inside.get(name, 0.0) + distance / len(images)
            if len(tiles) < SHEET * (len(outcomes) + 2):
                nearest = F.interpolate(low, scale_factor=float(SCALE))
                tiles += [as_image(x) for x in (nearest, *outcomes.values(), high)]
        report.numbers["data"][data] = {"faces": len(images), **sums, "lpips_inside": inside}
        report.tables.append(table(data, len(images), sums))
        if inside:
            rows = [[name, as_cell(value, 4), as_cell(value / inside["bicubic"], 2)] for name, value in inside.items()]
            report.tables.append(markdown(["restored inside random shapes only", "LPIPS", SHARE], rows))
    report.sheets["faces"] = grid(np.stack(tiles), len(engines) + 3)
    report.notes.append(f"Columns of the sheet: input, bicubic, {', '.join(engines)}, original.")
    if judge is None:
        report.notes.append("LPIPS was not measured: it needs --teachers DIR.")
    return report


def bicubic(low: Tensor) -> Tensor:
    """(B, 3, h, w) -> (B, 3, 4h, 4w), clipped to [-1, 1]."""
    return F.interpolate(low, scale_factor=float(SCALE), mode="bicubic", align_corners=False).clamp(-1, 1)


def compare(x: Tensor, low: Tensor, high: Tensor, judge: Judge | None) -> dict[str, float]:
    """One picture (1, 3, 4h, 4w) against what it was made from and what it should be, all in [-1, 1].

    ``down_difference`` is the mean absolute difference of the down-scaled picture to the input, ``colour_shift`` the
    largest of the three channels' mean differences; both in grey levels of 255.
    """
    rounded = to_float(to_uint8(x))
    difference = (shrink(rounded) - low) * 127.5
    numbers = {
        "psnr_y": psnr_y(as_image(x), as_image(high)),
        "down_difference": float(difference.abs().mean()),
        "colour_shift": float(difference.mean(dim=(0, 2, 3)).abs().max()),
    }
    if judge is not None:
        numbers["lpips"] = float(judge.lpips(rounded, high).mean())
    return numbers


def as_image(x: Tensor) -> np.ndarray:
    """(1, 3, H, W) in [-1, 1] -> (H, W, 3) uint8."""
    return to_uint8(x)[0].permute(1, 2, 0).numpy()


def table(data: str, faces: int, sums: dict[str, dict[str, Any]]) -> str:
    """A row a method."""
    plain = sums["bicubic"]
    rows = []
    for name, n in sums.items():
        gain = "" if name == "bicubic" else f" ({n['psnr_y'] - plain['psnr_y']:+.2f})"
        distance = n.get("lpips", float("nan"))
        share = as_cell(distance / plain["lpips"], 2) if "lpips" in plain else "-"
        rows.append(
            [
                name,
                f"{n['psnr_y']:.2f}{gain}",
                as_cell(distance, 4),
                share,
                as_cell(n["down_difference"]),
                as_cell(n["colour_shift"]),
            ]
        )
    header = [
        f"{data}, {faces} faces",
        "PSNR-Y (dB)",
        "LPIPS",
        SHARE,
        "down-scaled to input (/255)",
        "colour shift (/255)",
    ]
    return markdown(header, rows)
