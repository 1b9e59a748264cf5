"""``python -m npe_core``: the same as ``npe``."""

from npe_core.cli import main

main()
