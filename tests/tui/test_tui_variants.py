"""The screen of variants under the mouse: a click takes one, a drag looks around."""

import pytest
from tui_fakes import invented
from tui_session import run, until

from npe_tui.engine import messages
from npe_tui.picture import PictureView
from npe_tui.screens.variants import VariantsScreen


@pytest.mark.parametrize("told", [True, False], ids=["moves told", "no moves told"])
def test_what_is_dragged_by_the_left_button_is_panned_and_what_is_clicked_is_taken(start, told):
    """One cell is no drag: a hand is not so still. Some terminals tell no moves."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            results = [invented(session.document, seed) for seed in (30, 31, 32, 33)]
            await session.say(messages.Edited(await session.make("v", "variants"), results))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            screen = session.app.screen
            await until(session.pilot, lambda: len(screen.query(PictureView)) == 4)
            views = list(screen.query(PictureView))
            await session.press(*8 * ["plus"])
            await until(session.pilot, lambda: all(view.viewport.zoomed for view in views))

            async def drag(view, by, other=None):
                await session.pilot.mouse_down(view, offset=(10, 4))
                if told and by:
                    await session.pilot.hover(view, offset=(10 + by[0], 4 + by[1]))
                await session.pilot.mouse_up(other or view, offset=(10 + by[0], 4 + by[1]))

            for by, other in (((-6, 0), None), ((0, 2), None), ((0, 0), views[3])):
                before = views[3].viewport.centre
                await drag(views[0], by, other)
                assert session.app.screen is screen, by
                if told and by != (0, 0):
                    await until(session.pilot, lambda was=before: all(view.viewport.centre != was for view in views))
                    moved = [after - was for after, was in zip(views[3].viewport.centre, before, strict=True)]
                    assert [shift > 0 for shift in moved] == [by[0] < 0, by[1] < 0], "the photo goes with the pointer"
            await drag(views[2], (1, 0))
            await until(session.pilot, lambda: session.document.result is results[2])

    run(scenario)


def test_that_seeds_hardly_matter_is_told_below_the_variants_beside_the_keys(start):
    async def scenario():
        async with start((60, 20)) as session:
            await session.open()
            await session.fill("7")
            results = [invented(session.document, 30 + 256 * k) for k in range(4)]
            await session.say(messages.Edited(await session.make("v", "variants"), results))
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            screen = session.app.screen
            await until(session.pilot, lambda: screen.is_mounted)
            for width, lines in ((60, 1), (40, 2)):
                await session.pilot.resize_terminal(width, 20)
                assert "1 to 4, or Enter" in screen.query_one("#title").render_line(0).text
                note = screen.query_one("#variants-note")
                told = [note.render_line(y).text.strip() for y in range(note.region.height)]
                assert " ".join(told) == "At timestep 250 seeds hardly matter (. is stronger)" and len(told) == lines
                assert all(view.region.bottom < note.region.y for view in screen.query(PictureView))

    run(scenario)
