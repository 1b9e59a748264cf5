"""npe tui: the terminal editor, which ``npe`` without arguments starts too."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from npe_core.cli import options
from npe_core.cli.options import DEVICES, PHOTO, Device
from npe_core.errors import UsageError


def has_terminal() -> bool:
    """Whether there is a person at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@click.command()
@click.argument("photo", type=PHOTO, required=False)
@click.option("--device", type=Device(), help=f"{DEVICES}.  [default: as set, else auto]")
@options.megapixels_option(None)
def tui(photo: Path | None, device: str | None, max_megapixels: float | None) -> int:
    """Edit PHOTO in the terminal; without PHOTO, or where it is a folder, choose one there.

    Pick regions or paint, choose colour and strength, enhance, compare, save. F1 shows all keys, Ctrl+P every command.
    """
    if not has_terminal():
        raise UsageError("The terminal editor needs a terminal; input or output is none. Use npe edit PHOTO -o OUT.")
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        raise UsageError(
            f"The terminal editor cannot draw on TERM={os.environ.get('TERM', '')}: it cannot move the cursor. "
            "Set TERM, or use npe edit PHOTO -o OUT."
        )

    from npe_tui.app import run

    return run(photo, device, max_megapixels)
