"""The denoiser: how its samples are spread compared with real faces, and the sheets to look at."""

from __future__ import annotations

import torch
from torch import Tensor

from npe_core.editor import Editor
from npe_core.report import Report, as_cell, markdown
from npe_core.sheets import grid
from npe_core.training.data import parse_source, source_name
from npe_core.training.evaluation.denoising import denoising_table, measure_denoising
from npe_core.training.evaluation.edits import TIMESTEP, edit_table, measure_edits, timestep_sheet
from npe_core.training.evaluation.faces import read_faces
from npe_core.training.evaluation.features import feature_table, measure_features
from npe_core.training.evaluation.painting import measure_painting, painting_table
from npe_core.training.reading import drawn, read_images
from npe_core.training.teachers import Judge

DENOISED = 32
"""Faces of val on which single predictions are measured, and paint that is brought back."""
FEATURED = 32
"""Labelled faces whose eyes, nose and mouth are painted and brought back."""


def evaluate_diffusion(
    editor: Editor,
    val: str,
    reference: str | None = None,
    edits: str | None = None,
    judge: Judge | None = None,
    count: int | None = None,
    edit_count: int = 50,
    steps: int = 20,
    seed: int = 0,
) -> Report:
    """Measure the editor's denoiser. Raises InputError, WeightsError.

    val: faces that are denoised, brought back from rough paint, and that samples are compared with. reference: other
    real faces, the floor of that comparison. edits: faces to edit (default: val), with masks where the source has them;
    of those the features are painted and brought back as well.
    count: how many samples, against as many faces of val (default: all; 0 leaves samples out). Fewer faces than there
    are, here and of edits, are drawn at random: a set may be stored source by source. Without ``judge`` neither VGG-FD
    nor LPIPS is measured.
    """
    side = editor.engine.image_size
    path = parse_source(val)[0]
    report = Report({"model": "denoiser", "val": source_name(path)})
    faces = read_images(path, side, drawn(None, seed))
    report.numbers["denoising"] = measure_denoising(editor.engine, faces[:DENOISED], judge)
    report.tables.append(denoising_table(report.numbers["denoising"]))
    report.numbers["painting"] = measure_painting(editor.engine, faces[:DENOISED], report.sheets, judge)
    report.tables.append(painting_table(report.numbers["painting"]))
    if count != 0:
        count = len(faces) if count is None else min(count, len(faces))
        samples = editor.sample(count, steps=steps, seed=seed)
        report.sheets["samples"] = grid(samples[:64], 8)
        others = None if reference is None else read_images(parse_source(reference)[0], side, drawn(count, seed))
        if judge is None:
            report.notes.append("VGG-FD was not measured: it needs --teachers DIR.")
        elif min(count, count if others is None else len(others)) < 2:
            report.notes.append("VGG-FD was not measured: it needs two faces or more on either side.")
        else:
            compare_spread(report, judge, faces[:count], torch.from_numpy(samples).permute(0, 3, 1, 2), others)
    if edit_count:
        edited = read_faces(parse_source(edits or val)[0], side, drawn(edit_count, seed))
        report.numbers["edits"] = measure_edits(editor, edited, report.sheets, judge)
        report.numbers["edits"]["data"] = source_name(parse_source(edits or val)[0])
        report.tables.append(edit_table(report.numbers["edits"]))
        timesteps = timestep_sheet(editor, edited[:8])
        if timesteps is not None:
            report.sheets["timesteps"] = timesteps
        labelled = edited[0].ids is not None
        if labelled:
            report.numbers["features"] = measure_features(editor, edited[:FEATURED], report.sheets, judge)
            report.tables.append(feature_table(report.numbers["features"]))
        regions = "the labels" if labelled else "the segmenter"
        report.notes.append(f"Edits at t = {TIMESTEP} on {len(edited)} faces; the regions are those of {regions}.")
    return report


def compare_spread(report: Report, judge: Judge, val: Tensor, samples: Tensor, others: Tensor | None) -> None:
    """VGG-FD of the samples to val, and of as many other real faces; uint8 (N, 3, S, S) each.

    It grows as sets shrink: where there are fewer others, it is of fewer samples and faces of val too.
    """
    if others is not None and len(others) < len(samples):
        report.notes.append(
            f"VGG-FD is of {len(others)} samples, not of {len(samples)}: the reference has no more faces."
        )
        val, samples = val[: len(others)], samples[: len(others)]
    numbers = {"count": len(samples), "samples": judge.vgg_fd(val, samples)}
    rows = [[f"VGG-FD of {len(samples)} samples", as_cell(numbers["samples"], 2)]]
    if others is not None:
        numbers["other_real"] = judge.vgg_fd(val, others)
        numbers["ratio"] = numbers["samples"] / numbers["other_real"]
        rows.append([f"VGG-FD of {len(others)} other real faces", as_cell(numbers["other_real"], 2)])
        rows.append(["ratio", as_cell(numbers["ratio"], 2)])
    report.numbers["vgg_fd"] = numbers
    report.tables.append(markdown([f"against {len(val)} faces of {report.numbers['val']}", "value"], rows))
