"""The panel that says how strong an edit is: sharpness by keys and slider, presets."""

from dataclasses import replace

from textual import events
from tui_session import run, until

from npe_core.strength import STRONGEST, WEAKEST
from npe_tui.engine import messages
from npe_tui.panels.strength import StrengthPanel


def test_sharpness_is_set_by_keys_and_by_its_slider(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            slider, settings = panel.query_one("#sharpness"), panel.settings
            assert settings.sharpness == 1
            for size in ((40, 12), (80, 24), (120, 40)):
                await session.pilot.resize_terminal(*size)
                panel.show_settings(settings)
                await session.press("semicolon", "semicolon", "semicolon", "colon")
                assert panel.settings.sharpness == 0.8 and "80%" in session.screen.status.message
                await session.press("f6")
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


def test_a_number_beyond_the_range_is_told_and_so_is_what_is_taken_for_it(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            for keys, told in (("600", ["timestep goes from 1 to 499: it is 499 now."]), ("499", []), ("1", [])):
                await session.press("f6", *keys, "enter")
                assert [note.message for note in session.app._notifications] == told
                session.app.clear_notifications()
            assert session.screen.query_one(StrengthPanel).settings.timestep == 1

    run(scenario)


def test_a_preset_brings_its_sharpness_and_the_one_in_force_is_lit(start, config):
    """From the start, where the settings have the strength of one: 250 is subtle, 412 dramatic, 330 none."""
    soft = replace(config, sharpness=0.5, timestep=330, presets={"soft": {"timestep": 220, "sharpness": 0}})

    async def scenario():
        async with start((40, 12), settings=soft) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            presets = panel.query_one("#presets")
            assert panel.settings.sharpness == 0.5 and presets.chosen is None
            await session.press("f6")
            presets.focus()
            await session.press("right", "right", "enter")
            assert presets.chosen == "soft"
            assert (panel.settings.timestep, panel.settings.sharpness) == (220, 0)
            assert panel.query_one("#sharpness").value == 0
            await session.press("escape", "colon")
            assert presets.chosen is None  # it is not that any more
        for timestep, preset in ((250, "subtle"), (412, "dramatic")):
            async with start((40, 12), settings=replace(config, timestep=timestep)) as session:
                await session.open()
                assert session.screen.query_one("#presets").chosen == preset

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
                assert session.editing.easel.view.has_focus, first
                timestep = panel.settings.timestep
                assert timestep != before
                await session.fill("7")
                assert [fill.region for fill in session.document.canvas.targets] == ["hair"]
                await session.pilot.click("#brush")
                assert panel.settings.timestep == timestep and not typed(slider)
                await session.press("delete", "comma")
                await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_a_click_beside_the_track_of_a_slider_changes_nothing_and_digits_are_for_it_then(start):
    """Also a click of another button on the track; a drag that began on it goes beyond its ends."""

    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            panel, slider = session.screen.query_one(StrengthPanel), session.screen.query_one("#timestep")
            before, last = panel.settings.timestep, slider.size.width - 1
            for beside in (0, 9, last - 2, last):
                await session.press("escape")
                await session.pilot.mouse_down(slider, offset=(beside, 0))
                await session.pilot.hover(slider, offset=(16, 0))
                await session.pilot.mouse_up(slider, offset=(16, 0))
                assert panel.settings.timestep == before and slider.has_focus
            await session.press("3", "0", "0", "enter")
            assert panel.settings.timestep == 300 and session.editing.easel.view.has_focus
            await session.pilot.click(slider, offset=(12, 0), button=3)
            assert panel.settings.timestep == 300 and session.editing.easel.view.has_focus
            for end, timestep in ((0, WEAKEST), (last, STRONGEST)):
                await session.pilot.mouse_down(slider, offset=(16, 0))
                await session.pilot.hover(slider, offset=(end, 0))
                await session.pilot.mouse_up(slider, offset=(end, 0))
                assert panel.settings.timestep == timestep

    run(scenario)


def test_digits_count_when_they_are_confirmed_or_an_edit_is_started(start):
    """Over a slow line in one piece, too: the strength is taken, the field left, the region filled, the edit made."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            for key in ("f6", "3", "0", "0", "enter", "7", "g"):
                session.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await until(session.pilot, lambda: session.engine.asked[-1][0] == "edit")
            assert session.engine.asked[-1][2].timestep == 300
            assert [fill.region for fill in session.document.canvas.targets] == ["hair"]
            await session.say(messages.Stopped(session.number("edit")))

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
            assert panel.settings.timestep == 350 and session.editing.easel.view.has_focus

            await session.press("f6", "3", "4", "0")
            await session.say(messages.Stopped(await session.make("g", "edit")))
            assert session.engine.asked[-1][2].timestep == slider.value == 340
            await session.press("f6", "3", "6", "0")
            asked = len(session.engine.asked)
            await session.pilot.click("#enhance")
            await until(session.pilot, lambda: len(session.engine.asked) > asked)
            assert session.engine.asked[-1][0] == "edit"
            assert session.engine.asked[-1][2].timestep == slider.value == 360

    run(scenario)


def test_keys_of_a_focused_control_do_not_reach_the_picture(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            view, canvas = session.editing.easel.view, session.document.canvas
            for size in ((40, 12), (120, 40)):
                await session.pilot.resize_terminal(*size)
                await session.press("right", "f6", "enter")
                assert not canvas._history.done and view.has_focus
                for control in ("#timestep", "#presets", "#tools", "#groups", "#picks", "#enhance"):
                    session.screen.query_one(control).focus()
                    await session.press("space", "5", "a")
                    assert not canvas._history.done, control
                await session.press("escape", "f2", "5")
                await until(session.pilot, lambda: canvas._history.done)
                assert [fill.region for fill in canvas.targets] == ["lips"], "the legend shows that key"
                await session.press("escape", "p", "u")
                await until(session.pilot, lambda: not canvas._history.done)

    run(scenario)
