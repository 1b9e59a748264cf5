"""``python -m npe_core.training.evaluation diffusion ...``: measuring without the ``npe`` command."""

from __future__ import annotations

import sys

from npe_core.errors import NpeError
from npe_core.training.evaluation.command import command

if __name__ == "__main__":
    try:
        command(sys.argv[1:], "python -m npe_core.training.evaluation")
    except NpeError as error:
        print(f"npe: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
