"""The editor: a photo and a canvas in, an edited photo out."""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np
import torch

from npe_core import __version__
from npe_core.blend import full_size, keep_colour
from npe_core.canvas import Canvas
from npe_core.canvas.boxes import box_of, cut
from npe_core.device import choose_device
from npe_core.diffusion.masked import masked_edit, sample
from npe_core.diffusion.samplers import Callback, Step
from npe_core.diffusion.schedule import TIMESTEPS, draw_noise
from npe_core.editor.clock import Clock
from npe_core.editor.engine import Engine, resize, to_arrays, to_images, to_tensor
from npe_core.editor.framing import CROP, FaceChoice, crops_for, fade_at_borders, wide_look
from npe_core.editor.paste import paste
from npe_core.editor.recipe import Recipe, check_seed, check_strength
from npe_core.editor.region_map import Look, RegionMap
from npe_core.editor.result import EditResult, Preview, Progress
from npe_core.editor.views import look_at, own_texture
from npe_core.errors import InputError, UsageError
from npe_core.faces import FaceCrop, choose_faces, find_faces
from npe_core.parallel import each
from npe_core.photo import Photo


class Editor:
    """Edits photos with the three models on one device. Models are loaded when they are first needed.

    One editor serves one thread at a time.
    """

    def __init__(self, device: str = "auto", weights: Path | None = None) -> None:
        """Raises UsageError or EnvironmentFault when ``device`` is not to be had."""
        self.engine = Engine(choose_device(device), weights)

    def choose(
        self,
        photo: Photo,
        face: str | int = "largest",
        aligned: bool = False,
        box: tuple[float, float, float, float] | None = None,
    ) -> FaceChoice:
        """The faces that are meant: a number from 1 (left to right), ``largest`` or ``all``.

        ``aligned``: the photo is a face crop already, its centred square is used. ``box`` (x0, y0, x1, y1) names the
        place of head and hair by hand. Raises InputError when no face is found, UsageError for a number too high.
        """
        if aligned:
            return FaceChoice((FaceCrop.centred(*photo.size, size=CROP),))
        if box is not None:
            return FaceChoice((FaceCrop.from_box(box, size=CROP),))
        found = find_faces(photo.image)
        chosen = {number for number, _ in choose_faces(found, face)}
        crops = {number: FaceCrop.aligned(one, size=CROP) for number, one in enumerate(found, start=1)}
        others = tuple(crop for number, crop in crops.items() if number not in chosen)
        return FaceChoice(tuple(crops[number] for number in sorted(chosen)), others)

    def segment(self, photo: Photo, choice: FaceChoice | None = None) -> RegionMap:
        """The regions of the chosen faces (default: of the largest one), at the photo's size."""
        choice = self.choose(photo) if choice is None else choice
        size = self.engine.segment_size
        squares = [[wide_look(crop, photo.size), crop] for crop in choice.crops]
        views = [square.resized(size) for pair in squares for square in pair if square is not None]
        seen = self.engine.segment(to_tensor(each(lambda view: view.extract(photo.image), views))).numpy()
        looks = iter([Look(view, probabilities) for view, probabilities in zip(views, seen, strict=True)])
        faces = [tuple(next(looks) for square in pair if square is not None) for pair in squares]
        return RegionMap.of(choice, faces, photo.size)

    def edit(
        self,
        photo: Photo,
        canvas: Canvas,
        timestep: int = 250,
        steps: int = 10,
        sampler: str = "dpmpp",
        seed: int | None = None,
        choice: FaceChoice | None = None,
        upscale: bool = True,
        progress: Progress | None = None,
    ) -> EditResult:
        """Turn the paint of the canvas into a photograph, where its mask says so and nowhere else.

        The canvas has the photo's size. timestep 1..499 is the strength (200-300 subtle, 350-475 dramatic), steps the
        calls of the diffusion model, seed what makes it repeatable (None draws one). ``choice`` names the faces to edit
        (default: those of the canvas's regions, else the largest face). ``upscale=False`` leaves super-resolution out.
        Raises UsageError, InputError, WeightsError, EnvironmentFault, and Cancelled if ``progress`` does.
        """
        strength = check_strength(timestep, steps, sampler)
        check_seed(seed)
        seed = secrets.randbelow(2**31) if seed is None else seed
        check_canvas(photo, canvas)
        clock = Clock(self.engine)
        if choice is None:
            known = canvas.regions
            choice = known.choice if isinstance(known, RegionMap) else self.choose(photo)
        crops = crops_for(choice, canvas.mask)
        fades = [fade_at_borders(crop, photo.size) for crop in crops]

        with clock.stage("diffusion"):
            views = look_at(photo, canvas, crops, fades, self.engine)
            seeds = [seed + number for number in range(len(crops))]
            tell = report(progress, len(choice.crops))
            result = masked_edit(self.engine.denoise, views.original, views.guide, views.mask, strength, seeds, tell)
            result = keep_colour(result, views.guide, views.painted * views.mask, colour_hold(timestep))
        with clock.stage("upscale"):
            restored = self.engine.upscale_marked(result, views.mask) if upscale else None
            texture = own_texture(photo, canvas, crops, self.engine) if canvas.by_hand else torch.ones_like(views.mask)
            base, weight = full_size(result, views.guide, restored, texture, CROP, least_detail(timestep))

        image = photo.image.copy()
        bases, weights = to_arrays(127.5 * (base + 1 - weight)), to_arrays(weight)
        own = to_arrays(resize(texture, CROP))
        for i in reversed(range(len(crops))):  # the tiles first, the faces on top
            maps = bases[i], weights[i][..., 0], fades[i], own[i][..., 0].clip(0, 1)
            paste(image, canvas.guide, canvas.mask, crops[i], *maps)
        mask = within_reach(canvas.mask, crops, fades)
        fills = {fill.region: fill.colour for fill in canvas.targets}
        recipe = Recipe(fills, timestep, steps, sampler, seed, upscale, painted=canvas.by_hand)
        parameters = {"version": __version__, **recipe.parameters(), "models": self._models(upscale)}
        return EditResult(
            photo=photo.edited(image, mask, parameters),
            mask=mask,
            parameters=parameters,
            faces=len(choice.crops),
            seconds=clock.seconds(),
            warnings=(*photo.notes, *left_out(canvas.mask, mask)),
        )

    def upscale(self, photo: Photo) -> Photo:
        """The photo four times as large, by the super-resolution model. Alpha and metadata stay with the original."""
        x = to_tensor([photo.image]).to(self.engine.device)
        return Photo.from_array(to_images(self.engine.upscale_tiled(x))[0])

    def sample(
        self, count: int, steps: int = 20, sampler: str = "dpmpp", seed: int = 0, progress: Progress | None = None
    ) -> np.ndarray:
        """(count, 128, 128, 3) uint8: faces out of nothing but noise; face k has the noise of seed + k."""
        strength = check_strength(TIMESTEPS - 1, steps, sampler)
        check_seed(seed)
        side = self.engine.image_size
        faces = []
        for first in range(0, count, 16):
            seeds = [seed + k for k in range(first, min(first + 16, count))]
            noise = draw_noise((3, side, side), seeds).to(self.engine.device)
            x = sample(self.engine.denoise, noise, strength, seeds, report(progress, len(seeds)))
            faces.append(to_images(x))
        return np.concatenate(faces)

    def _models(self, upscale: bool) -> dict[str, str]:
        kinds = ["denoiser", *(["upscaler"] if upscale else [])]
        return {kind: self.engine.entry(kind).sha256[:12] for kind in kinds}


def check_canvas(photo: Photo, canvas: Canvas) -> None:
    """The canvas is of the photo, and something is marked."""
    width, height = photo.size
    if canvas.size != (height, width):
        raise UsageError(f"The canvas has {canvas.size[1]}x{canvas.size[0]} pixels, the photo {width}x{height}.")
    if not canvas.mask.any():
        raise InputError("Nothing is marked. Fill a region, paint, or give a mask.")


def within_reach(mask: np.ndarray, crops: list[FaceCrop], fades: list[np.ndarray]) -> np.ndarray:
    """The mask (H, W) as far as the crops count."""
    result = np.zeros(mask.shape, np.float32)  # not zeros_like, which writes every page of a large photo
    for crop, fade in zip(crops, fades, strict=True):
        box = crop.box((mask.shape[1], mask.shape[0]))
        marked = box_of(mask[cut(box)])
        if marked is not None:
            place = box[0] + marked[0], box[1] + marked[1], box[0] + marked[2], box[1] + marked[3]
            counts = crop.to_box(fade, place)
            counts *= mask[cut(place)]
            np.maximum(result[cut(place)], counts, out=result[cut(place)])
    return result


def left_out(wanted: np.ndarray, mask: np.ndarray) -> list[str]:
    """A warning if more than a hundredth of the wanted mask was out of reach."""
    whole = float(wanted.sum(dtype=np.float64))
    missing = 1 - float(mask.sum(dtype=np.float64)) / whole
    if missing <= 0.01:
        return []
    return [f"{missing:.0%} of the mask lies too far from the chosen faces and was left as it is"]


def colour_hold(timestep: int) -> float:
    """How firmly the paint's colour is kept: wholly up to t = 300, then less, as the picture is freer."""
    return 1.0 - 0.4 * max(0.0, (timestep - 300) / 200)


def least_detail(timestep: int) -> float:
    """The share of the photo's own fine detail that a recolour keeps in any case: much up to t = 250, none from 350."""
    return 0.75 * min(1.0, max(0.0, (350 - timestep) / 100))


def report(progress: Progress | None, faces: int) -> Callback | None:
    """A sampler's callback that shows previews of the first ``faces`` pictures of the batch."""
    if progress is None:
        return None

    def tell(step: Step) -> None:
        progress(Preview(step.index + 1, step.total, step.t, to_images(step.x0[:faces])))

    return tell
