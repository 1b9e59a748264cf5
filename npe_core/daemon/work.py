"""One job's work: read its inputs, edit (several jobs at once), write its result. No file is moved here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from npe_core import __version__
from npe_core.daemon import journal
from npe_core.daemon.files import Files, read_small
from npe_core.daemon.parameters import LARGEST, Parameters, read_parameters
from npe_core.daemon.spool import LARGEST_FILE, Claimed
from npe_core.defaults import MAX_MEGAPIXELS
from npe_core.errors import EnvironmentFault, InputError, NpeError
from npe_core.filenames import printable
from npe_core.files import require_of_the_file
from npe_core.packages import importing

if TYPE_CHECKING:
    from npe_core.canvas import Canvas
    from npe_core.editor import Editor, EditResult, FaceChoice, RegionMap
    from npe_core.editor.laying import ByHand
    from npe_core.photo import Photo

_TINT_GOES_WITH = '"tint" goes with paint, or a grey mask and "color"; a region keeps the photo\'s light without it.'
_COLOUR_GOES_WITH = '"color" goes with a grey mask; a region takes its colour as {"regions": {"hair": "#993300"}}.'


class DeviceLost(EnvironmentFault):
    """The device does not answer any more; only a new process gets it back."""


@dataclass(eq=False)
class Read:
    """A job whose inputs are in memory."""

    job: Claimed
    megapixels: float
    content: Any = None
    """What the worker wants to know of it later."""
    seconds: dict[str, float] = field(default_factory=dict)


class Worker(Protocol):
    """What the pipeline needs from an engine. Jobs' own errors are NpeErrors; anything else is a bug."""

    @property
    def shares_batches(self) -> bool:
        """Whether jobs are quicker together than one after the other. Asked after ``load``."""
        ...

    def load(self) -> tuple[str, str]:
        """Makes the models ready; returns what besides the inputs decides about a result, and the device's name.

        Raises WeightsError and EnvironmentFault.
        """
        ...

    def read(self, job: Claimed) -> Read:
        """In any thread."""
        ...

    def edit(self, jobs: Sequence[Read], keep_going: Callable[[], None]) -> list[Any]:
        """In one thread: for each job its outcome, or a NpeError. ``keep_going`` raises Cancelled to stop it."""
        ...

    def write(self, job: Read, outcome: Any, folder: Path) -> None:
        """Writes the photo and ``report.json`` into an empty folder. In any thread."""
        ...


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
        from npe_core.editor.laying import ByHand
        from npe_core.photo import Photo

        if job.record.oversize:
            most = LARGEST_FILE >> 20
            raise InputError(
                f"{printable(job.record.oversize)} has more than {most} MiB, the limit for a file in the inbox."
            )
        photo_file, mask_file = job.input("photo"), job.input("mask")
        assert photo_file is not None, "a record without a photo is refused when it is loaded"
        if not job.is_as_claimed():
            raise StillWritten
        try:
            parameters = parameters_of(job)
            photo = Photo.open(photo_file, max_megapixels=self.max_megapixels)
            require_writable(job, photo.size)
            by_hand = ByHand()
            notes: list[str] = []
            if mask_file is not None:
                by_hand, notes = read_by_hand(mask_file, photo.size, parameters.color, parameters.tint)
            elif not parameters.regions:
                raise InputError(
                    f"{printable(photo_file.name)} has no mask, and its JSON names no regions. Say what to change: "
                    '{"regions": {"hair": "#993300"}}, or drop a mask beside it.'
                )
            elif parameters.color is not None:
                raise InputError(f"{printable(photo_file.name)} has no mask. {_COLOUR_GOES_WITH}")
            elif parameters.tint:
                raise InputError(f"{printable(photo_file.name)} has no mask. {_TINT_GOES_WITH}")
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


class StillWritten(Exception):
    """Somebody still writes to the inputs, or they are out of reach."""


class NotWritten(Exception):
    """The result could not be written, or could not be now: the disk is to blame, not the job."""

    def __init__(self, message: str, needed: int = 0) -> None:
        """``needed``: bytes that found no room; 0 where that is not known."""
        super().__init__(message)
        self.needed = needed


def require_writable(job: Claimed, size: tuple[int, int]) -> None:
    """Makes sure that a photo of that size can be written as the result, before it is made.

    Raises UsageError for what its format cannot hold, NotWritten where nothing can be written.
    """
    from npe_core.photo import check_output

    try:
        check_output(job.result / result_name(job.record), size=size)
    except EnvironmentFault as error:
        why = "The outbox cannot be written to. Mount it so that it can be, or let the daemon's user write to it."
        raise NotWritten(why) from error


def result_name(record: journal.Record) -> str:
    """What the edited photo is called among the files of the result: in its own format, or PNG for one not written."""
    from npe_core.photo import OUTPUT_FORMATS

    suffix = Path(record.photo).suffix
    return f"photo{suffix if suffix.lower() in OUTPUT_FORMATS else '.png'}"


def parameters_of(job: Claimed) -> Parameters:
    """From the job's JSON, or the defaults. Raises InputError."""
    file = job.input("parameters")
    if file is None:
        return Parameters()
    name = next(printable(name) for name, role in job.record.inputs.items() if role == "parameters")
    try:
        return read_parameters(read_small(file, LARGEST), name)
    except (OSError, ValueError) as error:
        require_of_the_file(error, name)
        raise InputError(f"{name} cannot be read: {error}. A file of parameters has at most {LARGEST} bytes.") from None


def read_by_hand(file: Path, size: tuple[int, int], colour: str | None, tint: bool = False) -> tuple[ByHand, list[str]]:
    """What a mask's file holds: paint, or a mask, which is of that colour; and notes on it. Raises InputError.

    ``tint``: whether paint or colour is to take the photo's light.
    """
    from npe_core.editor.laying import ByHand
    from npe_core.photo import read_mask_or_paint

    notes: list[str] = []
    paint, mask = read_mask_or_paint(file, size, notes)
    if not mask.any():
        raise InputError(f"{printable(file.name)} marks nothing: it is black, or transparent, everywhere.")
    if paint is None:
        if tint and colour is None:
            raise InputError(f"{printable(file.name)} is a mask without a colour. {_TINT_GOES_WITH}")
        return ByHand(mask=mask, colour=colour, tint=tint), notes
    if colour is not None:
        raise InputError(f"{printable(file.name)} has colours and transparency: it is the paint. {_COLOUR_GOES_WITH}")
    return ByHand(paint=(paint, mask), tint=tint), notes


def laid(photo: Photo, parameters: Parameters, by_hand: ByHand, regions: RegionMap | None = None) -> Canvas:
    """A new canvas with all that is asked for. Raises UsageError and InputError as it does."""
    from npe_core.canvas import Canvas
    from npe_core.editor.laying import lay

    canvas = Canvas(photo.image, regions)
    lay(canvas, parameters.regions, by_hand)
    return canvas


def without_folder(message: str, folder: Path) -> str:
    """A message that names files as their owner knows them, also where it quotes them as ``repr`` does."""
    whole, quoted = f"{folder}/", repr(f"{folder}/")[1:-1]
    for spelling in (whole, quoted, quoted.replace("'", "\\'")):
        message = message.replace(spelling, "")
    return message
