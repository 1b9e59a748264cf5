"""What ``npe train`` and ``python -m npe_core.training`` have in common: all but the way in."""

from __future__ import annotations

import sys

from npe_core.training.options import train_parser


def command(arguments: list[str], prog: str) -> None:
    """Parse and do. Raises NpeError; SystemExit after ``--help``."""
    options = train_parser(prog).parse_args(arguments)
    if options.command == "release":
        from npe_core.training.release import release

        entry = release(options.kind, options.run, options.ema, options.measured, options.data_name, options.weights)
        print(
            f"{entry.file}: sha256 {entry.sha256[:12]}, {entry.provenance['images_seen']} images seen", file=sys.stdout
        )
        return
    if options.command == "average":
        from npe_core.training.averaging import average

        print(average(options.runs, options.out, options.ema), file=sys.stdout)
        return
    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    if options.command == "label":
        from npe_core.training.labelling import label

        choices = options.size, options.count, options.device, options.seed
        print(f"{options.out}: {label(options.data, options.teachers, options.out, *choices)} pairs", file=sys.stdout)
        return
    from npe_core.training.run import train

    train(options)
