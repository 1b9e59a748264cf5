"""The options of ``npe evaluate`` and ``python -m npe_core.training.evaluation``. Imports neither torch nor click."""

from __future__ import annotations

import argparse
from pathlib import Path

from npe_core.errors import UsageError
from npe_core.training.options import Parser, positive, seed, whole

DESCRIPTION = "Measure one of the models on validation data, or the mix of faces in training data."
EXAMPLES = """\
diffusion --data val=clean/val.zip --data reference=clean/train.zip --teachers DIR
segmentation --data pairs/val.zip --label-kind human --weights runs/segmentation
super-resolution --data sharp/val.zip --weights runs/l1 --weights runs/gan --teachers DIR
mix --data clean/train.zip
"""
HELP = {
    "diffusion": "Samples against real faces (VGG-FD), edits of the product, sheets.",
    "segmentation": "IoU of the 11 regions on labelled faces.",
    "super-resolution": "PSNR-Y and LPIPS beside bicubic, on faces of 512 pixels.",
    "mix": "What faces are in training data: shares by skin, glasses and pose, as the segmentation model sees them.",
}
MIX_COUNT = 400


def evaluation_parser(prog: str) -> argparse.ArgumentParser:
    """The parser; its namespace has ``command``, the model or ``mix``."""
    parser = Parser(prog=prog, description=DESCRIPTION, examples=EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True, metavar="|".join(HELP))
    for model, text in HELP.items():
        one = commands.add_parser(model, help=text, description=text)
        if model == "diffusion":
            _add_diffusion(one)
        else:
            _add_faces(one, model)
        if model == "segmentation":
            one.add_argument(
                "--label-kind", metavar="KIND", help="only these, by the index.csv beside the data: human ..."
            )
            one.add_argument("--quick", action="store_true", help="leave the shifted and turned crops out")
        elif model != "mix":
            one.add_argument("--teachers", type=Path, metavar="DIR", help="folder of teachers.py: LPIPS and VGG-FD")
        _add_common(one, several=model == "super-resolution")
    return parser


def _add_faces(parser: argparse.ArgumentParser, model: str) -> None:
    add = parser.add_argument
    if model == "mix":
        add("--data", action="append", required=True, metavar="SRC", help="aligned faces; repeatable")
        text = "so many faces of each source, drawn at random (default: %(default)s)"
        add("--count", type=positive(int), default=MIX_COUNT, metavar="N", help=text)
    else:
        add("--data", action="append", required=True, metavar="SRC", help="validation data; repeatable")
        add("--count", type=positive(int), metavar="N", help="only N faces of each source, drawn at random")


def _add_diffusion(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--data",
        action="append",
        required=True,
        metavar="ROLE=SRC",
        help="val=SRC: faces to compare with; reference=SRC: other real faces; edits=SRC: faces to edit (default: val)",
    )
    add("--count", type=whole, metavar="N", help="samples, against as many faces of val (default: all of val; 0: none)")
    add("--edits", type=whole, default=50, metavar="N", help="faces to edit (default: %(default)s; 0: none)")
    add("--steps", type=positive(int), default=20, metavar="N", help="steps a sample (default: %(default)s)")
    add("--seed", type=seed, default=0, help="of the first sample (default: %(default)s)")


def _add_common(parser: argparse.ArgumentParser, several: bool) -> None:
    add = parser.add_argument
    text = "a run's folder or a .safetensors file (default: the weights in use)"
    if several:
        add("--weights", type=Path, action="append", metavar="RUN", help=f"{text}; repeatable")
    else:
        add("--weights", type=lambda path: [Path(path)], metavar="RUN", help=text)
    add("--ema", choices=["short", "long"], default="long", help="which average of a run (default: %(default)s)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    add("--threads", type=positive(int), metavar="N", help="CPU threads")
    add("--out", type=Path, metavar="DIR", help="write evaluation.json, evaluation.md and sheets there")
    add("--json", action="store_true", help="one JSON object on stdout instead of the tables")


def roles(texts: list[str]) -> dict[str, str]:
    """``val=SRC`` ... -> source by role; a bare SRC is val. Raises UsageError."""
    known = ("val", "reference", "edits")
    sources: dict[str, str] = {}
    for text in texts:
        role, separator, source = text.partition("=")
        if role not in known:
            if separator and source and Path(source).exists() and not Path(text).exists():
                raise UsageError(f"--data {text}: {role!r} is no role. Write val=SRC, reference=SRC or edits=SRC.")
            role, source = "val", text
        if role in sources:
            raise UsageError(f"--data {text}: {role} was given before ({sources[role]}). Name one source for it.")
        sources[role] = source
    if "val" not in sources:
        raise UsageError("Say which faces to compare with: --data val=SRC.")
    return sources
