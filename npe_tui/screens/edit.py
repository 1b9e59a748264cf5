"""The editor: every command, key and click of a person, on top of ``PaintingScreen``."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.widgets import Button, Input

from npe_core.strength import STRONGEST, WEAKEST
from npe_tui.document.document import FaceWish
from npe_tui.document.edit_settings import in_turn
from npe_tui.files.paint import NOTHING_MARKED
from npe_tui.hand.easel import COMPARISONS
from npe_tui.keys import COMMANDS
from npe_tui.panels.legend import Legend
from npe_tui.screens.enhancing import STOPPING
from npe_tui.screens.painting import PaintingScreen
from npe_tui.widgets import Chips

_NEED_CANVAS = frozenset(["region", "dab", "pen", "undo", "redo", "mask", "save_paint", "face"])
_NEED_ENGINE = frozenset(["enhance", "variants", "study"])
_ACTIONS = frozenset(command.action.partition("(")[0] for command in COMMANDS)


class EditScreen(PaintingScreen):
    """One photo under the hands of a person."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding for command in COMMANDS]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Greys out what cannot be done just now."""
        if not self.ready:
            return action not in _ACTIONS
        if self._taken(action):
            return False
        document = self.document
        if action in _NEED_CANVAS and (document is None or self.running.making):
            return None
        if action in _NEED_ENGINE and (document is None or self.running.making):
            return None
        return True  # without an engine too: the key is answered with why

    def _taken(self, action: str) -> bool:
        """Whether the key is the focused control's, even where that has no use for it: Enter, Space and digits.

        The legend shows the keys of the regions, so there they pick.
        """
        if self.focused in (None, self.easel.view):
            return False
        return action in ("dab", "pen") or (action == "region" and not isinstance(self.focused, Legend))

    @property
    def _engine_ready(self) -> bool:
        return self.npe.engine.state.name == "ready"

    # --- run ----------------------------------------------------------------------------------------------------

    async def _make(self, what: str, doing: str) -> None:
        document = self.document
        if document is None or self.running.making:
            return
        if self.painting.waits:
            self.painting.after_waiting(lambda: self.later(self._make(what, doing)))
            forget = self.npe.key_to("cancel")
            self.status.say(f"{doing}: once the regions are found and the fill is made; {forget} forgets both")
        elif not self._engine_ready:
            state = self.npe.engine.state
            self.status.say(state.detail, serious=True)
            if state.name == "failed":  # a narrow status line cuts it off
                self.notify(state.detail, severity="error", markup=False)
        elif document.faces == [] and document.wish == FaceWish():
            key = self.npe.key_to("face")
            self.status.say(f"Enhance needs a face: {key}, then w for the whole picture, or drag a box.", serious=True)
        elif await self.painting.freeze():
            if document.marked:
                settings = self.window.strength.settled()
                is_other = document.stale or what == "study"
                settings = in_turn(settings, document.continued, is_other, what == "variants")
                if what == "study":
                    if (study := self.studies.again(document, settings)) is not None:
                        self.painting.frozen = False
                        self.npe.once("study", self.choose_timestep(study))
                        return
                    self.studies.begin(document, settings)
                self.running.make(what, document, settings)
                self.started(doing)
            else:
                self.painting.frozen = False
                self.status.say(NOTHING_MARKED, serious=True)

    def action_enhance(self) -> None:
        self.later(self._make("edit", "Enhancing"))

    def action_variants(self) -> None:
        self.later(self._make("variants", "Variants"))

    def action_study(self) -> None:
        self.later(self._make("study", "Study"))

    def action_cancel(self) -> None:
        if self.running.cancel():
            self.status.say(STOPPING)
        elif self.hand.drawing:
            self.painting.release()
        elif self.focused is not self.easel.view:
            self.window.go_to_picture()
        elif self.painting.stop_waiting():
            self.status.say("Nothing is filled when the regions are found")
        elif self.painting.leave_fill():
            self.status.say("The fill is done: the next colour and region are for another")

    def action_timestep(self, by: int) -> None:
        panel = self.window.strength
        timestep = min(max(panel.settings.timestep + by, WEAKEST), STRONGEST)
        panel.show_settings(replace(panel.settings, timestep=timestep))
        self.status.say(f"Timestep {timestep}")

    def action_sharpness(self, by: float) -> None:
        panel = self.window.strength
        sharpness = round(min(max(panel.settings.sharpness + by, 0.0), 1.0), 2)
        panel.show_settings(replace(panel.settings, sharpness=sharpness))
        self.status.say(f"Sharpness {sharpness:.0%}")

    def action_new_seed(self) -> None:
        self.status.say(f"The next picture has the seed {self.window.strength.draw_seed()}")

    def action_reload(self) -> None:
        engine = self.npe.engine
        if engine.state.name == "ready":
            self.status.say(f"The models are loaded: {engine.state.device}, weights {engine.state.weights}")
        else:
            self.status.say("The models are loading")
            engine.start()

    # --- see ----------------------------------------------------------------------------------------------------

    def action_compare(self) -> None:
        self.easel.before = not self.easel.before
        self.status.say("Before" if self.easel.before else "After")

    def action_beside(self) -> None:
        after = COMPARISONS[(COMPARISONS.index(self.easel.comparison) + 1) % len(COMPARISONS)]
        self.easel.comparison = after
        left, right = map(self.npe.key_to, ("divider_left", "divider_right"))
        told = {
            "off": "",
            "divider": f"Left of the divider: before. {left} and {right} or a drag move it",
            "beside": "Before and after",
        }
        self.status.say(told[after])

    def action_divider(self, by: float) -> None:
        self.easel.move_divider(by)

    def action_map(self) -> None:
        if self.document is None or self.document.regions is None:
            self.status.say("The regions are not known yet")
        else:
            self.easel.map = not self.easel.map
            self.status.say("Regions shown" if self.easel.map else "Regions hidden")

    def action_zoom(self, factor: float) -> None:
        self.easel.view.action_zoom(factor)

    def action_fit(self) -> None:
        self.easel.view.action_fit()

    def action_actual(self) -> None:
        self.easel.view.action_actual()

    def action_still(self) -> None:
        self.easel.view.action_still()

    def action_outline(self) -> None:
        self.easel.outline = not self.easel.outline
        self.status.say("Edge of the mask shown" if self.easel.outline else "Edge of the mask hidden")

    def action_panel(self, name: str) -> None:
        self.window.go_to_panel(name)

    # --- files --------------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        self.npe.once("open", self.npe.open_another(self))

    def action_face(self) -> None:
        if not self.asks_for_face:
            self.painting.stop_waiting()
            self.later(self.find_face(ask=True))

    def action_save(self) -> None:
        self.npe.saving.begin(self, again=True)

    def action_save_as(self) -> None:
        self.npe.saving.begin(self)

    def action_save_paint(self) -> None:
        self.npe.saving.begin(self, paint=True)

    # --- events -------------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self.call_after_refresh(self._keep_focus_in_sight)

    def _keep_focus_in_sight(self) -> None:
        if self.ready:
            self.window.keep_focus_in_sight()

    @on(Chips.Pressed, "#tabs")
    def _chose_panel(self, event: Chips.Pressed) -> None:
        self.window.choose_panel(event.name)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """The mouse does a thing in a panel and is back: the keys are the picture's again. Fields are typed into."""
        view = self.easel.view
        if self.easel.display and self.focused is not view and not isinstance(event.widget, Input | Button):
            view.focus()
