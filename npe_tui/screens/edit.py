"""The editor's screen: every command, key and click of a person, handed to the part of ``Editing`` that it is for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button, Input, Label

from npe_core.filenames import printable
from npe_tui.document.document import EditDocument
from npe_tui.editing.editing import Editing
from npe_tui.editing.tools import Carried
from npe_tui.engine import messages
from npe_tui.hand.easel import COMPARISONS
from npe_tui.keys import APP_COMMANDS, COMMANDS, KEY_LINE
from npe_tui.panels.brush import BrushPanel
from npe_tui.panels.colour import ColourPanel
from npe_tui.panels.legend import Legend
from npe_tui.panels.regions import RegionsPanel
from npe_tui.panels.status import StatusLine
from npe_tui.picture import PictureView
from npe_tui.screens.focus import QuietFocus
from npe_tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from npe_tui.app import NpeApp

_NEED_PHOTO = frozenset(
    ["region", "dab", "pen", "undo", "redo", "mask", "save_paint", "face", "enhance", "variants", "study"]
)
"""Not while pictures are being made of it."""
_ACTIONS = frozenset(command.action.partition("(")[0] for command in COMMANDS)
_ACTION_OF = {command.name: command.action for command in (*COMMANDS, *APP_COMMANDS)}


class EditScreen(QuietFocus, Screen[None]):
    """The picture between its panels; what is done with them is in ``npe_tui/editing/``."""

    BINDINGS: ClassVar[list[BindingType]] = [command.binding for command in COMMANDS]

    def __init__(self, path: Path, read: EditDocument | None = None, carried: Carried | None = None) -> None:
        """``read``: the photo, where somebody has read it already; ``carried``: from the one before."""
        super().__init__()
        self.editing = Editing(self.npe, self, path, read, carried)

    def compose(self) -> ComposeResult:
        yield Label(f" {printable(self.editing.path.name)}", id="title", markup=False)
        with Horizontal(id="body"):
            yield self.editing.easel
            yield Vertical(id="side")
        yield StatusLine()
        yield KeyLine(*(_ACTION_OF[name] for name in KEY_LINE))

    @property
    def npe(self) -> NpeApp:
        """The app, as what it is."""
        return cast("NpeApp", self.app)

    @property
    def status(self) -> StatusLine:
        return self.editing.status

    # --- from the first frame on --------------------------------------------------------------------------------

    def on_mount(self) -> None:
        view = self.editing.easel.view
        self.watch(view, "cursor", self.editing.painting.follow, init=False)
        self.npe.engine.sink = self.post_message
        self.status.say(f"Opening {self.editing.path.name}")
        view.focus()
        self.call_after_refresh(lambda: self.editing.window.later(self.editing.begin()))

    def on_unmount(self) -> None:
        if self.editing.autosave is not None:
            self.editing.autosave.close()

    @on(messages.StateChanged)
    def _engine_changed(self, event: messages.StateChanged) -> None:
        if self.editing.ready:  # else it will be asked for
            self.editing.show_engine(event.state)

    @on(messages.FromEngine)
    async def _hear(self, event: messages.FromEngine) -> None:
        await self.editing.hear(event)

    @on(messages.AutosaveFailed)
    def _autosave_failed(self, event: messages.AutosaveFailed) -> None:
        self.editing.autosave_failed(event.reason)

    # --- which commands can be given ----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Greys out what cannot be done just now."""
        if not self.editing.ready:
            return action not in _ACTIONS
        if self._taken(action):
            return False
        if action in _NEED_PHOTO and (self.editing.document is None or self.editing.running.making):
            return None
        return True  # without an engine too: the key is answered with why

    def _taken(self, action: str) -> bool:
        """Whether the key is the focused control's, even where that has no use for it: Enter, Space and digits.

        The legend shows the keys of the regions, so there they pick.
        """
        if self.focused in (None, self.editing.easel.view):
            return False
        return action in ("dab", "pen") or (action == "region" and not isinstance(self.focused, Legend))

    # --- run ----------------------------------------------------------------------------------------------------

    def action_enhance(self) -> None:
        self.editing.enhancing.make("edit", "Enhancing")

    def action_variants(self) -> None:
        self.editing.enhancing.make("variants", "Variants")

    def action_study(self) -> None:
        self.editing.enhancing.make("study", "Study")

    def action_cancel(self) -> None:
        if self.editing.enhancing.cancel():
            return
        if self.editing.hand.drawing:
            self.editing.painting.release()
        elif self.focused is not self.editing.easel.view:
            self.editing.window.go_to_picture()
        elif self.editing.painting.stop_waiting():
            self.status.say("Nothing is filled when the regions are found")
        elif self.editing.painting.leave_fill():
            self.status.say("The fill is done: the next colour and region are for another")

    def action_timestep(self, by: int) -> None:
        self.status.say(f"Timestep {self.editing.window.strength.shift_timestep(by)}")

    def action_sharpness(self, by: float) -> None:
        self.status.say(f"Sharpness {self.editing.window.strength.shift_sharpness(by):.0%}")

    def action_new_seed(self) -> None:
        self.status.say(f"The next picture has the seed {self.editing.window.strength.draw_seed()}")

    def action_reload(self) -> None:
        engine = self.npe.engine
        if engine.state.name == "ready":
            self.status.say(f"The models are loaded: {engine.state.device}, weights {engine.state.weights}")
        else:
            self.status.say("The models are loading")
            engine.start()

    # --- pick, paint and mask -----------------------------------------------------------------------------------

    def action_region(self, region: int) -> None:
        self.editing.painting.fill(region)

    def action_picks(self) -> None:
        self.editing.tools.next_picks()

    def action_tool(self, tool: str) -> None:
        self.editing.tools.take(tool)

    def action_radius(self, factor: float) -> None:
        self.editing.tools.resize(factor)

    def action_hardness(self, by: float) -> None:
        self.editing.tools.harden(by)

    def action_tint(self) -> None:
        self.editing.tools.set_tint(not self.editing.hand.tint)

    def action_dab(self) -> None:
        self.editing.painting.dab()

    def action_pen(self) -> None:
        if not self.editing.hand.paints:
            uses, draws = self.npe.key_to("dab"), self.npe.key_to("pen")
            self.status.say(f"{uses} uses this tool at the cursor; {draws} puts a brush down")
        else:
            down = self.editing.painting.pen()
            self.status.say(f"Pen down: the arrows draw, {self.npe.key_to('pen')} lifts it" if down else "Pen up")

    def action_undo(self) -> None:
        self.editing.painting.alter(lambda document: document.undo(), "Undone", "Nothing to undo")

    def action_redo(self) -> None:
        self.editing.painting.alter(lambda document: document.redo(), "Done again", "Nothing to redo")

    def action_mask(self, tool: str) -> None:
        self.editing.tools.alter_mask(tool)

    # --- see ----------------------------------------------------------------------------------------------------

    def action_compare(self) -> None:
        easel = self.editing.easel
        easel.before = not easel.before
        self.status.say("Before" if easel.before else "After")

    def action_beside(self) -> None:
        easel = self.editing.easel
        easel.comparison = COMPARISONS[(COMPARISONS.index(easel.comparison) + 1) % len(COMPARISONS)]
        left, right = map(self.npe.key_to, ("divider_left", "divider_right"))
        told = {
            "off": "",
            "divider": f"Left of the divider: before. {left} and {right} or a drag move it",
            "beside": "Before and after",
        }
        self.status.say(told[easel.comparison])

    def action_divider(self, by: float) -> None:
        self.editing.easel.move_divider(by)

    def action_map(self) -> None:
        document, easel = self.editing.document, self.editing.easel
        if document is None or document.regions is None:
            self.status.say("The regions are not known yet")
        else:
            easel.map = not easel.map
            self.status.say("Regions shown" if easel.map else "Regions hidden")

    def action_outline(self) -> None:
        easel = self.editing.easel
        easel.outline = not easel.outline
        self.status.say("Edge of the mask shown" if easel.outline else "Edge of the mask hidden")

    def action_zoom(self, factor: float) -> None:
        self.editing.easel.view.action_zoom(factor)

    def action_fit(self) -> None:
        self.editing.easel.view.action_fit()

    def action_actual(self) -> None:
        self.editing.easel.view.action_actual()

    def action_still(self) -> None:
        self.editing.easel.view.action_still()

    def action_panel(self, name: str) -> None:
        self.editing.window.go_to_panel(name)

    # --- files --------------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        self.npe.once("open", self.npe.open_another(self.editing))

    def action_face(self) -> None:
        if not self.editing.finding.asks:
            self.editing.painting.stop_waiting()
            self.editing.window.later(self.editing.find_face(ask=True))

    def action_save(self) -> None:
        self.npe.saving.begin(self.editing, again=True)

    def action_save_as(self) -> None:
        self.npe.saving.begin(self.editing)

    def action_save_paint(self) -> None:
        self.npe.saving.begin(self.editing, paint=True)

    # --- the pointer, panels and the focus ----------------------------------------------------------------------

    @on(PictureView.PointerDown, "#photo")
    def _pointer_down(self, event: PictureView.PointerDown) -> None:
        if event.button == 1 and (event.inside or self.editing.hand.paints):
            self.editing.painting.press(event.x, event.y)

    @on(PictureView.PointerDown, "#before")
    def _pointer_down_before(self, event: PictureView.PointerDown) -> None:
        if event.button == 1 and event.inside and self.editing.hand.tool == "dropper":
            self.editing.painting.take_colour(event.x, event.y, before=True)
        elif event.button == 1:
            self.status.say("This is the photo as it was: paint and pick in the picture beside it")

    @on(PictureView.PointerMove, "#photo")
    def _pointer_move(self, event: PictureView.PointerMove) -> None:
        if event.button == 1:
            self.editing.painting.drag(event.x, event.y)

    @on(PictureView.PointerUp, "#photo")
    def _pointer_up(self, event: PictureView.PointerUp) -> None:
        if event.button == 1:
            self.editing.painting.release()

    @on(RegionsPanel.Picked)
    def _picked_in_panel(self, event: RegionsPanel.Picked) -> None:
        self.editing.painting.fill(event.region, event.at)

    @on(RegionsPanel.PicksChosen)
    def _chose_picks(self, event: RegionsPanel.PicksChosen) -> None:
        self.editing.tools.set_picks(event.picks)

    @on(ColourPanel.Changed)
    def _chose_colour(self, event: ColourPanel.Changed) -> None:
        self.editing.tools.choose_colour(event.colour)

    @on(BrushPanel.ToolChosen)
    def _chose_tool(self, event: BrushPanel.ToolChosen) -> None:
        self.editing.tools.take(event.tool)

    @on(BrushPanel.BrushChanged)
    def _changed_brush(self, event: BrushPanel.BrushChanged) -> None:
        self.editing.tools.set_brush(event.radius, event.hardness, event.opacity)

    @on(BrushPanel.TintChosen)
    def _chose_tint(self, event: BrushPanel.TintChosen) -> None:
        self.editing.tools.set_tint(event.tint)

    @on(BrushPanel.MaskTool)
    def _used_mask_tool(self, event: BrushPanel.MaskTool) -> None:
        if not self.editing.running.making:
            self.editing.tools.alter_mask(event.name)

    def action_back_to_picture(self) -> None:
        """After Enter in a field or slider of any panel."""
        self.editing.window.go_to_picture()

    def on_resize(self) -> None:
        self.call_after_refresh(self._keep_focus_in_sight)
        if self.editing.ready:
            self.editing.tell()

    def _keep_focus_in_sight(self) -> None:
        if self.editing.ready:
            self.editing.window.keep_focus_in_sight()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """The mouse does a thing in a panel and is back: the keys are the picture's again. Fields are typed into."""
        view = self.editing.easel.view
        if self.editing.easel.display and self.focused is not view and not isinstance(event.widget, Input | Button):
            view.focus()
