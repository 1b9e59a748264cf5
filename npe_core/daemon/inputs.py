"""What a job's files ask for, and what is said about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from npe_core.daemon.claimed import Claimed
from npe_core.daemon.files import read_small
from npe_core.daemon.journal import Record
from npe_core.daemon.parameters import LARGEST, Parameters, read_parameters
from npe_core.daemon.worker import NotWritten
from npe_core.errors import EnvironmentFault, InputError
from npe_core.filenames import printable
from npe_core.files import require_of_the_file

if TYPE_CHECKING:
    from npe_core.canvas import Canvas
    from npe_core.editor import RegionMap
    from npe_core.editor.laying import ByHand
    from npe_core.photo import Photo

_TINT_GOES_WITH = '"tint" goes with paint, or a grey mask and "color"; a region keeps the photo\'s light without it.'
_COLOUR_GOES_WITH = '"color" goes with a grey mask; a region takes its colour as {"regions": {"hair": "#993300"}}.'


def parameters_of(job: Claimed) -> Parameters:
    """From the job's JSON, or the defaults. Raises InputError."""
    file = job.input("parameters")
    if file is None:
        return Parameters()
    name = next(printable(name) for name, role in job.record.inputs.items() if role == "parameters")
    try:
        return read_parameters(read_small(file, LARGEST), name)
    except (OSError, ValueError) as error:
        require_of_the_file(error, name)
        raise InputError(f"{name} cannot be read: {error}. A file of parameters has at most {LARGEST} bytes.") from None


def by_hand_of(job: Claimed, size: tuple[int, int], parameters: Parameters) -> tuple[ByHand, list[str]]:
    """What the job's mask holds, with notes on it; nothing where only regions are asked for. Raises InputError."""
    from npe_core.editor.laying import ByHand

    file = job.input("mask")
    if file is not None:
        return read_by_hand(file, size, parameters.color, parameters.tint)
    photo = printable(job.record.photo)
    if not parameters.regions:
        raise InputError(
            f"{photo} has no mask, and its JSON names no regions. Say what to change: "
            '{"regions": {"hair": "#993300"}}, or drop a mask beside it.'
        )
    if parameters.color is not None:
        raise InputError(f"{photo} has no mask. {_COLOUR_GOES_WITH}")
    if parameters.tint:
        raise InputError(f"{photo} has no mask. {_TINT_GOES_WITH}")
    return ByHand(), []


def read_by_hand(file: Path, size: tuple[int, int], colour: str | None, tint: bool = False) -> tuple[ByHand, list[str]]:
    """What a mask's file holds: paint, or a mask, which is of that colour; and notes on it. Raises InputError.

    ``tint``: whether paint or colour is to take the photo's light.
    """
    from npe_core.editor.laying import ByHand
    from npe_core.photo import read_mask_or_paint

    notes: list[str] = []
    paint, mask = read_mask_or_paint(file, size, notes)
    if not mask.any():
        raise InputError(f"{printable(file.name)} marks nothing: it is black, or transparent, everywhere.")
    if paint is None:
        if tint and colour is None:
            raise InputError(f"{printable(file.name)} is a mask without a colour. {_TINT_GOES_WITH}")
        return ByHand(mask=mask, colour=colour, tint=tint), notes
    if colour is not None:
        raise InputError(f"{printable(file.name)} has colours and transparency: it is the paint. {_COLOUR_GOES_WITH}")
    return ByHand(paint=(paint, mask), tint=tint), notes


def laid(photo: Photo, parameters: Parameters, by_hand: ByHand, regions: RegionMap | None = None) -> Canvas:
    """A new canvas with all that is asked for. Raises UsageError and InputError as it does."""
    from npe_core.canvas import Canvas
    from npe_core.editor.laying import lay

    canvas = Canvas(photo.image, regions)
    lay(canvas, parameters.regions, by_hand)
    return canvas


def require_writable(job: Claimed, size: tuple[int, int]) -> None:
    """Makes sure that a photo of that size can be written as the result, before it is made.

    Raises UsageError for what its format cannot hold, NotWritten where nothing can be written.
    """
    from npe_core.photo import check_output

    try:
        check_output(job.result / result_name(job.record), size=size)
    except EnvironmentFault as error:
        why = "The outbox cannot be written to. Mount it so that it can be, or let the daemon's user write to it."
        raise NotWritten(why) from error


def result_name(record: Record) -> str:
    """What the edited photo is called among the files of the result: in its own format, or PNG for one not written."""
    from npe_core.photo import OUTPUT_FORMATS

    suffix = Path(record.photo).suffix
    return f"photo{suffix if suffix.lower() in OUTPUT_FORMATS else '.png'}"


def without_folder(message: str, folder: Path) -> str:
    """A message that names files as their owner knows them, also where it quotes them as ``repr`` does."""
    whole, quoted = f"{folder}/", repr(f"{folder}/")[1:-1]
    for spelling in (whole, quoted, quoted.replace("'", "\\'")):
        message = message.replace(spelling, "")
    return message
