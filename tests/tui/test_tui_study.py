"""The timestep study: what is seen of it, what of it is taken, and that it is made once."""

import numpy as np
import pytest
from tui_session import run, until

from npe_tui.engine import messages
from npe_tui.engine.worker import STUDY
from npe_tui.panels.strength import StrengthPanel
from npe_tui.picture import PictureView
from npe_tui.screens.study import StudyScreen


@pytest.fixture
def sheet():
    """(H, W, 3) uint8: a study of the usual size, black but for the result of timestep 300."""
    row = STUDY.index(300)
    sheet = np.zeros((len(STUDY) * 260 - 4, 5 * 260 - 4, 3), np.uint8)
    sheet[260 * row : 260 * row + 256, 4 * 260 :] = 200
    return sheet


async def shown(session):
    """The study, once it is there with all its parts."""
    await until(session.pilot, lambda: isinstance(session.app.screen, StudyScreen) and session.app.screen.is_mounted)
    return session.app.screen


async def made(session, sheet, seed=77):
    """Has one made of the photo's hair, with this seed."""
    await session.open()
    await session.fill("7")
    await session.say(messages.Studied(await session.make("t", "study"), sheet, STUDY, seed))
    return await shown(session)


def lines(widget):
    return [widget.render_line(y).text for y in range(widget.region.height)]


def test_a_timestep_is_taken_from_the_study_where_all_are_in_sight(start, sheet):
    async def scenario():
        async with start((40, 12)) as session:
            screen = await made(session, sheet)
            for size in ((40, 12), (80, 24), (120, 40)):
                await session.pilot.resize_terminal(*size)
                chips = screen.query_one("#timesteps")
                assert all(any(f" t {timestep} " in line for line in lines(chips)) for timestep in STUDY), lines(chips)
                assert screen.query_one("#large").size.height >= 6
                assert screen._tile(4).shape == (256, 256, 3)
                shares = {view.id: view.size.width / size[0] for view in screen.query(PictureView) if view.size}
                wanted = {"sheet": 56 / 120, "large": 56 / 120} if size[0] == 120 else {"large": 1}
                assert shares == pytest.approx(wanted, abs=0.01)
            await session.press("right")
            assert screen._timesteps[screen._row] == 300
            assert (screen._tile(4) == 200).all()
            await session.press("enter")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            assert session.screen.query_one(StrengthPanel).settings.timestep == 300

    run(scenario)


def test_rows_and_columns_of_the_study_have_their_names_beside_them(start, sheet):
    """Wherever it is zoomed and panned to."""

    async def scenario():
        async with start((120, 40)) as session:
            screen = await made(session, sheet)
            view = screen.query_one("#sheet")
            for keys in ((), ("plus", "plus"), ("ctrl+down", "ctrl+left")):
                view.focus()
                await session.press(*keys)
                await until(session.pilot, lambda: screen.query_one("#study-rows").viewport == view.viewport)
                rows, heads = lines(screen.query_one("#study-rows")), lines(screen.query_one("#study-columns"))[0]
                assert screen.query_one("#study-rows").region.y == view.region.y
                assert screen.query_one("#study-columns").region.x == view.region.x
                for row, timestep in enumerate(STUDY):
                    _, middle = view.viewport.photo_to_cell(0, 260 * row + 130)
                    told = [y for y, line in enumerate(rows) if line.split() == ["t", str(timestep)]]
                    assert told == ([int(middle)] if 0 <= middle < view.size.height else []), (keys, timestep)
                for column, word in enumerate(("photo", "paint", "noise", "no mask", "mask")):
                    middle, _ = view.viewport.photo_to_cell(260 * column + 130, 0)
                    first = round(middle - len(word) / 2)
                    assert heads[max(first, 0) :].startswith(word) == (0 <= first <= view.size.width - len(word))

    run(scenario)


def test_a_click_chooses_a_row_of_the_study_and_a_double_click_takes_it(start, sheet):
    async def scenario():
        async with start((120, 40)) as session:
            screen = await made(session, sheet)
            view, rows, chips = (screen.query_one(name) for name in ("#sheet", "#study-rows", "#timesteps"))
            panel = session.screen.query_one(StrengthPanel)

            def chosen():
                """The timestep that each part of the screen says is chosen."""
                by_label = STUDY[rows.chosen]
                by_frame = STUDY[round(view._scene.frames[0].box[1] / 260)]
                return {by_label, by_frame, int(chips.chosen), screen._timesteps[screen._row]}

            async def click(timestep, on=view, times=1):
                x, y = view.viewport.photo_to_cell(700, 260 * STUDY.index(timestep) + 130)
                await session.pilot.click(on, offset=(2 if on is rows else int(x), int(y)), times=times)

            await until(session.pilot, lambda: rows.viewport == view.viewport)
            assert chosen() == {250}
            await click(350)
            await until(session.pilot, lambda: chosen() == {350})
            await click(200, rows)
            await until(session.pilot, lambda: chosen() == {200})
            await session.press("tab", "tab", "right")
            assert chosen() == {250} and "[" not in "".join(lines(chips)), "nothing else looks as if Enter took it"
            await click(400, times=2)
            await until(session.pilot, lambda: session.app.screen is session.screen)
            await until(session.pilot, lambda: panel.settings.timestep == 400)

    run(scenario)


def test_what_is_taken_from_the_study_is_made_with_its_seed(start, sheet):
    """A seed that is drawn after it is another's."""

    async def scenario():
        async with start((40, 12)) as session:
            await made(session, sheet, seed=77)
            await session.press("right", "enter")
            for drawn in (False, True):
                await until(session.pilot, lambda: session.app.screen is session.screen)
                number = await session.make("g", "edit")
                asked = session.engine.asked[-1][2]
                assert asked.timestep == 300 and (asked.seed == 77) is not drawn
                await session.say(messages.Stopped(number))
                await session.press("s")

    run(scenario)


def test_a_study_is_shown_again_until_another_would_be_made(start, sheet):
    async def scenario():
        async with start((40, 12)) as session:
            await made(session, sheet)

            async def is_shown_again(*keys):
                """Whether ``t`` shows the last study after these keys; if it has another made, that is shown."""
                await session.press("escape")
                await until(session.pilot, lambda: session.app.screen is session.screen)
                assert "t shows the study again" in session.screen.status.message
                asked = len(session.engine.asked)
                await session.press(*keys, "t")
                is_made = lambda: len(session.engine.asked) > asked  # noqa: E731
                await until(session.pilot, lambda: is_made() or isinstance(session.app.screen, StudyScreen))
                again = not is_made()
                if not again:
                    await session.say(messages.Studied(session.number("study"), sheet, STUDY, 77))
                await shown(session)
                return again

            assert await is_shown_again() and await is_shown_again("full_stop"), "it has all timesteps"
            assert not await is_shown_again("s"), "another seed"
            panel = session.screen.query_one(StrengthPanel)
            panel.forget_seed()
            assert await is_shown_again()
            assert not await is_shown_again("5")

    run(scenario)
