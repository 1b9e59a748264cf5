"""``python -m npe_core.training diffusion ...``: for machines that have torch, numpy, pillow and safetensors only."""

from __future__ import annotations

import sys

from npe_core.errors import NpeError
from npe_core.training.command import command


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        return command(sys.argv[1:], "python -m npe_core.training")
    except NpeError as error:
        print(f"npe: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
