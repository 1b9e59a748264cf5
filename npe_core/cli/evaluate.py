"""npe evaluate: the numbers of the model card, options declared in ``npe_core.training.evaluation.options``."""

from __future__ import annotations

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, options_metavar="")
@click.argument(
    "arguments", nargs=-1, type=click.UNPROCESSED, metavar="diffusion|segmentation|super-resolution|mix ..."
)
def evaluate(arguments: tuple[str, ...]) -> None:
    """Measure a model on validation data, or the mix of training data: the very tables of the model card.

    \b
    npe evaluate diffusion --data val=clean/val.zip --data reference=clean/train.zip --teachers DIR
    npe evaluate segmentation --data pairs/val.zip --label-kind human --weights runs/segmentation
    npe evaluate super-resolution --data sharp/val.zip --weights runs/l1 --weights runs/gan --teachers DIR
    npe evaluate mix --data clean/train.zip
    """
    from npe_core.training.evaluation.command import command

    command(list(arguments) or ["--help"], "npe evaluate")
