"""The timestep study: what is seen of it, what of it is taken, and that it is made once."""

import numpy as np
import pytest
from tui_session import run, until

from npe_tui import messages
from npe_tui.panels.strength import StrengthPanel
from npe_tui.picture import PictureView
from npe_tui.screens.study import StudyScreen
from npe_tui.worker import STUDY


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


def test_a_timestep_is_taken_from_the_study_where_all_are_in_sight(start, sheet):
    async def scenario():
        async with start((40, 12)) as session:
            screen = await made(session, sheet)
            for size in ((40, 12), (80, 24), (120, 40)):
                await session.pilot.resize_terminal(*size)
                chips = screen.query_one("#timesteps")
                lines = [chips.render_line(y).text for y in range(chips.region.height)]
                assert all(any(f" t {timestep} " in line for line in lines) for timestep in STUDY), lines
                assert screen.query_one("#large").size.height >= 6
                assert screen._tile(4).shape == (256, 256, 3)
                shares = {view.id: view.size.width / size[0] for view in screen.query(PictureView) if view.size}
                wanted = {"sheet": 0.5, "large": 0.5} if size[0] == 120 else {"large": 1}
                assert shares == pytest.approx(wanted, abs=0.01)
            await session.press("right")
            assert screen._timesteps[screen._row] == 300
            assert (screen._tile(4) == 200).all()
            await session.press("enter")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            assert session.screen.query_one(StrengthPanel).settings.timestep == 300

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
