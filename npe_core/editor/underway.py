"""An edit on its way through the editor, in four steps that several edits can take side by side.

::

    begin (any thread) -> diffuse (a batch) -> restore (one by one) -> finish (any thread)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from npe_core import __version__
from npe_core.blend import changed, full_size
from npe_core.canvas import Canvas, Fill
from npe_core.canvas.boxes import box_of, cut
from npe_core.canvas.selection import Regions
from npe_core.device import upload
from npe_core.diffusion.samplers import Callback, Step
from npe_core.editor.clock import Clock, timed
from npe_core.editor.engine import Engine, resize, to_arrays
from npe_core.editor.face_choice import FaceChoice
from npe_core.editor.framing import CROP, fade_at_borders
from npe_core.editor.grain import add_grain
from npe_core.editor.heal import heal
from npe_core.editor.hold import least_detail, settle, walk
from npe_core.editor.job import EditJob, check_canvas
from npe_core.editor.neighbours import left_to_neighbours
from npe_core.editor.paste import paste, paste_guide
from npe_core.editor.plain import set_apart
from npe_core.editor.reach import out_of_reach, within_reach
from npe_core.editor.recipe import Recipe
from npe_core.editor.region_map import RegionMap
from npe_core.editor.result import EditResult, Preview
from npe_core.editor.specks import Specks, lay
from npe_core.editor.tiles import crops_for
from npe_core.editor.views import Views, look_at, own_texture, surroundings
from npe_core.errors import Cancelled, NpeError
from npe_core.faces import FaceCrop
from npe_core.models.weights import SMOOTH
from npe_core.parallel import copied
from npe_core.parts import Parts
from npe_core.photo import Photo
from npe_core.strength import check_seed, check_sharpness


@dataclass(frozen=True)
class Maps:
    """What the crops of an edit say about the photo's pixels: one array a crop, (CROP, CROP[, 3]) float32."""

    base: list[np.ndarray]
    weight: list[np.ndarray]
    texture: list[np.ndarray]
    kept: list[np.ndarray]
    """Where no texture is missing: that of the guide is kept, or the paint is a fill or a tint and has the photo's."""


@dataclass(eq=False)
class Underway:
    """One edit, with what is known of it so far."""

    job: EditJob
    recipe: Recipe
    choice: FaceChoice
    crops: list[FaceCrop]
    """Those that go through the networks: the faces' and tiles beside them."""
    fades: list[np.ndarray]
    plain: list[FaceCrop]
    """Tiles that show the guide as it is."""
    views: Views
    clock: Clock
    failure: NpeError | None = None
    result: Tensor | None = None
    """(B, 3, 128, 128), one row a crop, once it has been through the diffusion model."""
    maps: Maps | None = None

    @property
    def seeds(self) -> list[int]:
        """One for each crop."""
        return [(self.recipe.seed or 0) + number for number in range(len(self.crops))]

    def go_on(self) -> None:
        """Between two parts of the work: raises Cancelled if ``job.keep_going`` does."""
        if self.job.keep_going is not None:
            self.job.keep_going()

    def show(self, step: Step, rows: slice) -> None:
        """Asks the job whether to go on, and tells it of a step of its batch; if it raises Cancelled, it has failed."""
        if self.failure is not None:
            return
        try:
            self.go_on()
            if self.job.progress is not None:
                self.job.progress(Preview.of(step, slice(rows.start, rows.start + len(self.choice.crops))))
        except Cancelled as stop:
            self.failure = stop


def begin(job: EditJob, choose: Callable[[Photo], FaceChoice], engine: Engine) -> Underway:
    """Check an edit and cut out what the models will see; ``choose`` finds the face where the job names none.

    Raises UsageError for invalid arguments, InputError if nothing is marked on the chosen faces.
    """
    recipe = job.recipe()
    check_seed(job.seed)
    check_sharpness(job.sharpness)
    if job.upscale:
        engine.check_mix(job.sharpness)
    check_canvas(job.photo, job.canvas)
    clock = Clock()
    with timed(engine, None, [clock]):
        choice, known = job.choice, job.canvas.regions
        if choice is None:
            choice = known.choice if isinstance(known, RegionMap) else choose(job.photo)
        choice = choice.reached_by(job.canvas.levels)
        crops = crops_for(choice, job.canvas.levels)
        crops, plain = set_apart(job.canvas, crops, len(choice.crops), recipe.timestep)
        fades = [fade_at_borders(crop, job.photo.size) for crop in crops]
        views = look_at(job.photo, job.canvas, crops, fades, engine)
    return Underway(job, recipe, choice, crops, fades, plain, views, clock)


def diffuse(edits: list[Underway], engine: Engine) -> None:
    """Take edits of one strength through the diffusion model together. Raises Cancelled when all of them were."""
    ends = np.cumsum([len(edit.crops) for edit in edits]).tolist()
    rows = [slice(end - len(edit.crops), end) for edit, end in zip(edits, ends, strict=True)]

    def tell(step: Step) -> None:
        for edit, own in zip(edits, rows, strict=True):
            edit.show(step, own)
        if all(edit.failure is not None for edit in edits):
            raise Cancelled("All edits were stopped; nothing was written.")

    asked = [edit for edit in edits if edit.job.progress is not None or edit.job.keep_going is not None]
    callback: Callback | None = tell if asked else None
    shares = [len(edit.crops) / ends[-1] for edit in edits]
    with timed(engine, "diffusion", [edit.clock for edit in edits], shares):
        views = [edit.views for edit in edits]
        result = walk(
            engine,
            torch.cat([view.original for view in views]),
            torch.cat([view.guide for view in views]),
            torch.cat([view.mask for view in views]),
            torch.cat([view.painted for view in views]),
            edits[0].recipe.strength,
            [seed for edit in edits for seed in edit.seeds],
            callback,
        )
    for edit, own in zip(edits, rows, strict=True):
        edit.result = result[own]


def restore(edit: Underway, engine: Engine) -> None:
    """From the 128-pixel result to maps of the crops at full size. Raises Cancelled if ``job.keep_going`` does."""
    assert edit.result is not None, "diffuse comes first"
    job, views, timestep = edit.job, edit.views, edit.recipe.timestep
    edit.go_on()
    with timed(engine, "upscale", [edit.clock]):
        own = own_texture(job.photo, job.canvas, edit.crops, engine)
        result = settle(edit.result, views, own, timestep)
        restored = None
        if edit.recipe.upscale:
            edit.go_on()
            known = upload(surroundings(job.photo, views, edit.crops), engine.device)
            restored = engine.upscale_marked(result, views.mask, edit.recipe.sharpness, known, job.keep_going)
        least = least_detail(timestep) * views.painted
        fine = own * (1 - views.thin * changed(result, views.guide))  # else a scratch comes back as photo's detail
        base, weight = full_size(result, views.guide, restored, fine, CROP, least)
        edit.maps = Maps(
            base=to_arrays(base.add_(1).sub_(weight).mul_(127.5)),
            weight=single(weight),
            texture=single(resize(own, CROP).clamp(0, 1)),
            kept=single(torch.maximum(weight, resize(own * views.painted, CROP).clamp(0, 1))),
        )


def single(x: Tensor) -> list[np.ndarray]:
    """(B, 1, H, W) -> B arrays (H, W) float32."""
    return [array[..., 0] for array in to_arrays(x)]


def finish(edit: Underway, engine: Engine) -> EditResult:
    """Write the crops back into the photo. Raises Cancelled as ``restore``."""
    assert edit.maps is not None, "restore comes first"
    job, canvas, maps = edit.job, edit.job.canvas, edit.maps
    with timed(engine, None, [edit.clock]):
        image = copied(job.photo.image)
        faces = len(edit.choice.crops)
        shares = [*left_to_neighbours(edit.crops[:faces], edit.fades[:faces]), *edit.fades[faces:]]
        plain_fades = [fade_at_borders(tile, job.photo.size) for tile in edit.plain]
        for tile, fade in zip(edit.plain, plain_fades, strict=True):
            edit.go_on()
            paste_guide(image, canvas.guide_parts, canvas.levels, tile, fade)
        for i in reversed(range(len(edit.crops))):  # the tiles first, the faces on top
            edit.go_on()
            own = maps.base[i], maps.weight[i], shares[i], maps.texture[i]
            paste(image, canvas.guide_parts, canvas.levels, edit.crops[i], *own, edit.recipe.strength.steps)
        everywhere = [*edit.crops, *edit.plain]
        reached = within_reach(canvas.levels, everywhere, [*edit.fades, *plain_fades])
        if canvas.by_hand:
            specks = Specks.of(canvas.painted, edit.crops)
            anew = remade(canvas, reached, specks, edit.recipe.strength.steps)
            heal(image, job.photo.image, canvas.levels, anew, edit.crops, maps.kept)
            add_grain(image, job.photo.image, canvas.levels, anew, edit.crops, maps.kept)
            if specks is not None:
                lay(image, job.photo.image, canvas.guide_parts, reached, specks, edit.crops)
        models = {kind: engine.entry(kind).sha256[:12] for kind in models_of(edit.recipe, canvas.regions)}
        parameters = {"version": __version__, **edit.recipe.parameters(), "models": models}
        photo = job.photo.edited(image, reached, parameters, given=True)
    return EditResult(
        photo=photo,
        reached=reached,
        parameters=parameters,
        faces=faces,
        face_numbers=edit.choice.numbers,
        seconds=edit.clock.seconds,
        warnings=(
            *job.photo.notes,
            *absent_from(canvas.targets),
            *left_out(canvas.levels, everywhere),
            *beyond_looks(edit.recipe, canvas.regions),
        ),
    )


def remade(canvas: Canvas, reached: Parts, specks: Specks | None, steps: int) -> np.ndarray:
    """(H, W) bool: what is marked, as far as the edit has ``reached``, and no speck.

    Nor what was held in each of the ``steps``, see ``paste``: it shows less and less of what was made anew.
    """
    where = np.zeros(canvas.levels.shape, bool)
    if (box := box_of(canvas.levels)) is not None:
        where[cut(box)] = (reached[cut(box)] > 0) & (canvas.levels[cut(box)] >= 255 / steps)
    if specks is not None:
        where[cut(specks.box)] &= specks.labels == 0
    return where


def models_of(recipe: Recipe, regions: Regions | None) -> list[str]:
    """Which weights a picture depends on: the segmenter's if it was it that found the ``regions`` that are filled."""
    segmenter = ["segmenter"] if recipe.regions and isinstance(regions, RegionMap) else []
    if not recipe.upscale:
        return ["denoiser", *segmenter]
    return ["denoiser", *segmenter, "upscaler", *([SMOOTH] if recipe.sharpness < 1 else [])]


def absent_from(fills: list[Fill]) -> list[str]:
    """A note on each fill of several regions of which the picture has not all."""
    lacking = [(" and no ".join(fill.absent), fill.region) for fill in fills if fill.absent]
    return [f"no {absent} found for the fill of {region}; the rest of it was made" for absent, region in lacking]


def left_out(levels: np.ndarray, crops: list[FaceCrop]) -> list[str]:
    """A warning if more than a hundredth of the mask, (H, W) uint8, was out of the crops' reach."""
    missing = out_of_reach(levels, crops)
    if missing <= 0.01:
        return []
    return [f"{missing:.0%} of the mask lies too far from the chosen faces and was left as it is"]


def beyond_looks(recipe: Recipe, regions: Regions | None) -> list[str]:
    """A warning if the background was filled and more than a hundredth of the photo was not looked at."""
    if not any("background" in names.split("+") for names in recipe.regions) or not isinstance(regions, RegionMap):
        return []
    missing = regions.backdrop.unseen((regions.ids.shape[1], regions.ids.shape[0]))
    if missing <= 0.01:
        return []
    return [f"background is known around the chosen faces only: {missing:.0%} of the photo lies farther off"]
