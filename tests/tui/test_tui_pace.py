"""What is told of the time that is left, against a clock whose steps and finishing take what was said."""

import numpy as np
import pytest
from tui_fakes import invented
from tui_session import run, until

from npe_core.faces import FaceCrop
from npe_tui.engine import messages
from npe_tui.engine.pace import Clock, Pace, finishing
from npe_tui.panels.run import RunPanel


class Time:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("together", [False, True])
def test_the_time_that_is_left_is_that_of_the_steps_and_of_the_finishing_of_each_picture(together):
    """One picture after the other, as on a CPU, or all in the same calls, as on a GPU."""
    step, finish, pictures, steps = 0.5, 4.0, 3, 5
    time = Time()
    clock = Clock([steps] * pictures, finish / step, time)
    whole = pictures * (steps * step + finish)
    order = [(k, s) for s in range(steps) for k in range(pictures)]
    for picture, number in order if together else sorted(order):
        if not together and number == 0 and picture > 0:
            time.now += finish
        time.now += step
        clock.tick(picture)
        assert clock.seconds_left == pytest.approx(100 + whole - time.now)
    assert clock.done == clock.total == 15 and clock.seconds_left >= finish


def test_the_share_of_the_finishing_is_learnt_from_the_edit_before():
    pace, time = Pace(), Time()
    assert pace.expected(8) == 8
    clock = Clock([4], 8, time)
    for _ in range(4):
        time.now += 0.5
        clock.tick()
    assert clock.seconds_left == pytest.approx(4)
    time.now += 6
    pace.learn(8, clock.finishing_took)
    assert pace.expected(8) == pytest.approx(12) and pace.expected(4) == pytest.approx(6)


def test_the_finishing_is_thought_to_take_longer_where_more_of_the_crop_is_marked():
    levels, crop = np.zeros((100, 100), np.uint8), FaceCrop.centred(100, 100)
    levels[50:60, 40:60] = 255
    lips = finishing([crop], levels)
    levels[10:90, 10:90] = 255
    hair = finishing([crop], levels)
    assert 3 < lips < 5 < 8 < hair < 12
    assert finishing([crop, FaceCrop.centred(100, 100)], levels) == hair, "a step of two takes longer as well"


def test_no_time_is_told_once_it_takes_longer_than_was_thought_and_the_bar_does_not_stand_full(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("g", "edit")
            panel, bar = session.screen.query_one(RunPanel), session.screen.query_one("#run-bar")
            assert panel.doing == "Enhancing" and bar.percentage is None
            shares = []
            for done, left in ((1, 9.0), (2, 8.0), (2, 30.0), (4, 3.2)):
                panel._began -= 1.0
                await session.say(messages.Advanced(number, messages.Progress("Enhancing", done, 4, left)))
                shares.append(bar.percentage)
            assert panel.doing == "Enhancing: finishing  3 s left"
            assert shares == sorted(shares) and 0 < shares[0] < 0.2 and 0.5 < shares[-1] < 0.6
            panel._ends -= 2.0
            await until(session.pilot, lambda: panel.doing == "Enhancing: finishing  1 s left")
            panel._ends -= 2.0
            await until(session.pilot, lambda: panel.doing == "Enhancing: finishing")
            assert bar.percentage is None
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            assert not panel.doing
            number = await session.make("g", "edit")
            assert bar.percentage is None and panel._share == 0, "the next begins anew"

    run(scenario)


def test_what_runs_is_told_once_in_the_panel_or_where_that_is_not_seen_below(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            number = await session.make("g", "edit")
            status = session.screen.status
            assert status.message == "Esc cancels; the canvas waits."
            await session.say(messages.Advanced(number, messages.Progress("Enhancing", 1, 4, 9.0)))
            assert status.message == "Esc cancels; the canvas waits."
            await session.press("c")
            await session.say(messages.Advanced(number, messages.Progress("Enhancing", 2, 4, 8.0)))
            assert status.message == "Before"
            await session.pilot.resize_terminal(40, 12)
            await session.say(messages.Advanced(number, messages.Progress("Enhancing", 3, 4, 7.0)))
            assert status.message == "Enhancing 3/4  7 s left. Esc cancels; the canvas waits."
            await session.press("escape")
            await session.say(messages.Advanced(number, messages.Progress("Enhancing", 4, 4, 6.0)))
            assert status.message == "Stopping…"

    run(scenario)


def test_a_panel_over_the_picture_gives_way_to_the_guesses(start):
    async def scenario():
        async with start((60, 20)) as session:
            await session.open()
            await session.fill("7")
            await session.press("f2")
            assert not session.editing.easel.display
            await session.make("g", "edit")
            assert session.editing.easel.display and session.editing.easel.view.has_focus
            assert session.screen.status.message == "Enhancing. Esc cancels; the canvas waits."

    run(scenario)


def test_an_edit_has_one_duration(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(5)
            assert "Enhanced in 1.5 s" in session.screen.status.message
            assert "last edit 1.5 s" in session.screen.status.facts

    run(scenario)
