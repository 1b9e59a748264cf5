"""Which face of the photo is meant: asked where there are several or none, drawn by hand where it was not found."""

import threading

import numpy as np
import pytest
from PIL import Image
from tui_session import Ids, face, run, until

from npe_core.errors import EnvironmentFault
from npe_tui.document.document import FaceWish
from npe_tui.engine import messages
from npe_tui.panels.colour import ColourPanel
from npe_tui.screens.faces import FaceScreen


@pytest.fixture
def large(image, tmp_path):
    """The portrait as a file of 320x384."""
    path = tmp_path / "large.png"
    Image.fromarray(image.repeat(4, axis=0).repeat(4, axis=1)).save(path)
    return path


def asks_for_face(session):
    """Whether the question is there with all its parts: it is the app's screen before it has them."""
    return isinstance(session.app.screen, FaceScreen) and session.app.screen.is_mounted


def test_several_faces_are_asked_about_and_the_one_that_enter_would_take_is_marked(start, found):
    """Another face leaves no regions of the one before to fill."""
    found[:] = [face(4, 4, 30, 40), face(40, 4, 70, 40)]

    async def scenario():
        async with start((80, 24)) as session:
            await until(session.pilot, lambda: asks_for_face(session))
            view = session.app.screen.query_one("#faces")

            async def marked(*numbers):
                await until(session.pilot, lambda: [f.number for f in view._scene.frames if f.chosen] == [*numbers])
                assert len(view._scene.frames) == 2

            async def choose(key, wish):
                await until(session.pilot, lambda: asks_for_face(session))
                asked = session.engine.asked.count(("segment", session.document))
                await session.press(key)
                await until(session.pilot, lambda: session.editing.running.looking)
                assert session.engine.asked.count(("segment", session.document)) == asked + 1
                assert session.document.wish == wish

            await marked(1)
            await session.press("down")
            await marked(2)
            await session.press("down")
            await marked(1, 2)
            await session.press("down")
            await marked()
            await choose("a", FaceWish("all"))
            assert "all 2 faces" in session.screen.query_one("#title").render_line(0).text
            await session.open()
            await session.press("x")
            await choose("2", FaceWish(2))
            assert "face 2 of 2" in session.screen.query_one("#title").render_line(0).text
            before = session.document.canvas.revision
            await session.press("7")
            assert "Hair is filled once the regions are found" in session.screen.status.message
            assert session.document.canvas.revision == before and session.document.regions is None
            await session.open()
            await until(session.pilot, lambda: session.document.canvas.revision > before)

    run(scenario)


@pytest.mark.parametrize(
    ("key", "option", "wish", "marked"),
    [
        ("2", "face-2", FaceWish(2), [2]),
        ("a", "all", FaceWish("all"), [1, 2]),
        ("w", "whole", FaceWish(aligned=True), []),
        (None, "box", FaceWish(box=(40.0, 40.0, 200.0, 300.0)), [None]),
    ],
)
def test_the_face_in_force_is_marked_when_another_could_be_chosen_and_stays_with_enter_or_escape(
    start, found, large, key, option, wish, marked
):
    found[:] = [face(20, 20, 120, 160), face(160, 20, 280, 200)]

    async def scenario():
        async with start((80, 24), large) as session:
            await until(session.pilot, lambda: asks_for_face(session))
            assert "none" in str(session.app.screen.query_one("#face-list").get_option("none").prompt)
            if key is not None:
                await session.press(key)
            else:
                session.app.screen._box(wish.box[:2], wish.box[2:])
            await until(session.pilot, lambda: session.editing.running.looking)
            for answer in ("escape", "enter"):
                await session.press("x")
                await until(session.pilot, lambda: asks_for_face(session))
                screen = session.app.screen
                options, view = screen.query_one("#face-list"), screen.query_one("#faces")
                assert options.highlighted_option.id == option
                await until(session.pilot, lambda view=view: view._scene.frames)
                assert [frame.number for frame in view._scene.frames if frame.chosen] == marked
                assert "as it was" in str(options.get_option("none").prompt)
                await session.press(answer)
                await until(session.pilot, lambda: not session.editing.finding.asks)
                assert session.document.wish == wish
                if answer == "escape":
                    assert session.screen.status.message == "The face is the same as before"

    run(scenario)


def test_a_box_is_drawn_where_no_face_was_found(start, found, large):
    """One beside the photo is none, and one over its edge ends there."""
    found.clear()

    async def scenario():
        async with start((80, 24), large) as session:
            await until(session.pilot, lambda: asks_for_face(session))
            screen = session.app.screen
            view = screen.query_one("#faces")
            await until(session.pilot, lambda: view.viewport.photo == (320, 384) and view.viewport.cells == view.size)
            for box in (((360, 40), (640, 320)), ((80, 80), (140, 320))):
                screen._box(*box)
                await session.pilot.pause()
                assert session.app.screen is screen and "at least 64" in str(screen.query_one("#title").content)
            one, other = (tuple(map(int, view.viewport.photo_to_cell(*point))) for point in ((80, 80), (240, 320)))
            await session.pilot.mouse_down("#faces", offset=one)
            await until(session.pilot, lambda: screen._corner is not None)
            assert "opposite corner" in str(screen.query_one("#title").content)
            await session.pilot.hover("#faces", offset=other)
            await until(
                session.pilot, lambda: [f.box for f in view._scene.frames] and view._scene.frames[0].box[2] > 200
            )
            assert np.allclose(view._scene.frames[0].box, (80, 80, 240, 320), atol=20), "it is seen while it is drawn"
            await session.pilot.mouse_up("#faces", offset=other)
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            assert np.allclose(session.document.wish.box, (80, 80, 240, 320), atol=20)
            await session.press("x")
            await until(session.pilot, lambda: asks_for_face(session))
            session.app.screen._box((160, 200), (800, 800))
            await until(session.pilot, lambda: session.document.wish.box == (160, 200, 320, 384))

    run(scenario)


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24)])
def test_every_answer_is_seen_whole_in_a_small_window_and_most_of_that_is_the_picture(start, found, large, size):
    found[:] = [face(60 * n, 20, 60 * n + 50, 80) for n in range(5)]

    async def scenario():
        async with start(size, large) as session:
            await until(session.pilot, lambda: asks_for_face(session))
            screen = session.app.screen
            options, view = screen.query_one("#face-list"), screen.query_one("#faces")
            await until(session.pilot, lambda: view.viewport.cells == view.size)
            seen = [options.render_line(y).text.strip() for y in range(options.region.height)]
            answers = [f"{n}  face {n}" for n in range(1, 6)] + ["a  all faces", "w  whole picture", "Esc  none"]
            assert seen == answers and options.region in screen.region
            assert view.size.width >= 0.6 * size[0] and view.size.height == size[1] - 2
            assert "Which face?  or drag a box" in screen.query_one("#title").render_line(0).text

    run(scenario)


@pytest.mark.parametrize("slip", [(0, 0), (1, 1), (-1, 0)])
def test_what_slips_by_a_cell_was_a_click_on_a_face_and_not_a_box(start, found, large, slip):
    found[:] = [face(20, 20, 120, 160), face(160, 20, 280, 200)]

    async def scenario():
        async with start((40, 12), large) as session:
            await until(session.pilot, lambda: asks_for_face(session))
            view = session.app.screen.query_one("#faces")
            await until(session.pilot, lambda: view.viewport.photo == (320, 384) and view.viewport.cells == view.size)
            x, y = map(int, view.viewport.photo_to_cell(220, 110))
            await session.pilot.mouse_down(view, offset=(x, y))
            await session.pilot.mouse_up(view, offset=(x + slip[0], y + slip[1]))
            await until(session.pilot, lambda: not asks_for_face(session))
            assert session.document.wish == FaceWish(2)

    run(scenario)


def test_a_box_that_was_begun_is_dropped_by_escape_and_where_the_window_gets_another_size(start, found, large):
    found[:] = [face(20, 20, 120, 160), face(160, 20, 280, 200)]

    async def scenario():
        async with start((80, 24), large) as session:
            await until(session.pilot, lambda: asks_for_face(session))
            screen, view = session.app.screen, session.app.screen.query_one("#faces")
            await session.press("space", "space")
            assert screen._corner is not None and len(view._scene.frames) == 3
            await session.press("escape")
            assert screen._corner is None and len(view._scene.frames) == 2 and asks_for_face(session)
            await session.pilot.mouse_down(view, offset=(20, 5))
            await until(session.pilot, lambda: screen._corner is not None)
            await session.pilot.resize_terminal(60, 20)
            await session.pilot.mouse_up(view, offset=(30, 12))
            await session.pilot.pause()
            assert asks_for_face(session) and session.document.wish == FaceWish()
            await session.press("escape")
            await until(session.pilot, lambda: not asks_for_face(session))

    run(scenario)


def test_a_box_is_drawn_by_the_keyboard_and_a_click_is_none(start, found, large):
    found.clear()

    async def scenario():
        async with start((40, 12), large) as session:
            await until(session.pilot, lambda: asks_for_face(session))
            screen, view = session.app.screen, session.app.screen.query_one("#faces")
            title = screen.query_one("#title")
            assert title.size.height and "No face found  drag a box around" in title.render_line(0).text
            await until(session.pilot, lambda: view.viewport.photo == (320, 384) and view.viewport.cells == view.size)
            await session.press("space", "space")
            assert "opposite corner" in str(title.content) and len(view._scene.frames) == 1
            await session.press("space")
            assert "No face found" in title.render_line(0).text and not view._scene.frames
            await session.press("space", *["shift+right"] * 2)
            x0, y0, x1, y1 = view._scene.frames[0].box
            assert x1 - x0 > 80 and y1 == y0
            await session.press(*["shift+down"] * 2, "space")
            await until(session.pilot, lambda: ("segment", session.document) in session.engine.asked)
            assert session.document.wish.box[3] - y0 > 60

    run(scenario)


def test_a_later_colour_leaves_the_fill_of_the_face_before_alone(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill()
            before = session.document.canvas.revision
            await session.editing.find_face(ask=False)
            await session.say(messages.Segmented(session.number("segment"), Ids(np.roll(session.ids, 20, axis=1))))
            session.screen.query_one(ColourPanel)._changed("#2e6f9e")
            await until(session.pilot, lambda: session.editing.hand.colour == "#2e6f9e")
            await session.pilot.pause()
            assert [fill.colour for fill in session.document.canvas.targets] == ["#8b2500"]
            assert session.document.canvas.revision == before

    run(scenario)


def test_no_regions_are_looked_for_while_the_face_is_asked_for_or_when_none_was_chosen(start, found, engine):
    """The models come to be loaded meanwhile."""
    found[:] = [face(4, 4, 30, 40), face(40, 4, 70, 40)]
    ready, engine.state = engine.state, messages.EngineState()

    async def scenario():
        async with start((40, 12)) as session:
            await until(session.pilot, lambda: asks_for_face(session))
            engine.state = ready
            await session.say(messages.StateChanged(ready))
            await session.press("escape")
            await until(session.pilot, lambda: "No face chosen" in session.screen.status.message)
            await session.say(messages.StateChanged(ready))
            await session.press("7")
            assert session.screen.status.message.startswith("x chooses a face")
            assert not [asked for asked in engine.asked if asked[0] == "segment"]

    run(scenario)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (EnvironmentFault("The face detector is damaged."), "The face detector is damaged."),
        (MemoryError(), "Not enough memory. Close other programs, or use a smaller photo."),
    ],
)
def test_what_was_picked_meanwhile_is_not_waited_for_when_faces_cannot_be_looked_for(start, monkeypatch, error, told):
    goes_on = threading.Event()

    def no_detector(image):
        goes_on.wait(20)
        raise error

    monkeypatch.setattr("npe_core.faces.find_faces", no_detector)

    async def scenario():
        async with start((40, 12)) as session:
            await until(session.pilot, lambda: session.editing.finding.asks)
            await session.press("7")
            assert session.editing.painting.waits
            goes_on.set()
            await until(session.pilot, lambda: session.screen.status.message == told)
            assert not session.editing.painting.waits

    run(scenario)


def test_without_a_face_it_is_told_that_enhance_needs_one_and_how_to_say_where(start, found):
    found.clear()

    async def scenario():
        async with start((40, 12)) as session:
            await until(session.pilot, lambda: asks_for_face(session))
            assert "or press w; Enhance needs one" in str(session.app.screen.query_one("#title").content)
            await session.press("escape")
            await until(session.pilot, lambda: "which Enhance needs" in session.screen.status.message)
            await session.press("b", "right", "space", "g")
            await until(session.pilot, lambda: "Enhance needs a face: x, then w" in session.screen.status.message)
            await session.press("x")
            await until(session.pilot, lambda: asks_for_face(session))
            await session.press("w")
            await until(session.pilot, lambda: session.editing.finding.chosen)
            assert session.document.wish == FaceWish(aligned=True)
            await session.make("g", "edit")

    run(scenario)
