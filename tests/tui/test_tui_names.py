"""Names of files that a terminal would obey: they are shown by their letters, and the files are what they are."""

import unicodedata

import pytest
from rich.segment import Segment
from textual.widgets import Input
from textual.widgets._toast import Toast
from tui_colours import cells
from tui_session import run, until

from npe_tui.screens.confirm import ConfirmScreen
from npe_tui.screens.open import OpenScreen
from npe_tui.screens.save import SaveScreen
from npe_tui.widgets.gallery import Gallery
from npe_tui.widgets.path_field import complete

EVIL = "\x1b]52;c;aGk=\x07\x9b31m\\."
"""The clipboard is written to, where the terminal obeys; what follows is red. A backslash is part of it."""
SPELT = r"\x1b]52;c"


def seen(app):
    """All that the screen shows. Fails where a letter of it is none."""
    segments: list[Segment] = [segment for row in range(app.size.height) for segment in cells(app.screen, row)]
    text = "".join(segment.text for segment in segments)
    controls = {letter for letter in text if unicodedata.category(letter) in ("Cc", "Cs")}
    assert not controls, text
    return text


@pytest.mark.parametrize("size", [(120, 40), (40, 12)])
def test_a_name_that_a_terminal_would_obey_is_shown_by_its_letters_and_is_that_of_the_file(start, photo_file, size):
    folder = photo_file.parent / f"folder {EVIL}"
    folder.mkdir()
    photo = photo_file.rename(folder / f"{EVIL}\n.png")

    async def scenario():
        async with start(size, folder, notes=True) as session:
            app, shown = session.app, lambda: seen(session.app)
            await until(session.pilot, lambda: isinstance(app.screen, OpenScreen))
            gallery, field = app.screen.query_one(Gallery), app.screen.query_one(Input)
            await until(session.pilot, lambda: gallery.entry is not None and app.screen.query_one("StatusLine").facts)
            assert SPELT in shown()
            await session.press("slash")
            field.value += EVIL
            await session.press("end")
            assert "\ufffd" in shown()
            await session.press("ctrl+a", "x")
            shown()
            field.value = str(photo)
            await session.press("enter")
            await until(session.pilot, lambda: app.editing is not None and session.document is not None)
            app.notify(f"about {photo.name}", title=photo.name, timeout=600, markup=False)
            await session.open()
            assert app.editing.path == photo
            await until(session.pilot, lambda: app.screen.query(Toast))
            assert SPELT in shown()
            if size[1] > 12:
                assert SPELT in "".join(segment.text for segment in cells(app.screen.query_one("#title")))

            await session.fill("7")
            await session.press("q")
            await until(session.pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.screen.is_mounted)
            assert SPELT in shown()
            await session.press("escape", "P")
            await until(session.pilot, lambda: isinstance(app.screen, SaveScreen) and app.screen.is_mounted)
            await session.pilot.pause()
            shown()
            made = folder / f"{EVIL}\n-paint.png"
            made.touch()
            await session.press("enter")
            assert SPELT in shown() and "overwrites it" in str(app.screen.query_one("#problem").content)
            await session.press("enter")
            await until(session.pilot, lambda: session.screen.status.message.startswith("Saved"))
            shown()
            assert {*folder.iterdir()} == {photo, made} and made.stat().st_size

    run(scenario)


def test_no_name_is_proposed_that_cannot_be_shown(tmp_path):
    for name in ("new\nline.png", "new\x1bline.png", "newer.png"):
        (tmp_path / name).touch()
    assert complete(f"{tmp_path}/new") == f"{tmp_path}/newer.png"
    assert complete(f"{tmp_path}/new\n") is None
