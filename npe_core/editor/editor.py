"""The editor: a photo and a canvas in, an edited photo out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from npe_core import __version__
from npe_core.blend import detail_weight, full_size, keep_colour
from npe_core.canvas import Canvas
from npe_core.device import choose_device
from npe_core.diffusion.masked import SAMPLERS, Strength, masked_edit, sample
from npe_core.diffusion.samplers import Callback, Step
from npe_core.diffusion.schedule import TIMESTEPS, draw_noise
from npe_core.editor.engine import Engine, resize, to_images, to_tensor
from npe_core.editor.paste import blend_into, box_around, frame_fade
from npe_core.editor.region_map import RegionMap
from npe_core.editor.result import EditResult, Preview, Progress
from npe_core.errors import InputError, UsageError
from npe_core.faces import FaceCrop, choose_faces, find_faces
from npe_core.photo import Photo

CROP = 512
"""Side of the crop that a face is brought to: four times the denoiser's picture."""

Faces = int | str
"""Which faces: a number from 1 (left to right), ``largest`` or ``all``."""


class Editor:
    """Edits photos with the three models on one device. Models are loaded when they are first needed.

    One editor serves one thread at a time.
    """

    def __init__(self, device: str = "auto", weights: Path | None = None) -> None:
        """Raises UsageError or EnvironmentFault when ``device`` is not to be had."""
        self.engine = Engine(choose_device(device), weights)

    def crops(
        self,
        photo: Photo,
        face: Faces = "largest",
        aligned: bool = False,
        box: tuple[float, float, float, float] | None = None,
    ) -> list[FaceCrop]:
        """The crops of the chosen faces. ``aligned``: the photo is a face crop already, its centred square is used.

        ``box`` (x0, y0, x1, y1) names the place of a face by hand. Raises InputError when no face is found.
        """
        if aligned:
            return [FaceCrop.centred(*photo.size, size=CROP)]
        if box is not None:
            return [FaceCrop.from_box(box, size=CROP)]
        return [FaceCrop.aligned(found, size=CROP) for _, found in choose_faces(find_faces(photo.image), face)]

    def segment(self, photo: Photo, crops: list[FaceCrop] | None = None) -> RegionMap:
        """The regions of the faces in ``crops`` (default: of the largest face), at the photo's size."""
        crops = self.crops(photo) if crops is None else crops
        size = self.engine.segment_size
        x = to_tensor([crop.extract(photo.image, size) for crop in crops])
        return RegionMap.of(crops, list(self.engine.segment(x).numpy()), photo.size)

    def edit(
        self,
        photo: Photo,
        canvas: Canvas,
        timestep: int = 300,
        steps: int = 10,
        sampler: str = "dpmpp",
        seed: int | None = None,
        crops: list[FaceCrop] | None = None,
        upscale: bool = True,
        progress: Progress | None = None,
    ) -> EditResult:
        """Turn the paint of the canvas into a photograph, where its mask says so and nowhere else.

        The canvas has the photo's size. timestep 1..499 is the strength (200-300 subtle, 350-475 dramatic), steps the
        calls of the diffusion model, seed what makes it repeatable (None draws one). ``crops`` are the faces to edit
        (default: those of the canvas's regions, else the largest face). ``upscale=False`` leaves super-resolution out.
        Raises UsageError, InputError, WeightsError, EnvironmentFault, and Cancelled if ``progress`` does.
        """
        strength = check_strength(timestep, steps, sampler)
        seed = secrets.randbelow(2**31) if seed is None else seed
        check_canvas(photo, canvas)
        clock = Clock(self.engine)
        if crops is None:
            known = canvas.regions
            crops = list(known.crops) if isinstance(known, RegionMap) else self.crops(photo)
        crops = [crop.resized(CROP) for crop in crops]

        mask, outside = frame_mask(canvas.mask, crops, photo.size)
        with clock.stage("diffusion"):
            original, guide, soft, painted = self.views(photo, canvas, mask, crops)
            seeds = [seed + number for number in range(len(crops))]
            result = masked_edit(
                self.engine.denoise, original, guide, soft, strength, seeds, report(progress, self.engine.device)
            )
            result = keep_colour(result, guide, painted * soft, colour_hold(timestep))
        with clock.stage("upscale"):
            restored = self.engine.upscale(result) if upscale else None
            texture = own_texture(photo, canvas, crops, self.engine)
            base, weight = full_size(result, guide, restored, texture, CROP)

        image = photo.image.copy()
        for i, crop in enumerate(crops):
            x0, y0, x1, y1 = box = box_around(crop, photo.size)
            blend_into(
                image,
                canvas.guide[y0:y1, x0:x1],
                mask[y0:y1, x0:x1],
                crop,
                np.ascontiguousarray((base[i] * 127.5 + 127.5 * (1 - weight[i])).permute(1, 2, 0).cpu().numpy()),
                np.ascontiguousarray(weight[i, 0].cpu().numpy()),
                box,
            )
        parameters = self._parameters(strength, seed, upscale, canvas)
        warnings = list(photo.notes)
        if outside > 0.01:
            warnings.append(
                f"{outside:.0%} of the mask lies outside the crops of the chosen faces and was left as it is"
            )
        return EditResult(
            photo=photo.edited(image, mask, parameters),
            mask=mask,
            parameters=parameters,
            faces=len(crops),
            seconds=clock.seconds(),
            warnings=tuple(warnings),
        )

    def upscale(self, photo: Photo) -> Photo:
        """The photo four times as large, by the super-resolution model. Alpha and metadata stay with the original."""
        size = self.engine.device
        x = to_tensor([photo.image]).to(size)
        return Photo.from_array(to_images(self.engine.upscale_tiled(x))[0])

    def sample(
        self, count: int, steps: int = 20, sampler: str = "dpmpp", seed: int = 0, progress: Progress | None = None
    ) -> np.ndarray:
        """(count, 128, 128, 3) uint8: faces out of nothing but noise; face k has the noise of seed + k."""
        strength = check_strength(TIMESTEPS - 1, steps, sampler)
        side = self.engine.image_size
        faces = []
        for first in range(0, count, 16):
            seeds = [seed + k for k in range(first, min(first + 16, count))]
            noise = draw_noise((3, side, side), seeds).to(self.engine.device)
            x = sample(self.engine.denoise, noise, strength, seeds, report(progress, self.engine.device))
            faces.append(to_images(x))
        return np.concatenate(faces)

    def views(
        self, photo: Photo, canvas: Canvas, mask: np.ndarray, crops: list[FaceCrop]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Original, guide (B, 3, 128, 128) in [-1, 1], soft mask and paint (B, 1, 128, 128), on the device."""
        side, device = self.engine.image_size, self.engine.device
        original = to_tensor([crop.extract(photo.image, side) for crop in crops]).to(device)
        guide = to_tensor([crop.extract(canvas.guide, side) for crop in crops]).to(device)
        soft = to_masks([crop.extract(mask, side) for crop in crops]).to(device)
        if not bool((soft > 0).any()):
            raise InputError(
                "Nothing is marked on the chosen faces. Fill a region, paint, or give a mask; `npe faces` lists them."
            )
        painted = to_masks([crop.extract(canvas.painted.astype(np.float32), side) for crop in crops]).to(device)
        return original, guide, soft, painted

    def _parameters(self, strength: Strength, seed: int, upscale: bool, canvas: Canvas) -> dict[str, Any]:
        kinds = ["denoiser", *(["upscaler"] if upscale else [])]
        return {
            "version": __version__,
            "regions": {fill.region: fill.colour for fill in canvas.targets},
            "timestep": strength.timestep,
            "steps": strength.steps,
            "sampler": strength.sampler,
            "seed": seed,
            "upscale": upscale,
            "models": {kind: self.engine.entry(kind).sha256[:12] for kind in kinds},
        }


class Clock:
    """Seconds by stage, with the reading of weights kept apart."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loaded = engine.load_seconds
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a stage; what it spends on loading does not count."""
        start, loaded = time.perf_counter(), self._engine.load_seconds
        yield
        if self._engine.device.type == "cuda":
            torch.cuda.synchronize(self._engine.device)
        self._stages[name] = time.perf_counter() - start - (self._engine.load_seconds - loaded)

    def seconds(self) -> dict[str, float]:
        """load, the stages, and total without load."""
        load = self._engine.load_seconds - self._loaded
        return {"load": load, **self._stages, "total": time.perf_counter() - self._start - load}


def check_strength(timestep: int, steps: int, sampler: str) -> Strength:
    """Raises UsageError for what cannot be meant."""
    if not 1 <= timestep < TIMESTEPS:
        raise UsageError(f"The timestep lies in 1..{TIMESTEPS - 1} (200-300 subtle, 350-475 dramatic), not {timestep}.")
    if not 1 <= steps <= timestep:
        raise UsageError(f"The steps lie in 1..{timestep}, the timestep; got {steps}.")
    if sampler not in SAMPLERS:
        raise UsageError(f"{sampler!r} is not a sampler. Choose one of: {', '.join(SAMPLERS)}.")
    return Strength(timestep, steps, sampler)


def check_canvas(photo: Photo, canvas: Canvas) -> None:
    """The canvas is of the photo, and something is marked."""
    width, height = photo.size
    if canvas.size != (height, width):
        raise UsageError(f"The canvas has {canvas.size[1]}x{canvas.size[0]} pixels, the photo {width}x{height}.")
    if not canvas.mask.any():
        raise InputError("Nothing is marked. Fill a region, paint, or give a mask.")


def frame_mask(mask: np.ndarray, crops: list[FaceCrop], photo_size: tuple[int, int]) -> tuple[np.ndarray, float]:
    """The mask as far as the crops reach, fading at their borders; and the share of it that they do not reach."""
    reach = np.zeros(mask.shape, np.float32)
    for crop in crops:
        x0, y0, x1, y1 = box = crop.box(photo_size)
        part = reach[y0:y1, x0:x1]
        np.maximum(part, crop.to_box(frame_fade(crop, photo_size), box), out=part)
    whole = float(mask.sum(dtype=np.float64))
    framed = mask * reach
    return framed, 1 - float(framed.sum(dtype=np.float64)) / whole if whole else 0.0


def colour_hold(timestep: int) -> float:
    """How firmly the paint's colour is kept: wholly up to t = 300, then less, as the picture is freer."""
    return 1.0 - 0.4 * max(0.0, (timestep - 300) / 200)


def own_texture(photo: Photo, canvas: Canvas, crops: list[FaceCrop], engine: Engine) -> Tensor:
    """(B, 1, 128, 128): 1 where the fine detail of the canvas is the photograph's, 0 where flat paint covers it."""
    original = to_tensor([crop.extract(photo.image, CROP) for crop in crops]).to(engine.device)
    guide = to_tensor([crop.extract(canvas.guide, CROP) for crop in crops]).to(engine.device)
    side = engine.image_size
    fine, fine_guide = (x - resize(resize(x, side), CROP) for x in (original, guide))
    return resize(detail_weight(fine, fine_guide, sigma=4.0, quiet=0.006), side).clamp(0, 1)


def to_masks(maps: list[np.ndarray]) -> Tensor:
    """[(S, S) float32, ...] -> (B, 1, S, S), in [0, 1]."""
    return torch.from_numpy(np.stack(maps))[:, None].clamp(0, 1)


def report(progress: Progress | None, device: torch.device) -> Callback | None:
    """A sampler's callback that shows previews."""
    if progress is None:
        return None

    def tell(step: Step) -> None:
        progress(Preview(step.index + 1, step.total, step.t, to_images(step.x0)))

    return tell
