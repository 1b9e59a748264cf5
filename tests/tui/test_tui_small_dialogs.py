"""Dialogs in small windows: what is asked, and the buttons that answer, are in sight."""

import pytest
from textual.widgets import Button, Input
from tui_colours import cells
from tui_session import run, until

from npe_tui.screens.save import SaveScreen


@pytest.mark.parametrize("key", ["P", "S"])
@pytest.mark.parametrize("size", [(40, 12), (30, 8)])
def test_the_hints_of_the_save_dialog_give_way_to_its_problem(start, photo_file, size, key):
    (photo_file.parent / f"{12 * 'long '}.png").touch()

    async def scenario():
        async with start(size) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            await session.fill("5")
            await session.press(key)
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            screen = session.app.screen
            await until(session.pilot, lambda: screen.is_mounted)
            screen.query_one(Input).value = f"{12 * 'long '}.png"
            await session.press("enter")

            def seen():
                return " ".join("".join(part.text for part in cells(screen, row)).strip() for row in range(size[1]))

            await until(session.pilot, lambda: "overwrites it. " in seen())
            assert all(button.region in screen.region for button in screen.query(Button))
            assert "Overwrite" in seen() and "Back" in seen() and "long" in seen()
            await session.press("backspace")
            await until(session.pilot, lambda: screen.query_one("#hints").display)
            await session.press("escape")

    run(scenario)
