"""The colour of a fill, and where it comes from: the panel, the dropper, the field."""

import numpy as np
from textual.widgets import Input
from tui_fakes import HAIR, SKIN
from tui_session import run, until

from npe_tui.document.document import FaceWish
from npe_tui.panels.colour import ColourPanel


def test_a_fill_and_its_colours_are_one_step_and_each_colour_after_enhance_is_another(start):
    """And one that changed nothing is none: what is undone with its colour is nothing else."""

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            document, canvas, panel = session.document, session.document.canvas, session.screen.query_one(ColourPanel)
            assert document.wish == FaceWish(1)
            await session.fill("7")
            hair = session.ids == HAIR
            assert (canvas.mask[hair] == 1).all() and canvas.mask.sum() == hair.sum()
            assert [fill.colour for fill in canvas.targets] == ["#8b2500"]

            revision = canvas.revision
            panel._changed("#2e6f9e")
            await until(session.pilot, lambda: canvas.revision >= revision + 2)
            await until(session.pilot, lambda: canvas._dirty is None)
            assert [fill.colour for fill in canvas.targets] == ["#2e6f9e"]
            for key, told in (
                ("r", "Nothing to redo"),
                ("u", "Undone: hair filled"),
                ("u", "Nothing to undo"),
                ("r", "Done again: hair filled"),
                ("u", "Undone: hair filled"),
            ):
                await session.press(key)
                await until(session.pilot, lambda told=told: session.screen.status.message == told)
            assert not canvas._history.done, "a fill and its colours are one step"

            await session.fill("7")
            await session.enhance(seed=9)
            enhanced = document.result.image
            assert (document.shown == enhanced).all()
            for colour in ("#8b2500", "#4c7a4f"):
                panel._changed(colour)
                await until(session.pilot, lambda told=colour: told in session.screen.status.message)
                assert [fill.colour for fill in canvas.targets][-1] == colour
                assert document.stale
            await session.press("u")
            await until(session.pilot, lambda: not document.stale)
            assert (document.shown == enhanced).all()
            assert "enhanced" in str(session.screen.query_one("#title").content)
            await session.press("u")
            await until(session.pilot, lambda: document.stale)
            await session.press("u")
            await until(session.pilot, lambda: not document.marked)

            await session.fill("7")
            await session.fill("5")
            await session.press("7")
            await until(session.pilot, lambda: "Filled hair" in session.screen.status.message)
            panel._changed("#2e6f9e")
            await until(session.pilot, lambda: "#2e6f9e" in session.screen.status.message)
            fills = {fill.region: fill.colour for fill in canvas.targets}
            assert fills == {"hair": "#2e6f9e", "lips": "#4c7a4f"}

    run(scenario)


def test_the_dropper_takes_what_is_seen_before_or_after_the_edit(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            screen = session.screen
            screen.editing.painting.take_colour(40, 75)
            assert session.ids[75, 40] == SKIN
            r, g, b = session.document.photo.image[75, 40]
            assert screen.editing.hand.colour == f"#{r:02x}{g:02x}{b:02x}" == screen.query_one("#hex", Input).value
            await session.fill("7")
            await session.enhance(seed=9)
            await session.press("i")
            y, x = (int(np.median(at)) for at in np.nonzero(session.ids == HAIR))
            before, after = "#{:02x}{:02x}{:02x}".format(*session.document.photo.image[y, x]), "#090909"

            async def take():
                screen.editing.painting.press(x, y)
                await session.pilot.pause()
                return screen.editing.hand.colour

            assert await take() == after
            screen.action_compare()
            assert await take() == before
            screen.action_compare()
            screen.action_beside()
            for split, colour in ((0.0, after), (1.0, before)):
                screen.editing.easel.move_divider(2 * split - 1)
                assert await take() == colour
            screen.action_beside()
            await session.pilot.pause()
            view = screen.query_one("#before")
            await until(session.pilot, lambda: view.viewport.cells == view.size and all(view.size))
            offset = tuple(map(int, view.viewport.photo_to_cell(x, y)))
            assert await take() == after
            await session.pilot.click("#before", offset=offset)
            await until(session.pilot, lambda: screen.editing.hand.colour != after)
            await session.press("b")
            await session.pilot.click("#before", offset=offset)
            await until(session.pilot, lambda: "the photo as it was" in screen.status.message)

    run(scenario)


def test_a_colour_that_is_used_elsewhere_leaves_what_was_enhanced_as_it_is(start):
    """It takes the colour on only as long as nothing else does: another fill, the brush, a softer mask."""

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            hair, canvas, hand = session.ids == HAIR, session.document.canvas, session.editing.hand
            for then, colour in (("5", "#2e6f9e"), ("brush", "#4c7a4f"), ("f", "#8b2500")):
                first = hand.colour
                await session.fill("7")
                await session.enhance(seed=9)
                session.screen.query_one(ColourPanel)._changed(colour)
                await until(session.pilot, lambda: "until it is used elsewhere" in session.screen.status.message)
                assert canvas.targets[-1].colour == colour != first
                if then == "brush":
                    await session.press("b")
                    session.editing.painting.press(40, 75)
                    session.editing.painting.release()
                else:
                    await session.fill(then)
                await session.pilot.pause()
                kept = (session.document.shown[hair] == 9).all()
                if then == "f":
                    assert not kept, "the mask is softened of what is there"
                else:
                    assert kept and session.document.stale
                    assert {fill.region: fill.colour for fill in canvas.targets}["hair"] == first
                await session.press("delete")
                await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_a_colour_stays_where_it_is_seen_when_nothing_else_takes_it_on(start):
    """A region that is not there takes it not; nor does a fill whose regions went away, which stays as it was.

    Another face was chosen while the thread was at work.
    """

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(seed=9)
            document, canvas, panel = session.document, session.document.canvas, session.screen.query_one(ColourPanel)
            panel._changed("#2e6f9e")
            await until(session.pilot, lambda: "until it is used elsewhere" in session.screen.status.message)
            seen = document.shown.copy()
            await session.press("3")
            await until(session.pilot, lambda: "found" in session.screen.status.message)
            assert canvas.targets[-1].colour == "#2e6f9e" and canvas._dirty is None
            assert (document.shown == seen).all()
            hair = session.ids == HAIR
            assert (document.shown[hair] == canvas.guide[hair]).all()
            panel._changed("#4c7a4f")
            await until(session.pilot, lambda: "#4c7a4f" in session.screen.status.message)
            assert canvas.targets[-1].colour == "#4c7a4f"

            await session.press("delete")
            await until(session.pilot, lambda: not document.marked)
            await session.fill("7")
            before, canvas.regions = canvas.guide.copy(), None
            panel._changed("#2e6f9e")
            await until(session.pilot, lambda: "regions" in session.screen.status.message.lower())
            assert [fill.colour for fill in canvas.targets] == ["#4c7a4f"]
            assert np.array_equal(canvas.guide, before) and np.array_equal(document.shown, before)

    run(scenario)


def test_a_colour_is_typed_and_the_field_says_the_one_in_force(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            field = session.screen.query_one("#hex", Input)
            for leave in ("tab", "escape"):
                await session.press("f3", *"#12")
                assert field.value == "#12" and field.has_class("-wrong")
                await session.press(leave)
                assert not field.has_focus and not field.has_class("-wrong"), leave
                assert field.value == session.editing.hand.colour == "#8b2500"

            told = session.screen.query_one("#no-colour")
            await session.press("f3", *"blond", "enter")
            assert "'blond' could be" in str(told.content) and told.display
            assert not session.app._notifications, "they would lie on the field"
            await session.press("f3", *"chestnut")
            assert not told.display
            await session.press("enter")
            assert session.editing.hand.colour == field.value == "#5a3220"
            assert session.editing.easel.view.has_focus

    run(scenario)
