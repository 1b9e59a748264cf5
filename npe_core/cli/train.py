"""npe train: the training harness, its options declared in ``npe_core.training.options``."""

from __future__ import annotations

import click

from npe_core.training.options import DESCRIPTION


@click.command(
    help=DESCRIPTION,
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    options_metavar="",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def train(arguments: tuple[str, ...]) -> int:
    """Hand all to argparse, its help too."""
    from npe_core.training.command import command

    return command(list(arguments) or ["--help"], "npe train")
