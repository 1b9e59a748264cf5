"""npe train: the training harness, its options declared in ``npe_core.training.options``."""

from __future__ import annotations

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    options_metavar="",
)
@click.argument(
    "arguments",
    nargs=-1,
    type=click.UNPROCESSED,
    metavar="diffusion|segmentation|super-resolution|label|average|release ...",
)
def train(arguments: tuple[str, ...]) -> None:
    """Train one of the three models, label pictures for the segmentation model, or release trained weights.

    \b
    npe train diffusion --data faces.zip=3 --data more.tar=1 --out runs/diffusion --minutes 9
    npe train super-resolution --data sharp.zip --out runs/gan --init runs/l1/ema_long.safetensors --teachers DIR
    npe train release denoiser runs/diffusion --measured numbers.json
    """
    from npe_core.training.command import command

    command(list(arguments) or ["--help"], "npe train")
