"""npe sweep: the timestep study."""

from __future__ import annotations

from pathlib import Path

import click

from npe_core.cli import options
from npe_core.cli.marking import mark, marks_meant, narrowed, segmented
from npe_core.cli.options import OUTPUT, PHOTO, OnePhoto
from npe_core.cli.progress import progress
from npe_core.defaults import SAMPLER, SAMPLERS, STEPS
from npe_core.errors import UsageError
from npe_core.filenames import printable
from npe_core.strength import strengths


@click.command(cls=OnePhoto)
@click.argument("photo", type=PHOTO)
@click.option("-o", "--output", "out", type=OUTPUT, required=True, help="Where to write the sheet.")
@options.marking_options
@click.option("-t", "--timesteps", default="100,200,300,350,400,450", show_default=True, help="One row each.")
@click.option("--steps", type=int, default=STEPS, show_default=True, help="Calls of the diffusion model a row.")
@click.option("--sampler", type=click.Choice(SAMPLERS), default=SAMPLER, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@options.face_options
@options.device_option
@options.megapixels_option()
@click.option("--force", is_flag=True, help="Overwrite the output if it exists.")
def sweep(
    photo: Path,
    out: Path,
    regions: tuple[str, ...],
    paint: Path | None,
    mask: Path | None,
    colour: str | None,
    tint: bool,
    timesteps: str,
    steps: int,
    sampler: str,
    seed: int,
    face: str,
    box: str | None,
    aligned: bool,
    device: str,
    max_megapixels: float,
    force: bool,
) -> None:
    """How strength changes an edit: a row a timestep; original, painted, noised, restored without and with mask.

    \b
    Of several faces the largest is studied. Unless --face says otherwise, --paint and --mask without a --region are
    for the face that they lie on.
    """
    marks = marks_meant(regions, paint, mask, colour, tint=tint)
    faces = options.faces_meant(face, box, aligned)
    if faces.which == "all":
        raise UsageError("A study is of one face: --face N or --face largest, not all.")
    try:
        rows = tuple(int(part) for part in timesteps.split(","))
    except ValueError:
        raise UsageError(f"--timesteps takes numbers such as 200,300,400, not {timesteps!r}.") from None

    from npe_core.photo import Photo, check_output

    strengths(rows, steps, sampler)
    picture = Photo.open(photo, max_megapixels=max_megapixels)
    inputs = (photo, paint, mask)
    check_output(out, force, inputs)

    from npe_core.editor import Editor
    from npe_core.editor.sweep import sweep as make_sheet
    from npe_core.sheets import STUDY, with_headings

    editor = Editor(device)
    canvas, choice = segmented(editor, picture, faces, marks)
    notes = mark(canvas, picture, marks)
    choice = narrowed(choice, faces, marks, canvas)
    with progress("sweeping") as advance:
        sheet = make_sheet(editor, picture, canvas, rows, steps, sampler, seed, choice.crops[0], advance)
    headed = with_headings(sheet, tuple(f"t={row}" for row in rows), STUDY)
    Photo.from_array(headed).save(out, force=force, inputs=inputs)
    notes += choice.notes(faces.which, "--face N", "studied")
    if len(choice.crops) > 1:
        notes.append(f"{len(choice.crops)} faces are marked; studied face {choice.numbers[0]}. --face N chooses others")
    options.show_notes(notes)
    told = f"timestep{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows))}, seed {seed}"
    click.echo(f"{printable(str(out))}: {told}")
