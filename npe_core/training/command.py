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
    from npe_core.training.run import train

    train(options)
