"""What the engine is asked for and what it answers: the test posts what the engine would say."""

import numpy as np
import pytest
from tui_fakes import HAIR, LIPS, invented
from tui_session import Ids, run, until

from npe_tui.engine import messages
from npe_tui.panels.run import RunPanel
from npe_tui.panels.strength import StrengthPanel
from npe_tui.picture import PictureView
from npe_tui.screens.variants import VariantsScreen
from npe_tui.widgets.key_line import KeyLine


def test_enhance_shows_guesses_then_the_result_and_freezes_the_canvas_meanwhile(start):
    """Cancelled or failed, it leaves the paint, which can be changed again."""

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.press("g")
            assert "Nothing is marked" in session.screen.status.message
            await session.fill("7")
            number, revision = await session.make("g", "edit"), session.document.canvas.revision
            patch = messages.Patch((16, 8, 24, 16), np.full((8, 8, 3), 255, np.uint8))
            await session.say(messages.Advanced(number, messages.Progress("Enhancing", 3, 10, 4.2, (patch,))))
            panel = session.screen.query_one(RunPanel)
            assert panel.doing == "Enhancing 3/10  4 s left"
            assert (session.editing.easel._guess[8:16, 16:24] == 255).all()
            await session.press("5", "u", "delete")
            assert session.document.canvas.revision == revision
            await session.say(messages.Edited(number + 40, [invented(session.document, 1)]))
            assert session.document.result is None, "another job's"
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            assert session.document.result is not None and not panel.doing
            assert (session.document.shown[session.ids == HAIR] == 5).all()
            await session.fill("5")
            assert [fill.region for fill in session.document.canvas.targets] == ["hair", "lips"]

            number = await session.make("g", "edit")
            await session.press("escape")
            assert session.engine.cancelled == 1
            await session.say(messages.Stopped(number))
            assert "Cancelled" in session.screen.status.message and session.document.marked
            assert not session.editing.painting.frozen
            await session.say(messages.Failed(await session.make("g", "edit"), "cuda:0 ran out of memory"))
            assert session.screen.status.message == "cuda:0 ran out of memory" and session.document.marked
            assert not session.editing.running.making and not session.editing.painting.frozen

    run(scenario)


def test_in_a_narrow_window_what_can_be_done_next_is_read(start, photo_file):
    photo = photo_file.rename(photo_file.with_name("a name that alone would fill a narrow window, or nearly so.png"))

    async def scenario():
        async with start((120, 40), photo) as session:
            await session.open()
            told = lambda: session.screen.status.render_line(0).text  # noqa: E731
            title = session.screen.query_one("#title")
            for size in ((120, 40), (60, 20), (40, 12)):
                await session.pilot.resize_terminal(*size)
                await session.editing.find_face()
                await session.open()
                await until(session.pilot, lambda: told().startswith(" Pick a region"))
                assert ("F2" in told()) == (size[0] < 64), "where the legend is not in sight"
                assert ("b paints." in told()) == (size[0] == 60), "all of it is in sight"
                await session.fill("7")
                await session.enhance()
                assert told().startswith(" c compares, ^s saves, g tries again"), told()
                assert size == (40, 12) or "enhanced, not saved" in title.render_line(0).text
                assert title.render_line(0).text.startswith(" a name that alone") or size == (40, 12)
                await session.pilot.resize_terminal(60, 20)
                ends = "… enhanced, not saved"
                await until(session.pilot, lambda ends=ends: ends in " ".join(title.render_line(0).text.split()))
                await session.press("delete")
                await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_enter_after_a_button_was_pressed_presses_no_other_and_what_runs_is_told_in_full_in_80_columns(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            session.screen.query_one("#enhance").focus()
            number = await session.make("enter", "edit")
            assert session.editing.easel.view.has_focus
            session.screen.query_one("#cancel").focus()
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            assert session.editing.easel.view.has_focus
            asked = len(session.engine.asked)
            await session.press("enter", "space")
            assert len(session.engine.asked) == asked

            number = await session.make("v", "variants")
            await session.say(messages.Advanced(number, messages.Progress("Variants", 16, 16, 0.0)))
            what = session.screen.query_one("#run-what")
            await until(session.pilot, lambda: what.render_line(0).text.strip() == "Variants: finishing")
            assert what.render_line(0).text.strip() == session.screen.query_one(RunPanel).doing

    run(scenario)


def test_regions_that_waited_behind_what_was_stopped_are_looked_for_again(start):
    async def scenario():
        async with start((40, 12)) as session:
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            session.editing.painting.press(40, 75)
            session.screen.action_tool("brush")
            session.editing.painting.press(40, 75)
            session.editing.painting.release()
            number = await session.make("g", "edit")
            await session.press("escape")
            looks = session.engine.asked.count(("segment", session.document))
            await session.say(messages.Stopped(number))
            await session.say(messages.Stopped(session.number("segment")))
            assert session.engine.asked.count(("segment", session.document)) == looks + 1
            await session.say(messages.Segmented(session.number("segment"), Ids(session.ids)))
            await until(session.pilot, lambda: session.document.regions is not None)

    run(scenario)


def test_without_models_one_paints_and_reads_why_and_loading_them_again_says_what_there_is(start, engine):
    engine.state = messages.EngineState("loading")

    async def scenario():
        async with start((80, 24)) as session:
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            reason = "There are no weights: /x does not exist. Reinstall the package."
            session.engine.state = messages.EngineState("failed", detail=reason)
            await session.say(messages.StateChanged(session.engine.state))
            panel = session.screen.query_one(RunPanel)
            assert panel.query_one("#run-reason").display and not panel.query_one("#run-buttons").display
            assert panel.reason == reason
            await session.pilot.resize_terminal(120, 40)
            told = panel.query_one("#run-reason")
            await until(session.pilot, lambda: told.region.height == 2 and str(told.content).endswith("the package."))
            panel.reason = f"{reason} {reason}"
            await until(session.pilot, lambda: str(told.content).endswith("…"))
            assert told.region.height == 2, "the rows of the strength are not covered"
            await session.pilot.resize_terminal(80, 24)
            await session.press("b", "right", "space")
            assert session.document.marked
            await session.press("g")
            assert session.screen.status.message != "" and not session.editing.running.making
            session.engine.state = messages.EngineState("ready", "cpu", "abcdef12", "")
            await session.say(messages.StateChanged(session.engine.state))
            assert panel.query_one("#run-buttons").display

            await session.press("L")
            assert "cpu" in session.screen.status.message and "abcdef12" in session.screen.status.message
            session.engine.state = messages.EngineState("failed", detail="no weights")
            await session.press("L")
            assert "loading" in session.screen.status.message and session.engine.asked[-1] == ("start",)

    run(scenario)


def test_variants_are_chosen_by_number_and_what_makes_them_is_said_of_those_that_hardly_differ(start):
    """Of another try of the same, too; not of what was made with another strength."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            told = "at timestep 250 seeds hardly matter (. is stronger)"
            for apart, alike, number in ((0, True, 1), (2, True, 3), (4, False, 3)):
                await session.fill("7")
                results = [invented(session.document, seed) for seed in (30, 30 + 256, 30 + 512, 30 + 768 + apart)]
                await session.say(messages.Edited(await session.make("v", "variants"), results))
                await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
                await until(session.pilot, lambda: session.app.screen.is_mounted)
                title = session.app.screen.query_one("#title").render_line(0).text
                assert "1 to 4, or Enter" in title
                assert bool(session.app.screen.query("#variants-note")) == alike
                await session.press(str(number))
                taken = results[number - 1]
                await until(session.pilot, lambda taken=taken: session.document.result is taken)
                assert (told in session.screen.status.message) == alike
                assert session.screen.query_one(StrengthPanel).settings.seed is None
                await session.fill("5")
                await session.say(messages.Stopped(await session.make("g", "edit")))
                assert session.engine.asked[-1][2].seed == taken.parameters["seed"], "not drawn anew"
                await session.press("u")
                await until(session.pilot, lambda: not session.document.stale)
                await session.enhance(30 + 768 + apart)
                assert (told in session.screen.status.message) == alike
                await session.enhance(30 + 768 + apart)
                assert told not in session.screen.status.message, "with the same seed"
                result = invented(session.document, 30 + 512 + apart)
                result.parameters["timestep"] = 260
                await session.say(messages.Edited(await session.make("g", "edit"), [result]))
                assert "seeds hardly matter" not in session.screen.status.message
                await session.press("delete")
                await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


@pytest.mark.parametrize("key", ["g", "v"])
def test_a_picture_that_memory_is_too_small_for_is_told_and_can_be_made_again(start, monkeypatch, key):
    def no_memory(*_):
        raise MemoryError

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            before = session.document.shown.copy()
            results = [invented(session.document, seed) for seed in range(4 if key == "v" else 1)]
            with monkeypatch.context() as patch:
                patch.setattr("npe_tui.document.document.Made", no_memory)
                number = await session.make(key, "edit" if key == "g" else "variants")
                await session.say(messages.Edited(number, results))
                if key == "v":
                    await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
                    await session.press("1")
                await until(session.pilot, lambda: session.screen.status.message.startswith("Not enough memory"))
            assert session.document.result is None and np.array_equal(session.document.shown, before)
            await session.enhance(seed=9)
            assert session.document.result.parameters["seed"] == 9

    run(scenario)


@pytest.mark.parametrize("asked", ["variants", "fill"])
def test_what_is_asked_for_before_a_taken_variant_is_laid_is_done_after_it(start, asked):
    """A key right behind the one that takes it finds the canvas waiting for it still."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            results = [invented(session.document, seed) for seed in range(4)]
            await session.say(messages.Edited(await session.make("v", "variants"), results))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            screen = session.screen
            screen.action_variants() if asked == "variants" else screen.editing.painting.fill(LIPS)
            await session.pilot.pause()
            await session.press("2")
            if asked == "variants":
                await until(session.pilot, lambda: sum(what[0] == "variants" for what in session.engine.asked) == 2)
                assert not session.document.stale
            else:
                await until(session.pilot, lambda: screen.status.message.startswith("Filled lips"))
                assert session.document.stale and session.document.canvas.targets[-1].region == "lips"
            assert session.document.result is results[1]

    run(scenario)


def test_all_variants_are_zoomed_and_panned_together(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            for size in ((40, 12), (120, 40)):
                await session.pilot.resize_terminal(*size)
                number = await session.make("v", "variants")
                results = [invented(session.document, seed) for seed in (30, 31, 32, 33)]
                await session.say(messages.Edited(number, results))
                await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
                screen = session.app.screen
                await until(session.pilot, lambda screen=screen: len(screen.query(PictureView)) == 4)
                views = list(screen.query(PictureView))

                async def seen(met, views=views):
                    """Once the chosen tile's way of looking is met, it is that of all."""
                    await until(session.pilot, lambda: all(met(view.viewport) for view in views))
                    return {(view.viewport.zoomed, view.viewport.centre) for view in views}

                await session.press("down", "right", "up", "left", "plus", "plus")
                assert views[0].has_focus, "once round"
                ((_, (_, above)),) = await seen(lambda viewport: viewport.zoomed is not None)
                await session.press("down", "ctrl+down")
                assert len(await seen(lambda viewport, above=above: viewport.centre[1] > above)) == 1
                await session.press("home")
                await seen(lambda viewport: viewport.zoomed is None)
                shown = [key.description for _, key in screen.query_one(KeyLine).shown]
                assert shown[:4] == ["Take", "None", "Zoom in", "Zoom out"]
                await session.press("enter")
                await until(session.pilot, lambda results=results: session.document.result is results[2])

    run(scenario)


def test_another_try_does_not_cost_the_one_before(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            hair, status = session.ids == HAIR, session.screen.status
            told = lambda: status.render_line(0).text  # noqa: E731
            for size in ((40, 12), (120, 40)):
                await session.pilot.resize_terminal(*size)
                await session.fill("7")
                for seed in (5, 6):
                    await session.enhance(seed)
                results = [invented(session.document, seed) for seed in (30, 31, 32, 33)]
                await session.say(messages.Edited(await session.make("v", "variants"), results))
                await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
                await session.press("3")
                await until(session.pilot, lambda results=results: session.document.result is results[2])
                for key, seed in (("u", 6), ("u", 5), ("r", 6), ("r", 32), ("u", 6), ("u", 5)):
                    await session.press(key)
                    await until(session.pilot, lambda seed=seed: f"seed {seed}" in told())
                    assert (session.document.shown[hair] == seed).all()
                await session.press("u")
                await until(session.pilot, lambda: "seed" not in told())
                assert (session.document.shown == session.document.canvas.guide).all() and session.document.marked
                await session.press("u")
                await until(session.pilot, lambda: not session.document.marked)
                assert not session.document.unsaved

    run(scenario)


def test_when_the_models_are_there_it_is_told_that_the_regions_are_looked_for(start, engine):
    engine.state = messages.EngineState("loading")

    async def scenario():
        async with start((80, 24)) as session:
            await until(session.pilot, lambda: ("segment", session.document) in engine.asked)
            told = session.screen.query_one("#run-reason").content
            assert told.replace("\n", " ") == "The models are loading; paint meanwhile."
            assert session.screen.status.message == "The regions of the face follow.", "not the same once more"
            engine.state = messages.EngineState("ready", "cpu", "abcdef12", "")
            await session.say(messages.StateChanged(engine.state))
            assert session.screen.status.message == "Finding the regions of the face"

    run(scenario)
