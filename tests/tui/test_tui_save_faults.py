"""What cannot be saved: it is told, asked for again, and nothing is lost."""

import threading
from pathlib import Path

import pytest
from tui_session import run, until

from npe_core.canvas import Canvas
from npe_core.errors import EnvironmentFault
from npe_core.photo import Photo
from npe_tui.document.document import EditDocument
from npe_tui.screens.save import SaveScreen


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
