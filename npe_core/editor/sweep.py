"""The timestep study of one face."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import torch

from npe_core.canvas import Canvas
from npe_core.defaults import SAMPLER, STEPS
from npe_core.diffusion.masked import sample
from npe_core.diffusion.samplers import Step
from npe_core.diffusion.schedule import draw_noise, q_sample
from npe_core.editor.editor import Editor
from npe_core.editor.engine import resize, to_images
from npe_core.editor.framing import CROP, fade_at_borders
from npe_core.editor.hold import settle, walk
from npe_core.editor.job import check_canvas
from npe_core.editor.views import look_at, own_texture
from npe_core.faces import FaceCrop
from npe_core.photo import Photo
from npe_core.sheets import STUDY, STUDY_GAP, grid
from npe_core.strength import check_seed, strengths


def sweep(
    editor: Editor,
    photo: Photo,
    canvas: Canvas,
    timesteps: tuple[int, ...] = (100, 200, 300, 350, 400, 450),
    steps: int = STEPS,
    sampler: str = SAMPLER,
    seed: int = 0,
    crop: FaceCrop | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """The timestep study of one face: a row a timestep, columns as ``sheets.STUDY``; (H, W, 3) uint8, tiles of 256.

    "Restored without mask" starts from the same noised picture and is free everywhere: what the mask is good for.
    ``progress`` hears of every step of the model, and of how many there are.
    """
    check_canvas(photo, canvas)
    check_seed(seed)
    rows = strengths(timesteps, steps, sampler)
    crop = (crop or editor.choose(photo).crops[0]).resized(CROP)
    views = look_at(photo, canvas, [crop], [fade_at_borders(crop, photo.size)], editor.engine)
    original, guide = views.original, views.guide
    eps = draw_noise(tuple(original.shape[1:]), [seed]).to(original.device)
    own = own_texture(photo, canvas, [crop], editor.engine)
    total = 2 * sum(strength.steps for strength in rows)
    counted = count(1)

    def stepped(step: Step) -> None:
        if progress is not None:
            progress(next(counted), total)

    tiles = []
    for strength in rows:
        noised = q_sample(guide, strength.timestep, eps)
        free = sample(editor.engine.denoise, noised, strength, [seed], stepped)
        held = walk(editor.engine, original, guide, views.mask, views.painted, strength, [seed], stepped)
        held = settle(held, views, own, strength.timestep)
        tiles.append(torch.cat([original, guide, noised.clamp(-1, 1), free, held]))
    return grid(to_images(resize(torch.cat(tiles), 256)), len(STUDY), STUDY_GAP)
