"""What is painted again for a key or a click: over SSH that is what is felt."""

import numpy as np
import pytest
from tui_session import run
from tui_written import Written


@pytest.fixture
def image(ids):
    """A photo of which no two dots have one colour."""
    return np.random.default_rng(0).integers(0, 256, (*ids.shape, 3), dtype=np.uint8)


def test_a_move_of_the_focus_paints_nothing_of_the_picture(start, monkeypatch):
    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            written, view = Written(session, monkeypatch), session.editing.easel.view
            await written.everything()
            assert written.dots() > 1000

            async def is_seen(told):
                await written.settle()
                bar = set(written.lines(view.region.crop_size((1, view.region.height))))
                assert (written.dots(), bar) == (0, {"▎" if view.has_focus else " "}), told

            for key in ("tab", "tab", "escape", "f6", "escape", "f3", "escape"):
                await session.press(key)
                assert view.has_focus == (key == "escape")
                await is_seen(key)
            for panel in ("#picks", "#tools"):
                await session.pilot.click(panel)
                await is_seen(panel)
                assert view.has_focus

    run(scenario)


def test_the_focus_in_a_dialog_paints_nothing_of_the_picture_below(start, monkeypatch):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            written = Written(session, monkeypatch)
            await session.press("b", "space", "q")
            await written.everything()
            assert written.dots() > 300
            before = session.app.focused
            await session.press("tab")
            await written.settle()
            assert session.app.focused is not before and written.dots() == 0

    run(scenario)


def test_what_lay_below_a_dialog_and_another_theme_are_painted_once(start, monkeypatch):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            written = Written(session, monkeypatch)
            await session.press("f1")
            await written.everything()
            written.dots()
            for key in ("escape", "T"):
                await session.press(key)
                await session.pilot.pause(0.1)
                await written.settle()
                painted = written.dots()
                await written.everything()
                assert 0 < painted <= written.dots(), key

    run(scenario)


def test_what_is_shown_otherwise_is_painted_once(start, monkeypatch):
    """Each cell at most: the picture as it was is not painted again first."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("1")
            written = Written(session, monkeypatch)
            await written.everything()
            written.dots()
            for key in ("c", "c", "m", "m", "d", "right_parenthesis"):
                await session.press(key)
                await written.settle()
                painted = written.dots()
                await written.everything()
                assert 0 < painted <= written.dots(), key

    run(scenario)


@pytest.mark.parametrize("size", [(80, 24), (60, 16)], ids="{0[0]}x{0[1]}".format)
def test_nothing_that_changes_is_left_unpainted(start, monkeypatch, size):
    """After each key the terminal shows what it does when all is painted anew: panels, footer, border, theme."""

    async def scenario():
        async with start(size) as session:
            await session.open()
            await session.fill("1")
            written = Written(session, monkeypatch)
            await written.everything()
            for key in ("tab", "f6", "escape", "c", "c", "m", "d", "d", "d", "f1", "escape", "n", "T", "f4", "escape"):
                await session.press(key)
                await written.settle()
                shown = written.shown
                assert shown == await written.everything(), key

    run(scenario)
