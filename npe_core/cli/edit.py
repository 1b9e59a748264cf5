"""npe edit: one photo, one edit, one exit code."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from npe_core.cli import options
from npe_core.cli.options import PHOTO
from npe_core.cli.progress import progress
from npe_core.defaults import STEPS
from npe_core.errors import InputError, UsageError

if TYPE_CHECKING:
    from npe_core.canvas import Canvas
    from npe_core.editor import Editor, EditResult, Preview
    from npe_core.editor.recipe import Recipe
    from npe_core.photo import Photo


@click.command()
@click.argument("photo", type=PHOTO)
@click.option("-o", "--output", "out", type=PHOTO, required=True, help="Where to write; the suffix says the format.")
@options.marking_options
@click.option(
    "--feather",
    type=options.Number(),
    default=0.0,
    metavar="PX",
    help="Soften the mask inwards by so many photo pixels.",
)
@options.strength_options
@options.face_options
@click.option("--upscale/--no-upscale", default=True, help="With or without super-resolution.  [default: with]")
@options.sharpness_option
@click.option(
    "--from", "source", type=PHOTO, metavar="EDITED", help="Repeat the edit stored in EDITED; other options override."
)
@options.device_option
@options.megapixels_option()
@click.option("--strip-metadata", is_flag=True, help="Leave EXIF, GPS and comments out of the output.")
@click.option("--force", is_flag=True, help="Overwrite the output if it exists.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def edit(
    photo: Path,
    out: Path,
    regions: tuple[str, ...],
    paint: Path | None,
    mask: Path | None,
    colour: str | None,
    feather: float,
    timestep: int,
    steps: int | None,
    sampler: str,
    seed: int | None,
    face: str,
    box: str | None,
    aligned: bool,
    upscale: bool,
    sharpness: float,
    source: Path | None,
    device: str,
    max_megapixels: float,
    strip_metadata: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Change what is marked in PHOTO and nothing else.

    \b
    npe edit me.jpg -o red.png --region hair=#8b2500
    npe edit me.jpg -o lips.png --region lips=#b00020 -t 250 --seed 7
    npe edit me.jpg -o smile.png --paint smile.png -t 400
    npe edit me.jpg -o clean.png --mask spot.png
    npe edit you.jpg -o you-red.png --from red.png

    \b
    --from takes regions with their colours, feather, timestep, steps, sampler, seed and super-resolution from a file
    that npe edit has written. A --region given beside it adds a region or changes its colour. Which face is meant
    (--face, --box, --aligned) is not taken over; paint and masks are in no file and must be given anew.

    \b
    Of several faces the largest is edited. Unless --face says otherwise, --paint and --mask without a --region are
    for the faces that they lie on.
    """
    fills = [options.region_fill(text) for text in regions]
    if not (fills or paint or mask or source):
        raise UsageError("Say what to change: --region NAME=#RRGGBB, --paint PAINT.png or --mask MASK.png.")
    if colour is not None and mask is None:
        raise UsageError("--color goes with --mask; a region takes its colour as --region NAME=#RRGGBB.")
    faces = options.faces_meant(face, box, aligned)

    from npe_core.colour import parse_colour
    from npe_core.photo import Photo, check_output

    if colour is not None:
        parse_colour(colour)
    picture = Photo.open(photo, max_megapixels=max_megapixels)
    inputs = (photo, paint, mask, source)
    check_output(out, force, inputs, picture.size)

    from npe_core.canvas import Canvas
    from npe_core.editor import Editor
    from npe_core.editor.recipe import Recipe, check_feather, check_seed, check_sharpness, check_strength, other_weights

    usual = STEPS if steps is None else steps
    recipe = Recipe(dict(fills), timestep, usual, sampler, seed, upscale, sharpness, feather)
    stored = None
    if source is not None:
        stored = Photo.open(source, max_megapixels=max_megapixels).parameters
        recipe = repeated(stored, source.name, recipe, hand_given=bool(paint or mask))
    if steps is None:  # no one asked for more of them than the timestep has room for
        recipe = replace(recipe, steps=min(recipe.steps, recipe.timestep))
    check_strength(recipe.timestep, recipe.steps, recipe.sampler)
    check_seed(recipe.seed)
    check_sharpness(recipe.sharpness)
    check_feather(recipe.feather)
    start = time.perf_counter()
    editor = Editor(device)
    choice = editor.choose(picture, faces.which, aligned, faces.place)
    loaded = editor.engine.load_seconds
    canvas = Canvas(picture.image)
    if recipe.regions:
        canvas.regions = editor.segment(picture, choice)
    load_segmenter = editor.engine.load_seconds - loaded
    segment_seconds = time.perf_counter() - start - load_segmenter
    mark(canvas, picture, recipe.regions, paint, mask, colour, recipe.feather)
    if faces.by_marks and not recipe.regions:
        choice = choice.where_marked(canvas.mask)
    marked = time.perf_counter() - start - load_segmenter
    with progress("editing") as advance:

        def show(preview: Preview) -> None:
            advance(preview.step, preview.steps)

        result = editor.edit(
            picture,
            canvas,
            timestep=recipe.timestep,
            steps=recipe.steps,
            sampler=recipe.sampler,
            seed=recipe.seed,
            choice=choice,
            upscale=recipe.upscale,
            sharpness=recipe.sharpness,
            progress=show,
        )
    notes = result.save(out, force=force, metadata="strip" if strip_metadata else "keep", inputs=inputs)
    seconds = {
        "load": round(load_segmenter + result.seconds["load"], 3),
        "segment": round(segment_seconds, 3),
        "diffusion": round(result.seconds["diffusion"], 3),
        "upscale": round(result.seconds["upscale"], 3),
        "total": round(marked + result.seconds["total"], 3),
    }
    warnings = [*choice.notes(faces.which, "--face N|all"), *result.warnings, *notes]
    if stored is not None and other_weights(stored, result.parameters["models"]):
        warnings.append("the edit to repeat was made with other weights: the same seed gives another picture")
    if as_json:
        click.echo(json.dumps(describe(out, editor, result, seconds, warnings)))
        return
    options.show_notes(warnings)
    told = f"{result.faces} face(s), timestep {recipe.timestep}, seed {result.parameters['seed']}"
    click.echo(f"{out}: {told}, {seconds['total']:.2f} s")


def repeated(stored: dict[str, Any] | None, name: str, given: Recipe, hand_given: bool) -> Recipe:
    """The recipe stored in the file ``name``, as far as the command line does not say otherwise.

    ``hand_given``: there is paint or a mask for this photo. Raises InputError.
    """
    from npe_core.editor.recipe import read_recipe

    recipe = read_recipe(stored, name)
    if recipe.painted and not hand_given:
        raise InputError(
            f"The edit in {name} was painted or masked by hand, which no file holds. "
            "Give --paint or --mask for this photo."
        )
    context = click.get_current_context()
    said = {
        option: value
        for option, value in vars(given).items()
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE
    }
    recipe = replace(recipe, **(said | {"regions": recipe.regions | given.regions}))
    if not (recipe.regions or hand_given):
        raise InputError(
            f"The edit in {name} has no regions to repeat. Say what to change: --region, --paint or --mask."
        )
    return recipe


def mark(
    canvas: Canvas,
    picture: Photo,
    fills: dict[str, str],
    paint: Path | None,
    mask: Path | None,
    colour: str | None,
    feather: float,
) -> None:
    """Put what was asked for onto the canvas: regions first, then the paint, then the mask."""
    from npe_core.photo import read_mask, read_paint

    for name, fill_colour in fills.items():
        canvas.fill(name, fill_colour)
    if paint is not None:
        canvas.paint_image(*read_paint(paint, picture.size))
    if mask is not None:
        canvas.select(read_mask(mask, picture.size), colour)
    if feather > 0:
        canvas.feather(feather)


def describe(out: Path, editor: Editor, result: EditResult, seconds: dict[str, float], warnings: list[str]) -> dict:
    """The object that ``--json`` prints."""
    from npe_core.memory import peak_memory_mib

    return {
        "output": str(out),
        "device": editor.engine.choice.name,
        "seed": result.parameters["seed"],
        "timestep": result.parameters["timestep"],
        "steps": result.parameters["steps"],
        "sampler": result.parameters["sampler"],
        "faces": result.faces,
        "seconds": seconds,
        "peak_memory_mib": round(peak_memory_mib(), 1),
        "warnings": warnings,
    }
