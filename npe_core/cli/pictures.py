"""npe segment, upscale and sample: one model, one picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from npe_core.cli import options
from npe_core.cli.options import OUTPUT, PHOTO, OnePhoto
from npe_core.cli.progress import progress
from npe_core.defaults import SAMPLERS_FROM_NOISE
from npe_core.errors import UsageError
from npe_core.filenames import printable, quoted

if TYPE_CHECKING:
    from npe_core.editor.result import Preview

FORCE = click.option("--force", is_flag=True, help="Overwrite the output if it exists.")


@click.command(cls=OnePhoto)
@click.argument("photo", type=PHOTO)
@click.option("-o", "--output", "out", type=OUTPUT, required=True, help="Where to write: NAME.png.")
@click.option("--overlay", is_flag=True, help="The photo with coloured regions instead of ids, in any format.")
@options.face_options
@options.device_option
@options.megapixels_option()
@FORCE
def segment(
    photo: Path,
    out: Path,
    overlay: bool,
    face: str,
    box: str | None,
    aligned: bool,
    device: str,
    max_megapixels: float,
    force: bool,
) -> None:
    """Find the 11 face regions of PHOTO: an 8-bit PNG of region ids, of PHOTO's size."""
    import io

    import numpy as np
    from PIL import Image

    from npe_core.photo import Photo, check_output, write_atomically
    from npe_core.regions import REGIONS

    faces = options.faces_meant(face, box, aligned)
    picture = Photo.open(photo, max_megapixels=max_megapixels)
    if not overlay and out.suffix.lower() != ".png":
        raise UsageError(
            f"Region ids are written as PNG, not {out.suffix or 'a file without a suffix'}. Use -o NAME.png."
        )
    check_output(out, force, [photo])

    from npe_core.editor import Editor

    editor = Editor(device)
    choice = editor.choose(picture, faces.which, faces.aligned, faces.place)
    regions = editor.segment(picture, choice)
    if overlay:
        Photo.from_array(regions.overlay(picture.image)).save(out, force=force, inputs=[photo])
    else:
        content = io.BytesIO()
        Image.fromarray(regions.ids).save(content, "PNG")
        write_atomically(out, content.getvalue(), force, [photo])
    options.show_notes(choice.notes(faces.which, "--face N|all", "segmented"))
    shares = np.bincount(regions.ids.ravel(), minlength=len(REGIONS)) / regions.ids.size
    found = ", ".join(f"{region.name} {shares[region.id]:.1%}" for region in REGIONS if shares[region.id] > 0)
    click.echo(f"{printable(str(out))}: {found}")


@click.command(cls=OnePhoto)
@click.argument("photo", type=PHOTO)
@click.option("-o", "--output", "out", type=OUTPUT, required=True, help="Where to write; the suffix says the format.")
@options.sharpness_option
@options.device_option
@options.megapixels_option(4)
@FORCE
def upscale(photo: Path, out: Path, sharpness: float, device: str, max_megapixels: float, force: bool) -> None:
    """Make PHOTO four times as large with the super-resolution model (made for faces of about 128 pixels)."""
    from npe_core.photo import Photo, check_output

    picture = Photo.open(photo, max_megapixels=max_megapixels)
    check_output(out, force, [photo], (4 * picture.size[0], 4 * picture.size[1]))

    from npe_core.editor import Editor

    with progress("upscaling") as advance:
        large = Editor(device).upscale(picture, sharpness, advance)
    notes = large.save(out, force=force)
    options.show_notes([*large.notes, *notes])
    click.echo(f"{printable(str(out))}: {picture.size[0]}x{picture.size[1]} -> {large.size[0]}x{large.size[1]}")


@contextmanager
def folder_to_fill(folder: Path) -> Iterator[None]:
    """Makes the folder, with those above it; what was made and is still empty in the end goes again."""
    from npe_core.files import make_folder

    made = [one for one in (folder, *folder.parents) if not one.exists()]
    make_folder(folder)
    try:
        yield
    finally:
        with suppress(OSError):  # it is not empty
            for one in made:
                one.rmdir()


@click.command()
@click.option("-n", "--count", type=click.IntRange(1, 4096), default=16, show_default=True, help="How many faces.")
@click.option("-o", "--output", "out", type=PHOTO, help="One picture with all of them.")
@click.option("--out-dir", type=PHOTO, help="A folder for single 128x128 PNG files.")
@click.option("--steps", type=click.IntRange(1, 499), default=20, show_default=True, help="Calls of the model a face.")
@click.option(
    "--sampler",
    type=click.Choice(SAMPLERS_FROM_NOISE),
    default=SAMPLERS_FROM_NOISE[0],
    show_default=True,
    help="How the noise is taken away.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Face k is of seed + k.")
@options.device_option
@FORCE
def sample(
    count: int, out: Path | None, out_dir: Path | None, steps: int, sampler: str, seed: int, device: str, force: bool
) -> None:
    """Faces that the diffusion model makes up: what it knows."""
    import math

    if out is None and out_dir is None:
        raise UsageError("Say where to write: -o GRID.png, or --out-dir DIR for single files.")
    if out_dir is not None and out_dir.exists() and not out_dir.is_dir():
        raise UsageError(f"{quoted(out_dir)} is a file, not a folder. Name another with --out-dir.")
    names = [out_dir / f"{seed + k:06d}.png" for k in range(count)] if out_dir is not None else []
    if out is not None and out.resolve() in [name.resolve() for name in names]:
        raise UsageError(f"{quoted(out)} is the name of a face in --out-dir. Call the grid something else.")
    with nullcontext() if out_dir is None else folder_to_fill(out_dir):
        from npe_core.photo import Photo, check_output

        if out is not None:
            OUTPUT(out)  # not before: it may lie in that folder
        for path in [*names, *([out] if out is not None else [])]:
            check_output(path, force)

        from npe_core.editor import Editor
        from npe_core.sheets import grid

        batches = math.ceil(count / 16)
        done = 0
        with progress("sampling") as advance:

            def show(preview: Preview) -> None:
                nonlocal done
                done += 1
                advance(done, batches * preview.steps)

            faces = Editor(device).sample(count, steps, sampler, seed, show)
        for name, face in zip(names, faces, strict=False):
            Photo.from_array(face).save(name, force=force)
        if out is not None:
            Photo.from_array(grid(faces, math.ceil(math.sqrt(count)))).save(out, force=force)
    click.echo(f"{printable(str(out or out_dir))}: {count} face(s), seeds {seed}..{seed + count - 1}")
