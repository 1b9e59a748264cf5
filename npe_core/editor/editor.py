"""The editor: a photo and a canvas in, an edited photo out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

from npe_core.canvas import Canvas
from npe_core.canvas.boxes import overlap
from npe_core.defaults import SAMPLER, SAMPLERS_FROM_NOISE, TIMESTEP
from npe_core.device import choose_device, is_out_of_memory, memory_told, out_of_memory
from npe_core.diffusion.masked import sample
from npe_core.diffusion.samplers import Callback, Step
from npe_core.diffusion.schedule import TIMESTEPS
from npe_core.editor.engine import Engine, to_images, to_tensor
from npe_core.editor.face_choice import FaceChoice, around
from npe_core.editor.framing import CROP
from npe_core.editor.job import EditJob
from npe_core.editor.looks import close_look, looks_around
from npe_core.editor.region_map import Look, RegionMap, agreed
from npe_core.editor.result import EditResult, KeepGoing, Preview, Progress
from npe_core.editor.underway import Underway, begin, diffuse, finish, restore
from npe_core.errors import NpeError, UsageError
from npe_core.faces import FaceCrop, choose_faces, find_faces
from npe_core.opencv import opencv
from npe_core.parallel import each
from npe_core.photo import Photo
from npe_core.strength import Strength, check_seed, check_sharpness, check_strength

TOGETHER = 16
"""Faces that are made up at once: they are shown as they come, and bound the memory."""

Outcome = TypeVar("Outcome")
P = ParamSpec("P")


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
        place of head and hair by hand. Raises InputError when no face is found, UsageError for a number too high, and
        for a box that is none in the photo.
        """
        if aligned:
            return FaceChoice((FaceCrop.centred(*photo.size, size=CROP),))
        if box is not None:
            return FaceChoice((around(box, photo.size),))
        found = find_faces(photo.image)
        chosen = {number for number, _ in choose_faces(found, face)}
        crops = {number: FaceCrop.aligned(one, size=CROP) for number, one in enumerate(found, start=1)}
        others = tuple(crop for number, crop in crops.items() if number not in chosen)
        numbers = tuple(sorted(chosen))
        return FaceChoice(tuple(crops[number] for number in numbers), others, numbers)

    def segment(self, photo: Photo, choice: FaceChoice | None = None) -> RegionMap:
        """The regions of the chosen faces (default: of the largest one), at the photo's size.

        Raises InputError when no face is chosen and none found, WeightsError, EnvironmentFault.
        """
        return self.segment_many([(photo, self.choose(photo) if choice is None else choice)])[0]

    @memory_told()
    def segment_many(
        self, photos: Sequence[tuple[Photo, FaceChoice]], keep_going: KeepGoing | None = None
    ) -> list[RegionMap]:
        """The regions of the chosen faces of several photos; together through the model as in ``edit_many``.

        Raises WeightsError, EnvironmentFault, and Cancelled if ``keep_going`` does, which is called before each batch:
        on a CPU before each face.
        """
        size = self.engine.segment_size if photos else 0
        faces = [faces_to_look_at(photo, choice, size) for photo, choice in photos]
        beside = [faces_beside(photo, choice, size) for photo, choice in photos]
        views = [
            [(photo, view) for view in face]
            for (photo, _), own, near in zip(photos, faces, beside, strict=True)
            for face in (*own, near)
        ]
        together = [[one for own in views for one in own]] if photos and self.engine.shares_batches else views
        seen = (row for batch in together if batch for row in self._seen(batch, keep_going))
        looks, others = [], []
        for own, near in zip(faces, beside, strict=True):
            looks.append([merged([Look(view, next(seen)) for view in face]) for face in own])
            others.append([Look(view, next(seen)) for view in near])
        numbers = range(len(photos))
        return each(lambda i: RegionMap.of(photos[i][1], looks[i], photos[i][0].size, others[i]), numbers)

    def _seen(self, views: list[tuple[Photo, FaceCrop]], keep_going: KeepGoing | None) -> np.ndarray:
        """What the segmenter says about squares of photos: (N, 11, S, S) uint8, probabilities in 1/255."""
        if keep_going is not None:
            keep_going()
        return self.engine.segment(to_tensor(each(lambda view: view[1].extract(view[0].image), views))).numpy()

    def edit(
        self,
        photo: Photo,
        canvas: Canvas,
        timestep: int = TIMESTEP,
        steps: int | None = None,
        sampler: str = SAMPLER,
        seed: int | None = None,
        choice: FaceChoice | None = None,
        upscale: bool = True,
        sharpness: float = 1.0,
        progress: Progress | None = None,
    ) -> EditResult:
        """Turn the paint of the canvas into a photograph, where its mask says so and nowhere else.

        The canvas has the photo's size. timestep 1..499 is the strength (200-300 subtle, 350-475 dramatic), steps the
        calls of the diffusion model (None: 4, or the timestep where that is less), seed what makes it repeatable (None
        draws one). ``choice`` names the faces to edit (default: those of the canvas's regions, else the largest face).
        ``upscale=False`` leaves super-resolution out, ``sharpness`` 0..1 says how much detail it may invent.
        Raises UsageError, InputError, WeightsError, EnvironmentFault, and Cancelled if ``progress`` does.
        """
        job = EditJob(photo, canvas, timestep, steps, sampler, seed, choice, upscale, sharpness, progress)
        (outcome,) = self.edit_many([job])
        if isinstance(outcome, NpeError):
            raise outcome
        return outcome

    def edit_many(self, jobs: Sequence[EditJob]) -> list[EditResult | NpeError]:
        """``edit`` for several jobs at once: for each its result, or the error that ``edit`` would raise.

        On a GPU jobs of the same strength share the calls of the diffusion model; a job's picture differs by rounding
        only from what it is alone. On a CPU, where a batch saves little, each job goes by itself and gets the same
        bytes in any company. Jobs are cut out and pasted back side by side. All of them are in memory together.
        A job whose ``progress`` raises Cancelled drops out; the others go on.
        """
        started = each(lambda job: attempt(begin, job, self.choose, self.engine), jobs)
        for batch in self._batches([edit for edit in started if isinstance(edit, Underway)]):
            stopped = attempt(diffuse, batch, self.engine)
            for edit in batch:
                edit.failure = edit.failure or stopped or attempt(restore, edit, self.engine)
        return each(self._outcome, started)

    def _outcome(self, edit: Underway | NpeError) -> EditResult | NpeError:
        if isinstance(edit, NpeError):
            return edit
        if edit.failure is not None:
            return edit.failure
        return attempt(finish, edit, self.engine)

    def _batches(self, edits: list[Underway]) -> list[list[Underway]]:
        if not self.engine.shares_batches:
            return [[edit] for edit in edits]
        together: dict[Strength, list[Underway]] = {}
        for edit in edits:
            together.setdefault(edit.recipe.strength, []).append(edit)
        return list(together.values())

    @memory_told()
    def upscale(
        self, photo: Photo, sharpness: float = 1.0, progress: Callable[[int, int], None] | None = None
    ) -> Photo:
        """The photo four times as large, by the super-resolution model, with its alpha, profile and metadata.

        A grey one stays grey: the model knows colours only, and tints it a little.
        ``sharpness`` 0..1 says how much detail it may invent. ``progress`` (done, total) is called after each tile.
        Raises UsageError, WeightsError, EnvironmentFault.
        """
        check_sharpness(sharpness)
        large = self.engine.upscale_tiled(photo.image, sharpness, progress)
        if (photo.image == photo.image[..., :1]).all():
            cv2 = opencv()
            large = cv2.cvtColor(cv2.cvtColor(large, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return photo.enlarged(large)

    @memory_told()
    def sample(
        self,
        count: int,
        steps: int = 20,
        sampler: str = SAMPLERS_FROM_NOISE[0],
        seed: int = 0,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """(count, 128, 128, 3) uint8: faces that the model makes up; face k is of seed + k.

        Raises UsageError, WeightsError, EnvironmentFault, and Cancelled if ``progress`` does.
        """
        if count < 1:
            raise UsageError(f"The count of faces is 1 or more, not {count}.")
        check_strength(TIMESTEPS - 1, steps, sampler, SAMPLERS_FROM_NOISE)
        check_seed(seed)
        check_seed(seed + count - 1)
        faces = []
        for first in range(0, count, TOGETHER):
            seeds = [seed + k for k in range(first, min(first + TOGETHER, count))]
            xt, t = self.engine.begin(seeds)
            # they may begin below the last timestep, and there are no more calls than timesteps
            strength = check_strength(t, min(steps, t), sampler, SAMPLERS_FROM_NOISE)
            x = sample(self.engine.denoise, xt, strength, seeds, report(progress, len(seeds)))
            faces.append(to_images(self.engine.finite(x, "denoiser")))
        return np.concatenate(faces)


def attempt(work: Callable[P, Outcome], *arguments: P.args, **options: P.kwargs) -> Outcome | NpeError:
    """What the work returns, or the error that it raises on purpose; a device without memory is told like one."""
    try:
        return work(*arguments, **options)
    except NpeError as error:
        return error
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    return out_of_memory()  # behind the except: as long as there is an error, it holds the tensors of what failed


def faces_to_look_at(photo: Photo, choice: FaceChoice, size: int) -> list[list[FaceCrop]]:
    """Of each chosen face the squares that the segmenter sees, the widest first.

    Wider ones, where the photo goes on, its crop, and a closer one.
    """
    looks = [[*looks_around(crop, photo.size), close_look(crop)] for crop in choice.crops]
    return [[square.resized(size) for square in face] for face in looks]


def faces_beside(photo: Photo, choice: FaceChoice, size: int) -> list[FaceCrop]:
    """The widest look at each other face that it shares some of the photo with: who is no background there."""
    around = [looks_around(crop, photo.size)[0].box(photo.size) for crop in choice.crops]
    others = [looks_around(crop, photo.size)[0].resized(size) for crop in choice.others]
    return [square for square in others if any(overlap(square.box(photo.size), box) for box in around)]


def merged(looks: list[Look]) -> tuple[Look, ...]:
    """The looks at a face, the widest first, with the closest taken into the one around it."""
    *wider, crop, close = looks
    return (*wider, agreed(crop, close))


def report(progress: Progress | None, faces: int) -> Callback | None:
    """A sampler's callback that shows previews of the first ``faces`` pictures of the batch."""
    if progress is None:
        return None

    def tell(step: Step) -> None:
        progress(Preview.of(step, slice(faces)))

    return tell
