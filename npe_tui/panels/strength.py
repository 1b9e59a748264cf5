"""How strongly to edit: timestep, steps, sampler, sharpness, seed, presets."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from npe_core.defaults import SAMPLERS
from npe_core.strength import STRONGEST, WEAKEST
from npe_tui.document.edit_settings import DRAMATIC, SUBTLE, EditSettings
from npe_tui.widgets import Chip, Chips, Field, Slider


class StrengthPanel(Vertical):
    """The settings of the next edit."""

    def __init__(self, settings: EditSettings, presets: dict[str, EditSettings]) -> None:
        super().__init__(id="strength", classes="panel")
        self.settings = settings
        self.pinned = False
        """Whether a person typed the seed: it holds until the field is emptied; another is for the next edit alone."""
        self._last_seed: int | None = None
        self._presets = presets

    def compose(self) -> ComposeResult:
        yield Label("Strength", classes="heading")
        zones = ((SUBTLE, "subtle"), (DRAMATIC, "dramatic"))
        yield Slider("timestep", WEAKEST, STRONGEST, self.settings.timestep, zones=zones, id="timestep")
        chips = tuple(Chip(name, name, help=_told(preset)) for name, preset in self._presets.items())
        yield Chips(chips, self._preset, id="presets")
        yield Slider("steps", 1, 100, self.settings.steps, power=2, id="steps")
        with Horizontal(id="sampler-line"):
            yield Label("sampler", classes="name")
            yield Chips(tuple(Chip(name, name) for name in SAMPLERS), self.settings.sampler, id="samplers")
        yield Slider("sharpness", 0, 100, 100 * self.settings.sharpness, step=5, unit="%", id="sharpness")
        with Horizontal(id="seed-line"):
            yield Label("seed", classes="name")
            yield Field(
                entered=lambda: self.run_action("screen.back_to_picture"),
                id="seed",
                placeholder="new each time",
                restrict="[0-9]*",
                max_length=10,
            )

    @property
    def _preset(self) -> str | None:
        """Which preset has these settings, whatever the seed."""
        without_seed = replace(self.settings, seed=None)
        return next((name for name, preset in self._presets.items() if preset == without_seed), None)

    def settled(self) -> EditSettings:
        """The settings, with what was typed into a slider and not confirmed: it is what a person sees."""
        for slider in self.query(Slider):
            if slider.take_typed():
                self._take(slider)
        return self.settings

    def show_settings(self, settings: EditSettings) -> None:
        """Other values."""
        self.settings = settings
        self.query_one("#timestep", Slider).value = settings.timestep
        self.query_one("#steps", Slider).value = settings.steps
        self.query_one("#samplers", Chips).chosen = settings.sampler
        self.query_one("#sharpness", Slider).value = 100 * settings.sharpness
        self._show_seed()
        self.query_one("#presets", Chips).chosen = self._preset

    def shift_timestep(self, by: int) -> int:
        """Stronger or weaker; returns the timestep of now."""
        timestep = min(max(self.settings.timestep + by, WEAKEST), STRONGEST)
        self.show_settings(replace(self.settings, timestep=timestep))
        return timestep

    def shift_sharpness(self, by: float) -> float:
        """Sharper or smoother, 0..1; returns the sharpness of now."""
        sharpness = round(min(max(self.settings.sharpness + by, 0.0), 1.0), 2)
        self.show_settings(replace(self.settings, sharpness=sharpness))
        return sharpness

    def show_last_seed(self, seed: int | None) -> None:
        """The seed of the picture that the next one goes on from."""
        self._last_seed = seed
        self._show_seed()

    def draw_seed(self) -> int:
        """Another seed, for the next edit; returns it."""
        self.forget_seed()
        self.show_settings(self.settings.with_seed())
        assert self.settings.seed is not None, "with_seed has one"
        return self.settings.seed

    def use_seed(self, seed: int | None) -> None:
        """An edit was made with it, or its paint is gone: what was for that alone is not used again.

        Another one, drawn meanwhile, is for the next.
        """
        if not self.pinned and self.settings.seed == seed:
            self.forget_seed()

    def forget_seed(self) -> None:
        """Another seed takes the place of this one, even of one that was typed."""
        self.pinned = False
        self.show_settings(replace(self.settings, seed=None))

    def _show_seed(self) -> None:
        """What was typed as it was typed; what is known of the next seed, or of the last one, in grey and in words."""
        field, seed = self.query_one("#seed", Input), self.settings.seed
        if not self.pinned or int(field.value or -1) != seed:  # else it may be half typed
            with self.prevent(Input.Changed):
                field.value = str(seed) if self.pinned else ""
        last = "new each time" if self._last_seed is None else f"last {self._last_seed}"
        field.placeholder = last if seed is None else f"next {seed}"

    @on(Slider.Changed)
    def _slide(self, event: Slider.Changed) -> None:
        event.stop()
        self._take(event.slider)

    def _take(self, slider: Slider) -> None:
        value = round(slider.value)
        if slider.id == "timestep":
            self.show_settings(replace(self.settings, timestep=value))
        elif slider.id == "steps":
            self.show_settings(replace(self.settings, steps=value))
        else:
            self.show_settings(replace(self.settings, sharpness=value / 100))

    @on(Chips.Pressed, "#samplers")
    def _choose_sampler(self, event: Chips.Pressed) -> None:
        event.stop()
        self.show_settings(replace(self.settings, sampler=event.name))

    @on(Chips.Pressed, "#presets")
    def _choose_preset(self, event: Chips.Pressed) -> None:
        event.stop()
        self.show_settings(replace(self._presets[event.name], seed=self.settings.seed))

    @on(Input.Changed, "#seed")
    def _type_seed(self, event: Input.Changed) -> None:
        event.stop()
        self.pinned = bool(event.value)
        self.settings = replace(self.settings, seed=int(event.value) if event.value else None)
        if not self.pinned:
            self._show_seed()


def _told(settings: EditSettings) -> str:
    told = f"timestep {settings.timestep}, {settings.steps} steps, {settings.sampler}"
    return told if settings.sharpness == 1 else f"{told}, sharpness {settings.sharpness:.0%}"
