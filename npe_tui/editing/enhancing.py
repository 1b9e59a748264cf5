"""Pictures of the paint: the engine is asked for them, and what it makes is shown, chosen from, compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from npe_tui.document import edit_settings
from npe_tui.document.document import EditDocument, FaceWish
from npe_tui.document.results import hardly_differ
from npe_tui.document.studies import Studies
from npe_tui.editing.window import Window
from npe_tui.engine import messages
from npe_tui.engine.running import Running
from npe_tui.files.paint import NOTHING_MARKED
from npe_tui.hand.easel import Easel
from npe_tui.hand.painting import Painting

if TYPE_CHECKING:
    from npe_core.editor import EditResult
    from npe_tui.app import NpeApp

_STOPPING = "Stopping…"


class Enhancing:
    """One job at a time that makes pictures, from the key to what a person takes of them."""

    def __init__(
        self,
        npe: NpeApp,
        window: Window,
        easel: Easel,
        painting: Painting,
        running: Running,
        changed: Callable[[str], object],
    ) -> None:
        """``changed``: the document changed, as in ``Tells``."""
        self._npe, self._window, self._easel = npe, window, easel
        self._painting, self._running = painting, running
        self._changed = changed
        self._document: EditDocument | None = None
        self._studies = Studies()
        self._pinned_seed: int | None = None
        """The one that was typed when the job was started; another may be typed meanwhile, for the next."""
        self._told_running = ""
        """What the status line was told last of what runs."""

    def open(self, document: EditDocument) -> None:
        """Of this document from now on."""
        self._document = document

    # --- from the key on ----------------------------------------------------------------------------------------

    def make(self, what: str, doing: str) -> None:
        """``edit``, ``variants`` or ``study``; ``doing`` is what a person reads. Where it cannot be made, says why."""
        self._window.later(self._make(what, doing))

    async def _make(self, what: str, doing: str) -> None:
        document, status = self._document, self._window.status
        if document is None or self._running.making:
            return
        state = self._npe.engine.state
        if self._painting.waits:
            self._painting.after_waiting(lambda: self.make(what, doing))
            forget = self._npe.key_to("cancel")
            status.say(f"{doing}: once the regions are found and the fill is made; {forget} forgets both")
        elif state.name != "ready":
            status.say(state.detail, serious=True)
            if state.name == "failed":  # a narrow status line cuts it off
                self._npe.notify(state.detail, severity="error", markup=False)
        elif document.faces == [] and document.wish == FaceWish():
            key = self._npe.key_to("face")
            status.say(f"Enhance needs a face: {key}, then w for the whole picture, or drag a box.", serious=True)
        elif await self._painting.freeze():
            self._make_of_frozen(document, what, doing)

    def _make_of_frozen(self, document: EditDocument, what: str, doing: str) -> None:
        if not document.marked:
            self._painting.frozen = False
            self._window.status.say(NOTHING_MARKED, serious=True)
            return
        settings = self._window.strength.settled()
        is_other = document.stale or what == "study"
        settings = edit_settings.in_turn(settings, document.continued, is_other, what == "variants")
        if what == "study":
            if (study := self._studies.again(document, settings)) is not None:
                self._painting.frozen = False
                self._npe.once("study", self._choose_timestep(study))
                return
            self._studies.begin(document, settings)
        self._running.make(what, document, settings)
        self._begin(doing)

    def _begin(self, doing: str) -> None:
        """A job was given to the engine."""
        if self._easel.display:
            self._window.leave_buttons()
        else:
            self._window.go_to_picture()  # where the guesses are
        panel = self._window.strength
        self._pinned_seed = panel.settings.seed if panel.pinned else None
        self._told_running = self._window.status.message  # in the place of which it comes
        self._window.run.begin(doing)
        self._window.refresh_keys()

    def say_that_it_runs(self, doing: str) -> None:
        """How far it is, where the panel is not seen; else only what can be done, until something else is told."""
        told, is_seen = self._window.status.message, self._window.shows_panels
        if doing and (told == self._told_running or not (is_seen or told == _STOPPING)):
            how_far = "" if is_seen else f"{doing}. "
            self._told_running = f"{how_far}{self._npe.key_to('cancel')} cancels; the canvas waits."
            self._window.status.say(self._told_running)

    def cancel(self) -> bool:
        """Stop the job; returns whether there was one."""
        if stops := self._running.cancel():
            self._window.status.say(_STOPPING)
        return stops

    # --- what the engine says -----------------------------------------------------------------------------------

    def show_engine(self, state: messages.EngineState) -> None:
        """Whether pictures can be made, and if not, why."""
        panel = self._window.run
        panel.engine, panel.reason = state.name, state.detail
        if state.name == "failed":
            self._painting.stop_waiting()
            self._window.status.say(state.detail, serious=True)

    def hear(self, event: messages.FromEngine) -> None:
        """What comes of the job that is under way."""
        if isinstance(event, messages.Advanced):
            progress = event.progress
            self._window.run.advance(progress.what, progress.done, progress.total, progress.seconds_left)
            self._easel.guess(progress.patches)
            return
        self._finish(event)
        if isinstance(event, messages.Edited):
            self._edited(event.results)
        elif isinstance(event, messages.Studied):
            self._studies.done(event)
            self._window.status.say(f"Study done in {self._running.seconds:.1f} s")
            self._window.later(self._choose_timestep(event))
        elif isinstance(event, messages.Stopped):
            self._window.status.say("Cancelled. The paint is as it was.")

    def _finish(self, event: messages.FromEngine) -> None:
        self._running.done(event)
        self._painting.frozen = False
        self._window.leave_buttons()
        self._window.run.finish()
        self._easel.forget_guess()
        self._window.refresh_keys()

    def _edited(self, results: list[EditResult]) -> None:
        self._window.strength.use_seed(results[0].parameters["seed"])
        if len(results) == 1:
            with self._painting.failures_told():
                alike = self._is_like_the_one_before(results[0])
                self._accept(results[0], f" in {results[0].seconds['total']:.1f} s", alike)
        else:
            self._painting.wait_for_choice()  # what is chosen was made of the paint as it is now
            self._window.later(self._choose(results))

    # --- what a person takes ------------------------------------------------------------------------------------

    def _is_like_the_one_before(self, result: EditResult) -> bool:
        """Whether it is another try, and one cannot tell that it is."""
        document = self._document
        before = None if document is None or document.stale else document.result
        if document is None or before is None:
            return False
        is_another_try = edit_settings.differ_in_seed(result.parameters, before.parameters)
        return is_another_try and hardly_differ([before, result], document.canvas.levels)

    def _seeds_hardly_matter(self, result: EditResult) -> str:
        timestep = result.parameters["timestep"]
        return f"at timestep {timestep} seeds hardly matter ({self._npe.key_to('stronger')} is stronger)"

    def _accept(self, result: EditResult, how: str = "", alike: bool = False) -> None:
        """Show a result and let it be saved; ``alike``: another seed made hardly any difference."""
        assert self._document is not None, "a result has a document"
        self._document.accept(result)
        self._easel.before = False
        self._easel.display_all()
        compare, save, again, seed = map(self._npe.key_to, ("compare", "save", "enhance", "seed"))
        then = f"{seed} draws another seed" if self._window.strength.pinned else f"{again} tries again"
        then = self._seeds_hardly_matter(result) if alike else then
        done = f"Enhanced{how}, seed {result.parameters['seed']}"
        # cut off on the right where it is narrow
        self._window.status.say(f"{compare} compares, {save} saves, {then}. {done}")
        for warning in result.warnings:
            if warning not in self._document.photo.notes:  # those were told when it was opened
                self._npe.notify(warning, markup=False)
        self._changed("")

    async def _choose(self, results: list[EditResult]) -> None:
        from npe_tui.screens.variants import VariantsScreen

        assert self._document is not None, "results have a document"
        try:
            await self._window.uncovered()
            self._window.status.say("Choose one of the variants")
            alike = await asyncio.to_thread(hardly_differ, results, self._document.canvas.levels)
            note = self._seeds_hardly_matter(results[0]) if alike else ""
            screen = VariantsScreen(self._document, results, self._npe.config.depth, note)
            chosen = await self._npe.push_screen_wait(screen)
        finally:
            self._painting.chosen()
        if chosen is None:
            self._window.status.say("No variant was taken" + (f": {note}" if alike else ""))
            return
        panel = self._window.strength
        is_as_then = panel.pinned and panel.settings.seed == self._pinned_seed
        if is_as_then and self._pinned_seed != results[chosen].parameters["seed"]:
            panel.forget_seed()
        with self._painting.failures_told():
            self._accept(results[chosen], f": variant {chosen + 1}", alike)

    async def _choose_timestep(self, study: messages.Studied) -> None:
        """Show a study; the timestep that is taken comes with its seed, so that what was shown is what is made."""
        from npe_tui.screens.study import StudyScreen

        await self._window.uncovered()
        panel = self._window.strength
        screen = StudyScreen(study.sheet, study.timesteps, panel.settings.timestep, self._npe.config.depth)
        chosen = await self._npe.push_screen_wait(screen)
        if chosen is not None:
            seed = study.seed if panel.settings.seed is None else panel.settings.seed  # another was typed meanwhile
            panel.show_settings(replace(panel.settings, timestep=chosen, seed=seed))
            self._window.status.say(f"Timestep {chosen}. {self._npe.key_to('enhance')} enhances.")
        else:
            self._window.status.say(f"No timestep was taken; {self._npe.key_to('study')} shows the study again")
