"""``python -m npe_core.training diffusion ...``: for machines that have torch, numpy, pillow and safetensors only."""

from __future__ import annotations

import sys

from npe_core.ending import leave_after


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    from npe_core.training.command import command

    return command(arguments, "python -m npe_core.training")


if __name__ == "__main__":
    leave_after(main, sys.argv[1:])
