"""The column beside the picture: all panels where there is room, else one or two of them, chosen by tabs."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical

from npe_tui.config import Config
from npe_tui.document.edit_settings import initial, presets
from npe_tui.keys import region_keys
from npe_tui.panels.brush import BrushPanel
from npe_tui.panels.colour import ColourPanel
from npe_tui.panels.regions import RegionsPanel
from npe_tui.panels.run import RunPanel
from npe_tui.panels.strength import StrengthPanel
from npe_tui.widgets import Chip, Chips

PANELS = ("regions", "colour", "brush", "strength")
NEIGHBOURS = {"regions": "colour", "colour": "regions", "brush": "strength", "strength": "brush"}


class Side(Vertical):
    """The panels. It is mounted after the first frame, which is the picture's."""

    def __init__(self, config: Config, recent: list[str]) -> None:
        """``recent``: colours, newest first."""
        super().__init__(id="panels-and-run")
        self._config, self._recent = config, recent

    def compose(self) -> ComposeResult:
        config = self._config
        panels = (
            RegionsPanel(config.depth, region_keys(config.keys)),
            ColourPanel(config.colour, self._recent),
            BrushPanel(config.hardness, config.opacity, config.tint),
            StrengthPanel(initial(config), presets(config)),
        )
        panels[0].add_class("-active")
        panels[1].add_class("-near")
        yield Chips(tuple(Chip(name, name) for name in PANELS), PANELS[0], id="tabs")
        with Vertical(id="panels"):
            yield from panels
        yield RunPanel()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The panel that has the focus is the one that stays where the window gets less tall."""
        chosen = self.query_one("#tabs", Chips).chosen
        name = next((node.id for node in event.widget.ancestors if node.id in PANELS), None)
        if name is not None and name != chosen:
            self.choose(name)

    @on(Chips.Pressed, "#tabs")
    def _chose(self, event: Chips.Pressed) -> None:
        event.stop()
        self.choose(event.name)

    def choose(self, name: str) -> None:
        """Where there is not room for all panels, this one; where there is room for two, its neighbour too."""
        self.query_one("#tabs", Chips).chosen = name
        panels = {panel: self.query_one(f"#{panel}") for panel in PANELS}
        for panel, widget in panels.items():
            widget.set_class(panel == name, "-active", update=False)
            widget.set_class(panel == NEIGHBOURS[name], "-near", update=False)
        self.app.stylesheet.update_nodes(panels.values())  # what lies in them looks the same, and is much
