"""The engine's thread: the one place of the terminal editor that imports torch, and that late.

One thread owns the ``Editor`` and takes jobs from a queue; what it has to say goes out as messages. The canvas of a job
must not be changed until the job has said Edited, Studied, Stopped or Failed.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from npe_core.errors import Cancelled, EnvironmentFault, InputError, NothingMarked, NpeError, OutOfMemory
from npe_core.packages import importing
from npe_core.strength import strengths
from npe_tui.document.edit_settings import EditSettings
from npe_tui.engine.messages import (
    Advanced,
    Edited,
    EngineState,
    Failed,
    FromEngine,
    Progress,
    Segmented,
    StateChanged,
    Stopped,
    Studied,
)
from npe_tui.engine.pace import Clock, Pace, finishing
from npe_tui.files import bugs

if TYPE_CHECKING:
    from npe_core.editor import Editor, EditResult, FaceChoice, Preview
    from npe_tui.document.document import EditDocument

VARIANTS = 4
STUDY = (100, 200, 250, 300, 350, 400, 450)
"""Timesteps of the study."""


@dataclass(frozen=True)
class _Job:
    number: int
    """0 for the models: nobody cancels those."""
    work: Callable[[int], FromEngine]


class EngineWorker:
    """Runs the editor for the screens. Every method returns at once."""

    def __init__(self, device: str = "auto", face_key: str = "x") -> None:
        """``face_key`` is what a person presses to say where a face is."""
        self.state = EngineState()
        self.sink: Callable[[FromEngine], Any] = lambda message: None
        """Where messages go; called from the engine's thread."""
        self._device, self._face_key = device, face_key
        self._editor: Editor | None = None
        self._pace = Pace()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._issued = 0
        self._cancelled = 0
        """Jobs up to this number are not wanted any more."""
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load the models, unless they are loaded or on the way."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
            self._thread.start()
        elif self.state.name == "failed":
            self.state = EngineState()
            self.sink(StateChanged(self.state))
            self._jobs.put(_Job(0, lambda number: self._loaded()))

    def segment(self, document: EditDocument) -> int:
        """Find the regions of the document's face. Ends with Segmented; returns the number of the job."""
        return self._put(lambda number: self._segment(number, document))

    def edit(self, document: EditDocument, settings: EditSettings) -> int:
        """Turn the paint into a photograph. Ends with Edited."""
        return self._put(lambda number: self._edit(number, document, [settings]))

    def variants(self, document: EditDocument, settings: EditSettings) -> int:
        """The same with four seeds that count up, all at once where the device gains by it. Ends with Edited."""
        first = settings.with_seed()
        assert first.seed is not None, "with_seed draws one"
        each = [replace(first, seed=first.seed + k) for k in range(VARIANTS)]
        return self._put(lambda number: self._edit(number, document, each))

    def study(self, document: EditDocument, settings: EditSettings) -> int:
        """The timestep study. Ends with Studied."""
        return self._put(lambda number: self._study(number, document, settings))

    def cancel(self) -> None:
        """Stop the job that runs, within one call of a model, and those that wait."""
        self._cancelled = self._issued

    def stop(self) -> None:
        """Take no more jobs; the thread ends with the one that runs."""
        self.cancel()
        self._jobs.put(None)

    def ended(self, seconds: float) -> bool:
        """Waits so long for the thread to end after ``stop``; returns whether it has."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    # --- in the thread ------------------------------------------------------------------------------------------

    def _put(self, work: Callable[[int], FromEngine]) -> int:
        self._issued += 1
        self._jobs.put(_Job(self._issued, work))
        return self._issued

    def _go_on(self, number: int) -> None:
        """Raises Cancelled if the job is not wanted any more."""
        if 0 < number <= self._cancelled:
            raise Cancelled("Stopped by the user.")

    def _run(self) -> None:
        self._say(self._loaded())
        while (job := self._jobs.get()) is not None:
            self._say(self._outcome(job))

    def _say(self, message: FromEngine) -> None:
        """To the sink of now: ``self.sink(work())`` would be the one of before the work, whose screen may be gone."""
        self.sink(message)

    def _outcome(self, job: _Job) -> FromEngine:
        try:
            self._go_on(job.number)
            return job.work(job.number)
        except Cancelled:
            return Stopped(job.number)
        except NothingMarked:
            what_to_do = f"Mark something there, or press {self._face_key} and choose another."
            return Failed(job.number, f"Nothing is marked on the chosen face. {what_to_do}")
        except NpeError as error:
            return Failed(job.number, str(error))
        except MemoryError:
            return Failed(job.number, str(OutOfMemory()))
        except Exception as error:
            return Failed(job.number, bugs.told(error))

    def _loaded(self) -> StateChanged:
        self.state = self._load()
        return StateChanged(self.state)

    def _load(self) -> EngineState:
        try:
            with importing():
                from npe_core.editor import Editor

            editor = Editor(self._device)
            for kind in ("segmenter", "denoiser", "upscaler"):
                editor.engine.model(kind)
        except NpeError as error:
            return EngineState("failed", detail=str(error))
        except MemoryError:
            return EngineState("failed", detail="Not enough memory for the models. Close other programs.")
        except Exception as error:  # whatever it is: a thread that died would load for ever
            return EngineState("failed", detail=f"The models cannot be loaded ({error}). Run npe doctor.")
        self._editor = editor
        engine = editor.engine
        return EngineState("ready", engine.choice.name, engine.entry("denoiser").sha256[:8], engine.choice.reason)

    @property
    def _ready(self) -> Editor:
        if self._editor is None:
            raise EnvironmentFault(self.state.detail)
        return self._editor

    def _choice(self, document: EditDocument) -> FaceChoice:
        known = document.regions
        if known is not None:
            choice: FaceChoice = known.choice  # type: ignore[attr-defined]
            return choice
        return self._wished(document)

    def _wished(self, document: EditDocument) -> FaceChoice:
        """Raises InputError with this editor's own remedy when no face is found: the engine's names options."""
        wish = document.wish
        try:
            return self._ready.choose(document.photo, wish.face, wish.aligned, wish.box)
        except InputError:
            what_to_do = f"Press {self._face_key}, then w for the whole picture, or drag a box."
            raise InputError(f"No face was found. {what_to_do}") from None

    def _segment(self, number: int, document: EditDocument) -> Segmented:
        return Segmented(number, self._ready.segment(document.photo, self._wished(document)))

    def _edit(self, number: int, document: EditDocument, each: list[EditSettings]) -> Edited:
        from npe_core.editor import EditJob
        from npe_core.editor.tiles import crops_for
        from npe_tui.engine.guesses import Guesses

        choice, canvas = self._choice(document), document.canvas
        seen = choice.reached_by(canvas.levels)
        crops = crops_for(seen, canvas.levels)
        guesses = Guesses(canvas, crops[: len(seen.crops)])
        thought = finishing(crops, canvas.levels)
        clock = Clock([settings.strength.steps for settings in each], self._pace.expected(thought))
        what = "Enhancing" if len(each) == 1 else "Variants"

        def report(preview: Preview, picture: int) -> None:
            patches = guesses.patches(preview.images) if picture == 0 else ()
            clock.tick(picture)
            self.sink(Advanced(number, Progress(what, clock.done, clock.total, clock.seconds_left, patches)))

        jobs = [
            EditJob(
                document.photo,
                canvas,
                **vars(settings.strength),
                seed=settings.seed,
                sharpness=settings.sharpness,
                choice=choice,
                progress=lambda preview, picture=k: report(preview, picture),  # type: ignore[misc]
                keep_going=lambda: self._go_on(number),
            )
            for k, settings in enumerate(each)
        ]
        results: list[EditResult] = []
        for outcome in self._ready.edit_many(jobs):
            if isinstance(outcome, NpeError):
                raise outcome
            results.append(outcome)
        if len(each) == 1 and clock.done:
            self._pace.learn(thought, clock.finishing_took)
        self._go_on(number)  # the last step is not the end: what is cancelled after it is not wanted either
        return Edited(number, results)

    def _study(self, number: int, document: EditDocument, settings: EditSettings) -> Studied:
        from npe_core.editor.sweep import sweep

        seed = settings.with_seed().seed
        assert seed is not None, "with_seed draws one"
        clock = Clock([2 * sum(one.steps for one in strengths(STUDY, settings.steps, settings.sampler))])

        def report(done: int, total: int) -> None:
            self._go_on(number)
            clock.tick()
            self.sink(Advanced(number, Progress("Study", done, total, clock.seconds_left)))

        sheet = sweep(
            self._ready,
            document.photo,
            document.canvas,
            STUDY,
            settings.steps,
            settings.sampler,
            seed,
            self._choice(document).reached_by(document.canvas.levels).crops[0],
            report,
        )
        self._go_on(number)
        return Studied(number, sheet, STUDY, seed)
