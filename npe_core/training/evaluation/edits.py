"""Edits of the product itself on validation faces: is the region what was asked for, and the rest what it was?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from npe_core.colour import parse_colour
from npe_core.editor import Editor
from npe_core.errors import InputError
from npe_core.report import as_cell, markdown, told
from npe_core.sheets import grid
from npe_core.training.data import to_float
from npe_core.training.evaluation.faces import LabelledFace
from npe_core.training.evaluation.metrics import cie76
from npe_core.training.teachers import Judge

REQUESTS = {"hair": "#8b2500", "lips": "#b00020", "eyes": "#2e6fb0", "skin": "#c68642"}
"""Region -> the colour that is asked for."""
TIMESTEP = 300
TIMESTEPS = (100, 200, 300, 350, 400, 450)
TILE = 128


def measure_edits(
    editor: Editor, faces: list[LabelledFace], sheets: dict[str, np.ndarray], judge: Judge | None = None
) -> dict[str, Any]:
    """Every request on every face at t = 300; adds the sheet ``edits`` of the first eight.

    By region: ``cie76`` is the mean distance of the region's pixels to the request (``painted``: that of the rough
    paint before the diffusion), ``cie76_of_mean`` that of the region's mean colour. ``changed_outside`` counts pixels
    that changed though their mask is 0.
    """
    found: dict[str, list[dict[str, float]]] = {region: [] for region in REQUESTS}
    tiles: list[np.ndarray] = []
    for number, face in enumerate(told(faces, "editing")):
        row = [face.image]
        for region, colour in REQUESTS.items():
            outcome = edit_once(editor, face, region, colour, TIMESTEP, seed=number)
            row.append(np.full_like(face.image, 255) if outcome is None else outcome[0])
            if outcome is not None:
                found[region].append(compare(face.image, *outcome, parse_colour(colour), judge))
        if number < 8:
            tiles += [tile(image) for image in row]
    sheets["edits"] = grid(np.stack(tiles), len(REQUESTS) + 1)
    keys = sorted({key for rows in found.values() for numbers in rows for key in numbers})
    return {
        "timestep": TIMESTEP,
        "faces": len(faces),
        "regions": {
            region: {
                "colour": REQUESTS[region],
                "edits": len(rows),
                **{k: float(np.mean([r[k] for r in rows])) for k in keys},
            }
            for region, rows in found.items()
            if rows
        },
    }


Outcome = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def edit_once(editor: Editor, face: LabelledFace, region: str, colour: str, timestep: int, seed: int) -> Outcome | None:
    """(result, guide (H, W, 3), region, may have changed (H, W) bool), or None on a face without that region."""
    photo, choice, canvas = face.canvas(editor)
    try:
        canvas.fill(region, colour)
        result = editor.edit(photo, canvas, timestep=timestep, seed=seed, choice=choice, upscale=False)
    except InputError:  # the face has no such region
        return None
    inside = (canvas.mask >= 0.5) & canvas.painted
    if not inside.any():
        return None
    return result.image, canvas.guide.copy(), inside, result.mask > 0


def compare(
    original: np.ndarray,
    image: np.ndarray,
    guide: np.ndarray,
    inside: np.ndarray,
    open_: np.ndarray,
    colour: tuple[int, int, int],
    judge: Judge | None,
) -> dict[str, float]:
    """The numbers of one edit."""
    mean = np.rint(image[inside].mean(axis=0)).astype(np.uint8)
    numbers = {
        "cie76": float(cie76(image[inside], colour).mean()),
        "cie76_of_mean": float(cie76(mean, colour)),
        "painted": float(cie76(guide[inside], colour).mean()),
        "changed_outside": float(np.count_nonzero((image != original).any(axis=-1) & ~open_)),
    }
    if judge is not None:
        kept = np.where(open_[..., None], original, image)  # the edit, with the inside of its mask put back
        pair = to_float(torch.from_numpy(np.stack([original, kept])).permute(0, 3, 1, 2))
        numbers["lpips_outside"] = float(judge.lpips(pair[:1], pair[1:]))
    return numbers


def timestep_sheet(editor: Editor, faces: list[LabelledFace]) -> np.ndarray | None:
    """A row a face: original, painted, and the masked edit of its hair at each of ``TIMESTEPS``; (H, W, 3) uint8.

    None where no face has hair.
    """
    tiles = []
    for number, face in enumerate(told(faces, "timesteps")):
        outcomes = [edit_once(editor, face, "hair", REQUESTS["hair"], t, seed=number) for t in TIMESTEPS]
        results = [o for o in outcomes if o is not None]
        if len(results) == len(TIMESTEPS):
            tiles += [tile(image) for image in (face.image, results[0][1], *(o[0] for o in results))]
    return None if not tiles else grid(np.stack(tiles), len(TIMESTEPS) + 2)


def tile(image: np.ndarray) -> np.ndarray:
    """(S, S, 3) -> (128, 128, 3) uint8."""
    return np.asarray(Image.fromarray(image).resize((TILE, TILE), Image.Resampling.LANCZOS))


def edit_table(numbers: dict[str, Any]) -> str:
    """A row a region."""
    rows = [
        [
            f"{region} -> {n['colour']}",
            str(n["edits"]),
            as_cell(n["cie76"], 1),
            as_cell(n["painted"], 1),
            as_cell(n["cie76_of_mean"], 1),
            as_cell(n["changed_outside"], 0),
            as_cell(n.get("lpips_outside", float("nan")), 4),
        ]
        for region, n in numbers["regions"].items()
    ]
    header = [
        "edit",
        "faces",
        "CIE76 to the request",
        "paint alone",
        "of the mean colour",
        "pixels changed outside",
        "LPIPS outside",
    ]
    return markdown(header, rows)
