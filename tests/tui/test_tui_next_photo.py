"""From one photo to the next: what is left behind, and what goes along."""

import asyncio
import shutil
import weakref
from pathlib import Path

import pytest
from tui_session import run, until

from npe_tui.screens.open import OpenScreen


@pytest.fixture
def other(photo_file, tmp_path):
    """Another photo in the same folder."""
    return Path(shutil.copy(photo_file, tmp_path / "you.png"))


async def go_over(session, photo):
    """Opens another photo by the browser."""
    await session.press("o")
    await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
    session.app.screen._take(photo)
    await until(session.pilot, lambda: session.app.editing is session.app.screen)
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
