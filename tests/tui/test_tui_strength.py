"""The panel that says how strong an edit is: sharpness by keys and slider, presets."""

from dataclasses import replace

import pytest
from textual import events
from tui_session import run, until

from npe_tui import messages
from npe_tui.panels.strength import StrengthPanel


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
def test_sharpness_is_set_by_keys_and_by_its_slider(start, size):
    async def scenario():
        async with start(size) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            assert panel.settings.sharpness == 1
            await session.press("semicolon", "semicolon", "semicolon", "colon")
            assert panel.settings.sharpness == 0.8 and "80%" in session.screen.status.message
            await session.press("f6")
            slider = panel.query_one("#sharpness")
            assert slider.value == 80 and slider.region.height == 1 and slider.region.bottom <= size[1]
            slider.focus()
            await session.press("left")
            assert panel.settings.sharpness == 0.75
            await session.press("3", "0", "enter")
            assert panel.settings.sharpness == 0.3
            await session.press("f6")
            slider.focus()
            await session.press("home")
            assert panel.settings.sharpness == 0
            await session.press("escape")
            await session.fill("7")
            await session.make("g", "edit")
            assert session.engine.asked[-1][2].sharpness == 0

    run(scenario)


def test_a_preset_brings_its_sharpness(start, config):
    settings = replace(config, sharpness=0.5, presets={"soft": {"timestep": 220, "sharpness": 0}})

    async def scenario():
        async with start((80, 24), settings=settings) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            assert panel.settings.sharpness == 0.5
            presets = panel.query_one("#presets")
            presets.focus()
            await session.press("right", "right", "enter")
            assert presets.chosen == "soft"
            assert (panel.settings.timestep, panel.settings.sharpness) == (220, 0)
            assert panel.query_one("#sharpness").value == 0
            await session.press("escape", "colon")
            assert presets.chosen is None  # it is not that any more

    run(scenario)


@pytest.mark.parametrize(("timestep", "preset"), [(250, "subtle"), (412, "dramatic"), (330, None)])
def test_the_preset_in_force_is_lit_from_the_start(start, config, timestep, preset):
    async def scenario():
        async with start((40, 12), settings=replace(config, timestep=timestep)) as session:
            await session.open()
            assert session.screen.query_one("#presets").chosen == preset

    run(scenario)


def test_keys_that_arrive_in_one_piece_go_where_each_of_them_would_have_gone_alone(start):
    """As over a slow line: the strength is taken, the field left, the region filled and the picture made with it."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            for key in ("f6", "3", "0", "0", "enter", "7", "g"):
                session.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await until(session.pilot, lambda: session.engine.asked[-1][0] == "edit")
            assert session.engine.asked[-1][2].timestep == 300
            assert [fill.region for fill in session.document.canvas.targets] == ["hair"]

    run(scenario)


def typed(slider):
    """The number that is being typed into a slider, as it is shown."""
    shown = slider.render_line(0).text
    return shown.rpartition("▏")[0].split()[-1] if "▏" in shown else ""


def test_the_mouse_moves_a_slider_and_leaves_the_keys_with_the_picture(start):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            panel, slider = session.screen.query_one(StrengthPanel), session.screen.query_one("#timestep")
            for first, to in (("f3", 18), ("f6", 8), ("escape", 14)):
                before = panel.settings.timestep
                await session.press(first)
                await session.pilot.mouse_down(slider, offset=(12, 0))
                await session.pilot.hover(slider, offset=(to, 0))
                await session.pilot.mouse_up(slider, offset=(to, 0))
                await session.pilot.pause()
                assert session.screen.easel.view.has_focus, first
                timestep = panel.settings.timestep
                assert timestep != before
                await session.fill("7")
                assert [fill.region for fill in session.document.canvas.targets] == ["hair"]
                await session.pilot.click("#brush")
                assert panel.settings.timestep == timestep and not typed(slider)
                await session.press("delete", "comma")
                await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_digits_that_are_not_confirmed_are_dropped(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            slider, before = panel.query_one("#timestep"), panel.settings.timestep
            await session.press("f6", "3", "5")
            assert typed(slider) == "35"
            await session.press("tab")
            assert panel.settings.timestep == before and not typed(slider)
            await session.press("f6", "3", "5", "0")
            await session.pilot.mouse_down(slider, offset=(12, 0))
            assert not typed(slider) and panel.settings.timestep not in (before, 350)
            await session.pilot.mouse_up(slider, offset=(12, 0))
            await session.press("f6", "3", "5", "0", "enter")
            assert panel.settings.timestep == 350 and session.screen.easel.view.has_focus

    run(scenario)


def test_what_is_typed_counts_for_the_edit_that_is_started(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.press("f6", "3", "5", "0")
            await session.say(messages.Stopped(await session.make("g", "edit")))
            assert session.engine.asked[-1][2].timestep == session.screen.query_one("#timestep").value == 350
            await session.press("f6", "3", "6", "0")
            asked = len(session.engine.asked)
            await session.pilot.click("#enhance")
            await until(session.pilot, lambda: len(session.engine.asked) > asked)
            assert session.engine.asked[-1][0] == "edit"
            assert session.engine.asked[-1][2].timestep == session.screen.query_one("#timestep").value == 360

    run(scenario)


@pytest.mark.parametrize("size", [(120, 40), (40, 12)])
def test_keys_of_a_focused_control_do_not_reach_the_picture(start, size):
    async def scenario():
        async with start(size) as session:
            await session.open()
            view, canvas = session.screen.easel.view, session.document.canvas
            await session.press("right", "f6", "enter")
            assert not canvas._history.done and view.has_focus
            for control in ("#timestep", "#presets", "#tools", "#groups", "#picks", "#enhance"):
                session.screen.query_one(control).focus()
                await session.press("space", "5", "a")
                assert not canvas._history.done, control
            await session.press("escape", "f2", "5")
            await until(session.pilot, lambda: canvas._history.done)
            assert [fill.region for fill in canvas.targets] == ["lips"], "the legend shows that key"

    run(scenario)
