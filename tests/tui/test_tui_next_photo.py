"""From one photo to the next: what is left behind, and what goes along."""

import asyncio
import shutil
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
from tui_session import run, until

from npe_tui.panels.colour import ColourPanel
from npe_tui.panels.strength import StrengthPanel
from npe_tui.screens.open import OpenScreen
from npe_tui.widgets import Chips
from npe_tui.widgets.gallery import Gallery


@pytest.fixture
def other(photo_file, tmp_path):
    """Another photo in the same folder."""
    return Path(shutil.copy(photo_file, tmp_path / "you.png"))


async def go_over(session, photo):
    """Opens another photo by the browser."""
    await session.press("o")
    await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
    session.app.screen._take(photo)
    await until(session.pilot, lambda: session.screen is session.app.screen)
    await until(session.pilot, lambda: session.document is not None)


def test_a_photo_that_was_left_takes_no_memory(start, other):
    async def scenario():
        async with start((100, 30)) as session:
            await session.open()
            left = weakref.ref(session.screen), weakref.ref(session.document), weakref.ref(session.document.canvas)
            await go_over(session, other)
            session.engine.asked.clear()
            async with asyncio.timeout(20):
                await until(session.pilot, lambda: not any(one() for one in left))

    run(scenario)


def test_hand_and_strength_go_along_and_the_list_begins_at_the_photo(start, photo_file, other):
    async def scenario():
        async with start((100, 30), photo=other) as session:
            await session.open()
            hand, strength = session.editing.hand, session.screen.query_one(StrengthPanel)
            await session.press("b", "]", "}", "l", ".", ".", ";", "s")
            radius, hand.colour = hand.radius, "#123456"
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            gallery = session.app.screen.query_one(Gallery)
            await until(session.pilot, lambda: gallery.entry is not None)
            assert gallery.entry.path == other, "Enter stays with the photo"
            session.app.screen._take(photo_file)
            await until(session.pilot, lambda: session.screen is session.app.screen)
            await until(session.pilot, lambda: session.document is not None and session.document.path == photo_file)
            now, editing = session.screen, session.editing
            assert editing.hand == replace(hand, radius=radius) and editing.hand is not hand
            assert editing.easel.view.brush_radius == radius
            panel = now.query_one(StrengthPanel)
            assert panel.settings == replace(strength.settings, seed=None) and panel.settings.timestep == 270
            assert now.query_one(ColourPanel).colour == "#123456"
            assert now.query_one("#tools", Chips).chosen == "brush"

    run(scenario)
