"""One job's work: read its inputs, edit (several jobs at once), write its result. No file is moved here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from npe_core import __version__
from npe_core.daemon import journal
from npe_core.daemon.claimed import LARGEST_FILE, Claimed
from npe_core.daemon.files import Files
from npe_core.daemon.inputs import by_hand_of, laid, parameters_of, require_writable, result_name, without_folder
from npe_core.daemon.parameters import Parameters
from npe_core.daemon.worker import DeviceLost, Read, StillWritten
from npe_core.defaults import MAX_MEGAPIXELS
from npe_core.errors import EnvironmentFault, InputError, NpeError
from npe_core.filenames import printable
from npe_core.packages import importing

if TYPE_CHECKING:
    from npe_core.canvas import Canvas
    from npe_core.editor import Editor, EditResult, FaceChoice
    from npe_core.editor.laying import ByHand
    from npe_core.photo import Photo


@dataclass(frozen=True, eq=False)
class JobContent:
    """A photo with what is to be laid over it. Nothing here changes: an edit that is tried again begins as before."""

    photo: Photo
    parameters: Parameters
    by_hand: ByHand
    choice: FaceChoice
    canvas: Canvas | None
    """None where regions are to be filled, which are not known yet."""
    notes: list[str]
    """On the mask."""


class EditWorker:
    """The worker that edits photos."""

    def __init__(self, device: str = "auto", max_megapixels: float = MAX_MEGAPIXELS) -> None:
        self.device, self.max_megapixels = device, max_megapixels
        self._editor: Editor | None = None

    def load(self) -> tuple[str, str]:
        with importing():
            from npe_core.editor import Editor
            from npe_core.faces.detection import require_detector
            from npe_core.faces.yunet import model_digest
            from npe_core.models.weights import COARSE, kinds_of, read_manifest

        require_detector()
        editor = Editor(self.device)
        entries = [editor.engine.entry(kind) for kind in kinds_of(read_manifest()) if kind != COARSE]
        self._editor = editor
        salt = "\n".join([__version__, model_digest(), *(entry.sha256 for entry in entries)])
        return salt, editor.engine.choice.name

    @property
    def editor(self) -> Editor:
        """Raises EnvironmentFault before ``load``."""
        if self._editor is None:
            raise EnvironmentFault("The models are not loaded.")
        return self._editor

    @property
    def shares_batches(self) -> bool:
        """On a CPU they are not: one by one, the first is written while the second is edited."""
        return self.editor.engine.shares_batches

    def read(self, job: Claimed) -> Read:
        start = time.perf_counter()
        from npe_core.photo import Photo

        if job.record.oversize:
            most = LARGEST_FILE >> 20
            raise InputError(
                f"{printable(job.record.oversize)} has more than {most} MiB, the limit for a file in the inbox."
            )
        photo_file = job.input("photo")
        assert photo_file is not None, "a record without a photo is refused when it is loaded"
        if not job.is_as_claimed():
            raise StillWritten
        try:
            parameters = parameters_of(job)
            photo = Photo.open(photo_file, max_megapixels=self.max_megapixels)
            require_writable(job, photo.size)
            by_hand, notes = by_hand_of(job, photo.size, parameters)
            choice = self._faces(photo, parameters, printable(photo_file.name))
            canvas = None if parameters.regions else laid(photo, parameters, by_hand)
            if parameters.face is None and canvas is not None:
                choice = choice.where_marked(canvas.levels)
        except (NpeError, OSError) as error:
            if not job.is_as_claimed():  # which would explain it
                raise StillWritten from None
            if isinstance(error, OSError):
                raise
            raise type(error)(without_folder(str(error), job.folder)) from error.__cause__
        if not job.is_as_claimed():
            raise StillWritten
        told = [without_folder(note, job.folder) for note in notes]
        opened = JobContent(photo, parameters, by_hand, choice, canvas, told)
        return Read(job, photo.size[0] * photo.size[1] / 1e6, opened, {"read": time.perf_counter() - start})

    def _faces(self, photo: Photo, parameters: Parameters, name: str) -> FaceChoice:
        try:
            return self.editor.choose(photo, parameters.which, parameters.aligned)
        except InputError:
            raise InputError(
                f'No face was found in {name}. If it is a face crop already, say {{"aligned": true}} in its JSON.'
            ) from None

    def edit(self, jobs: Sequence[Read], keep_going: Callable[[], None]) -> list[EditResult | NpeError]:
        from npe_core.editor import EditJob

        try:
            canvases = self._canvases(jobs, keep_going)
            edits = []
            for job, canvas in zip(jobs, canvases, strict=True):
                if isinstance(canvas, NpeError):
                    continue
                opened: JobContent = job.content
                wanted = opened.parameters
                seed = journal.seed_of(job.job.record) if wanted.seed is None else wanted.seed
                edits.append(
                    EditJob(
                        photo=opened.photo,
                        canvas=canvas,
                        timestep=wanted.timestep,
                        steps=wanted.steps,
                        sampler=wanted.sampler,
                        seed=seed,
                        choice=opened.choice,
                        upscale=wanted.upscale,
                        sharpness=wanted.sharpness,
                        keep_going=keep_going,
                    )
                )
            edited = iter(self.editor.edit_many(edits))
            return [canvas if isinstance(canvas, NpeError) else next(edited) for canvas in canvases]
        except RuntimeError as error:
            if "CUDA error" in str(error) or type(error).__name__ == "AcceleratorError":
                raise DeviceLost(f"The device failed: {str(error).partition(chr(10))[0]}") from error
            raise

    def _canvases(self, jobs: Sequence[Read], keep_going: Callable[[], None] | None = None) -> list[Canvas | NpeError]:
        """The canvas of each job; for those that fill regions they are found first."""
        from npe_core.editor.editor import attempt
        from npe_core.parallel import each

        wanted = [job for job in jobs if job.content.canvas is None]
        start = time.perf_counter()
        maps = self.editor.segment_many([(job.content.photo, job.content.choice) for job in wanted], keep_going)
        for job in wanted:
            job.seconds["segment"] = (time.perf_counter() - start) / len(wanted)
        regions = dict(zip(wanted, maps, strict=True))

        def canvas_of(job: Read) -> Canvas | NpeError:
            opened: JobContent = job.content
            if opened.canvas is not None:
                return opened.canvas
            return attempt(laid, opened.photo, opened.parameters, opened.by_hand, regions[job])

        return each(canvas_of, jobs)

    def write(self, job: Read, outcome: EditResult, folder: Path) -> None:
        start = time.perf_counter()
        record, opened, face = job.job.record, job.content, job.content.parameters.which
        try:
            notes = outcome.save(folder / result_name(record))
        except NpeError as error:
            error.args = (without_folder(str(error), folder),)
            raise
        seconds = {**job.seconds, **outcome.seconds, "write": time.perf_counter() - start}
        seconds["total"] = seconds.pop("total") + sum(job.seconds.values()) + seconds["write"]  # the last of them
        report = {
            "job": journal.label(record),
            "output": "",  # known, and made durable, when it is committed
            "inputs": {printable(name): digest for name, digest in record.digests.items()},
            "parameters": outcome.parameters,
            "face": "marked" if opened.choice.by_marks else face,
            "face_numbers": list(outcome.face_numbers),
            "faces": outcome.faces,
            "device": self.editor.engine.choice.name,
            "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
            "attempts": record.attempts,
            "warnings": [
                *opened.notes,
                *opened.choice.notes(face, '"face": N or "all"'),
                *outcome.warnings,
                *notes,
            ],
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        Files().write(folder / journal.REPORT, journal.as_json(report), durable=False)
