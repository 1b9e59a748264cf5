"""Regions, brush and mask tools, by mouse and by keyboard."""

import threading

import numpy as np
import pytest
from tui_session import face, run, until

from npe_core.canvas import Canvas
from npe_core.canvas.layers import Layers
from npe_core.regions import region_by_name
from npe_tui.engine import messages
from npe_tui.panels.brush import BrushPanel
from npe_tui.panels.colour import ColourPanel
from npe_tui.screens.faces import FaceScreen
from npe_tui.widgets import Chips, Slider


def test_what_is_picked_before_the_regions_are_known_is_filled_then(start, found):
    """The last pick, unless another thing is done: of one face, then of the other."""
    found[:] = [face(4, 4, 30, 40), face(40, 4, 70, 40)]

    async def scenario():
        async with start((40, 12)) as session:

            async def chosen(number):
                await until(session.pilot, lambda: isinstance(session.app.screen, FaceScreen))
                await until(session.pilot, lambda: session.app.screen.is_mounted)
                await session.press(number)
                await until(session.pilot, lambda: session.editing.running.looking)
                assert session.document.regions is None

            await chosen("1")
            for done, filled, other in (
                (["7"], ["hair"], "2"),
                (["7", "g", "5"], ["lips"], "1"),
                (["click"], ["lips"], "2"),
                (["click", "7"], ["hair"], "1"),
                (["7", "escape"], [], "2"),
                (["7", "delete"], [], "1"),
                (["7", "b", "space"], [], "2"),
            ):
                for key in done:
                    if key == "click":
                        session.editing.painting.press(40, 63)
                    else:
                        await session.press(key)
                    if key in ("7", "5", "click"):
                        assert "is filled once the regions are found" in session.screen.status.message
                    if key == "g":
                        assert "once the regions are found and the fill is made" in session.screen.status.message
                await session.open()
                if filled:
                    await until(session.pilot, lambda: session.document.canvas.targets)
                await until(session.pilot, lambda: not session.editing.painting._turn.locked())
                await until(session.pilot, lambda: session.screen.status.message.startswith(("Filled", "Pick", "Pen")))
                assert [fill.region for fill in session.document.canvas.targets] == filled, done
                assert not session.editing.painting.waits
                if session.document.marked:
                    await session.press("delete")
                    await until(session.pilot, lambda: not session.document.marked)
                await session.press("x")
                await chosen(other)

    run(scenario)


@pytest.mark.parametrize(
    ("keys", "ends", "made"),
    [
        (["5", "g"], "Enhancing", True),
        (["5", "g", "escape"], "Pick a region", False),
        (["5", "g", "7"], "Filled hair", False),
        (["4", "g"], "No nose found", False),
    ],
)
def test_an_enhance_of_what_waits_for_the_regions_follows_its_fill_and_no_other(start, engine, keys, ends, made):
    ready, engine.state = engine.state, messages.EngineState("loading", "cpu", "", "the models are loading")

    async def scenario():
        async with start((40, 12)) as session:
            await until(session.pilot, lambda: ("segment", session.document) in engine.asked)
            await session.press(*keys)
            assert "edit" not in [asked[0] for asked in engine.asked]
            engine.state = ready
            await session.open()
            await until(session.pilot, lambda: session.screen.status.message.startswith(ends))
            await until(session.pilot, lambda: not session.editing.painting._turn.locked())
            await session.pilot.pause()
            assert ("edit" in [asked[0] for asked in engine.asked]) == made
            assert session.screen.status.message.startswith(ends) and not session.editing.painting.waits

    run(scenario)


def test_what_was_picked_before_the_regions_is_filled_after_what_takes_its_time_then(start, monkeypatch):
    goes_on, grow = threading.Event(), Canvas.grow
    monkeypatch.setattr(Canvas, "grow", lambda self, radius: goes_on.wait(20) and grow(self, radius))

    async def scenario():
        async with start((40, 12)) as session:
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            await session.press("b", "right", "space", ">")
            await until(session.pilot, lambda: session.editing.painting._turn.locked())
            await session.press("7")
            await session.open()
            await session.pilot.pause()
            assert session.editing.painting._turn.locked() and not session.document.canvas.targets
            goes_on.set()
            await until(session.pilot, lambda: [fill.region for fill in session.document.canvas.targets] == ["hair"])

    run(scenario)


def test_a_click_on_glasses_fills_them_and_one_on_clothes_does_not(start, ids):
    """Whole regions are picked: of attire, glasses are none where clothes are worn."""
    glasses, clothes = np.s_[40:46, 30:50], np.s_[84:, :]
    ids[glasses] = ids[clothes] = region_by_name("attire").id
    ids[46:48, 32:38] = region_by_name("eyes").id

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            canvas = session.document.canvas
            for at, filled, left in (((40, 43), glasses, clothes), ((40, 90), clothes, glasses)):
                session.editing.painting.press(*at)
                await until(session.pilot, lambda: session.document.marked)
                assert canvas.mask[filled].all() and not canvas.mask[left].any()
                await session.press("u")
                await until(session.pilot, lambda: not session.document.marked)
            canvas.regions = None  # as when another face was chosen after the click
            await session.editing.painting._fill(region_by_name("attire").id, (40, 43), "whole")
            assert "not known yet" in session.screen.status.message and not session.document.marked

    run(scenario)


def test_the_mouse_picks_and_paints_while_its_button_is_held(start):
    """Over an undo and a change of the window's size, too."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            view, hand, canvas = session.editing.easel.view, session.editing.hand, session.document.canvas
            column, row = (int(c) for c in view.viewport.photo_to_cell(40, 63))
            await session.pilot.click("#photo", offset=(column, row))
            await until(session.pilot, lambda: session.document.marked)
            assert [fill.region for fill in canvas.targets] == ["lips"]
            assert session.screen.query_one("#groups", Chips).chosen == "lips"
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)

            await session.press("b")
            a, b = (tuple(map(int, view.viewport.photo_to_cell(*point))) for point in ((20, 20), (60, 20)))
            await session.pilot.mouse_down("#photo", offset=a)
            await session.pilot.hover("#photo", offset=b)
            await session.pilot.mouse_up("#photo", offset=b)
            await session.pilot.pause()
            marked = np.flatnonzero(canvas.mask[20] == 1)
            assert marked[0] <= 21 and marked[-1] >= 58 and len(marked) >= 38
            assert canvas._history.done
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)

            await session.pilot.mouse_down("#photo", offset=(20, 20))
            await session.pilot.hover("#photo", offset=(25, 20))
            assert session.document.marked
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)
            await session.pilot.hover("#photo", offset=(30, 20))
            await session.pilot.mouse_up("#photo", offset=(30, 20))
            assert not session.document.marked, "the stroke was taken back while the button was held"

            await session.press("right", "enter")
            assert hand.drawing
            before = canvas.mask.copy()
            await session.pilot.hover("#photo", offset=(5, 5))
            await session.press("right", "right")
            assert (canvas.mask == before).all() and not hand.drawing, "the keyboard's pen was down, not the button"
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)

            await session.pilot.mouse_down("#photo", offset=(20, 20))
            await session.pilot.resize_terminal(60, 20)
            await session.pilot.pause()
            marked = canvas.mask.sum()
            await session.pilot.hover("#photo", offset=(25, 8))
            await session.pilot.mouse_up("#photo", offset=(25, 8))
            await session.pilot.pause()
            assert canvas.mask.sum() > marked and not hand.drawing
            await session.press("u")
            await until(session.pilot, lambda: not session.document.marked)

    run(scenario)


def test_the_keyboard_paints_while_the_pen_is_down_which_a_command_lifts(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            view, canvas = session.editing.easel.view, session.document.canvas
            await session.press("b", "c")
            assert session.editing.easel.before
            await session.press("right", "enter", *(["shift+right"] * 4), "enter")
            assert (canvas.mask[int(view.cursor[1])] == 1).sum() >= 20
            assert not session.editing.easel.before, "what is painted is seen"
            await session.press("right")
            before = canvas.revision
            await session.press("right")
            assert canvas.revision == before, "the pen is up"

            for key in ("u", "f", "tilde", "7"):
                await session.press("right", "enter", "right", "right")
                assert session.editing.hand.drawing, key
                before = canvas.revision
                await session.press(key)
                await until(session.pilot, lambda before=before: canvas.revision > before)
                await until(session.pilot, lambda: not session.editing.painting._turn.locked())
                assert not session.editing.hand.drawing, key
                mask = canvas.mask.copy()
                await session.press("right", "right")
                assert (canvas.mask == mask).all(), f"the pen is up after {key}"

    run(scenario)


def test_a_tint_and_its_opacity_reach_the_stroke(start):
    """By the key and by the panel; what the stroke leaves is what the canvas makes of it."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            hand, panel = session.editing.hand, session.screen.query_one(BrushPanel)
            chips, opacity = panel.query_one("#paints", Chips), panel.query_one("#opacity", Slider)

            async def painted():
                session.editing.painting.press(40, 30)
                session.editing.painting.release()
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
            await session.pilot.resize_terminal(120, 40)
            await session.press("f4", *["tab"] * 3)
            assert opacity.has_focus and opacity.region.width > 15 and chips.region.width == 12
            await session.press("tab", "enter")
            assert not hand.tint and chips.chosen == "flat"
            assert np.array_equal(await painted(), expected(opacity=0.5))

    run(scenario)


def test_pieces_brush_and_mask_tools_by_key(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            hand = session.editing.hand
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


@pytest.mark.parametrize("where", ["feather", "fill", "lay", "recolour", "begin_stroke", "extend_stroke", "end_stroke"])
def test_what_runs_out_of_memory_is_told_and_leaves_the_canvas_as_it_was(start, monkeypatch, where):
    """``lay``: of a fill that takes the place of another, its first region is laid already."""
    put, puts = Layers.put, []

    def no_memory(*_, **__):
        raise MemoryError

    def memory_for_one(*arguments):
        puts.append(no_memory() if puts else put(*arguments))

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            document, canvas, painting = session.document, session.document.canvas, session.editing.painting
            await session.press("w", "w")
            await session.fill("7")
            before, fills = document.shown.copy(), canvas.targets
            with monkeypatch.context() as patch:
                if where == "lay":
                    patch.setattr(Layers, "put", memory_for_one)
                else:
                    patch.setattr(Canvas, "fill" if where == "recolour" else where, no_memory)
                if where == "recolour":
                    session.screen.query_one(ColourPanel)._changed("#2e6f9e")
                elif where in ("feather", "fill", "lay"):
                    await session.press("f" if where == "feather" else "5")
                else:
                    session.editing.hand.tool = "marker"
                    painting.press(40, 70)
                    painting.drag(42, 70)
                    painting.release()
                await until(session.pilot, lambda: session.screen.status.message.startswith("Not enough memory"))
                await until(session.pilot, lambda: not painting._turn.locked())
            assert canvas.targets == fills and len(canvas._history.done) == 1
            assert where != "lay" or puts
            assert np.array_equal(canvas.guide, before) and np.array_equal(document.shown, before)
            await session.press("f")
            await until(session.pilot, lambda: session.screen.status.message.startswith("Feathered"))

    run(scenario)


def test_several_regions_are_one_fill_of_one_step(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            canvas, painting = session.document.canvas, session.editing.painting

            def others(fill):
                other = Canvas(canvas.image)
                other.regions = canvas.regions
                fill(other)
                return other.guide

            async def picked(key, names):
                await session.press(key)
                await until(session.pilot, lambda: session.screen.status.message == f"Filled {names}")
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
