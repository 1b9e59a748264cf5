"""The layer of the editor that hears the hand: its tools, and what they do to the picture."""

from __future__ import annotations

from collections.abc import Callable

from textual import on

from npe_tui.document.document import EditDocument
from npe_tui.hand.hand import PICKS
from npe_tui.panels.brush import BrushPanel
from npe_tui.panels.colour import ColourPanel
from npe_tui.panels.regions import RegionsPanel
from npe_tui.panels.strength import StrengthPanel
from npe_tui.picture import PictureView
from npe_tui.screens.enhancing import EnhancingScreen

_PICKED = {
    "whole": "A pick fills the whole region",
    "piece": "A click fills the connected piece",
    "several": "Regions picked one after the other are one fill; picked again, one is left out",
}


class PaintingScreen(EnhancingScreen):
    """A photo that is picked and painted on."""

    def on_mount(self) -> None:
        self.watch(self.easel.view, "cursor", self.painting.follow, init=False)

    def action_region(self, region: int) -> None:
        self.painting.fill(region)

    def action_picks(self) -> None:
        self._set_picks(PICKS[(PICKS.index(self.hand.picks) + 1) % len(PICKS)])

    def _set_picks(self, picks: str) -> None:
        self.hand.picks = picks
        self.query_one(RegionsPanel).show_picks(picks)
        self.status.say(_PICKED[picks])

    def action_tool(self, tool: str) -> None:
        self.painting.release()
        self.hand.tool = tool
        self.query_one(BrushPanel).show_tool(tool)
        self.easel.view.brush_radius = self.hand.radius if self.hand.paints else None
        self.tell()

    def action_radius(self, factor: float) -> None:
        self.hand.resize(factor, self.largest_radius)
        self._show_brush()

    def action_hardness(self, by: float) -> None:
        self.hand.hardness = min(max(round(self.hand.hardness + by, 2), 0.0), 1.0)
        self._show_brush()

    def _show_brush(self) -> None:
        hand = self.hand
        self.query_one(BrushPanel).show_brush(hand.radius, hand.hardness, hand.opacity)
        self.easel.view.brush_radius = hand.radius if hand.paints else None
        self.status.say(f"Brush {hand.radius:g} px, {hand.hardness:.0%} hard, {hand.opacity:.0%} opaque")
        self.tell()

    def action_tint(self) -> None:
        self._set_tint(not self.hand.tint)

    def _set_tint(self, tint: bool) -> None:
        self.hand.tint = tint
        self.query_one(BrushPanel).show_tint(tint)
        self.status.say("The brush's colour takes the photo's light and texture" if tint else "The brush paints flat")
        self.tell()

    def action_dab(self) -> None:
        self.painting.dab()

    def action_pen(self) -> None:
        if not self.hand.paints:
            uses, draws = self.npe.key_to("dab"), self.npe.key_to("pen")
            self.status.say(f"{uses} uses this tool at the cursor; {draws} puts a brush down")
        else:
            down = self.painting.pen()
            self.status.say(f"Pen down: the arrows draw, {self.npe.key_to('pen')} lifts it" if down else "Pen up")

    def action_undo(self) -> None:
        self.painting.alter(lambda document: document.undo(), "Undone", "Nothing to undo")

    def action_redo(self) -> None:
        self.painting.alter(lambda document: document.redo(), "Done again", "Nothing to redo")

    def action_mask(self, tool: str) -> None:
        radius = self.hand.radius
        tools: dict[str, tuple[Callable[[EditDocument], object], str]] = {
            "feather": (lambda document: document.canvas.feather(radius), f"Feathered by {radius:g} px"),
            "grow": (lambda document: document.canvas.grow(radius / 2), f"Grown by {radius / 2:g} px"),
            "shrink": (lambda document: document.canvas.shrink(radius / 2), f"Shrunk by {radius / 2:g} px"),
            "invert": (lambda document: document.canvas.invert(), "Inverted"),
            "clear": (lambda document: document.canvas.clear(), "Cleared"),
        }
        self.painting.alter(*tools[tool])
        if tool == "clear":
            panel = self.query_one(StrengthPanel)
            panel.use_seed(panel.settings.seed)

    # --- pointer and panels -------------------------------------------------------------------------------------

    @on(PictureView.PointerDown, "#photo")
    def _pointer_down(self, event: PictureView.PointerDown) -> None:
        if event.button == 1 and (event.inside or self.hand.paints):
            self.painting.press(event.x, event.y)

    @on(PictureView.PointerDown, "#before")
    def _pointer_down_before(self, event: PictureView.PointerDown) -> None:
        if event.button == 1 and event.inside and self.hand.tool == "dropper":
            self.painting.take_colour(event.x, event.y, before=True)
        elif event.button == 1:
            self.status.say("This is the photo as it was: paint and pick in the picture beside it")

    @on(PictureView.PointerMove, "#photo")
    def _pointer_move(self, event: PictureView.PointerMove) -> None:
        if event.button == 1:
            self.painting.drag(event.x, event.y)

    @on(PictureView.PointerUp, "#photo")
    def _pointer_up(self, event: PictureView.PointerUp) -> None:
        if event.button == 1:
            self.painting.release()

    @on(RegionsPanel.Picked)
    def _picked_in_panel(self, event: RegionsPanel.Picked) -> None:
        self.painting.fill(event.region, event.at)

    @on(RegionsPanel.PicksChosen)
    def _chose_picks(self, event: RegionsPanel.PicksChosen) -> None:
        self._set_picks(event.picks)

    @on(ColourPanel.Changed)
    def _chose_colour(self, event: ColourPanel.Changed) -> None:
        self.hand.colour = event.colour
        self.painting.recolour()

    @on(BrushPanel.ToolChosen)
    def _chose_tool(self, event: BrushPanel.ToolChosen) -> None:
        self.action_tool(event.tool)

    @on(BrushPanel.BrushChanged)
    def _changed_brush(self, event: BrushPanel.BrushChanged) -> None:
        self.hand.radius, self.hand.hardness, self.hand.opacity = event.radius, event.hardness, event.opacity
        self._show_brush()

    @on(BrushPanel.TintChosen)
    def _chose_tint(self, event: BrushPanel.TintChosen) -> None:
        self._set_tint(event.tint)

    @on(BrushPanel.MaskTool)
    def _used_mask_tool(self, event: BrushPanel.MaskTool) -> None:
        if not self.running.making:
            self.action_mask(event.name)
