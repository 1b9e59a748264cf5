"""npe bench: the tables of speed that the README shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from npe_core.cli.options import PHOTO, Command, Number, device_option, region_fill
from npe_core.defaults import SAMPLER, STEPS, TIMESTEP
from npe_core.errors import EnvironmentFault, InputError, UsageError

if TYPE_CHECKING:
    from npe_core.report import Report

DEPTHS = ("true", "5bit", "256", "16", "grey", "mono")
"""``npe_tui.picture.Depth``, which takes Textual along."""

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, times in seconds.")


def repeats_option(default: int) -> Callable[[Command], Command]:
    """--repeats."""
    return click.option("--repeats", type=click.IntRange(1), default=default, show_default=True, help="Timed runs.")


@click.group()
def bench() -> None:
    """Measure how fast it is here: the tables of the README.

    Reports medians, and processor time beside them: it is what counts on a machine that is busy with other work.
    """


def numbers(text: str) -> list[int]:
    """``1,8,32`` -> [1, 8, 32], all above 0."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--batch takes numbers such as 1,8,32, not {text!r}.")
    return [int(part) for part in parts]


def tell(report: Report, as_json: bool) -> None:
    click.echo(report.json() if as_json else report.text())


@bench.command()
@click.argument("photo", type=PHOTO, required=False)
@click.option(
    "--region", "regions", multiple=True, default=("hair=#8b2500",), show_default=True, metavar="NAME=#RRGGBB"
)
@click.option("-t", "--timestep", type=int, default=TIMESTEP, show_default=True)
@click.option("--steps", type=int, default=STEPS, show_default=True)
@repeats_option(7)
@click.option("--batch", default="1", show_default=True, metavar="N[,N...]", help="Photos edited together.")
@click.option("--cold", type=click.IntRange(0), default=3, show_default=True, help="Runs as a process of their own.")
@device_option
@json_option
def edit(
    photo: Path | None,
    regions: tuple[str, ...],
    timestep: int,
    steps: int,
    repeats: int,
    batch: str,
    cold: int,
    device: str,
    as_json: bool,
) -> None:
    """The stages of an edit of PHOTO (default: a sample portrait), edits together, and the start of the process."""
    fills, batches = [region_fill(text) for text in regions], numbers(batch)
    from npe_core.bench.edit import measure_edit
    from npe_core.bench.portrait import samples
    from npe_core.faces import find_faces
    from npe_core.photo import Photo
    from npe_core.strength import check_strength

    check_strength(timestep, steps, SAMPLER)
    if photo is not None and not find_faces(Photo.open(photo).image):
        raise InputError(f"No face was found in {photo}. Name a photo with a face, or none for a sample portrait.")
    tell(measure_edit(device, photo or samples()[0], fills, timestep, steps, repeats, batches, cold), as_json)


@bench.command()
@click.option("--batch", default="1", show_default=True, metavar="N[,N...]", help="Pictures that go through together.")
@repeats_option(15)
@device_option
@json_option
def models(batch: str, repeats: int, device: str, as_json: bool) -> None:
    """The three networks by themselves: latency, images/s, and their share of what matrix products reach here."""
    batches = numbers(batch)
    from npe_core.bench.models import measure_models

    tell(measure_models(device, batches, repeats), as_json)


@bench.command()
@click.option("--count", type=click.IntRange(1), default=24, show_default=True, help="Photos dropped into the inbox.")
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Jobs that go through together.")
@repeats_option(3)
@device_option
@json_option
def daemon(count: int, batch: int, repeats: int, device: str, as_json: bool) -> None:
    """The watch folder against the bare engine: photos a second, and what the folder adds to an edit."""
    from npe_core.bench.daemon import measure_daemon

    tell(measure_daemon(device, count, batch, repeats), as_json)


@bench.command()
@click.option("--only", type=click.Choice(["dabs", "link", "repaint", "first"]), help="One of the figures.")
@click.option(
    "--depth",
    "depths",
    type=click.Choice(DEPTHS),
    multiple=True,
    default=("5bit", "true"),
    show_default=True,
    help="Colour depths.",
)
@click.option("--count", type=click.IntRange(1), default=60, show_default=True, help="Strokes of the brush.")
@click.option("--seconds", type=Number(0.5), default=6.0, show_default=True, help="Of painting over the slow link.")
@json_option
def tui(only: str | None, depths: tuple[str, ...], count: int, seconds: float, as_json: bool) -> None:
    """The terminal editor in a pseudo-terminal: from a mouse byte to a frame byte, a slow link, the first frame."""
    from npe_core.report import Report, markdown

    try:
        from npe_tui.measure.figures import figures
    except ImportError as error:  # no pseudo-terminals
        raise EnvironmentFault(f"The terminal is measured on Linux and macOS only ({error}).") from None

    found = list(figures(only, depths, count, seconds))
    rows = [[one.what, one.depth, one.value, one.wanted] for one in found]
    report = Report({"bench": "tui", "figures": [vars(one) for one in found]})
    report.tables.append(markdown(["terminal editor", "", "measured", "wanted on two idle cores"], rows))
    tell(report, as_json)
