"""How strongly to edit: timestep, steps, sampler, sharpness, seed, presets."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from npe_core.defaults import SAMPLERS
from npe_tui.strength import DRAMATIC, STRONGEST, SUBTLE, WEAKEST, Strength
from npe_tui.widgets import Chip, Chips, Slider


class StrengthPanel(Vertical):
    """The strength of the next edit."""

    def __init__(self, strength: Strength, presets: dict[str, Strength]) -> None:
        super().__init__(id="strength", classes="panel")
        self.strength = strength
        self._presets = presets

    def compose(self) -> ComposeResult:
        yield Label("Strength", classes="heading")
        zones = ((SUBTLE, "subtle"), (DRAMATIC, "dramatic"))
        yield Slider("timestep", WEAKEST, STRONGEST, self.strength.timestep, zones=zones, id="timestep")
        yield Chips(tuple(Chip(name, name, help=_told(preset)) for name, preset in self._presets.items()), id="presets")
        yield Slider("steps", 1, 100, self.strength.steps, power=2, id="steps")
        yield Chips(tuple(Chip(name, name) for name in SAMPLERS), self.strength.sampler, id="samplers")
        yield Slider("sharpness", 0, 100, 100 * self.strength.sharpness, step=5, unit="%", id="sharpness")
        with Horizontal(id="seed-line"):
            yield Label("seed", id="seed-label")
            yield Input(placeholder="new each time", id="seed", compact=True, restrict="[0-9]*", max_length=10)

    def settled(self) -> Strength:
        """The strength, with what was typed into a slider and not confirmed: it is what a person sees."""
        for slider in self.query(Slider):
            if slider.take_typed():
                self._take(slider)
        return self.strength

    def show_strength(self, strength: Strength) -> None:
        """Other values."""
        self.strength = strength
        self.query_one("#timestep", Slider).value = strength.timestep
        self.query_one("#steps", Slider).value = strength.steps
        self.query_one("#samplers", Chips).chosen = strength.sampler
        self.query_one("#sharpness", Slider).value = 100 * strength.sharpness
        with self.prevent(Input.Changed):
            self.query_one("#seed", Input).value = "" if strength.seed is None else str(strength.seed)
        without_seed = replace(strength, seed=None)
        self.query_one("#presets", Chips).chosen = next(
            (name for name, preset in self._presets.items() if preset == without_seed), None
        )

    @on(Slider.Changed)
    def _slide(self, event: Slider.Changed) -> None:
        event.stop()
        self._take(event.slider)

    def _take(self, slider: Slider) -> None:
        value = round(slider.value)
        if slider.id == "timestep":
            self.show_strength(replace(self.strength, timestep=value))
        elif slider.id == "steps":
            self.show_strength(replace(self.strength, steps=value))
        else:
            self.show_strength(replace(self.strength, sharpness=value / 100))

    @on(Chips.Pressed, "#samplers")
    def _choose_sampler(self, event: Chips.Pressed) -> None:
        event.stop()
        self.show_strength(replace(self.strength, sampler=event.name))

    @on(Chips.Pressed, "#presets")
    def _choose_preset(self, event: Chips.Pressed) -> None:
        event.stop()
        self.show_strength(replace(self._presets[event.name], seed=self.strength.seed))

    @on(Input.Changed, "#seed")
    def _type_seed(self, event: Input.Changed) -> None:
        event.stop()
        self.strength = replace(self.strength, seed=int(event.value) if event.value else None)


def _told(strength: Strength) -> str:
    told = f"timestep {strength.timestep}, {strength.steps} steps, {strength.sampler}"
    return told if strength.sharpness == 1 else f"{told}, sharpness {strength.sharpness:.0%}"
