"""The layer of the editor that hears the hand: its tools, and what they do to the picture."""

from __future__ import annotations

from textual import on

from npe_tui.panels.brush import BrushPanel
from npe_tui.panels.colour import ColourPanel
from npe_tui.panels.regions import RegionsPanel
from npe_tui.picture import PictureView
from npe_tui.screens.enhancing import EnhancingScreen


class PaintingScreen(EnhancingScreen):
    """A photo that is picked and painted on."""

    def on_mount(self) -> None:
        self.watch(self.easel.view, "cursor", self.painting.follow, init=False)

    def action_region(self, region: int) -> None:
        self.painting.fill(region)

    def action_picks(self) -> None:
        self.tools.next_picks()

    def action_tool(self, tool: str) -> None:
        self.tools.take(tool)

    def action_radius(self, factor: float) -> None:
        self.tools.resize(factor)

    def action_hardness(self, by: float) -> None:
        self.tools.harden(by)

    def action_tint(self) -> None:
        self.tools.set_tint(not self.hand.tint)

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
        self.tools.alter_mask(tool)

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
        self.tools.set_picks(event.picks)

    @on(ColourPanel.Changed)
    def _chose_colour(self, event: ColourPanel.Changed) -> None:
        self.tools.choose_colour(event.colour)

    @on(BrushPanel.ToolChosen)
    def _chose_tool(self, event: BrushPanel.ToolChosen) -> None:
        self.tools.take(event.tool)

    @on(BrushPanel.BrushChanged)
    def _changed_brush(self, event: BrushPanel.BrushChanged) -> None:
        self.tools.set_brush(event.radius, event.hardness, event.opacity)

    @on(BrushPanel.TintChosen)
    def _chose_tint(self, event: BrushPanel.TintChosen) -> None:
        self.tools.set_tint(event.tint)

    @on(BrushPanel.MaskTool)
    def _used_mask_tool(self, event: BrushPanel.MaskTool) -> None:
        if not self.running.making:
            self.tools.alter_mask(event.name)
