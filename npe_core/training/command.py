"""What ``npe train`` and ``python -m npe_core.training`` have in common: all but the way in."""

from __future__ import annotations

import argparse

from npe_core.streams import tell
from npe_core.training.options import train_parser


def command(arguments: list[str], prog: str) -> int:
    """Parse and do; returns the exit code. Raises NpeError; SystemExit after ``--help``."""
    options = train_parser(prog).parse_args(arguments)
    if options.command == "release":
        _release(options)
        return 0
    if options.command == "average":
        from npe_core.training.averaging import average

        tell(str(average(options.runs, options.out, options.ema, options.force)))
        return 0
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    if options.command == "label":
        from npe_core.training.labelling import label

        choices = options.size, options.count, options.device, options.seed, options.force
        tell(f"{options.out}: {label(options.data, options.teachers, options.out, *choices)} pairs")
        return 0
    from npe_core.training.run import train

    return train(options)


def _release(options: argparse.Namespace) -> None:
    from npe_core.models.importing import way_back
    from npe_core.training.release import release, release_folder

    folder = options.weights or release_folder()
    entry = release(
        options.kind,
        options.run,
        options.ema,
        options.measured,
        options.data_name,
        folder,
        replace=options.replace,
    )
    seen = entry.provenance.get("images_seen")
    images = "" if seen is None else f", {seen} images seen"
    tell(f"{folder / entry.file} is now the {entry.kind}: sha256 {entry.sha256[:12]}{images}")
    back = None if options.replace else way_back(entry.kind, folder)
    if back is not None:
        tell(f"The weights before keep their file. To go back: {back}")
