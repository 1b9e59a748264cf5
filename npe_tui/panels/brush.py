"""Tools, the brush, and what can be done to the mask."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Label

from npe_tui.widgets import Chip, Chips, Slider

TOOLS = ("pick", "brush", "marker", "eraser", "dropper")
_MASK = (
    Chip("feather", "feather", help="Soften the mask inwards by the brush's radius"),
    Chip("grow", "grow", help="Widen the mask by half the radius"),
    Chip("shrink", "shrink", help="Narrow the mask by half the radius"),
    Chip("invert", "invert", help="Edit what was kept, keep what was edited"),
    Chip("clear", "clear", help="Take all paint and mask away"),
)
_PAINTS = (
    Chip("flat", "flat", help="The brush paints the colour as it is"),
    Chip("tint", "tint", help="The brush's colour takes the photo's light and texture"),
)
_HELP = {
    "pick": "A click fills the region under it",
    "brush": "Paint with the colour",
    "marker": "Mark only: to be imagined anew, without paint",
    "eraser": "Take paint and mask away",
    "dropper": "Take a colour from the picture",
}


class BrushPanel(Vertical):
    """The tool in hand, the brush and its paint, mask tools."""

    class ToolChosen(Message):
        """A person took another tool."""

        def __init__(self, tool: str) -> None:
            super().__init__()
            self.tool = tool

    class BrushChanged(Message):
        """A person changed the brush."""

        def __init__(self, radius: float, hardness: float, opacity: float) -> None:
            super().__init__()
            self.radius, self.hardness, self.opacity = radius, hardness, opacity

    class TintChosen(Message):
        """A person wants flat paint, or paint that tints."""

        def __init__(self, tint: bool) -> None:
            super().__init__()
            self.tint = tint

    class MaskTool(Message):
        """A person wants something done to the mask."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, hardness: float, opacity: float, tint: bool) -> None:
        super().__init__(id="brush", classes="panel")
        self._hardness, self._opacity, self._tint = hardness, opacity, tint

    def compose(self) -> ComposeResult:
        yield Label("Paint", classes="heading")
        yield Chips(tuple(Chip(tool, tool, help=_HELP[tool]) for tool in TOOLS), "pick", id="tools")
        yield Slider("radius", 0.5, 200, 10, step=0.5, power=2.5, unit="px", id="radius")
        yield Slider("hardness", 0, 100, 100 * self._hardness, step=5, unit="%", id="hardness")
        with Horizontal(id="opacity-line"):
            yield Slider("opacity", 10, 100, 100 * self._opacity, step=5, unit="%", id="opacity")
            yield Chips(_PAINTS, _paint(self._tint), id="paints")
        yield Label("Mask", classes="heading")
        yield Chips(_MASK, id="mask-tools")

    def show_tool(self, tool: str) -> None:
        """The tool in hand."""
        self.query_one("#tools", Chips).chosen = tool

    def show_tint(self, tint: bool) -> None:
        """Whether the brush tints."""
        self.query_one("#paints", Chips).chosen = _paint(tint)

    def show_brush(self, radius: float, hardness: float, opacity: float, most: float | None = None) -> None:
        """Radius in photo pixels, hardness and opacity 0..1; ``most``: the largest radius the photo has use for."""
        slider = self.query_one("#radius", Slider)
        if most is not None:
            slider.high = most
        slider.value = radius
        slider.refresh()
        self.query_one("#hardness", Slider).value = 100 * hardness
        self.query_one("#opacity", Slider).value = 100 * opacity

    @on(Chips.Pressed, "#tools")
    def _take(self, event: Chips.Pressed) -> None:
        event.stop()
        self.post_message(self.ToolChosen(event.name))

    @on(Slider.Changed)
    def _change(self, event: Slider.Changed) -> None:
        event.stop()
        radius, hardness, opacity = (
            self.query_one(name, Slider).value for name in ("#radius", "#hardness", "#opacity")
        )
        self.post_message(self.BrushChanged(radius, hardness / 100, opacity / 100))

    @on(Chips.Pressed, "#paints")
    def _choose_paint(self, event: Chips.Pressed) -> None:
        event.stop()
        self.post_message(self.TintChosen(event.name == "tint"))

    @on(Chips.Pressed, "#mask-tools")
    def _use(self, event: Chips.Pressed) -> None:
        event.stop()
        self.post_message(self.MaskTool(event.name))


def _paint(tint: bool) -> str:
    return "tint" if tint else "flat"
