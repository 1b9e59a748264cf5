"""The region map and its legend."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Label

from npe_core.canvas import Fill
from npe_core.regions import group_by_name
from npe_tui.panels.legend import Legend
from npe_tui.picture import PictureView
from npe_tui.widgets import Chip, Chips


class RegionsPanel(Vertical):
    """The map in legend colours, to be clicked on, and the legend."""

    class Picked(Message):
        """A region was picked; ``at`` (x, y) is the photo point clicked on in the map."""

        def __init__(self, region: int, at: tuple[float, float] | None = None) -> None:
            super().__init__()
            self.region, self.at = region, at

    class PicksChosen(Message):
        """What is to be picked from now on, one of ``hand.PICKS``."""

        def __init__(self, picks: str) -> None:
            super().__init__()
            self.picks = picks

    def __init__(self, depth: str, keys: Sequence[str]) -> None:
        """``keys``: of each region, as ``Legend`` shows them."""
        super().__init__(id="regions", classes="panel")
        self._depth, self._keys = depth, keys
        self._ids: np.ndarray | None = None

    def compose(self) -> ComposeResult:
        yield Label("Regions", classes="heading")
        with Horizontal(id="map-and-legend"):
            look = PictureView(depth=self._depth, id="map")
            look.can_focus = False
            yield look
            yield Legend(self._keys, id="legend")
        yield Chips(
            (
                Chip("whole", "whole", help="A click picks all of the region"),
                Chip("piece", "piece", help="A click picks the connected piece: one eye, one ear"),
                Chip("several", "several", help="Regions picked one after the other are one fill; again leaves it out"),
            ),
            "whole",
            id="picks",
        )

    def show_regions(self, ids: np.ndarray, overlay: np.ndarray) -> None:
        """The map of ids (H, W), and how it looks (H, W, 3)."""
        self._ids = ids
        self.query_one("#map", PictureView).show(overlay)
        self.query_one(Legend).know(ids)

    def show_fills(self, fills: list[Fill]) -> None:
        """The fills in force, of the face whose regions are shown."""
        self.query_one(Legend).fills = {
            region.id: fill.colour for fill in fills for region in group_by_name(fill.region)
        }

    def show_picks(self, picks: str) -> None:
        """What is picked, one of ``hand.PICKS``."""
        self.query_one("#picks", Chips).chosen = picks

    @on(PictureView.PointerDown, "#map")
    def _pick_from_map(self, event: PictureView.PointerDown) -> None:
        event.stop()
        if self._ids is not None and event.inside and event.button == 1:
            region = int(self._ids[int(event.y), int(event.x)])
            self.query_one(Legend).cursor = region
            self.post_message(self.Picked(region, (event.x, event.y)))

    @on(PictureView.PointerMove, "#map")
    @on(PictureView.PointerUp, "#map")
    def _not_for_the_photo(self, event: PictureView.Pointer) -> None:
        event.stop()

    @on(Legend.Picked)
    def _pick_from_legend(self, event: Legend.Picked) -> None:
        event.stop()
        self.post_message(self.Picked(event.region))

    @on(Chips.Pressed, "#picks")
    def _choose_picks(self, event: Chips.Pressed) -> None:
        event.stop()
        self.post_message(self.PicksChosen(event.name))
