"""The regions that the editor finds on labelled faces: IoU by region and group, and what a badly placed crop costs."""

from __future__ import annotations

import csv
import dataclasses
import math
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from npe_core.editor import Editor
from npe_core.editor.engine import to_images
from npe_core.errors import InputError
from npe_core.photo import Photo
from npe_core.regions import LEGEND, REGIONS
from npe_core.report import Report, as_cell, markdown, told
from npe_core.sheets import grid
from npe_core.training.augment import warp
from npe_core.training.data import distinct, parse_source, source_name, to_float
from npe_core.training.evaluation.groups import groups_of
from npe_core.training.evaluation.metrics import confusion, f1, foreground_mean, iou
from npe_core.training.reading import UNKNOWN, count_unpaired, drawn, read_pairs

SHIFTS = ((0.05, 0.0), (-0.05, 0.0), (0.0, 0.05), (0.0, -0.05))
"""Shares of the side, right and down."""
ROTATIONS = (10.0, -10.0)
"""Degrees."""
WORST = 8
SHEET = 32
"""Faces of the sheet."""
GROUPINGS = ("label_kind", "source", "skin", "glasses", "pose")


@dataclass(frozen=True)
class Labelled:
    """One validation set."""

    name: str
    images: Tensor
    """(N, 3, S, S) uint8"""
    ids: Tensor
    """(N, S, S) uint8, 255 = unknown"""
    groups: list[dict[str, str]]
    """Of each face what its labels tell, and label_kind and source where an index.csv beside the data says them."""


def read_labelled(path: Path, size: int, label_kind: str | None, count: int | None) -> Labelled:
    """Pairs of a source, only those of a label kind where one is asked for, or ``count`` of these, drawn at random.

    Raises InputError when none are left.
    """
    images, ids, names = read_pairs(path, size)
    index = read_index(path.parent / "index.csv")
    groups = [index.get(name) or index.get(PurePosixPath(name).name, {}) for name in names]
    kept = [i for i, g in enumerate(groups) if label_kind is None or g.get("label_kind") == label_kind]
    kept = [kept[i] for i in sorted(drawn(count, seed=0)(len(kept)))]
    if not kept:
        raise InputError(f"{path} has no faces of label_kind {label_kind} (by the index.csv beside it). Name another.")
    name = source_name(path) + (f" ({label_kind})" if label_kind else "")
    images, ids = images[kept], ids[kept]
    seen = [groups_of(*one) for one in zip(images.permute(0, 2, 3, 1).numpy(), ids.numpy(), strict=True)]
    return Labelled(name, images, ids, [groups[i] | own for i, own in zip(kept, seen, strict=True)])


def read_index(path: Path) -> dict[str, dict[str, str]]:
    """Name of a face (without suffix; with its folders, and without where one face has it) -> label_kind and source.

    Raises InputError for a file that does not read as a table.
    """
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} does not read as a table ({error}). Save it as CSV in UTF-8.") from None
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        name = PurePosixPath(row.get("image") or row.get("name") or "")
        known = {key: row[key] for key in ("label_kind", "source") if row.get(key)}
        for called in {str(name.parent / name.stem).removeprefix("images/"), name.stem}:
            found.setdefault(called, []).append(known)
    return {name: faces[0] for name, faces in found.items() if len(faces) == 1}


def evaluate_segmentation(
    editor: Editor, sources: list[str], label_kind: str | None = None, count: int | None = None, robust: bool = True
) -> Report:
    """Measure the editor's segmentation on every source; ``robust`` adds shifted and turned crops.

    Raises InputError.
    """
    paths = [parse_source(text)[0] for text in sources]
    sets = [read_labelled(path, editor.engine.segment_size, label_kind, count) for path in paths]
    names = distinct(labelled.name for labelled in sets)
    sets = [dataclasses.replace(labelled, name=name) for labelled, name in zip(sets, names, strict=True)]
    files = distinct("faces_" + re.sub(r"[^\w-]+", "_", name).strip("_") for name in names)
    report = Report({"model": "segmenter", "data": {}})
    for labelled, path, file in zip(sets, paths, files, strict=True):
        predicted = predict(editor, to_float(labelled.images))
        report.numbers["data"][labelled.name] = measure(editor, labelled, predicted, robust)
        report.sheets[file] = sheet(labelled, predicted)
        absent = [r.name for r in REGIONS[1:] if not bool((labelled.ids == r.id).any())]
        if absent:
            report.notes.append(f"{labelled.name}: nothing is labelled {', '.join(absent)}; left out of the mean.")
        if unpaired := count_unpaired(path):
            report.notes.append(f"{labelled.name}: pictures without a mask were left out: {unpaired}.")
    report.tables += tables(report.numbers["data"])
    return report


def predict(editor: Editor, x: Tensor) -> np.ndarray:
    """x (N, 3, S, S) in [-1, 1] -> (N, S, S) uint8 region ids."""
    photos = [Photo.from_array(image) for image in to_images(x)]
    return np.stack([editor.segment(p, editor.choose(p, aligned=True)).ids for p in told(photos, "segmenting")])


def measure(editor: Editor, labelled: Labelled, predicted: np.ndarray, robust: bool) -> dict[str, Any]:
    """All numbers of one set."""
    truth = labelled.ids.numpy()
    matrix = confusion(truth, predicted)
    numbers: dict[str, Any] = {
        "faces": len(truth),
        "mean_iou": foreground_mean(iou(matrix)),
        "mean_f1": foreground_mean(f1(matrix)),
        "iou": {region.name: float(iou(matrix)[region.id]) for region in REGIONS},
    }
    for key in GROUPINGS:
        values = sorted({group[key] for group in labelled.groups if key in group})
        if len(values) > 1:
            chosen = {v: [i for i, g in enumerate(labelled.groups) if g.get(key) == v] for v in values}
            numbers[f"mean_iou_by_{key}"] = {
                value: foreground_mean(iou(confusion(truth[rows], predicted[rows]))) for value, rows in chosen.items()
            }
            numbers[f"faces_by_{key}"] = {value: len(rows) for value, rows in chosen.items()}
    if robust:
        maps = {"shift": [affine(0, *shift) for shift in SHIFTS], "rotation": [affine(a) for a in ROTATIONS]}
        for name, thetas in maps.items():
            moved = float(np.mean([_moved_iou(editor, labelled, theta) for theta in thetas]))
            numbers[f"{name}_loss"] = numbers["mean_iou"] - moved
    return numbers


def affine(degrees: float, right: float = 0.0, down: float = 0.0) -> Tensor:
    """(2, 3) map for ``augment.warp``: the picture turned and moved by shares of its side."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[cos, -sin, -2 * right], [sin, cos, -2 * down]], dtype=torch.float32)


def _moved_iou(editor: Editor, labelled: Labelled, theta: Tensor) -> float:
    x, ids = warp(to_float(labelled.images), labelled.ids, theta.expand(len(labelled.ids), 2, 3))
    return foreground_mean(iou(confusion(ids.numpy(), predict(editor, x))))


def sheet(labelled: Labelled, predicted: np.ndarray) -> np.ndarray:
    """Face, labels, prediction at 128 pixels, four faces a row: the worst eight first, then others evenly spread."""
    truth = labelled.ids.numpy()
    pairs = zip(truth, predicted, strict=True)
    worst_first = np.argsort([foreground_mean(iou(confusion(t, p))) for t, p in pairs], kind="stable").tolist()
    rest = sorted(worst_first[WORST:])
    spread = rest[:: max(1, len(rest) // (SHEET - WORST))][: SHEET - WORST]
    step = max(1, truth.shape[-1] // 128)
    tiles = []
    for i in worst_first[:WORST] + spread:
        drawn = np.where(
            (truth[i] == UNKNOWN)[..., None], np.uint8(255), LEGEND[np.where(truth[i] == UNKNOWN, 0, truth[i])]
        )
        tiles += [labelled.images[i].permute(1, 2, 0).numpy(), drawn, LEGEND[predicted[i]]]
    return grid(np.stack(tiles)[:, ::step, ::step], 12)


def tables(data: dict[str, dict[str, Any]]) -> list[str]:
    """One column a set; then one table a set and grouping."""
    rows = [["mean IoU, 10 regions", *(as_cell(n["mean_iou"]) for n in data.values())]]
    rows += [["mean F1, 10 regions", *(as_cell(n["mean_f1"]) for n in data.values())]]
    rows += [[region.name, *(as_cell(n["iou"][region.name]) for n in data.values())] for region in REGIONS]
    for name, text in (("shift_loss", "lost by a shift of 5 %"), ("rotation_loss", "lost by a rotation of 10 degrees")):
        if all(name in n for n in data.values()):
            rows.append([text, *(as_cell(n[name]) for n in data.values())])
    rows.append(["faces", *(str(n["faces"]) for n in data.values())])
    found = [markdown(["IoU", *data], rows)]
    for name, numbers in data.items():
        for key in GROUPINGS:
            by, faces = (numbers.get(f"{what}_by_{key}", {}) for what in ("mean_iou", "faces"))
            if by:
                lines = [[value, str(faces[value]), as_cell(v)] for value, v in by.items()]
                found.append(markdown([f"{name}, {key}", "faces", "mean IoU"], lines))
    return found
