"""What the engine is asked for and what it answers: the test posts what the engine would say."""

from dataclasses import replace

import numpy as np
import pytest
from textual.widgets import Input
from tui_fakes import HAIR, invented
from tui_session import Ids, run, until

from npe_tui import messages
from npe_tui.edit_settings import EditSettings, in_turn
from npe_tui.panels.run import RunPanel
from npe_tui.panels.strength import StrengthPanel
from npe_tui.picture import PictureView
from npe_tui.screens.study import StudyScreen
from npe_tui.screens.variants import VariantsScreen
from npe_tui.worker import STUDY


def test_enhance_shows_guesses_then_the_result_and_freezes_the_canvas_meanwhile(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("g")
            assert "Nothing is marked" in session.screen.status.message
            await session.fill("7")
            number, revision = await session.make("g", "edit"), session.document.canvas.revision
            patch = messages.Patch((16, 8, 24, 16), np.full((8, 8, 3), 255, np.uint8))
            await session.say(messages.Advanced(number, messages.Progress("Enhancing", 3, 10, 4.2, (patch,))))
            panel = session.screen.query_one(RunPanel)
            assert panel.doing == "Enhancing 3/10  4 s left"
            assert (session.screen.easel._guess[8:16, 16:24] == 255).all()
            await session.press("5", "u", "delete")
            assert session.document.canvas.revision == revision
            await session.say(messages.Edited(number + 40, [invented(session.document, 1)]))
            assert session.document.result is None, "another job's"
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            assert session.document.result is not None and not panel.doing
            assert (session.document.shown[session.ids == HAIR] == 5).all()
            await session.fill("5")
            assert [fill.region for fill in session.document.canvas.targets] == ["hair", "lips"]

    run(scenario)


@pytest.mark.parametrize("size", [(120, 40), (60, 20), (40, 12)])
def test_in_a_narrow_window_what_can_be_done_next_is_read(start, size, photo_file):
    photo = photo_file.rename(photo_file.with_name("a name that alone would fill a narrow window, or nearly so.png"))

    async def scenario():
        async with start(size, photo) as session:
            await session.open()
            told = lambda: session.screen.status.render_line(0).text  # noqa: E731
            await until(session.pilot, lambda: told().startswith(" Pick a region"))
            assert ("F2" in told()) == (size[0] < 64), "where the legend is not in sight"
            await session.fill("7")
            await session.enhance()
            assert told().startswith(" c compares, ^s saves, g tries again"), told()
            title = session.screen.query_one("#title")
            assert size == (40, 12) or "enhanced, not saved" in title.render_line(0).text
            assert title.render_line(0).text.startswith(" a name that alone") or size == (40, 12)
            await session.pilot.resize_terminal(60, 20)
            await until(session.pilot, lambda: "… enhanced, not saved" in " ".join(title.render_line(0).text.split()))

    run(scenario)


def test_enter_after_a_button_was_pressed_presses_no_other(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            session.screen.query_one("#enhance").focus()
            number = await session.make("enter", "edit")
            assert session.screen.easel.view.has_focus
            session.screen.query_one("#cancel").focus()
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            assert session.screen.easel.view.has_focus
            asked = len(session.engine.asked)
            await session.press("enter", "space")
            assert len(session.engine.asked) == asked

    run(scenario)


def test_loading_the_models_again_says_what_there_is(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("L")
            assert "cpu" in session.screen.status.message and "abcdef12" in session.screen.status.message
            session.engine.state = messages.EngineState("failed", detail="no weights")
            await session.press("L")
            assert "loading" in session.screen.status.message and session.engine.asked[-1] == ("start",)

    run(scenario)


def test_regions_that_waited_behind_what_was_stopped_are_looked_for_again(start):
    async def scenario():
        async with start((80, 24)) as session:
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            session.screen.painting.press(40, 75)
            session.screen.action_tool("brush")
            session.screen.painting.press(40, 75)
            session.screen.painting.release()
            number = await session.make("g", "edit")
            await session.press("escape")
            looks = session.engine.asked.count(("segment", session.document))
            await session.say(messages.Stopped(number))
            await session.say(messages.Stopped(session.number("segment")))
            assert session.engine.asked.count(("segment", session.document)) == looks + 1
            await session.say(messages.Segmented(session.number("segment"), Ids(session.ids)))
            await until(session.pilot, lambda: session.document.regions is not None)

    run(scenario)


def test_what_is_enhanced_already_keeps_its_seed_when_more_is_painted(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(seed=9)
            assert session.engine.asked[-1][2].seed is None
            await session.fill("5")
            await session.enhance(seed=9)
            assert session.engine.asked[-1][2].seed == 9
            await session.enhance(seed=10)
            assert session.engine.asked[-1][2].seed is None, "another try"
            await session.press("full_stop")
            await session.enhance(seed=10)
            assert session.engine.asked[-1][2].seed == 10, "the same, stronger"
            number = await session.make("t", "study")
            assert session.engine.asked[-1][2].seed == 10, "the study is of the picture that is there"
            await session.say(messages.Stopped(number))
            await session.press("comma")
            await session.make("v", "variants")
            assert session.engine.asked[-1][2].seed is None

    run(scenario)


@pytest.mark.parametrize(
    ("own", "repainted", "several", "seed"),
    [(None, False, False, None), (None, True, False, 9), (None, True, True, 9), (None, False, True, None),
     (9, False, False, 9), (9, False, True, None), (9, True, True, 9), (4, False, True, 4), (4, True, False, 4)],
)  # fmt: skip
def test_whose_seed_the_next_pictures_have(own, repainted, several, seed):
    before = EditSettings(250, 4, "lcm", seed=own)
    made = {"seed": 9, "timestep": 250, "steps": 4, "sampler": "lcm", "sharpness": 1.0}
    assert in_turn(before, made, repainted, several) == replace(before, seed=seed)
    assert in_turn(before, {}, True, several) == before


@pytest.mark.parametrize("changed", [{"timestep": 300}, {"steps": 6}, {"sampler": "ddim"}, {"sharpness": 0.5}])
def test_another_strength_shows_what_strength_alone_does(changed):
    made = {"seed": 9, "timestep": 250, "steps": 4, "sampler": "lcm", "sharpness": 1.0}
    after = replace(EditSettings(250, 4, "lcm"), **changed)
    assert in_turn(after, made, False, False).seed == 9
    assert in_turn(replace(after, seed=3), made, False, True).seed == 3
    few = EditSettings(3, 8, "lcm")
    assert in_turn(few, made | {"timestep": 3, "steps": 3}, False, False).seed is None, "three are all it has room for"


def test_the_seed_that_is_shown_is_the_one_in_force(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            panel.query_one("#seed").focus()
            await session.press("minus", "5", "_", "1", "plus", "0")
            assert (panel.query_one("#seed").value, panel.settings.seed) == ("510", 510)

    run(scenario)


def shown(session):
    """What the field of the seed says: the value, or else what stands in its place."""
    field = session.screen.query_one("#seed", Input)
    return field.value or field.placeholder


def test_a_seed_that_was_drawn_is_for_one_picture(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            assert shown(session) == "new each time"
            await session.fill("7")
            await session.press("s")
            drawn = session.screen.query_one(StrengthPanel).settings.seed
            assert shown(session) == f"next {drawn}" and str(drawn) in session.screen.status.message
            await session.say(messages.Stopped(await session.make("g", "edit")))
            await session.enhance(seed=drawn)
            assert session.engine.asked[-1][2].seed == drawn, "cancelled, it was not used"
            assert shown(session) == f"last {drawn}"
            await session.enhance(seed=8)
            assert session.engine.asked[-1][2].seed is None and shown(session) == "last 8", "another try"
            await session.press("s", "v")
            await until(session.pilot, lambda: session.engine.asked[-1][0] == "variants")
            assert session.engine.asked[-1][2].seed is not None

    run(scenario)


def test_a_seed_that_was_typed_holds_until_its_field_is_emptied(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            session.screen.query_one("#seed").focus()
            await session.press("4", "2", "enter")
            for _ in range(2):
                await session.enhance(seed=42)
                assert session.engine.asked[-1][2].seed == 42 and shown(session) == "42"
            await session.press("delete", "comma")
            assert shown(session) == "42"
            await session.fill("5")
            session.screen.query_one("#seed").focus()
            await session.press("end", "backspace", "backspace")
            assert shown(session) == "new each time", "all was taken away"
            await session.press("escape")
            await session.make("g", "edit")
            assert session.engine.asked[-1][2].seed is None

    run(scenario)


def test_another_seed_takes_the_place_of_one_that_was_typed(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            panel = session.screen.query_one(StrengthPanel)
            await session.fill("7")
            session.screen.query_one("#seed").focus()
            await session.press("4", "2", "enter", "s")
            assert not panel.pinned and shown(session) == f"next {panel.settings.seed}" != "next 42"
            session.screen.query_one("#seed").focus()
            await session.press("4", "2", "enter")
            for chosen, left in (("1", "42"), ("2", "last 43")):
                results = [invented(session.document, seed) for seed in (42, 43)]
                await session.say(messages.Edited(await session.make("v", "variants"), results))
                await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
                await session.press(chosen)
                await until(session.pilot, lambda left=left: shown(session) == left)

    run(scenario)


def test_after_all_was_cleared_the_seed_is_another_and_undo_brings_it_back(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()

            async def seed_after(*keys):
                """The seed of a picture that is begun and stopped after these keys."""
                for key in keys:
                    before = session.document.canvas.revision
                    await session.press(key)
                    await until(session.pilot, lambda before=before: session.document.canvas.revision > before)
                    await until(session.pilot, lambda: not session.screen.painting._turn.locked())
                number = await session.make("g", "edit")
                await session.say(messages.Stopped(number))
                return session.engine.asked[-1][2].seed

            await session.fill("7")
            await session.enhance(seed=9)
            assert await seed_after("5") == 9
            assert await seed_after("delete", "1") is None and shown(session) == "new each time"
            assert await seed_after("u", "u") == 9 and shown(session) == "last 9", "Clear is undone"
            assert await seed_after("r", "r") is None, "and done again"
            await session.press("s", "delete")
            await until(session.pilot, lambda: not session.document.marked)
            assert await seed_after("7") is None, "one that was drawn is gone with the paint"

    run(scenario)


def test_what_another_enhance_would_do_is_told_as_it_is(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            assert "g tries again" in session.screen.status.message
            await session.press("s")
            await session.enhance()
            assert "g tries again" in session.screen.status.message
            session.screen.query_one("#seed").focus()
            await session.press("7", "7", "enter")
            await session.enhance(seed=77)
            assert "s draws another seed" in session.screen.status.message

    run(scenario)


def test_cancel_and_failure_leave_the_paint(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("g", "edit")
            await session.press("escape")
            assert session.engine.cancelled == 1
            await session.say(messages.Stopped(number))
            assert "Cancelled" in session.screen.status.message and session.document.marked
            await session.say(messages.Failed(await session.make("g", "edit"), "cuda:0 ran out of memory"))
            assert session.screen.status.message == "cuda:0 ran out of memory"
            assert not session.screen.running.making and not session.screen.painting.frozen

    run(scenario)


def test_without_models_one_paints_and_reads_why(start, engine):
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
            await session.press("b", "right", "space")
            assert session.document.marked
            await session.press("g")
            assert session.screen.status.message != "" and not session.screen.running.making
            session.engine.state = messages.EngineState("ready", "cpu", "abc", "")
            await session.say(messages.StateChanged(session.engine.state))
            assert panel.query_one("#run-buttons").display

    run(scenario)


def test_variants_are_chosen_by_number(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("v", "variants")
            results = [invented(session.document, seed) for seed in (30, 31, 32, 33)]
            await session.say(messages.Edited(number, results))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            await session.press("3")
            await until(session.pilot, lambda: session.document.result is not None)
            assert session.document.result is results[2]
            assert session.screen.query_one(StrengthPanel).settings.seed is None
            await session.fill("5")
            await session.make("g", "edit")
            assert session.engine.asked[-1][2].seed == 32, "what was chosen is not drawn anew"

    run(scenario)


@pytest.mark.parametrize(("apart", "alike"), [(0, True), (2, True), (4, False)])
def test_pictures_that_hardly_differ_say_what_makes_them(start, apart, alike):
    """Variants, and another try of the same; not what was made with another strength."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            told = "at timestep 250 seeds hardly matter (. is stronger)"
            await session.fill("7")
            results = [invented(session.document, seed) for seed in (30, 30 + 256, 30 + 512, 30 + 768 + apart)]
            await session.say(messages.Edited(await session.make("v", "variants"), results))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            await until(session.pilot, lambda: session.app.screen.is_mounted)
            title = session.app.screen.query_one("#title").render_line(0).text
            assert (told in title) == alike and ("1 to 4" in title) != alike
            await session.press("1")
            await until(session.pilot, lambda: session.document.result is results[0])
            assert (told in session.screen.status.message) == alike
            await session.enhance(30 + 256 + apart)
            assert (told in session.screen.status.message) == alike
            await session.enhance(30 + 256 + apart)
            assert told not in session.screen.status.message, "with the same seed"
            result = invented(session.document, 30 + 512 + apart)
            result.parameters["timestep"] = 260
            await session.say(messages.Edited(await session.make("g", "edit"), [result]))
            assert "seeds hardly matter" not in session.screen.status.message

    run(scenario)


@pytest.mark.parametrize("size", [(120, 40), (40, 12)])
def test_all_variants_are_zoomed_and_panned_together(start, size):
    async def scenario():
        async with start(size) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("v", "variants")
            results = [invented(session.document, seed) for seed in (30, 31, 32, 33)]
            await session.say(messages.Edited(number, results))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            screen = session.app.screen
            await until(session.pilot, lambda: len(screen.query(PictureView)) == 4)
            views = list(screen.query(PictureView))

            async def seen(met):
                """Once the chosen tile's way of looking is met, it is that of all."""
                await until(session.pilot, lambda: all(met(view.viewport) for view in views))
                return {(view.viewport.zoomed, view.viewport.centre) for view in views}

            await session.press("down", "right", "up", "left", "plus", "plus")
            assert views[0].has_focus, "once round"
            ((_, (_, above)),) = await seen(lambda viewport: viewport.zoomed is not None)
            await session.press("down", "ctrl+down")
            assert len(await seen(lambda viewport: viewport.centre[1] > above)) == 1
            await session.press("home")
            await seen(lambda viewport: viewport.zoomed is None)
            line = screen.query_one("KeyLine")
            shown = [key.description for key in line.query("FooterKey") if key.region.right <= size[0]]
            assert shown[:4] == ["Take", "None", "Zoom in", "Zoom out"]
            await session.press("enter")
            await until(session.pilot, lambda: session.document.result is results[2])

    run(scenario)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
def test_a_timestep_is_taken_from_the_study_where_all_are_in_sight(start, size):
    async def scenario():
        async with start(size) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("t", "study")
            sheet = np.zeros((len(STUDY) * 260 - 4, 5 * 260 - 4, 3), np.uint8)
            row = STUDY.index(300)
            sheet[260 * row : 260 * row + 256, 4 * 260 :] = 200
            await session.say(messages.Studied(number, sheet, STUDY))
            await until(session.pilot, lambda: isinstance(session.app.screen, StudyScreen))
            await until(session.pilot, lambda: session.app.screen.is_mounted)
            chips = session.app.screen.query_one("#timesteps")
            lines = [chips.render_line(y).text for y in range(chips.region.height)]
            assert all(any(f" t {timestep} " in line for line in lines) for timestep in STUDY), lines
            assert session.app.screen.query_one("#large").size.height >= 6
            assert session.app.screen._tile(4).shape == (256, 256, 3)
            pictures = session.app.screen.query(PictureView)
            shares = {view.id: view.size.width / size[0] for view in pictures if view.size}
            assert shares == pytest.approx({"sheet": 0.5, "large": 0.5} if size[0] == 120 else {"large": 1}, abs=0.01)
            await session.press("right")
            assert session.app.screen._timesteps[session.app.screen._row] == 300
            assert (session.app.screen._tile(4) == 200).all()
            await session.press("enter")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            assert session.screen.query_one(StrengthPanel).settings.timestep == 300

    run(scenario)


@pytest.mark.parametrize("size", [(120, 40), (40, 12)])
def test_another_try_does_not_cost_the_one_before(start, size):
    async def scenario():
        async with start(size) as session:
            await session.open()
            hair, status = session.ids == HAIR, session.screen.status
            told = lambda: status.render_line(0).text  # noqa: E731
            await session.fill("7")
            for seed in (5, 6):
                await session.enhance(seed)
            results = [invented(session.document, seed) for seed in (30, 31, 32, 33)]
            await session.say(messages.Edited(await session.make("v", "variants"), results))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            await session.press("3")
            await until(session.pilot, lambda: session.document.result is results[2])
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


def test_a_seed_that_is_drawn_while_pictures_are_made_is_that_of_the_next(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            panel, number = session.screen.query_one(StrengthPanel), await session.make("g", "edit")
            await session.press("s")
            drawn = panel.settings.seed
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            assert panel.settings.seed == drawn is not None
            number = await session.make("v", "variants")
            assert session.engine.asked[-1][2].seed == drawn
            await session.press("s")
            again = panel.settings.seed
            await session.say(messages.Edited(number, [invented(session.document, drawn + k) for k in range(4)]))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            await session.press("2")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            assert panel.settings.seed == again != drawn
            number = await session.make("g", "edit")
            await session.say(messages.Edited(number, [invented(session.document, again)]))
            assert panel.settings.seed is None

    run(scenario)


def test_what_runs_is_told_in_full_in_80_columns(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("v", "variants")
            await session.say(messages.Advanced(number, messages.Progress("Variants", 16, 16, 0.0)))
            what = session.screen.query_one("#run-what")
            await until(session.pilot, lambda: what.render_line(0).text.strip() == "Variants: finishing")
            assert what.render_line(0).text.strip() == session.screen.query_one(RunPanel).doing

    run(scenario)
