"""npe faces: which faces a photo has."""

from __future__ import annotations

import json
from pathlib import Path

import click

from npe_core.cli import options
from npe_core.cli.options import OUTPUT, PHOTO, OnePhoto
from npe_core.filenames import printable, quoted


@click.command(cls=OnePhoto)
@click.argument("photo", type=PHOTO)
@click.option("-o", "--output", "out", type=OUTPUT, help="The photo with boxes and numbers.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@options.megapixels_option()
@click.option("--force", is_flag=True, help="Overwrite the output if it exists.")
def faces(photo: Path, out: Path | None, as_json: bool, max_megapixels: float, force: bool) -> None:
    """List the faces of PHOTO from left to right, with the numbers that --face takes.

    \b
    A box in --json is [x0, y0, x1, y1] in pixels of the upright photo, from the brows to the chin. The --box of
    npe edit is another: X,Y,W,H of the whole head with its hair.
    """
    from npe_core.errors import InputError
    from npe_core.faces import draw_faces, find_faces
    from npe_core.photo import Photo, check_output

    picture = Photo.open(photo, max_megapixels=max_megapixels)
    if out is not None:
        check_output(out, force, [photo])
    found = find_faces(picture.image)
    if as_json:
        rows = [
            {
                "face": number,
                "box": [round(value, 1) for value in face.box],
                "landmarks": face.landmarks.round(1).tolist(),
                "score": round(face.score, 3),
            }
            for number, face in enumerate(found, start=1)
        ]
        click.echo(json.dumps({"photo": printable(str(photo)), "size": list(picture.size), "faces": rows}))
    if not found:
        raise InputError(
            f"No face was found in {quoted(photo)}. "
            "npe edit takes --box X,Y,W,H for the place of one, or --aligned for a face crop."
        )
    if out is not None:
        Photo.from_array(draw_faces(picture.image, found)).save(out, force=force, inputs=[photo])
    if not as_json:
        for number, face in enumerate(found, start=1):
            x0, y0, x1, y1 = face.box
            click.echo(f"{number}: {x1 - x0:.0f}x{y1 - y0:.0f} pixels at {x0:.0f},{y0:.0f}, score {face.score:.2f}")
