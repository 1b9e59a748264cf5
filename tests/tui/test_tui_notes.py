"""Notes: what is told beside the status line lies on no dialog, and is told once."""

from dataclasses import replace

import pytest
from PIL import Image
from textual.widgets._toast import Toast
from tui_fakes import invented
from tui_session import face, run, until

from npe_tui.app import NpeApp
from npe_tui.engine import messages
from npe_tui.screens.confirm import ConfirmScreen
from npe_tui.screens.faces import FaceScreen
from npe_tui.screens.help import HelpScreen
from npe_tui.screens.open import OpenScreen


def test_notes_wait_until_no_dialog_is_up_and_what_one_cut_short_is_told_again(start):
    async def scenario():
        async with start((60, 18), notes=True) as session:
            await session.open()
            await session.fill("7")

            def shown():
                return sorted(toast._notification.message for toast in session.app.screen.query(Toast))

            session.app.notify("before", timeout=600)
            await until(session.pilot, lambda: shown() == ["before"])
            await session.press("q")
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            session.app.notify("meanwhile", timeout=600)
            session.app.action_help()
            await until(session.pilot, lambda: isinstance(session.app.screen, HelpScreen))
            await session.press("escape")
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            for _ in range(3):
                await session.pilot.pause()
            assert not session.app._notifications
            assert not any(note in session.app.export_screenshot() for note in ("before", "meanwhile"))
            await session.press("escape")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            await until(session.pilot, lambda: shown() == ["before", "meanwhile"])

    run(scenario)


def test_no_note_lies_on_the_question_which_face_is_meant(start, found):
    found[:] = [face(4, 4, 30, 40), face(40, 4, 70, 40)]

    async def scenario():
        async with start((60, 18), notes=True) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, FaceScreen))
            session.app.notify("meanwhile", timeout=600)
            for _ in range(3):
                await session.pilot.pause()
            assert not session.app._notifications and not session.app.screen.query(Toast)
            await session.press("2")
            await until(session.pilot, lambda: [note.message for note in session.app._notifications] == ["meanwhile"])

    run(scenario)


def test_what_was_told_of_the_photo_when_it_was_opened_is_not_told_again(start, photo_file, monkeypatch):
    cmyk, told = photo_file.with_suffix(".jpg"), []
    Image.open(photo_file).convert("CMYK").save(cmyk)
    monkeypatch.setattr(NpeApp, "notify", lambda self, message, **options: told.append(message))

    async def scenario():
        async with start((40, 12), cmyk) as session:
            await session.open()
            await session.fill("7")
            notes = session.document.photo.notes
            assert told == [*notes] and any("CMYK" in note for note in notes)
            number = await session.make("g", "edit")
            result = replace(invented(session.document, 5), warnings=(*notes, "half a lip"))
            await session.say(messages.Edited(number, [result]))
            await until(session.pilot, lambda: session.document.result is result)
            assert told == [*notes, "half a lip"]

    run(scenario)


@pytest.mark.parametrize(("width", "told"), [(400, False), (40, True)])
def test_why_a_photo_is_not_opened_is_a_note_where_the_line_is_too_short(start, tmp_path, monkeypatch, width, told):
    notes = []
    monkeypatch.setattr(NpeApp, "notify", lambda self, message, **options: notes.append(message))
    (tmp_path / "broken.png").write_bytes(b"no picture at all")

    async def scenario():
        async with start((width, 12), tmp_path / "broken.png") as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            await until(session.pilot, lambda: session.app.screen.query_one("StatusLine").serious)
            assert notes == [session.app.screen.query_one("StatusLine").message] * told

    run(scenario)
