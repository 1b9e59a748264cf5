"""Saving: nothing is overwritten without a question, and what is saved is what was seen at the key."""

import os
import threading

import numpy as np
import pytest
from textual import events
from textual.widgets import Input
from tui_fakes import invented
from tui_session import run, until

from npe_core.canvas import Canvas
from npe_core.errors import EnvironmentFault, InputError
from npe_core.photo import Photo, read_paint
from npe_tui.document.document import EditDocument
from npe_tui.engine import messages
from npe_tui.files.own_files import OwnFiles
from npe_tui.screens.confirm import ConfirmScreen
from npe_tui.screens.open import OpenScreen
from npe_tui.screens.save import SaveScreen


def test_saving_asks_before_overwriting_and_knows_of_an_enhance_that_ends_meanwhile(start, tmp_path):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.press("ctrl+s")
            assert "nothing to save yet" in session.screen.status.message
            await session.fill("7")
            await session.enhance()
            await session.fill("5")
            taken = tmp_path / "taken.png"
            taken.write_bytes(b"precious")
            number = await session.make("g", "edit")
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            warning, field = session.app.screen.query_one("#stale"), session.app.screen.query_one(Input)
            assert warning.display
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            await until(session.pilot, lambda: not warning.display)
            assert field.value == str(tmp_path / "me-edited.png")
            field.value = str(tmp_path / "me.png")
            await session.press("enter")
            assert "never written to" in str(session.app.screen.query_one("#problem").content)
            field.value = str(taken)
            await session.press("enter")
            assert isinstance(session.app.screen, SaveScreen) and taken.read_bytes() == b"precious"
            await session.press("enter")
            await until(session.pilot, lambda: not session.document.unsaved)
            assert Photo.open(taken).parameters["seed"] == 5

    run(scenario)


def test_what_is_not_marked_is_not_saved_and_told_what_to_do(start, photo_file, tmp_path):
    """Nor is a mask that is black all over written by any other way."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            status = session.screen.status
            for emptied in (False, True):
                await session.press("P")
                assert status.message == "Nothing is marked yet: pick a region, or paint."
                await session.press("ctrl+s")
                assert status.message == "There is nothing to save yet: pick a region, or paint, then g enhances."
                assert session.app.screen is session.screen
                if not emptied:
                    await session.fill("7")
                    await session.press("ctrl+s")
                    saves_paint = "There is nothing to save yet: g enhances. P saves the paint alone."
                    assert status.message == saves_paint
                    await session.press("delete")
                    await until(session.pilot, lambda: not session.document.marked)

    run(scenario)
    with pytest.raises(InputError, match="Nothing is marked yet"):
        EditDocument(Photo.open(photo_file)).save_paint(tmp_path / "mask.png")
    assert not (tmp_path / "mask.png").exists()


def test_the_title_says_that_what_is_seen_is_saved(start):
    async def scenario():
        async with start((80, 24)) as session:
            await save_first(session, "lips.png")
            told = lambda: session.screen.query_one("#title").render_line(0).text.rstrip()  # noqa: E731
            await until(session.pilot, lambda: told().endswith("enhanced, saved"))
            await session.fill("5")
            assert told().endswith("painted, not saved")
            await session.press("P")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await session.press("enter")
            await until(session.pilot, lambda: told().endswith("painted, saved"))

    run(scenario)


async def save_first(session, name):
    """Fill, enhance, save by the dialog as ``name`` beside the photo."""
    await session.open()
    await session.fill("7")
    await session.enhance(5)
    await session.press("S")
    await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
    file = session.editing.path.with_name(name)
    session.app.screen.query_one(Input).value = str(file)
    await session.press("enter")
    await until(session.pilot, lambda: session.screen.status.message == f"Saved {file.name}")
    return file


def test_a_file_of_this_session_is_saved_to_without_a_question(start):
    async def scenario():
        async with start((40, 12)) as session:
            file = await save_first(session, "lips.webp")
            status, first = session.screen.status, file.read_bytes()
            await session.press("ctrl+s")
            await until(session.pilot, lambda: status.message == "Saved already as lips.webp.")
            assert file.read_bytes() == first and session.app.screen is session.screen
            await session.enhance(6)
            await session.press("ctrl+s")
            await until(session.pilot, lambda: status.message == "Saved again as lips.webp.")
            assert Photo.open(file).parameters["seed"] == 6 and not session.document.unsaved
            assert session.app.screen is session.screen
            await session.enhance(7)
            await session.fill("5")
            for said in ("Saved again as lips.webp.", "Saved already as lips.webp."):
                await session.press("ctrl+s")
                told = f"{said} It is the last enhanced picture, not what is shown now."
                await until(session.pilot, lambda told=told: status.message == told)
            await session.press("S")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            assert session.app.screen.query_one(Input).value == str(file.with_name("lips-2.webp"))

    run(scenario)


def test_what_another_program_wrote_meanwhile_and_what_cannot_be_written_is_asked_about(start, monkeypatch):
    """Whether there is a new picture since or none; with the reason, where the disk is full."""

    def full(*arguments, **options):
        raise EnvironmentFault("No space left.")

    async def scenario():
        async with start((40, 12)) as session:
            file = await save_first(session, "lips.png")

            async def asked():
                await session.press("ctrl+s")
                await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))

            for seed in (5, 6):
                if seed == 6:
                    await session.enhance(seed)
                theirs = bytes(len(file.read_bytes()))
                before = file.stat()
                file.write_bytes(theirs)
                os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a copy that keeps times would
                for _ in range(2):
                    await asked()
                    await session.press("enter")
                    assert "exists already" in str(session.app.screen.query_one("#problem").content)
                    await session.press("escape")
                    assert file.read_bytes() == theirs
                await asked()
                await session.press("enter", "enter")
                await until(session.pilot, lambda: session.screen.status.message == f"Saved {file.name}")
                assert Photo.open(file).parameters["seed"] == seed

            await session.enhance(7)
            monkeypatch.setattr(type(session.document), "save", full)
            await asked()
            await until(session.pilot, lambda: session.app.screen.query("#problem"))
            assert str(session.app.screen.query_one("#problem").content) == "No space left."
            assert session.app.screen.query_one(Input).value == str(file)

    run(scenario)


def test_keys_that_come_at_once_keep_their_order_and_one_that_comes_twice_asks_once(start, tmp_path):
    """As from a fast hand, or over a line that delivers them in one piece."""

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            for action, kind in (("app.leave", ConfirmScreen), ("open", OpenScreen), ("save_as", SaveScreen)):
                for _ in range(2):
                    await session.screen.run_action(action)  # both before the dialog is there to take the second
                await until(session.pilot, lambda kind=kind: isinstance(session.app.screen, kind))
                for _ in range(3):
                    await session.pilot.pause()
                assert len(session.app.screen_stack) == 3, action
                if kind is not SaveScreen:
                    await session.press("escape")
                    await until(session.pilot, lambda: session.app.screen is session.screen)

            field = session.app.screen.query_one(Input)
            for key in ("end", *["backspace"] * 4, ".", "j", "p", "g", "home", "delete", "/", "end"):
                letter = {".": ".", "/": "/"}.get(key, key if len(key) == 1 else None)
                session.app.post_message(events.Key({".": "full_stop", "/": "slash"}.get(key, key), letter))
            await until(session.pilot, lambda: field.value.endswith(".jpg"))
            assert field.value == str(tmp_path / "me-edited.jpg")
            session.app.post_message(events.Key("ctrl+u", None))
            session.app.post_message(events.Key("a", "a"))
            await until(session.pilot, lambda: field.value == "a")

    run(scenario)


def test_what_was_in_force_at_the_key_is_saved_whatever_is_undone_meanwhile(start, monkeypatch):
    """On a slow disk, where it is said what is going on."""
    seen, untouched = threading.Event(), OwnFiles.untouched
    monkeypatch.setattr(OwnFiles, "untouched", lambda self, path: seen.wait(20) and untouched(self, path))

    async def scenario():
        async with start((80, 24)) as session:
            file = await save_first(session, "lips.webp")
            status = session.screen.status
            await session.enhance(6)
            await session.press("ctrl+s")
            assert status.message == "Saving lips.webp…"
            await session.press("u")
            await until(session.pilot, lambda: session.document.result.parameters["seed"] == 5)
            seen.set()
            told = "Saved again as lips.webp. It is the last enhanced picture, not what is shown now."
            await until(session.pilot, lambda: status.message == told)
            assert Photo.open(file).parameters["seed"] == 6
            assert session.document.unsaved, "the one that is in force again is in no file any more"
            await session.press("r")
            await until(session.pilot, lambda: not session.document.unsaved)

    run(scenario)


def test_what_is_asked_for_while_a_file_is_written_follows_it_and_has_what_was_there_at_its_key(
    start, tmp_path, monkeypatch
):
    """The dialogs come at once, and have the keys behind them."""
    slow, write = threading.Event(), EditDocument.save
    monkeypatch.setattr(EditDocument, "save", lambda self, *arguments: slow.wait(60) and write(self, *arguments))

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            app, status, document = session.app, session.screen.status, session.document
            await session.fill("7")
            await session.enhance(6)
            await session.press("S")
            await until(session.pilot, lambda: isinstance(app.screen, SaveScreen))
            await session.press("enter")
            await until(session.pilot, lambda: status.message == "Saving me-edited.png…")
            await session.press("ctrl+s")
            assert status.message == "Still saving me-edited.png…"

            await session.fill("5")
            levels = document.canvas.levels.copy()
            for key in ("P", "enter", "u"):
                app.post_message(events.Key(key, key if len(key) == 1 else None))
            await until(session.pilot, lambda: (document.canvas.levels != levels).any())
            assert app.screen is session.screen
            await session.enhance(7)
            await session.press("ctrl+s", "S")
            await until(session.pilot, lambda: isinstance(app.screen, SaveScreen))
            assert app.screen.query_one(Input).value == str(tmp_path / "me-edited-2.png")
            await session.press("escape")
            assert [path.name for path in tmp_path.glob("me-*")] == []

            slow.set()
            await until(session.pilot, lambda: status.message == "Saved again as me-edited.png.")
            assert not app.saving._under_way and not document.unsaved
            assert Photo.open(tmp_path / "me-edited.png").parameters["seed"] == 7
            assert (read_paint(tmp_path / "me-paint.png", document.size)[1] == levels / np.float32(255)).all()

    run(scenario)


def test_paint_is_saved_with_what_was_being_filled_when_it_was_asked_for(start, tmp_path, monkeypatch):
    slow, fill = threading.Event(), Canvas.fill

    def half_by_half(self, *arguments):
        count = fill(self, 1, "#ffffff")
        assert slow.wait(60)
        return count + fill(self, *arguments)

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            monkeypatch.setattr(Canvas, "fill", half_by_half)
            await session.press("7", "P")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await session.press("enter")
            await session.pilot.pause(0.1)
            slow.set()
            file = tmp_path / "me-paint.png"
            await until(session.pilot, lambda: session.screen.status.message == f"Saved {file.name}")
            levels = session.document.canvas.levels
            assert levels[:28].any() and not session.document.unsaved
            assert (read_paint(file, session.document.size)[1] == levels / np.float32(255)).all()

    run(scenario)
