"""``python -m npe_core.training.evaluation diffusion ...``: measuring without the ``npe`` command."""

from __future__ import annotations

import sys

from npe_core.ending import leave_after


def main(arguments: list[str]) -> None:
    """Run the command line."""
    from npe_core.training.evaluation.command import command

    command(arguments, "python -m npe_core.training.evaluation")


if __name__ == "__main__":
    leave_after(main, sys.argv[1:])
