"""Saving: nothing is overwritten without a question, and what cannot be written is asked for."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from textual import events
from textual.widgets import Input, Static
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


@pytest.mark.parametrize("key", ["S", "P"])
def test_a_bug_in_saving_is_told_with_its_traceback_in_a_file_and_one_goes_on(start, tmp_path, monkeypatch, key):
    def broken(*arguments, **options):
        raise ValueError("[odd]")

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(5)
            with monkeypatch.context() as patch:
                patch.setattr(EditDocument, "save" if key == "S" else "save_paint", broken)
                await session.press(key)
                await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
                first = session.app.screen
                await session.press("enter")
                told = "Not saved. This is a bug: ValueError: [odd]. Please report it with "
                await until(session.pilot, lambda: session.screen.status.message.startswith(told))
                assert "in broken" in Path(session.screen.status.message.removeprefix(told).rstrip(".")).read_text()
            await until(session.pilot, lambda: session.app.screen not in (first, session.screen))
            await until(session.pilot, lambda: session.app.screen.query("#problem"))
            await session.press("enter")
            await until(session.pilot, lambda: session.screen.status.message.startswith("Saved me-"))

    run(scenario)


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
    file = session.screen.path.with_name(name)
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


@pytest.mark.parametrize("name", ["x[foo.png", "me [final] cut.png"])
def test_names_are_shown_as_they_are_written(start, photo_file, tmp_path, name):
    photo, taken = photo_file.rename(tmp_path / name), tmp_path / f"of {name}"
    taken.touch()

    async def scenario():
        async with start((80, 24), photo) as session:
            await session.open()
            assert name in session.screen.query_one("#title").render_line(0).text
            await session.press("b", "right", "space", "q")
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            assert any(name in text.render_line(0).text for text in session.app.screen.query(Static))
            await session.press("escape", "P")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            screen, problem = session.app.screen, session.app.screen.query_one("#problem")
            screen.query_one(Input).value = str(taken)
            await session.press("enter")
            assert taken.name in problem.render_line(0).text
            screen.query_one(Input).value = "/none[/b]/x.png"
            await session.press("enter")
            assert "none[/b]" in problem.render_line(0).text

    run(scenario)


def test_a_name_that_cannot_be_is_asked_for_and_one_that_could_not_be_written_again_as_typed(
    start, tmp_path, monkeypatch
):
    import npe_core.photo

    write, full = npe_core.photo.write_atomically, [True]

    def on_a_full_disk(*arguments, **options):
        if full:
            raise EnvironmentFault("No space left.")
        write(*arguments, **options)

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            monkeypatch.setattr(npe_core.photo, "write_atomically", on_a_full_disk)
            await session.press("P")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            first = session.app.screen
            first.query_one(Input).value = f"{tmp_path}/{300 * 'x'}.png"
            await session.press("enter")
            assert session.app.screen is first and "too long" in str(first.query_one("#problem").content)
            first.query_one(Input).value = " "
            await session.press("enter")
            assert str(first.query_one("#problem").content) == "Write a name, for example me-paint.png."

            first.query_one(Input).value = typed = str(tmp_path / "a-long-name.png")
            await session.press("enter")
            await until(session.pilot, lambda: session.app.screen not in (first, session.screen))
            again = session.app.screen
            await until(session.pilot, lambda: again.query("#problem"))
            assert again.query_one(Input).value == typed
            await session.pilot.pause()
            assert str(again.query_one("#problem").content) == "No space left."
            full.clear()
            await session.press("enter")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            assert Path(typed).exists()

    run(scenario)


def test_a_name_alone_is_beside_the_photo_a_path_from_here_and_its_folder_is_made_when_asked(
    start, tmp_path, monkeypatch
):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(5)
            for written, file in (
                ("lips.png", tmp_path / "lips.png"),
                ("./lips.png", here / "lips.png"),
                ("new/deep/lips.png", here / "new" / "deep" / "lips.png"),
            ):
                await session.press("S")
                await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
                session.app.screen.query_one(Input).value = written
                await session.press("enter")
                if written.startswith("new"):
                    problem = str(session.app.screen.query_one("#problem").content)
                    assert "There is no folder new/deep" in problem and "creates it" in problem
                    assert not (here / "new").exists()
                    await session.press("enter")
                told = f"Saved {file.name if file.parent == tmp_path else file}"
                await until(session.pilot, lambda told=told: session.screen.status.message == told)
                assert file.exists()
            await session.enhance(6)
            await session.press("ctrl+s")
            await until(session.pilot, lambda: session.screen.status.message == f"Saved again as {file}.")

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


def test_after_a_save_that_failed_the_dialog_is_for_the_same_picture(start, tmp_path, monkeypatch):
    tried, write = threading.Event(), EditDocument.save

    def on_a_slow_disk(self, *arguments):
        if not tried.is_set():
            tried.wait(20)
            raise EnvironmentFault("No space left.")
        return write(self, *arguments)

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(6)
            monkeypatch.setattr(EditDocument, "save", on_a_slow_disk)
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await session.press("enter")
            await until(session.pilot, lambda: session.screen.status.message == "Saving me-edited.png…")
            await session.press("u")
            await until(session.pilot, lambda: session.document.result is None)
            tried.set()
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await until(session.pilot, lambda: session.app.screen.query_one("#stale").display)
            assert session.screen.status.message == "Not saved. No space left."
            assert str(session.app.screen.query_one("#problem").content) == "No space left."
            await session.press("enter")
            file = tmp_path / "me-edited.png"
            await until(session.pilot, lambda: session.screen.status.message == f"Saved {file.name}")
            assert Photo.open(file).parameters["seed"] == 6

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


@pytest.mark.parametrize("fails", ["copy", "as_paint"])
def test_paint_that_memory_is_too_small_for_is_told_and_asked_for_again(start, tmp_path, monkeypatch, fails):
    works = getattr(Canvas, fails)

    def out_of_memory(self):
        raise MemoryError

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            monkeypatch.setattr(Canvas, fails, out_of_memory)
            await session.press("P")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await session.press("enter")
            await until(session.pilot, lambda: session.screen.status.message.startswith("Not saved. Not enough memory"))
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            monkeypatch.setattr(Canvas, fails, works)
            await session.press("enter")
            await until(session.pilot, lambda: session.screen.status.message == "Saved me-paint.png")
            assert (tmp_path / "me-paint.png").exists()

    run(scenario)


def test_of_a_file_that_could_not_be_written_is_told_once_another_question_is_answered(start, tmp_path, monkeypatch):
    slow = threading.Event()

    def fails(self, *arguments):
        assert slow.wait(60)
        raise EnvironmentFault("No space left.")

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(6)
            monkeypatch.setattr(EditDocument, "save", fails)
            await session.press("S")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await session.press("enter")
            await until(session.pilot, lambda: session.screen.status.message == "Saving me-edited.png…")
            await session.press("P")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            mine = session.app.screen
            slow.set()
            await until(session.pilot, lambda: session.screen.status.message == "Not saved. No space left.")
            assert session.app.screen is mine and len(session.app.screen_stack) == 3
            await session.press("enter")
            await until(session.pilot, lambda: session.app.screen not in (mine, session.screen))
            await until(session.pilot, lambda: session.app.screen.query("#problem"))
            assert str(session.app.screen.query_one("#problem").content) == "No space left."
            await session.press("escape")
            await until(session.pilot, lambda: session.screen.status.message.startswith("Saved "))
            assert (tmp_path / "me-paint.png").exists()

    run(scenario)


def test_what_is_typed_takes_the_place_of_the_proposed_name_and_is_added_to_one_that_could_not_be_written(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance(6)
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            first = session.app.screen
            await session.press(*"x.pn")
            await until(session.pilot, lambda: first.query_one(Input).value == "x.pn")
            await session.press("enter")
            await until(session.pilot, lambda: str(first.query_one("#problem").content))
            await session.press("g", "enter")
            await until(session.pilot, lambda: session.app.screen is not first)

    run(scenario)
