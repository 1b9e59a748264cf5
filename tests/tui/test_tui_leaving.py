"""Leaving a photo: nothing is lost without a question, and the question says what is true by then."""

import threading

import pytest
from textual.widgets import Button, Input, Static
from tui_fakes import invented
from tui_session import run, until

from npe_core.errors import EnvironmentFault
from npe_tui.document.document import EditDocument
from npe_tui.engine import messages
from npe_tui.screens.confirm import ConfirmScreen
from npe_tui.screens.open import OpenScreen
from npe_tui.screens.save import SaveScreen
from npe_tui.screens.variants import VariantsScreen
from npe_tui.widgets.gallery import Gallery


def test_leaving_asks_when_something_would_be_lost_as_it_is_by_then(start):
    """No note lies on the question. A picture that is finished meanwhile is asked about; variants wait for its end."""

    async def scenario():
        async with start((40, 12), notes=True) as session:
            await session.open()

            async def asked():
                await session.press("q")
                await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))

            await session.fill("7")
            session.app.notify("'nonsense' is no colour", timeout=60)
            await session.pilot.pause()
            await asked()
            assert not session.app._notifications
            assert [button.id for button in session.app.screen.query(Button)] == ["stay", "save_paint", "drop"]
            await session.press("enter")
            assert session.app.screen is session.screen

            number = await session.make("v", "variants")
            await asked()
            await session.say(messages.Edited(number, [invented(session.document, seed) for seed in range(4)]))
            for _ in range(3):
                await session.pilot.pause(0.1)
            assert isinstance(session.app.screen, ConfirmScreen)
            await session.press("escape")
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            painting = session.editing.painting
            assert painting.frozen, "what is chosen would be laid beside paint that it was not made of"
            await asked()
            await session.press("right", "enter")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await session.press("escape")
            await until(session.pilot, lambda: isinstance(session.app.screen, VariantsScreen))
            await session.press("escape")
            await until(session.pilot, lambda: not painting.frozen)

            def told():
                return " ".join(str(static.content) for static in session.app.screen.query(Static))

            number = await session.make("g", "edit")
            await asked()
            question = session.app.screen
            assert "The paint on me.png is not saved. What is being made of it is not done yet" in told()
            await session.press("right", "right")
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            await until(session.pilot, lambda: "The enhanced picture of me.png is not saved." in told())
            assert session.app.screen is question
            assert [button.id for button in question.query(Button)] == ["stay", "save", "drop"]
            assert question.focused is None, "Enter would answer what was not read"
            await session.press("right", "right", "right", "enter")
            await until(session.pilot, lambda: not session.app.is_running or session.app._exit)

    run(scenario)


@pytest.mark.parametrize("is_full", [False, True])
def test_leaving_waits_for_what_is_being_written_and_asks_about_what_is_unsaved_then(
    start, tmp_path, monkeypatch, is_full
):
    slow, write = threading.Event(), EditDocument.save

    def on_a_slow_disk(self, *arguments):
        assert slow.wait(60)
        if is_full:
            raise EnvironmentFault("No space left.")
        return write(self, *arguments)

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            app, status = session.app, session.screen.status
            await session.fill("7")
            await session.enhance()
            monkeypatch.setattr(EditDocument, "save", on_a_slow_disk)
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(app.screen, SaveScreen))
            await session.press("enter", "q")
            await until(session.pilot, lambda: status.message == "Saving me-edited.png…; leaves then")
            assert app.screen is session.screen and not app._exit
            slow.set()
            if is_full:
                await until(session.pilot, lambda: isinstance(app.screen, SaveScreen))
                assert status.message == "Not saved. No space left."
                await session.press("escape")
                await until(session.pilot, lambda: isinstance(app.screen, ConfirmScreen))
                await session.press("right", "right", "enter")
            await until(session.pilot, lambda: not app.is_running or app._exit)
            assert (tmp_path / "me-edited.png").exists() != is_full

    run(scenario)


@pytest.mark.parametrize(
    ("keys", "question"),
    [("qo", "Open another photo without saving?"), ("oq", "Quit without saving?"), ("qoq", "Quit without saving?")],
)
def test_of_several_ways_out_the_last_asks_once_the_save_has_ended(start, monkeypatch, keys, question):
    """The others ask nothing: neither over it nor once it is answered."""
    slow = threading.Event()

    def on_a_slow_disk(self, *arguments):
        assert slow.wait(60)
        raise EnvironmentFault("No space left.")

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            app, screen, status = session.app, session.screen, session.screen.status
            await session.fill("7")
            await session.enhance()
            monkeypatch.setattr(EditDocument, "save", on_a_slow_disk)
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(app.screen, SaveScreen))
            await session.press("enter")
            for key in keys:
                await session.press(key)
                if key == "o":
                    await until(session.pilot, lambda: isinstance(app.screen, OpenScreen))
                    gallery = app.screen.query_one(Gallery)
                    await until(session.pilot, lambda gallery=gallery: gallery.entry is not None)
                    await session.press("enter")
                    await until(session.pilot, lambda: app.screen is screen)
                await until(session.pilot, lambda: status.message == "Saving me-edited.png…; leaves then")
            slow.set()
            await until(session.pilot, lambda: isinstance(app.screen, SaveScreen))
            await session.press("escape")
            await until(session.pilot, lambda: isinstance(app.screen, ConfirmScreen) and app.screen.is_mounted)
            await session.pilot.pause(0.2)
            assert [type(above) for above in app.screen_stack[-2:]] == [type(screen), ConfirmScreen]
            assert str(app.screen.query_one(".dialog-title").content) == question
            await session.press("escape")
            await session.pilot.pause(0.2)
            assert app.screen is screen and not app._asking

    run(scenario)


def test_no_question_comes_over_the_browser_from_who_waited_to_quit(start, monkeypatch):
    slow, write = threading.Event(), EditDocument.save

    def on_a_slow_disk(self, *arguments):
        assert slow.wait(60)
        return write(self, *arguments)

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            app, screen = session.app, session.screen
            await session.fill("7")
            await session.enhance()
            monkeypatch.setattr(EditDocument, "save", on_a_slow_disk)
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(app.screen, SaveScreen))
            await session.press("enter", "5", "q", "o")
            await until(session.pilot, lambda: isinstance(app.screen, OpenScreen))
            slow.set()
            await until(
                session.pilot, lambda: screen.status.message.startswith("Saved") and screen.editing.document.unsaved
            )
            await session.pilot.pause(0.2)
            assert isinstance(app.screen, OpenScreen)

    run(scenario)


def test_leaving_saves_the_paint_where_there_is_no_picture(start, tmp_path):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            await session.press("q")
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            assert all(button.region.right <= 40 for button in session.app.screen.query(Button)), "all can be seen"
            await session.press("right", "enter")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await session.press("enter")
            await until(session.pilot, lambda: not session.app.is_running or session.app._exit)
            assert (tmp_path / "me-paint.png").exists()

    run(scenario)


def test_leaving_says_what_the_saved_picture_does_not_have(start, tmp_path):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            await session.fill("5")
            await session.press("q")
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            await session.press("right", "enter")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            assert any("last enhanced one" in str(text.content) for text in session.app.screen.query(Static))
            await session.press("enter")
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            assert (tmp_path / "me-edited.png").exists()
            told = " ".join(str(text.content) for text in session.app.screen.query(Static))
            assert "The enhanced picture of me.png is saved; what was painted since the last Enhance is not." in told
            await session.press("escape")
            assert session.app.screen is session.screen and session.document.unsaved_paint

    run(scenario)


def test_what_runs_is_stopped_when_its_photo_is_left(start, photo_file, tmp_path):
    another = tmp_path / "another.png"
    another.write_bytes(photo_file.read_bytes())

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            await session.make("t", "study")
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            await session.press("slash")
            session.app.screen.query_one(Input).value = str(another)
            await session.press("enter")
            await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
            assert session.engine.cancelled == 0
            await session.press("right", "right", "enter")
            await until(session.pilot, lambda: session.app.editing and session.app.editing.path == another)
            assert session.engine.cancelled == 1

    run(scenario)
