"""The colour to paint with: named swatches, recent ones, a hex field, and sliders for hue, saturation and value."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Label, Static

from npe_core.errors import UsageError
from npe_core.filenames import printable
from npe_tui.hand.palette import PALETTE, from_hsv, parse, short_name_of, to_hsv
from npe_tui.widgets import Chip, Chips, Field, Slider

_RECENT = "recent"


class ColourPanel(Vertical):
    """One colour, ``#rrggbb``."""

    colour: reactive[str] = reactive("#8b2500", init=False)

    class Changed(Message):
        """A person chose another colour."""

        def __init__(self, colour: str) -> None:
            super().__init__()
            self.colour = colour

    def __init__(self, colour: str, recent: list[str]) -> None:
        super().__init__(id="colour", classes="panel")
        self.set_reactive(ColourPanel.colour, colour)
        self._recent = recent
        self._hsv = to_hsv(colour)

    def compose(self) -> ComposeResult:
        with Horizontal(id="colour-line"):
            yield Label("Colour", classes="heading")
            swatch = Static("", id="swatch")
            swatch.styles.background = self.colour
            yield swatch
            yield Field(self.colour, entered=self._enter, id="hex", max_length=24)
            yield Label(short_name_of(self.colour), id="colour-name")
        yield Static(id="no-colour", markup=False)
        groups = tuple(Chip(name, name) for name in (*PALETTE, _RECENT))
        yield Chips(groups, "hair", id="groups")
        yield Chips(_swatches("hair", self._recent), self.colour, id="swatches")
        hue, saturation, value = self._hsv
        for name, most, part in (("hue", 359, hue), ("saturation", 100, saturation), ("value", 100, value)):
            slider = Slider(name[:3], 0, most, part, label_width=5, id=name)
            slider.colours = self._tracks[name]
            yield slider

    @property
    def _tracks(self) -> dict[str, Callable[[float], str]]:
        """What the colour would become; dull and dark ones are drawn livelier, so that the hue can be seen."""
        return {
            "hue": lambda hue: from_hsv(hue, max(self._hsv[1], 40), max(self._hsv[2], 50)),
            "saturation": lambda saturation: from_hsv(self._hsv[0], saturation, max(self._hsv[2], 25)),
            "value": lambda value: from_hsv(self._hsv[0], self._hsv[1], value),
        }

    # --- from outside -------------------------------------------------------------------------------------------

    def choose(self, colour: str) -> None:
        """Set the colour without a message."""
        self._take(colour)

    def show_group(self, group: str) -> None:
        """Offer the swatches of a group of the palette."""
        self.query_one("#groups", Chips).chosen = group
        self.query_one("#swatches", Chips).chips = _swatches(group, self._recent)

    def show_recent(self, recent: list[str]) -> None:
        """The recent colours, newest first."""
        self._recent = recent
        if self.query_one("#groups", Chips).chosen == _RECENT:
            self.show_group(_RECENT)

    # --- within -------------------------------------------------------------------------------------------------

    def _take(self, colour: str, hsv: tuple[float, float, float] | None = None) -> None:
        """``hsv`` where it is known better than the colour tells: grey has no hue."""
        self._hsv = hsv or to_hsv(colour)
        self.colour = colour
        self._show()

    def _changed(self, colour: str, hsv: tuple[float, float, float] | None = None) -> None:
        self._take(colour, hsv)
        self.post_message(self.Changed(colour))

    def _show(self) -> None:
        self.query_one("#swatch", Static).styles.background = self.colour
        field = self.query_one("#hex", Input)
        if not field.has_focus:
            with self.prevent(Input.Changed):
                field.value = self.colour
        self.query_one("#colour-name", Label).update(short_name_of(self.colour))
        self.query_one("#swatches", Chips).chosen = self.colour
        for name, part in zip(("hue", "saturation", "value"), self._hsv, strict=True):
            slider = self.query_one(f"#{name}", Slider)
            slider.value = part
            slider.refresh()

    @on(Slider.Changed)
    def _slide(self, event: Slider.Changed) -> None:
        event.stop()
        hsv = dict(zip(("hue", "saturation", "value"), self._hsv, strict=True)) | {str(event.slider.id): event.value}
        self._changed(from_hsv(*hsv.values()), (hsv["hue"], hsv["saturation"], hsv["value"]))

    @on(Chips.Pressed, "#groups")
    def _choose_group(self, event: Chips.Pressed) -> None:
        event.stop()
        self.show_group(event.name)

    @on(Chips.Pressed, "#swatches")
    def _choose_swatch(self, event: Chips.Pressed) -> None:
        event.stop()
        self._changed(event.name)

    @on(Input.Changed, "#hex")
    def _type(self, event: Input.Changed) -> None:
        event.stop()
        self._say("")
        try:
            colour = self._parse(event.value)
        except UsageError:
            event.input.add_class("-wrong")
            return
        event.input.remove_class("-wrong")
        if event.value.lstrip("#").lower() == colour.lstrip("#") and colour != self.colour:
            self._changed(colour)

    async def _enter(self) -> None:
        try:
            self._changed(self._parse(self.query_one("#hex", Input).value))
        except UsageError as error:
            self._say(str(error))
        else:
            await self.run_action("screen.back_to_picture")

    @on(Input.Blurred, "#hex")
    def _leave(self, event: Input.Blurred) -> None:
        """What was not taken goes: the field says the colour in force."""
        self._say("")
        event.input.remove_class("-wrong")
        self._show()

    def _say(self, why: str) -> None:
        """Why what was typed is no colour, until something else is: under the field, which is corrected then."""
        told = self.query_one("#no-colour", Static)
        told.update(printable(why))
        told.display = bool(why)

    def _parse(self, text: str) -> str:
        return parse(text, self.query_one("#groups", Chips).chosen or "")


def _swatches(group: str, recent: list[str]) -> tuple[Chip, ...]:
    if group == _RECENT:
        return tuple(Chip(colour, colour, colour, colour) for colour in recent)
    return tuple(Chip(swatch.colour, swatch.name, swatch.colour, swatch.name) for swatch in PALETTE[group])
