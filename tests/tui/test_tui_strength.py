"""The panel that says how strong an edit is: sharpness by keys and slider, presets."""

from dataclasses import replace

import pytest
from tui_session import run

from npe_tui.panels.strength import StrengthPanel


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
def test_sharpness_is_set_by_keys_and_by_its_slider(start, size):
    async def scenario():
        async with start(size) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            assert panel.strength.sharpness == 1
            await session.press("semicolon", "semicolon", "semicolon", "colon")
            assert panel.strength.sharpness == 0.8 and "80%" in session.screen.status.message
            await session.press("f6")
            slider = panel.query_one("#sharpness")
            assert slider.value == 80 and slider.region.height == 1 and slider.region.bottom <= size[1]
            slider.focus()
            await session.press("left")
            assert panel.strength.sharpness == 0.75
            await session.press("3", "0", "enter")
            assert panel.strength.sharpness == 0.3
            await session.press("home")
            assert panel.strength.sharpness == 0
            await session.press("escape")
            await session.fill("7")
            await session.make("g", "edit")
            assert session.engine.asked[-1][2].sharpness == 0

    run(scenario)


def test_a_preset_brings_its_sharpness(start, config):
    settings = replace(config, sharpness=0.5, presets={"soft": {"timestep": 220, "sharpness": 0}})

    async def scenario():
        async with start((120, 40), settings=settings) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            assert panel.strength.sharpness == 0.5
            presets = panel.query_one("#presets")
            presets.focus()
            await session.press("right", "right", "enter")
            assert presets.chosen == "soft"
            assert (panel.strength.timestep, panel.strength.sharpness) == (220, 0)
            assert panel.query_one("#sharpness").value == 0
            await session.press("escape", "colon")
            assert presets.chosen is None  # it is not that any more

    run(scenario)
