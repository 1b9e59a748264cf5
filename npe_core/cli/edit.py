"""npe edit: one photo, one edit, one exit code."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from npe_core.cli import options
from npe_core.cli.marking import MarkingOptions, mark, marks_meant, narrowed, segmented
from npe_core.cli.options import OUTPUT, PHOTO, FacesMeant, Number, OnePhoto
from npe_core.cli.progress import progress
from npe_core.defaults import STEPS
from npe_core.errors import InputError
from npe_core.filenames import printable
from npe_core.strength import check_seed, check_sharpness, check_strength

if TYPE_CHECKING:
    from npe_core.editor import EditResult, Preview
    from npe_core.editor.recipe import Recipe
    from npe_core.photo import Photo


@click.command(cls=OnePhoto)
@click.argument("photo", type=PHOTO)
@click.option("-o", "--output", "out", type=OUTPUT, required=True, help="Where to write; the suffix says the format.")
@options.marking_options
@click.option(
    "--feather",
    type=Number(0),
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
@click.option(
    "--strip-metadata",
    is_flag=True,
    help="Leave out EXIF, GPS, comments and the edit parameters (--from cannot repeat such a file).",
)
@click.option("--force", is_flag=True, help="Overwrite the output if it exists.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def edit(
    photo: Path,
    out: Path,
    regions: tuple[str, ...],
    paint: Path | None,
    mask: Path | None,
    colour: str | None,
    tint: bool,
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
    npe edit me.jpg -o strand.png --mask strand.png --color #2050d0 --tint
    npe edit you.jpg -o you-red.png --from red.png

    \b
    --from takes regions with their colours, feather, timestep, steps, sampler, seed and super-resolution from a file
    that npe edit has written. A --region given beside it adds a region or changes its colour. Which face is meant
    (--face, --box, --aligned) is not taken over; paint and masks, --color and --tint are in no file and must be given
    anew.

    \b
    Spots and scratches under a --mask go at the usual strength, large things such as glasses with -t 425 to 475.

    \b
    Regions are filled first, paint and mask lie over them. Of several faces the largest is edited. Unless --face says
    otherwise, --paint and --mask without a --region are for the faces that they lie on.
    """
    marks = marks_meant(regions, paint, mask, colour, source, tint)
    faces = options.faces_meant(face, box, aligned)

    from npe_core.editor.recipe import Recipe
    from npe_core.photo import Photo, check_output

    stored = None if source is None else Photo.open(source, max_megapixels=max_megapixels).parameters
    recipe = Recipe(marks.fills, timestep, STEPS, sampler, seed, upscale, sharpness, feather)
    if source is not None:
        recipe = repeated(stored, source.name, recipe, marks.by_hand)
    recipe = replace(recipe, steps=recipe.strength.limited().steps if steps is None else steps)
    check(recipe)
    picture = Photo.open(photo, max_megapixels=max_megapixels)
    inputs = (photo, paint, mask, source)
    check_output(out, force, inputs, picture.size)
    done = carry_out(device, picture, faces, replace(marks, fills=recipe.regions), recipe)
    notes = done.result.save(out, force, "strip" if strip_metadata else "keep", inputs)
    warnings = [*done.notes, *notes]
    if source is not None and stored is not None:
        plain_mask = recipe.painted and mask is not None and colour is None
        warnings += not_as_it_was(stored, source.name, done.result, plain_mask)
    tell(out, done, warnings, as_json)


def repeated(stored: dict[str, Any] | None, name: str, given: Recipe, hand_given: bool) -> Recipe:
    """The recipe stored in the file ``name``, as far as the command line does not say otherwise.

    ``hand_given``: there is paint or a mask for this photo. Raises InputError.
    """
    from npe_core.editor.recipe import read_recipe, with_fill

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
    regions = recipe.regions
    for filled, colour in given.regions.items():
        regions = with_fill(regions, filled, colour)
    recipe = replace(recipe, **(said | {"regions": regions}))
    if not (recipe.regions or hand_given):
        raise InputError(
            f"The edit in {name} has no regions to repeat. Say what to change: --region, --paint or --mask."
        )
    return recipe


def not_as_it_was(stored: dict[str, Any], name: str, result: EditResult, plain_mask: bool) -> list[str]:
    """Why the ``result`` may be another than the edit ``stored`` in the file ``name``, which it repeats.

    ``plain_mask``: that was marked by hand, and a mask without a colour is given.
    """
    from npe_core.editor.recipe import other_weights

    told = []
    if other_weights(stored, result.parameters["models"]):
        told.append("the edit to repeat was made with other weights: the same seed gives another picture")
    if plain_mask:
        told.append(f"with what colour a mask was painted is not in {printable(name)}: if it was, --color says so")
    return told


def check(recipe: Recipe) -> None:
    """Raises UsageError for a recipe with values out of their range, before anything is loaded."""
    from npe_core.editor.recipe import check_feather

    check_strength(recipe.timestep, recipe.steps, recipe.sampler)
    check_seed(recipe.seed)
    check_sharpness(recipe.sharpness)
    check_feather(recipe.feather)


@dataclass(frozen=True)
class Done:
    """An edit that has been carried out."""

    device: str
    result: EditResult
    notes: list[str]
    """On the mask, the faces that were edited and the edit."""
    seconds: dict[str, float]
    """By stage, as ``--json`` tells them."""


def carry_out(device: str, picture: Photo, faces: FacesMeant, marks: MarkingOptions, recipe: Recipe) -> Done:
    """Segment, mark and edit, with a progress bar and a clock that leaves the loading of models out."""
    from npe_core.editor import Editor

    start = time.perf_counter()
    editor = Editor(device)
    canvas, choice = segmented(editor, picture, faces, marks)
    load = editor.engine.load_seconds
    segment = time.perf_counter() - start - load
    notes = mark(canvas, picture, marks, recipe.feather)
    choice = narrowed(choice, faces, marks, canvas)
    before = time.perf_counter() - start - load
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
    seconds = {
        "load": load + result.seconds["load"],
        "segment": segment,
        "diffusion": result.seconds["diffusion"],
        "upscale": result.seconds["upscale"],
        "total": before + result.seconds["total"],
    }
    rounded = {stage: round(spent, 3) for stage, spent in seconds.items()}
    notes += [*choice.notes(faces.which, "--face N|all"), *result.warnings]
    return Done(editor.engine.choice.name, result, notes, rounded)


def tell(out: Path, done: Done, warnings: list[str], as_json: bool) -> None:
    """Says on stdout what was done, as a line with the warnings on stderr or as one object."""
    if as_json:
        click.echo(json.dumps(describe(out, done, warnings)))
        return
    options.show_notes(warnings)
    parameters = done.result.parameters
    told = f"{done.result.faces} face(s), timestep {parameters['timestep']}, seed {parameters['seed']}"
    click.echo(f"{printable(str(out))}: {told}, {done.seconds['total']:.2f} s")


def describe(out: Path, done: Done, warnings: list[str]) -> dict[str, Any]:
    """The object that ``--json`` prints."""
    from npe_core.memory import peak_memory_mib

    parameters = done.result.parameters
    return {
        "output": printable(str(out)),
        "device": done.device,
        "seed": parameters["seed"],
        "timestep": parameters["timestep"],
        "steps": parameters["steps"],
        "sampler": parameters["sampler"],
        "faces": done.result.faces,
        "seconds": done.seconds,
        "peak_memory_mib": round(peak_memory_mib(), 1),
        "warnings": warnings,
    }
