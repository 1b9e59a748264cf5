"""Options that several commands share, and the words they accept."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from npe_core.defaults import MAX_MEGAPIXELS, SAMPLER, SAMPLERS, STEPS, TIMESTEP
from npe_core.errors import UsageError
from npe_core.filenames import printable_lines, quoted

Command = TypeVar("Command", bound=Callable[..., object])

DEVICES = "auto, cpu, openvino, cuda, cuda:N or mps"


class Name(click.Path):
    """A path that is a name at all: the empty one of a variable that is not set would mean the working directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("The name is empty. Give one.", param, ctx)
        return super().convert(value, param, ctx)


class NewFile(Name):
    """The path of a file to write, in a folder that is there: another one was mistyped."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        try:
            is_there = path.parent.is_dir()
        except OSError:  # which is told where it is written to
            return path
        if not is_there:
            self.fail(f"There is no folder {quoted(path.parent)}. Create it first, or correct the path.", param, ctx)
        return path


PHOTO = Name(path_type=Path, readable=False)
"""Existence and content are checked where the file is opened, so that every reason has its own message."""
OUTPUT = NewFile(path_type=Path, readable=False)
"""All else is checked by ``check_output``."""


class OnePhoto(click.Command):
    """A command with one photo for its argument."""

    allow_extra_args = True
    """They are refused here."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        more = super().parse_args(ctx, args)
        if more and not ctx.resilient_parsing:
            also = quoted(" ".join(more))
            ctx.fail(f"It takes one photo, not also {also}. Run it once for each; npe watch edits a whole folder.")
        return more


class Number(click.FloatRange):
    """A number within a range; neither infinite nor ``nan``, which is outside of no range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class Device(click.types.StringParamType):
    """The name of a device; whether it is there is known only when torch has been imported."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not re.fullmatch("auto|cpu|openvino|mps|cuda(:[0-9]+)?", value):
            self.fail(f"{value!r} is not a device. Choose {DEVICES}.", param, ctx)
        return value


def region_fill(text: str) -> tuple[str, str]:
    """``nose+skin=6B4226`` -> (``skin+nose``, ``#6b4226``), both as they are stored. Raises UsageError."""
    from npe_core.regions import check_fill

    names, separator, colour = text.partition("=")
    if not separator:
        raise UsageError(
            f"{text!r} is not a region with a colour. Write --region NAME=#RRGGBB, for example hair=#8b2500."
        )
    return check_fill(names, colour)


def show_notes(notes: list[str]) -> None:
    """What a person should know about what was done, a line each, beside what is piped on."""
    for note in notes:
        click.echo(f"npe: note: {printable_lines(note)}", err=True)


_LONGEST_NUMBER = 9
"""Digits of the number of a face."""


def face_choice(text: str) -> int | str:
    """``all``, ``largest`` or the number of a face from 1."""
    word = text.strip().lower()
    if word in ("all", "largest"):
        return word
    if word.isdecimal() and len(word) <= _LONGEST_NUMBER and int(word) >= 1:
        return int(word)
    raise UsageError(f"--face takes a number from 1, all or largest, not {text!r}.")


@dataclass(frozen=True)
class FacesMeant:
    """What --face, --box and --aligned say together."""

    which: int | str
    """A number from 1, ``all`` or ``largest``."""
    place: tuple[float, float, float, float] | None
    """The box, (x0, y0, x1, y1) in photo pixels."""
    aligned: bool
    """Whether the photo is a face crop."""
    by_marks: bool
    """Whether nothing was said, so that what is marked may choose."""


def faces_meant(face: str, place: str | None, aligned: bool) -> FacesMeant:
    """The three options checked, alone and against each other. Raises UsageError."""
    source = click.get_current_context().get_parameter_source("face")
    given = [("--face", source is ParameterSource.COMMANDLINE), ("--box", place is not None), ("--aligned", aligned)]
    said = [option for option, there in given if there]
    if len(said) > 1:
        raise UsageError(f"{' and '.join(said)} each say where the face is. Give one of them.")
    return FacesMeant(face_choice(face), box(place), aligned, by_marks=not said)


def marking_options(command: Command) -> Command:
    """--region, --paint, --mask, --color, --tint."""
    for option in reversed(
        [
            click.option(
                "--region",
                "regions",
                multiple=True,
                metavar="NAME[+NAME]=#RRGGBB",
                help="Fill these regions, those joined by + as one that keeps its light; may be repeated. "
                "The # may be left out.",
            ),
            click.option(
                "--paint", type=PHOTO, help="RGBA picture of PHOTO's size: alpha is the soft mask, RGB the colour."
            ),
            click.option("--mask", type=PHOTO, help="Grey or 1-bit picture of PHOTO's size: white is re-imagined."),
            click.option("--color", "--colour", "colour", metavar="#RRGGBB", help="With --mask: paint it first."),
            click.option(
                "--tint", is_flag=True, help="The paint takes the photo's light and texture, as region fills do."
            ),
        ]
    ):
        command = option(command)
    return command


sharpness_option = click.option(
    "--sharpness",
    type=Number(0, 1),
    default=1.0,
    show_default=True,
    help="Of super-resolution: 0 smooth and faithful .. 1 with invented detail.",
)


def strength_options(command: Command) -> Command:
    """-t, --steps, --sampler, --seed."""
    for option in reversed(
        [
            click.option(
                "-t",
                "--timestep",
                type=int,
                default=TIMESTEP,
                show_default=True,
                help="Strength, 1..499: 200-300 subtle, 350-475 dramatic.",
            ),
            click.option(
                "--steps",
                type=int,
                default=None,
                help=f"Calls of the diffusion model.  [default: {STEPS}, at most the timestep]",
            ),
            click.option(
                "--sampler",
                type=click.Choice(SAMPLERS),
                default=SAMPLER,
                show_default=True,
                help="How the noise is taken away.",
            ),
            click.option(
                "--seed",
                type=int,
                default=None,
                help="Same seed, same picture. Without it, a random one is used and printed.",
            ),
        ]
    ):
        command = option(command)
    return command


def face_options(command: Command) -> Command:
    """--face, --box, --aligned."""
    for option in reversed(
        [
            click.option(
                "--face",
                default="largest",
                show_default=True,
                help="Which face: N (as npe faces lists them), all, largest.",
            ),
            click.option(
                "--box",
                default=None,
                metavar="X,Y,W,H",
                help="Head and hair in photo pixels, for a face that was not found.",
            ),
            click.option("--aligned", is_flag=True, help="PHOTO is already a face crop; its centred square is used."),
        ]
    ):
        command = option(command)
    return command


def megapixels_option(default: float | None = MAX_MEGAPIXELS) -> Callable[[Command], Command]:
    """--max-megapixels, with the limit that holds where it is not given; None: what the editor's settings say."""
    return click.option(
        "--max-megapixels",
        type=Number(0.01),
        default=default,
        show_default=True if default is not None else f"as set, else {MAX_MEGAPIXELS}",
        help="Refuse larger photos.",
    )


def device_option(command: Command) -> Command:
    """--device."""
    return click.option("--device", type=Device(), default="auto", show_default=True, help=f"{DEVICES}.")(command)


def box(text: str | None) -> tuple[float, float, float, float] | None:
    """``X,Y,W,H`` -> (x0, y0, x1, y1) in photo pixels."""
    if text is None:
        return None
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--box takes four numbers X,Y,W,H, not {text!r}.") from None
    if not all(map(math.isfinite, (x, y, width, height))):
        raise UsageError(f"--box takes finite numbers, not {text!r}.")
    if width <= 0 or height <= 0:
        raise UsageError(f"--box needs a width and a height above 0, got {text!r}.")
    return x, y, x + width, y + height
