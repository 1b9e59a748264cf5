"""The middle layer of the editor: what the engine says, and what is done with what it makes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on

from npe_tui.document import edit_settings
from npe_tui.document.document import EditDocument
from npe_tui.document.results import hardly_differ
from npe_tui.document.studies import Studies
from npe_tui.editing.tools import Carried
from npe_tui.engine import messages
from npe_tui.screens.opening import FINDING, FOLLOWING, LOADING, OpeningScreen

if TYPE_CHECKING:
    from npe_core.editor import EditResult

STOPPING = "Stopping…"


class EnhancingScreen(OpeningScreen):
    """A photo that the engine works on."""

    _pinned_seed: int | None = None
    """The one that was typed when the job was started; another may be typed meanwhile, for the next."""

    def __init__(self, path: Path, read: EditDocument | None = None, carried: Carried | None = None) -> None:
        super().__init__(path, read, carried)
        self.studies = Studies()
        self._told_running = ""
        """What the status line was told last of what runs."""

    def furnished(self) -> None:
        super().furnished()
        self.watch(self.window.run, "doing", self._say_that_it_runs, init=False)
        self._show_engine(self.npe.engine.state)

    @on(messages.StateChanged)
    def _engine_changed(self, event: messages.StateChanged) -> None:
        if not self.ready:
            return  # it will be asked for
        self._show_engine(event.state)
        document = self.document
        waiting = document is not None and document.regions is None and self.face_chosen
        if event.state.name == "ready" and waiting:
            if not self.running.looking:
                self.look()
            elif self.status.message in (LOADING, FOLLOWING):
                self.status.say(FINDING)

    def _show_engine(self, state: messages.EngineState) -> None:
        panel = self.window.run
        panel.engine, panel.reason = state.name, state.detail
        if state.name == "failed":
            self.painting.stop_waiting()
            self.status.say(state.detail, serious=True)
        self.tell()
        self.refresh_bindings()

    def started(self, doing: str) -> None:
        """A job was given to the engine."""
        if self.easel.display:
            self.window.leave_buttons()
        else:
            self.action_back_to_picture()  # where the guesses are
        panel = self.window.strength
        self._pinned_seed = panel.settings.seed if panel.pinned else None
        self._told_running = self.status.message  # in the place of which it comes
        self.window.run.begin(doing)
        self.refresh_bindings()

    def _say_that_it_runs(self, doing: str) -> None:
        """How far it is, where the panel is not seen; else only what can be done, until something else is told."""
        told = self.status.message
        if doing and (told == self._told_running or not (self.window.shows_panels or told == STOPPING)):
            how_far = "" if self.window.shows_panels else f"{doing}. "
            self._told_running = f"{how_far}{self.npe.key_to('cancel')} cancels; the canvas waits."
            self.status.say(self._told_running)

    @on(messages.Segmented)
    async def _segmented(self, event: messages.Segmented) -> None:
        document = self.document
        if document is None or not self.running.is_looking(event):
            return
        self.running.done(event)
        document.canvas.regions = event.regions
        self.painting.leave_fill()
        panel, brush = self.npe.key_to("regions"), self.npe.key_to("brush")
        shown = f"Pick a region by its key or a click, or take the brush ({brush})."
        hidden = f"Pick a region: {panel} shows their keys, or click; {brush} paints."
        self.status.say(shown if self.window.shows_panels else hidden)
        with self.painting.failures_told():  # regions that cannot be shown can be filled
            overlay = await asyncio.to_thread(document.region_overlay, 0.75)
            self.window.regions.show_regions(event.regions.ids, overlay)
        self.changed("")
        self.painting.regions_known()

    @on(messages.Advanced)
    def _advanced(self, event: messages.Advanced) -> None:
        if self.running.is_making(event):
            panel, progress = self.window.run, event.progress
            panel.advance(progress.what, progress.done, progress.total, progress.seconds_left)
            self.easel.guess(progress.patches)

    @on(messages.Edited)
    def _edited(self, event: messages.Edited) -> None:
        if self.running.is_making(event):
            self._finish(event)
            self.window.strength.use_seed(event.results[0].parameters["seed"])
            if len(event.results) == 1:
                with self.painting.failures_told():
                    alike = self._is_like_the_one_before(event.results[0])
                    self.accept(event.results[0], f" in {event.results[0].seconds['total']:.1f} s", alike)
            else:
                self.painting.wait_for_choice()  # what is chosen was made of the paint as it is now
                self.later(self._choose(event.results))

    @on(messages.Studied)
    def _studied(self, event: messages.Studied) -> None:
        if self.running.is_making(event):
            self._finish(event)
            self.studies.done(event)
            self.status.say(f"Study done in {self.running.seconds:.1f} s")
            self.later(self.choose_timestep(event))

    @on(messages.Stopped)
    def _stopped(self, event: messages.Stopped) -> None:
        if self.running.is_making(event):
            self._finish(event)
            self.status.say("Cancelled. The paint is as it was.")
        elif self.running.is_looking(event):  # it waited behind what a person stopped, and is wanted still
            self.running.done(event)
            self.look()

    @on(messages.Failed)
    def _failed(self, event: messages.Failed) -> None:
        if self.running.is_making(event):
            self._finish(event)
        elif self.running.is_looking(event):
            self.running.done(event)
            self.painting.stop_waiting()
        else:
            return
        noted = self.npe.engine.state.name == "ready"
        self.status.say(event.reason, serious=True, noted=noted)
        if noted:
            self.notify(event.reason, severity="error", timeout=10, markup=False)

    def _finish(self, event: messages.FromEngine) -> None:
        self.running.done(event)
        self.painting.frozen = False
        self.window.leave_buttons()
        self.window.run.finish()
        self.easel.forget_guess()
        self.refresh_bindings()

    def _is_like_the_one_before(self, result: EditResult) -> bool:
        """Whether it is another try, and one cannot tell that it is."""
        document = self.document
        before = None if document is None or document.stale else document.result
        if document is None or before is None:
            return False
        is_another_try = edit_settings.differ_in_seed(result.parameters, before.parameters)
        return is_another_try and hardly_differ([before, result], document.canvas.levels)

    def _seeds_hardly_matter(self, result: EditResult) -> str:
        timestep = result.parameters["timestep"]
        return f"at timestep {timestep} seeds hardly matter ({self.npe.key_to('stronger')} is stronger)"

    def accept(self, result: EditResult, how: str = "", alike: bool = False) -> None:
        """Show a result and let it be saved; ``alike``: another seed made hardly any difference."""
        assert self.document is not None, "a result has a document"
        self.document.accept(result)
        self.easel.before = False
        self.easel.display_all()
        compare, save, again, seed = map(self.npe.key_to, ("compare", "save", "enhance", "seed"))
        then = f"{seed} draws another seed" if self.window.strength.pinned else f"{again} tries again"
        then = self._seeds_hardly_matter(result) if alike else then
        done = f"Enhanced{how}, seed {result.parameters['seed']}"
        self.status.say(f"{compare} compares, {save} saves, {then}. {done}")  # cut off on the right where it is narrow
        for warning in result.warnings:
            if warning not in self.document.photo.notes:  # those were told when it was opened
                self.notify(warning, markup=False)
        self.changed("")

    async def _choose(self, results: list[EditResult]) -> None:
        from npe_tui.screens.variants import VariantsScreen

        assert self.document is not None, "results have a document"
        try:
            await self.window.uncovered()
            self.status.say("Choose one of the variants")
            alike = await asyncio.to_thread(hardly_differ, results, self.document.canvas.levels)
            note = self._seeds_hardly_matter(results[0]) if alike else ""
            screen = VariantsScreen(self.document, results, self.npe.config.depth, note)
            chosen = await self.app.push_screen_wait(screen)
        finally:
            self.painting.chosen()
        if chosen is None:
            self.status.say("No variant was taken" + (f": {note}" if alike else ""))
            return
        panel = self.window.strength
        is_as_then = panel.pinned and panel.settings.seed == self._pinned_seed
        if is_as_then and self._pinned_seed != results[chosen].parameters["seed"]:
            panel.forget_seed()
        with self.painting.failures_told():
            self.accept(results[chosen], f": variant {chosen + 1}", alike)

    async def choose_timestep(self, study: messages.Studied) -> None:
        """Show a study; the timestep that is taken comes with its seed, so that what was shown is what is made."""
        from npe_tui.screens.study import StudyScreen

        await self.window.uncovered()
        panel = self.window.strength
        screen = StudyScreen(study.sheet, study.timesteps, panel.settings.timestep, self.npe.config.depth)
        chosen = await self.app.push_screen_wait(screen)
        if chosen is not None:
            seed = study.seed if panel.settings.seed is None else panel.settings.seed  # another was typed meanwhile
            panel.show_settings(replace(panel.settings, timestep=chosen, seed=seed))
            self.status.say(f"Timestep {chosen}. {self.npe.key_to('enhance')} enhances.")
        else:
            self.status.say(f"No timestep was taken; {self.npe.key_to('study')} shows the study again")
