"""What ``npe evaluate`` and ``python -m npe_core.training.evaluation`` have in common."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from npe_core.files import make_folder
from npe_core.streams import tell
from npe_core.training.evaluation.options import evaluation_parser, roles

if TYPE_CHECKING:
    from npe_core.device import DeviceChoice
    from npe_core.report import Report
    from npe_core.training.teachers import Judge

KIND_OF = {"diffusion": "denoiser", "segmentation": "segmenter", "super-resolution": "upscaler", "mix": "segmenter"}


def command(arguments: list[str], prog: str) -> None:
    """Parse, measure, print. Raises NpeError; SystemExit after ``--help``."""
    options = evaluation_parser(prog).parse_args(arguments)
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    if options.out is not None:
        make_folder(options.out)
    report = evaluate(options)
    try:
        tell(report.json() if options.json else report.text())
    finally:  # what was measured is to be had, whichever of the two places fails
        if options.out is not None:
            report.write(options.out)


def evaluate(options: argparse.Namespace) -> Report:
    """The measurement that the options ask for. Raises NpeError."""
    from npe_core.device import choose_device
    from npe_core.training.evaluation.subject import weights_with
    from npe_core.training.teachers import Judge

    choice = choose_device(options.device)
    directory = getattr(options, "teachers", None)
    judge = None if directory is None else Judge(directory, choice.device)
    with ExitStack() as stack:
        folders = {
            name: stack.enter_context(weights_with(KIND_OF[options.command], weights, options.ema))
            for name, weights in labels(options.weights or [None], options.ema).items()
        }
        report = _measure(options, choice, folders, judge)
    report.numbers["weights"] = list(folders)
    return report


def _measure(
    options: argparse.Namespace, choice: DeviceChoice, folders: dict[str, Path], judge: Judge | None
) -> Report:
    if options.command == "super-resolution":
        from npe_core.editor.engine import Engine
        from npe_core.training.evaluation.super_resolution import evaluate_super_resolution

        engines = {name: Engine(choice, folder) for name, folder in folders.items()}
        return evaluate_super_resolution(engines, options.data, judge, options.count)
    if options.command == "mix":
        from npe_core.editor.engine import Engine
        from npe_core.training.evaluation.mix import measure_mix

        return measure_mix(Engine(choice, next(iter(folders.values()))), options.data, options.count)
    from npe_core.editor import Editor

    editor = Editor(options.device, next(iter(folders.values())))
    if options.command == "segmentation":
        from npe_core.training.evaluation.segmentation import evaluate_segmentation

        return evaluate_segmentation(editor, options.data, options.label_kind, options.count, not options.quick)
    from npe_core.training.evaluation.diffusion import evaluate_diffusion

    sources = roles(options.data)
    return evaluate_diffusion(
        editor,
        sources["val"],
        sources.get("reference"),
        sources.get("edits"),
        judge,
        options.count,
        options.edits,
        options.steps,
        options.seed,
    )


def labels(chosen: list[Path | None], ema: str) -> dict[str, Path | None]:
    """What each of the measured weights is called in reports: short names, no two the same."""
    from npe_core.training.data import distinct

    names = (
        "released" if weights is None else f"{weights.name} ({ema})" if weights.is_dir() else weights.stem
        for weights in chosen
    )
    return dict(zip(distinct(names), chosen, strict=True))
