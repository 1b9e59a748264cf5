"""The tool in hand and its colour, the panels that show them, and what goes along to the next photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from npe_core.regions import REGIONS
from npe_tui.document.document import EditDocument
from npe_tui.document.edit_settings import EditSettings
from npe_tui.editing.window import Window
from npe_tui.hand.hand import PICKS, Hand
from npe_tui.hand.painting import Painting
from npe_tui.hand.palette import group_for
from npe_tui.picture import PictureView

if TYPE_CHECKING:
    from npe_tui.app import NpeApp

_PICKED = {
    "whole": "A pick fills the whole region",
    "piece": "A click fills the connected piece",
    "several": "Regions picked one after the other are one fill; picked again, one is left out",
}


@dataclass(frozen=True)
class Carried:
    """What goes along from one photo to the next."""

    hand: Hand
    radius: float
    """Of its brush, in usual ones: beside a larger photo a larger brush is the same."""
    settings: EditSettings
    """Without a seed."""


class Tools:
    """Changes the hand, by key and by panel, and shows how it is then."""

    def __init__(
        self, npe: NpeApp, window: Window, view: PictureView, painting: Painting, tell: Callable[[], object]
    ) -> None:
        """``tell``: the facts at the bottom are others now."""
        self._npe, self._window, self._view, self._painting, self._tell = npe, window, view, painting, tell
        self._hand = painting.hand
        self._document: EditDocument | None = None

    # --- from photo to photo ------------------------------------------------------------------------------------

    def show_carried(self, carried: Carried) -> None:
        """The hand and the settings are those of the photo before."""
        hand, brush = carried.hand, self._window.brush
        brush.show_tool(hand.tool)
        brush.show_tint(hand.tint)
        self._window.regions.show_picks(hand.picks)
        self._window.colour.choose(hand.colour)
        self._window.strength.show_settings(carried.settings)

    @property
    def carried(self) -> Carried:
        """For the next photo. For when the panels are there."""
        document, hand = self._document, replace(self._hand, drawing=False)
        radius = 1.0 if document is None else hand.radius / self._usual_radius(document)
        return Carried(hand, radius, replace(self._window.strength.settled(), seed=None))

    def open(self, document: EditDocument, radius: float) -> None:
        """For this document from now on; ``radius`` of the brush, in usual ones."""
        self._document = document
        radius *= self._usual_radius(document)
        hand = self._hand
        hand.radius = min(max(radius if radius < 4 else round(radius), 0.5), self._largest_radius)
        self._window.brush.show_brush(hand.radius, hand.hardness, hand.opacity, self._largest_radius)
        self._show_radius()

    def _usual_radius(self, document: EditDocument) -> float:
        return self._npe.config.radius or max(round(min(document.size) / 50), 1)

    @property
    def _largest_radius(self) -> float:
        """Of the brush, in photo pixels."""
        return 1.0 if self._document is None else min(self._document.size) / 2

    # --- tool and brush -----------------------------------------------------------------------------------------

    def take(self, tool: str) -> None:
        """Another tool."""
        self._painting.release()
        self._hand.tool = tool
        self._window.brush.show_tool(tool)
        self._show_radius()
        self._tell()

    def resize(self, factor: float) -> None:
        """A larger or smaller brush."""
        self._hand.resize(factor, self._largest_radius)
        self._show_brush()

    def harden(self, by: float) -> None:
        """A harder or softer brush."""
        self._hand.hardness = min(max(round(self._hand.hardness + by, 2), 0.0), 1.0)
        self._show_brush()

    def set_brush(self, radius: float, hardness: float, opacity: float) -> None:
        """Radius in photo pixels, hardness and opacity 0..1."""
        self._hand.radius, self._hand.hardness, self._hand.opacity = radius, hardness, opacity
        self._show_brush()

    def _show_brush(self) -> None:
        hand = self._hand
        self._window.brush.show_brush(hand.radius, hand.hardness, hand.opacity)
        self._show_radius()
        self._window.status.say(f"Brush {hand.radius:g} px, {hand.hardness:.0%} hard, {hand.opacity:.0%} opaque")
        self._tell()

    def _show_radius(self) -> None:
        """A ring around the pointer, for what draws strokes."""
        self._view.brush_radius = self._hand.radius if self._hand.paints else None

    def set_tint(self, tint: bool) -> None:
        """Whether the brush's colour takes the photo's light."""
        self._hand.tint = tint
        self._window.brush.show_tint(tint)
        told = "The brush's colour takes the photo's light and texture" if tint else "The brush paints flat"
        self._window.status.say(told)
        self._tell()

    def alter_mask(self, tool: str) -> None:
        """Feather, grow, shrink, invert or clear it."""
        radius = self._hand.radius
        tools: dict[str, tuple[Callable[[EditDocument], object], str]] = {
            "feather": (lambda document: document.canvas.feather(radius), f"Feathered by {radius:g} px"),
            "grow": (lambda document: document.canvas.grow(radius / 2), f"Grown by {radius / 2:g} px"),
            "shrink": (lambda document: document.canvas.shrink(radius / 2), f"Shrunk by {radius / 2:g} px"),
            "invert": (lambda document: document.canvas.invert(), "Inverted"),
            "clear": (lambda document: document.canvas.clear(), "Cleared"),
        }
        self._painting.alter(*tools[tool])
        if tool == "clear":
            panel = self._window.strength
            panel.use_seed(panel.settings.seed)

    # --- picks and colours --------------------------------------------------------------------------------------

    def next_picks(self) -> None:
        """After whole regions pieces, after them several, and whole ones again."""
        self.set_picks(PICKS[(PICKS.index(self._hand.picks) + 1) % len(PICKS)])

    def set_picks(self, picks: str) -> None:
        """What a pick takes, one of ``PICKS``."""
        self._hand.picks = picks
        self._window.regions.show_picks(picks)
        self._window.status.say(_PICKED[picks])

    def picked(self, region: int) -> None:
        """A region is filled: colours for it are shown, and that of the hand is one of the recent ones."""
        self._window.colour.show_group(group_for(REGIONS[region].name))
        self._npe.recent.add_colour(self._hand.colour)
        self._window.colour.show_recent(self._npe.recent.colours)

    def coloured(self, colour: str) -> None:
        """The dropper took a colour."""
        self._window.colour.choose(colour)
        self._hand.colour = colour
        self._window.status.say(f"Colour {colour}")

    def choose_colour(self, colour: str) -> None:
        """Another colour from the panel; the fill that was just made takes it on."""
        self._hand.colour = colour
        self._painting.recolour()
