"""Regions, brush, dropper and mask tools, by mouse and by keyboard."""

import numpy as np
import pytest
from textual.widgets import Input
from tui_fakes import HAIR, SKIN
from tui_session import run, until

from npe_core.canvas import Canvas
from npe_tui.document import FaceWish
from npe_tui.panels.brush import BrushPanel
from npe_tui.panels.colour import ColourPanel
from npe_tui.widgets import Chips, Slider


def test_pick_recolour_undo(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            assert session.document.wish == FaceWish(1)
            await session.fill("7")
            hair = session.ids == HAIR
            assert (session.document.canvas.mask[hair] == 1).all() and session.document.canvas.mask.sum() == hair.sum()
            assert [fill.colour for fill in session.document.canvas.targets] == ["#8b2500"]

            revision = session.document.canvas.revision
            session.screen.query_one(ColourPanel)._changed("#2e6f9e")
            await until(session.pilot, lambda: session.document.canvas.revision >= revision + 2)
            await until(session.pilot, lambda: session.document.canvas._dirty is None)
            assert [fill.colour for fill in session.document.canvas.targets] == ["#2e6f9e"]
            for key, told in (
                ("r", "Nothing to redo"),
                ("u", "Undone: hair filled"),
                ("u", "Nothing to undo"),
                ("r", "Done again: hair filled"),
                ("u", "Undone: hair filled"),
            ):
                await session.press(key)
                await until(session.pilot, lambda told=told: session.screen.status.message == told)
            assert not session.document.canvas._history.done, "a fill and its colours are one step"

    run(scenario)


@pytest.mark.parametrize(
    ("done", "filled"),
    [
        (["7"], ["hair"]),
        (["7", "g", "5"], ["lips"]),
        (["click"], ["lips"]),
        (["click", "7"], ["hair"]),
        (["7", "escape"], []),
        (["7", "delete"], []),
        (["7", "b", "space"], []),
    ],
)
def test_what_is_picked_before_the_regions_are_known_is_filled_then(start, done, filled):
    """The last pick, unless another thing is done."""

    async def scenario():
        async with start((80, 24)) as session:
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            for key in done:
                if key == "click":
                    session.screen.painting.press(40, 63)
                else:
                    await session.press(key)
                if key in ("7", "5", "click"):
                    assert "is filled once the regions are found" in session.screen.status.message
                if key == "g":
                    assert "the fill waits for the regions" in session.screen.status.message
            await session.open()
            if filled:
                await until(session.pilot, lambda: session.document.canvas.targets)
            await until(session.pilot, lambda: not session.screen.painting._turn.locked())
            await until(session.pilot, lambda: session.screen.status.message.startswith(("Filled", "Pick", "Pen")))
            assert [fill.region for fill in session.document.canvas.targets] == filled
            assert not session.screen.painting.waits

    run(scenario)


def test_another_colour_after_enhance_is_another_step(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(seed=9)
            enhanced = session.document.result.image
            assert (session.document.shown == enhanced).all()
            panel = session.screen.query_one(ColourPanel)
            for colour in ("#2e6f9e", "#4c7a4f"):
                panel._changed(colour)
                await until(session.pilot, lambda told=colour: told in session.screen.status.message)
                assert [fill.colour for fill in session.document.canvas.targets][-1] == colour
                assert session.document.stale
            await session.press("u")
            await until(session.pilot, lambda: not session.document.stale)
            assert (session.document.shown == enhanced).all()
            assert "enhanced" in session.screen.query_one("#title").render_line(0).text
            await session.press("u")
            await until(session.pilot, lambda: session.document.stale)
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_a_fill_that_changed_nothing_takes_no_other_step_back(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.fill("5")
            await session.press("7")
            await until(session.pilot, lambda: "Filled hair" in session.screen.status.message)
            session.screen.query_one(ColourPanel)._changed("#2e6f9e")
            await until(session.pilot, lambda: "#2e6f9e" in session.screen.status.message)
            fills = {fill.region: fill.colour for fill in session.document.canvas.targets}
            assert fills == {"hair": "#2e6f9e", "lips": "#8b2500"}

    run(scenario)


def test_a_click_picks_what_is_under_it(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            view = session.screen.easel.view
            column, row = (int(c) for c in view.viewport.photo_to_cell(40, 63))
            await session.pilot.click("#photo", offset=(column, row))
            await until(session.pilot, lambda: session.document.marked)
            assert [fill.region for fill in session.document.canvas.targets] == ["lips"]
            assert session.screen.query_one("#groups", Chips).chosen == "lips"

    run(scenario)


def test_a_drag_paints_and_the_keyboard_paints_the_same(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("b")
            view = session.screen.easel.view
            a, b = (tuple(map(int, view.viewport.photo_to_cell(*point))) for point in ((20, 20), (60, 20)))
            await session.pilot.mouse_down("#photo", offset=a)
            await session.pilot.hover("#photo", offset=b)
            await session.pilot.mouse_up("#photo", offset=b)
            await session.pilot.pause()
            marked = np.flatnonzero(session.document.canvas.mask[20] == 1)
            assert marked[0] <= 21 and marked[-1] >= 58 and len(marked) >= 38
            assert session.document.canvas._history.done
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)

            await session.press("c")
            assert session.screen.easel.before
            await session.press("right", "enter", *(["shift+right"] * 4), "enter")
            row = int(view.cursor[1])
            assert (session.document.canvas.mask[row] == 1).sum() >= 20
            assert not session.screen.easel.before, "what is painted is seen"
            await session.press("right")
            before = session.document.canvas.revision
            await session.press("right")
            assert session.document.canvas.revision == before, "the pen is up"

    run(scenario)


def test_a_command_ends_the_stroke_under_way(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("b")
            for key in ("u", "f", "tilde", "7"):
                await session.press("right", "enter", "right", "right")
                assert session.screen.hand.drawing, key
                before = session.document.canvas.revision
                await session.press(key)
                await until(session.pilot, lambda before=before: session.document.canvas.revision > before)
                await until(session.pilot, lambda: not session.screen.painting._turn.locked())
                assert not session.screen.hand.drawing, key
                mask = session.document.canvas.mask.copy()
                await session.press("right", "right")
                assert (session.document.canvas.mask == mask).all(), f"the pen is up after {key}"

    run(scenario)


def test_the_mouse_paints_only_with_its_button_even_while_the_pen_is_down(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("b", "right", "enter")
            assert session.screen.hand.drawing
            before = session.document.canvas.mask.copy()
            await session.pilot.hover("#photo", offset=(5, 5))
            await session.press("right", "right")
            assert (session.document.canvas.mask == before).all() and not session.screen.hand.drawing

    run(scenario)


def test_undo_while_the_mouse_is_held_takes_the_stroke_back(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("b")
            await session.pilot.mouse_down("#photo", offset=(20, 20))
            await session.pilot.hover("#photo", offset=(25, 20))
            assert session.document.marked
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)
            await session.pilot.hover("#photo", offset=(30, 20))
            await session.pilot.mouse_up("#photo", offset=(30, 20))
            assert not session.document.marked

    run(scenario)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_a_tint_and_its_opacity_reach_the_stroke(start, size):
    """By the key and by the panel; what the stroke leaves is what the canvas makes of it."""

    async def scenario():
        async with start(size) as session:
            await session.open()
            hand, panel = session.screen.hand, session.screen.query_one(BrushPanel)
            chips, opacity = panel.query_one("#paints", Chips), panel.query_one("#opacity", Slider)

            async def painted():
                session.screen.painting.press(40, 30)
                session.screen.painting.release()
                guide = session.document.canvas.guide.copy()
                await session.press("u")
                await until(session.pilot, lambda: not session.document.marked)
                return guide

            def expected(**said):
                canvas = Canvas(session.document.photo.image)
                canvas.stroke([(40, 30)], hand.colour, hand.radius, hand.hardness, **said)
                return canvas.guide

            await session.press("b")
            hand.radius = 6.0
            assert chips.chosen == "flat" and np.array_equal(await painted(), expected())
            await session.press("l")
            assert hand.tint and chips.chosen == "tint"
            assert np.array_equal(await painted(), expected(tint=True))
            assert not np.array_equal(expected(tint=True), expected())
            await session.press("f4", *["tab"] * 3)
            assert opacity.has_focus and opacity.region.width > 15 and chips.region.width == 12
            await session.press("5", "0", "enter", "k", "b")
            assert hand.opacity == 0.5 and np.array_equal(await painted(), expected(tint=True, opacity=0.5))
            await session.press("f4", *["tab"] * 4, "enter")
            assert not hand.tint and chips.chosen == "flat"
            assert np.array_equal(await painted(), expected(opacity=0.5))

    run(scenario)


def test_pieces_brush_and_mask_tools_by_key(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            hand = session.screen.hand
            await session.press("w", "b", "right_square_bracket", "left_curly_bracket")
            assert hand.picks == "piece" and hand.tool == "brush"
            assert hand.radius > 2 and hand.hardness == pytest.approx(0.7)
            await session.press("p")
            await session.fill("7")
            before = session.document.canvas.mask.sum()
            await session.press("less_than_sign")
            await until(session.pilot, lambda: session.document.canvas.mask.sum() < before)
            await session.press("tilde")
            await until(session.pilot, lambda: session.document.canvas.mask[0, 0] == 1)
            await session.press("delete")
            await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_several_regions_are_one_fill_of_one_step(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            canvas, painting = session.document.canvas, session.screen.painting

            def others(fill):
                other = Canvas(canvas.image)
                other.regions = canvas.regions
                fill(other)
                return other.guide

            async def picked(key, names):
                await session.press(key)
                await until(session.pilot, lambda: f"Filled {names}:" in session.screen.status.message)
                return [fill.region for fill in canvas.targets]

            await session.fill("1")
            await session.press("w", "w")
            assert session.screen.query_one("#picks", Chips).chosen == "several"
            assert await picked("5", "skin+lips") == ["skin+lips"]
            assert await picked("7", "skin+lips+hair") == ["skin+lips+hair"]
            assert np.array_equal(canvas.guide, others(lambda c: c.fill("skin+lips+hair", "#8b2500")))
            assert len(canvas._history.done) == 1
            assert await picked("5", "skin+hair") == ["skin+hair"]
            session.screen.query_one(ColourPanel)._changed("#2e6f9e")
            await until(session.pilot, lambda: "with #2e6f9e" in session.screen.status.message)
            assert np.array_equal(canvas.guide, others(lambda c: c.fill("skin+hair", "#2e6f9e")))
            await session.press("2")  # there are no brows
            await until(session.pilot, lambda: "brows" in session.screen.status.message)
            assert [fill.region for fill in canvas.targets] == ["skin+hair"] and len(canvas._history.done) == 1

            await session.press("escape")
            assert not painting.leave_fill()
            assert await picked("5", "lips") == ["skin+hair", "lips"]
            await session.enhance(seed=9)
            assert await picked("0", "background") == ["skin+hair", "lips", "background"]

    run(scenario)


def test_the_dropper_takes_the_colour_that_is_shown(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            session.screen.painting.take_colour(40, 75)
            assert session.ids[75, 40] == SKIN
            r, g, b = session.document.photo.image[75, 40]
            assert session.screen.hand.colour == f"#{r:02x}{g:02x}{b:02x}"
            assert session.screen.query_one("#hex", Input).value == session.screen.hand.colour

    run(scenario)


def test_the_dropper_takes_what_is_seen_before_or_after_the_edit(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(seed=9)
            await session.press("i")
            screen = session.screen
            y, x = (int(np.median(at)) for at in np.nonzero(session.ids == HAIR))
            before, after = "#{:02x}{:02x}{:02x}".format(*session.document.photo.image[y, x]), "#090909"

            async def take():
                screen.painting.press(x, y)
                await session.pilot.pause()
                return screen.hand.colour

            assert await take() == after
            screen.action_compare()
            assert await take() == before
            screen.action_compare()
            screen.action_beside()
            for split, colour in ((0.0, after), (1.0, before)):
                screen.easel.move_divider(2 * split - 1)
                assert await take() == colour
            screen.action_beside()
            await session.pilot.pause()
            view = screen.query_one("#before")
            await until(session.pilot, lambda: view.viewport.cells == view.size and all(view.size))
            offset = tuple(map(int, view.viewport.photo_to_cell(x, y)))
            assert await take() == after
            await session.pilot.click("#before", offset=offset)
            await until(session.pilot, lambda: screen.hand.colour != after)
            await session.press("b")
            await session.pilot.click("#before", offset=offset)
            await until(session.pilot, lambda: "the photo as it was" in screen.status.message)

    run(scenario)


@pytest.mark.parametrize("then", ["5", "brush", "f"])
def test_a_colour_that_is_used_elsewhere_leaves_what_was_enhanced_as_it_is(start, then):
    """It takes the colour on only as long as nothing else does."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(seed=9)
            hair = session.ids == HAIR
            session.screen.query_one(ColourPanel)._changed("#2e6f9e")
            await until(session.pilot, lambda: "until it is used elsewhere" in session.screen.status.message)
            assert session.document.canvas.targets[-1].colour == "#2e6f9e"
            if then == "brush":
                await session.press("b")
                session.screen.painting.press(40, 75)
                session.screen.painting.release()
            else:
                await session.fill(then)
            await session.pilot.pause()
            kept = (session.document.shown[hair] == 9).all()
            if then == "f":
                assert not kept, "the mask is softened of what is there"
            else:
                assert kept and session.document.stale
                assert {fill.region: fill.colour for fill in session.document.canvas.targets}["hair"] == "#8b2500"

    run(scenario)


def test_a_colour_that_cannot_be_taken_on_leaves_the_fill_that_was_there(start):
    """Its regions went away under it: another face was chosen while the thread was at work."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            canvas, colour = session.document.canvas, session.document.canvas.targets[-1].colour
            before, canvas.regions = canvas.guide.copy(), None
            session.screen.query_one(ColourPanel)._changed("#2e6f9e")
            await until(session.pilot, lambda: "regions" in session.screen.status.message.lower())
            assert [fill.colour for fill in canvas.targets] == [colour]
            assert np.array_equal(canvas.guide, before) and np.array_equal(session.document.shown, before)

    run(scenario)


def test_a_region_that_is_not_there_leaves_the_new_colour_where_it_is_seen(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(seed=9)
            session.screen.query_one(ColourPanel)._changed("#2e6f9e")
            await until(session.pilot, lambda: "until it is used elsewhere" in session.screen.status.message)
            seen = session.document.shown.copy()
            await session.press("3")
            await until(session.pilot, lambda: "found" in session.screen.status.message)
            assert session.document.canvas.targets[-1].colour == "#2e6f9e" and session.document.canvas._dirty is None
            assert (session.document.shown == seen).all()
            hair = session.ids == HAIR
            assert (session.document.shown[hair] == session.document.canvas.guide[hair]).all()
            session.screen.query_one(ColourPanel)._changed("#4c7a4f")
            await until(session.pilot, lambda: "#4c7a4f" in session.screen.status.message)
            assert session.document.canvas.targets[-1].colour == "#4c7a4f"

    run(scenario)


def test_a_colour_is_typed_and_the_field_says_the_one_in_force(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            field = session.screen.query_one("#hex", Input)
            for leave in ("tab", "escape"):
                await session.press("f3", *"#12")
                assert field.value == "#12" and field.has_class("-wrong")
                await session.press(leave)
                assert not field.has_focus and not field.has_class("-wrong"), leave
                assert field.value == session.screen.hand.colour == "#8b2500"

            await session.press("f3", *"light")
            await session.press("f3", *"chestnut", "enter")
            assert session.screen.hand.colour == field.value == "#5a3220"
            assert session.screen.easel.view.has_focus

    run(scenario)


def test_a_resize_while_painting_loses_nothing(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("b")
            await session.pilot.mouse_down("#photo", offset=(20, 20))
            await session.pilot.resize_terminal(60, 20)
            await session.pilot.pause()
            before = session.document.canvas.mask.sum()
            await session.pilot.hover("#photo", offset=(25, 8))
            await session.pilot.mouse_up("#photo", offset=(25, 8))
            await session.pilot.pause()
            assert session.document.canvas.mask.sum() > before and not session.screen.hand.drawing
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)

    run(scenario)
