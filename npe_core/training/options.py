"""The options of ``npe train`` and ``python -m npe_core.training``, declared once. Imports neither torch nor click."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from npe_core.errors import UsageError
from npe_core.streams import tell
from npe_core.training.recipe import PRESETS

DESCRIPTION = "Train one of the models, label pictures to train on, average runs, or release weights."
EXAMPLES = """\
diffusion --data faces.zip=3 --data more.tar=1 --out runs/diffusion --minutes 9
super-resolution --data sharp.zip --out runs/gan --init runs/l1/ema_long.safetensors --teachers DIR
release denoiser runs/diffusion --measured numbers.json
"""
HELP = {
    "diffusion": "The denoiser, on aligned faces; --teachers, --adversary, --paint and --rollout add stages.",
    "segmentation": "The 11 regions, on pairs images/NAME.* and masks/NAME.png, or those that label made.",
    "super-resolution": "128 -> 512, on sharp faces of 512 pixels; with --teachers the second stage.",
}
RELEASED = """\
The weights before keep their file, and
what brings them back is told; an upscaler_smooth that does not fit a new upscaler leaves with the old one."""
_AS_CLICK = {
    "usage: ": "Usage: ",
    "\npositional arguments:\n": "\nArguments:\n",
    "\noptions:\n": "\nOptions:\n",
    "show this help message and exit\n": "Show this message and exit.\n",
}
"""What argparse says in every help, and click says otherwise."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError instead of ending the process, and shows ``examples``, a command line in each line.

    Its help reads as that of the other commands, which is click's.
    """

    def __init__(self, *, examples: str = "", **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        lines = [f"  {self.prog} {line}" for line in examples.splitlines()]
        self.epilog = "\n".join(["Examples:", *lines]) if lines else None

    def format_help(self) -> str:
        text = super().format_help()
        for theirs, ours in _AS_CLICK.items():
            text = text.replace(theirs, ours, 1)
        return text

    def print_help(self, file: Any = None) -> None:
        tell(self.format_help().removesuffix("\n"))

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def train_parser(prog: str) -> argparse.ArgumentParser:
    """The parser; its namespace has ``command``: a model to train, ``label``, ``average`` or ``release``."""
    parser = Parser(prog=prog, description=DESCRIPTION, examples=EXAMPLES)
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="|".join([*HELP, "label", "average", "release"])
    )
    for model, text in HELP.items():
        _add_training(commands.add_parser(model, help=text, description=text), model)
    text = "Add what the face parser of a teachers folder believes to pairs, and masks to pictures that have none."
    _add_labelling(commands.add_parser("label", help=text, description=text))
    text = "Average the weights of several runs that began at the same weights, as a run of its own."
    _add_averaging(commands.add_parser("average", help=text, description=text))
    text = "Use averaged weights of a run: copy them into the weights folder and its manifest."
    _add_release(commands.add_parser("release", help=text, description=f"{text} {RELEASED}"))
    return parser


def _add_training(parser: argparse.ArgumentParser, model: str) -> None:
    add = parser.add_argument
    add("--data", action="append", required=True, metavar="SRC[=WEIGHT]", help="folder, .tar, .zip or .npz; repeatable")
    add("--out", type=Path, required=True, metavar="DIR", help="the run's folder; a checkpoint there is resumed")
    add("--minutes", type=positive(float), metavar="M", help="stop after so many minutes, reading the data included")
    add("--images", type=positive(int), metavar="N", help="images seen at the end of the whole run")
    add("--preset", choices=sorted(PRESETS[model]), default="default", help="recipe (default: %(default)s)")
    add("--batch", type=positive(int), metavar="B", help="images a step, over all processes")
    add("--lr", type=positive(float), metavar="LR", help="learning rate")
    add("--seed", type=seed, metavar="N", help="seed of weights and draws")
    add("--init", type=Path, metavar="RUN", help="start from a run's folder, from exported weights or their pieces")
    add("--config", action="append", default=[], metavar="KEY=VALUE", help="architecture, e.g. mults=1,2,4; repeatable")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    add("--threads", type=positive(int), metavar="N", help="CPU threads")
    add(
        "--save-minutes",
        type=positive(float),
        default=5.0,
        metavar="M",
        help="between checkpoints (default: %(default)s)",
    )
    add("--pieces", type=positive(float), metavar="MB", help="also cut the exported weights into files of that size")
    if model == "diffusion":
        text = "faces of 256 pixels or more, for parts of faces among the examples; repeatable"
        add("--larger", action="append", metavar="SRC[=WEIGHT]", help=text)
        add("--teachers", type=Path, metavar="DIR", help="folder of teachers.py: adds LPIPS (stage 2)")
        text = "weight of an adversary on the same features, at low timesteps (stage 3; default: none)"
        add("--adversary", type=positive(float), metavar="WEIGHT", help=text)
        text = "so many of the parts above t = 150 are rough paint (stage 3, with surroundings; default: none)"
        add("--paint", type=share, metavar="SHARE", help=text)
        text = "so many of the examples go on from what the model made a call before (stage 4, with surroundings)"
        add("--rollout", type=share, metavar="SHARE", help=text)
        text = "of so many of the faces nothing is known, the others are parts (with surroundings; default: 0.4)"
        add("--whole", type=share, metavar="SHARE", help=text)
        text = "a run or exported weights of a weaker denoiser, to move away from (stage 2)"
        add("--guide", type=Path, metavar="RUN", help=text)
    if model == "super-resolution":
        add("--teachers", type=Path, metavar="DIR", help="folder of teachers.py: adds LPIPS and an adversary (stage 2)")
        add("--lpips", type=positive(float), metavar="WEIGHT", help="weight of LPIPS, L1 has 1 (stage 2; default: 1)")
        text = "a run or exported weights of a denoiser: a quarter of the small pictures are what it makes of the faces"
        add("--denoiser", type=Path, metavar="RUN", help=text)
        add("--patch", type=positive(int), default=128, metavar="PX", help="side of the patches (default: %(default)s)")


def _add_labelling(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--data",
        action="append",
        type=Path,
        required=True,
        metavar="SRC",
        help="folder, .tar, .zip or .npz; repeatable",
    )
    add("--teachers", type=Path, required=True, metavar="DIR", help="folder of teachers.py")
    add("--out", type=Path, required=True, metavar="FILE.npz", help="where the pairs go, for --data of segmentation")
    add("--count", type=positive(int), metavar="N", help="at most so many pictures of each source, drawn at random")
    text = "side of the pairs, a multiple of 4 (default: %(default)s)"
    add("--size", type=side, default=256, metavar="PX", help=text)
    add("--seed", type=seed, default=0, metavar="N", help="of the drawing")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    add("--threads", type=positive(int), metavar="N", help="CPU threads")
    add("--force", action="store_true", help="overwrite FILE.npz if it exists")


def _add_averaging(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    text = "a run's folder or a .safetensors file; shares are relative (default: 1)"
    add("runs", nargs="+", metavar="RUN[=SHARE]", help=text)
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the average")
    add("--ema", choices=["short", "long"], default="long", help="which average of each run (default: %(default)s)")
    add("--force", action="store_true", help="overwrite the average in DIR if there is one")


def _add_release(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    kinds = ["denoiser", "denoiser_coarse", "segmenter", "upscaler", "upscaler_smooth"]
    text = "denoiser, segmenter, upscaler, denoiser_coarse (lays samples out), or upscaler_smooth (its stage 1)"
    add("kind", choices=kinds, metavar="KIND", help=text)
    add("run", type=Path, metavar="RUN_DIR", help="a run's folder")
    add("--ema", choices=["short", "long"], default="long", help="which average (default: %(default)s)")
    add("--measured", type=Path, metavar="FILE", help="JSON that npe evaluate wrote; goes into the manifest")
    add("--data-name", action="append", metavar="NAME", help="data of runs that did not note it; repeatable")
    text = "weights folder (default: $NPE_WEIGHTS, else weights/ of a clone, else that of the installed package)"
    add("--weights", type=Path, metavar="DIR", help=text)
    add("--replace", action="store_true", help="delete the file of the weights before: for a folder that is to ship")


def share(text: str) -> float:
    """An argparse type: a number above 0, at most 1."""
    value = float(text)
    if not 0 < value <= 1:
        raise ValueError(text)
    return value


def whole(text: str) -> int:
    """An argparse type: a whole number from 0."""
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


def seed(text: str) -> int:
    """An argparse type: what random generators take."""
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError(text)
    return value


def side(text: str) -> int:
    """An argparse type: a side of pairs, of which beliefs have a fourth."""
    value = int(text)
    if value <= 0 or value % 4:
        raise ValueError(text)
    return value


side.__name__ = "multiple of 4"


def positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    """An argparse type: a number above 0."""

    def number(text: str) -> float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError(text)
        return value

    number.__name__ = "number above 0"
    return number
