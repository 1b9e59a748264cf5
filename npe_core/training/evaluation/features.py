"""Eyes, noses and mouths of real faces, painted roughly and brought back by the product at the photo's resolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from npe_core.canvas.boxes import Box, box_of, cut
from npe_core.canvas.morphology import dilate
from npe_core.editor import Editor
from npe_core.editor.framing import CROP
from npe_core.models.upscaler import SCALE
from npe_core.regions import region_by_name
from npe_core.report import as_cell, markdown, told
from npe_core.sheets import grid
from npe_core.training.augment import rough_paint
from npe_core.training.data import to_float, to_uint8
from npe_core.training.evaluation.edits import tile
from npe_core.training.evaluation.faces import LabelledFace
from npe_core.training.teachers import Judge

FEATURES = {"eyes": ("eyes",), "nose": ("nose",), "mouth": ("lips", "mouth")}
"""What is painted anew -> the regions that it is made of."""
TIMESTEPS = (250, 350)
AROUND = 0.03
"""What is painted is so much wider than the regions, in sides of the picture."""
LEAST = 0.0005
"""A feature with a smaller share of the picture is hardly to be seen."""
WINDOW = 0.375
"""Side of the square in which edit and face are compared, in sides of the picture."""
COARSE = 128
"""The paint is made at this size: nobody paints finer."""


def measure_features(
    editor: Editor, faces: list[LabelledFace], sheets: dict[str, np.ndarray], judge: Judge | None = None
) -> dict[str, Any]:
    """Edits of labelled faces with rough paint of their own features.

    By feature the root mean square difference of edit and face around it ([-1, 1]), with a judge their LPIPS, by
    timestep; the same of the paint alone. Adds the sheet "features": face, paint and edits of the first twelve. A
    denoiser of another side than the editor's is measured without super-resolution, which is laid out for that one.
    """
    upscale = editor.engine.image_size * SCALE == CROP
    rng = torch.Generator().manual_seed(0)
    found: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in FEATURES}
    tiles: list[np.ndarray] = []
    for number, face in enumerate(told(faces, "features")):
        for name, regions in FEATURES.items():
            marked = mask_of(face, regions)
            if marked is None:
                continue
            photo, choice, canvas = face.canvas(editor)
            canvas.paint_image(painted_anew(face.image, marked, rng), marked)
            pictures = {"paint": canvas.guide.copy()}
            for t in TIMESTEPS:
                result = editor.edit(photo, canvas, timestep=t, seed=number, choice=choice, upscale=upscale)
                pictures[str(t)] = result.image
            around = cut(window_around(marked))
            found[name].append({key: compare(face.image[around], x[around], judge) for key, x in pictures.items()})
            if len(tiles) < 12 * (len(TIMESTEPS) + 2):
                tiles += [tile(x[around]) for x in (face.image, *pictures.values())]
    if tiles:
        sheets["features"] = grid(np.stack(tiles), 2 * (len(TIMESTEPS) + 2))
    return {
        name: {"faces": len(rows), **{key: mean([row[key] for row in rows]) for key in rows[0]}}
        for name, rows in found.items()
        if rows
    }


def mask_of(face: LabelledFace, regions: tuple[str, ...]) -> np.ndarray | None:
    """(S, S) uint8, 255 on the regions and a little around them; None where there is hardly any of them."""
    assert face.ids is not None, "only labelled faces have features"
    inside = np.isin(face.ids, [region_by_name(name).id for name in regions])
    if inside.mean() < LEAST:
        return None
    return dilate(inside.astype(np.uint8) * 255, AROUND * len(inside))


def painted_anew(image: np.ndarray, marked: np.ndarray, rng: torch.Generator) -> np.ndarray:
    """(S, S, 3) uint8: a few flat colours where ``marked`` (S, S) is above 0, as somebody would paint what is there."""
    x = to_float(as_batch(image))
    small = F.interpolate(x, size=(COARSE, COARSE), mode="bicubic", antialias=True).clamp(-1, 1)
    mask = F.adaptive_max_pool2d(torch.from_numpy((marked > 0).astype(np.float32))[None, None], COARSE)
    paint = F.interpolate(rough_paint(small, mask, rng), size=image.shape[:2], mode="nearest")
    return to_uint8(paint)[0].permute(1, 2, 0).numpy()


def window_around(marked: np.ndarray) -> Box:
    """The square around what is marked, inside the picture."""
    side = round(WINDOW * len(marked))
    x0, y0, x1, y1 = box_of(marked) or (0, 0, 0, 0)
    left, top = (min(max((a + b - side) // 2, 0), len(marked) - side) for a, b in ((x0, x1), (y0, y1)))
    return left, top, left + side, top + side


def compare(face: np.ndarray, edited: np.ndarray, judge: Judge | None) -> dict[str, float]:
    """``rmse`` of two pictures (H, W, 3) uint8, and ``lpips`` where there is a judge."""
    a, b = (to_float(as_batch(x)) for x in (face, edited))
    numbers = {"rmse": float((a - b).square().mean()) ** 0.5}
    return numbers if judge is None else numbers | {"lpips": float(judge.lpips(b, a))}


def as_batch(image: np.ndarray) -> Tensor:
    """(H, W, 3) -> (1, 3, H, W)"""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """Each number's mean."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def feature_table(numbers: dict[str, Any]) -> str:
    """A row a feature; the paint alone, then a column a timestep."""
    measure = "lpips" if any("lpips" in n["paint"] for n in numbers.values()) else "rmse"
    columns = ["paint", *map(str, TIMESTEPS)]
    rows = [[name, str(n["faces"]), *(as_cell(n[key][measure], 4) for key in columns)] for name, n in numbers.items()]
    header = [f"{measure.upper()} around rough paint", "faces", "alone", *(f"t = {t}" for t in TIMESTEPS)]
    return markdown(header, rows)
