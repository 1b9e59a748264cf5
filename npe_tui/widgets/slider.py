"""A slider of one line: name, track, value. Keys, wheel, a drag along the track, or type the number."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from npe_tui.widgets.contrast import on_colour


class Slider(Widget, can_focus=True):
    """A number between ``low`` and ``high``. Digits count once Enter is pressed; who looks elsewhere drops them."""

    ALLOW_SELECT = False
    FOCUS_ON_CLICK = False
    DEFAULT_CSS = """
    Slider { height: 1; width: 1fr; color: $text; }
    Slider:focus > .slider--value {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    Slider > .slider--label { color: $text-muted; }
    Slider > .slider--value { color: $text; }
    Slider > .slider--track { color: $surface-lighten-2; }
    Slider > .slider--filled { color: $primary; }
    Slider > .slider--knob { color: $text; text-style: bold; }
    Slider > .slider--subtle { color: $success; }
    Slider > .slider--dramatic { color: $warning; }
    Slider:focus > .slider--label { color: $text; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"slider--{part}" for part in ("label", "value", "track", "filled", "knob", "subtle", "dramatic")
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Less", show=False),
        Binding("right", "move(1)", "More", show=False),
        Binding("shift+left,pagedown", "move(-10)", "Much less", show=False),
        Binding("shift+right,pageup", "move(10)", "Much more", show=False),
        Binding("home", "end(0)", "Least", show=False),
        Binding("end", "end(1)", "Most", show=False),
    ]

    value: reactive[float] = reactive(0.0, init=False)

    class Changed(Message):
        """A person moved the slider."""

        def __init__(self, slider: Slider, value: float) -> None:
            super().__init__()
            self.slider, self.value = slider, value

        @property
        def control(self) -> Slider:
            return self.slider

    def __init__(
        self,
        label: str,
        low: float,
        high: float,
        value: float,
        *,
        step: float = 1.0,
        power: float = 1.0,
        unit: str = "",
        label_width: int = 10,
        zones: tuple[tuple[tuple[float, float], str], ...] = (),
        id: str | None = None,
    ) -> None:
        """``step`` is what an arrow key moves by; ``power`` above 1 gives small values more room.

        ``zones``: stretches ((low, high), ``subtle`` or ``dramatic``) of the track that are marked.
        """
        super().__init__(id=id)
        self.label, self.low, self.high, self.step, self.unit = label, low, high, step, unit
        self.power, self.label_width, self.zones = power, label_width, zones
        self.colours: Callable[[float], str] | None = None
        """Value -> ``#rrggbb``: draws the track in colours."""
        self._typed = ""
        self.set_reactive(Slider.value, value)

    def validate_value(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    # --- drawing ------------------------------------------------------------------------------------------------

    @property
    def _value_width(self) -> int:
        return max(len(self._text(self.low)), len(self._text(self.high))) + 1

    def _text(self, value: float) -> str:
        number = f"{value:.0f}" if self.step >= 1 else f"{value:.2g}" if value < 1 else f"{value:.1f}"
        return f"{number}{self.unit}"

    @property
    def _track(self) -> tuple[int, int]:
        """First column of the track, and how many there are."""
        return self.label_width, max(self.size.width - self.label_width - self._value_width, 1)

    def _share(self, value: float) -> float:
        return ((value - self.low) / (self.high - self.low)) ** (1 / self.power)

    def _value_at(self, share: float) -> float:
        return self.low + (self.high - self.low) * min(max(share, 0), 1) ** self.power

    def render_line(self, y: int) -> Strip:
        style = self.get_component_rich_style
        columns = self._track[1]
        knob = round(self._share(self.value) * (columns - 1))
        segments = [Segment(self.label[: self.label_width].ljust(self.label_width), style("slider--label"))]
        for column in range(columns):
            if column == knob:
                segments.append(Segment("●", style("slider--knob") + self._under(column, columns)))
            elif self.colours is not None:
                segments.append(Segment(" ", style("slider--track") + self._under(column, columns)))
            else:
                zone = self._zone(column, columns)
                line = style("slider--filled") if column < knob else style("slider--track")
                segments.append(Segment("━" if zone or column < knob else "─", zone or line))
        text = (self._typed + "▏") if self._typed else self._text(self.value)
        segments.append(Segment(text.rjust(self._value_width), style("slider--value")))
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _under(self, column: int, columns: int) -> Style:
        if self.colours is None:
            return Style.null()
        return on_colour(self.colours(self._value_at(column / max(columns - 1, 1))))

    def _zone(self, column: int, columns: int) -> Style | None:
        value = self._value_at(column / max(columns - 1, 1))
        for (low, high), name in self.zones:
            if low <= value <= high:
                return self.get_component_rich_style(f"slider--{name}")
        return None

    # --- moving -------------------------------------------------------------------------------------------------

    def _set(self, value: float) -> None:
        before, self._typed = self.value, ""
        self.value = round(value / self.step) * self.step
        if self.value != before:
            self.post_message(self.Changed(self, self.value))
        self.refresh()

    def action_move(self, steps: int) -> None:
        """By so many steps; along a curved track by equal shares of it."""
        if self.power == 1:
            self._set(self.value + steps * self.step)
            return
        moved = self._value_at(self._share(self.value) + steps * 0.02)
        least = self.value + steps * self.step
        self._set(max(moved, least) if steps > 0 else min(moved, least))

    def action_end(self, which: int) -> None:
        """To the least or the most."""
        self._set(self.high if which else self.low)

    async def on_key(self, event: events.Key) -> None:
        """Digits are collected into a number; Enter takes it, and has done with the slider."""
        character = event.character or ""
        if character.isdigit() or (character == "." and self.step < 1):
            self._typed = (self._typed + character)[:6]
        elif event.key == "backspace" and self._typed:
            self._typed = self._typed[:-1]
        elif event.key == "enter":
            self.take_typed()
            await self.run_action("screen.back_to_picture")
        elif event.key == "escape" and self._typed:
            self._typed = ""
        else:
            return
        event.stop()
        event.prevent_default()
        self.refresh()

    def on_blur(self) -> None:
        self._typed = ""
        self.refresh()

    def take_typed(self) -> bool:
        """What was typed is the value from now on, or what there is next to it; returns whether anything was typed."""
        typed, self._typed = self._typed, ""
        with suppress(ValueError):
            self._set(float(typed))
            if not self.low <= float(typed) <= self.high:
                least, most, now = map(self._text, (self.low, self.high, self.value))
                self.notify(f"{self.label} goes from {least} to {most}: it is {now} now.", markup=False)
        return bool(typed)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """On the track the knob follows the pointer; on the name or the number the next digits are for the slider."""
        event.stop()
        if event.button != 1:
            return
        first, columns = self._track
        if first <= event.x < first + columns:
            self.capture_mouse()
            self._drag(event)
        else:
            self.screen.set_focus(self)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if event.button and self.app.mouse_captured is self:
            self._drag(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self.app.mouse_captured is self:
            self.release_mouse()
        elif self.has_focus:
            event.stop()  # the screen would give the focus back to the picture

    def _drag(self, event: events.MouseEvent) -> None:
        first, columns = self._track
        self._set(self._value_at((event.x - first) / max(columns - 1, 1)))
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.action_move(1)
        event.stop()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.action_move(-1)
        event.stop()
