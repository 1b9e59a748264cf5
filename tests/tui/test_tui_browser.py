"""Opening: the browser of photos, paths that are typed or dropped, and what cannot be opened."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image
from textual import events
from textual.widgets import Input
from tui_session import run, until

from npe_core.errors import InputError
from npe_tui.editing.opening import Opening
from npe_tui.files import opening
from npe_tui.files.autosave import Autosave, left_behind
from npe_tui.files.thumbnails import entries_of, thumbnail
from npe_tui.screens import open as open_screen
from npe_tui.screens.help import HelpScreen
from npe_tui.screens.open import OpenScreen
from npe_tui.widgets.gallery import Gallery
from npe_tui.widgets.key_line import KeyLine


def test_a_dropped_file_is_opened_as_is_a_whole_path_that_is_typed_on_the_list(start, config, tmp_path):
    """Terminals paste the path of a file that is dropped on them, quoted for a shell; it takes the place of another.

    The first slash of a typed one leads to the field, which begins with the folder.
    """
    photo, other = tmp_path / "a b.png", tmp_path / "other.png"
    (tmp_path / "me.png").rename(photo)
    other.write_bytes(photo.read_bytes())
    (tmp_path / "empty").mkdir()

    async def scenario():
        async with start((40, 12), None, replace(config, folder=str(tmp_path / "empty"))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            field = session.app.screen.query_one(Input)
            await until(session.pilot, lambda: field.value == f"{tmp_path}/empty/")
            await session.press("slash")
            session.app.post_message(events.Paste(f"'{tmp_path}/'"))
            await session.pilot.pause()
            assert field.value == str(tmp_path)
            session.app.post_message(events.Paste("/more"))
            await session.pilot.pause()
            assert field.value == "/more"
            session.app.post_message(events.Paste("over"))
            await session.pilot.pause()
            assert field.value == "/moreover"
            await session.press("escape")
            session.app.post_message(events.Paste(f"'{photo}' "))
            await until(session.pilot, lambda: session.app.editing is not None and session.document is not None)
            assert session.app.editing.path == photo

            await session.open()
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            field = session.app.screen.query_one(Input)
            await until(session.pilot, lambda: field.value == f"{tmp_path}/")
            await session.press("slash")
            field.insert_text_at_cursor(str(other)[1:])
            await session.press("enter")
            await until(session.pilot, lambda: session.app.recent.photos == [other, photo])
            assert session.app.editing.path == other

    run(scenario)


def test_the_browser_opens_a_photo_and_says_why_it_opens_no_other_path(
    start, photo_file, config, tmp_path, monkeypatch
):
    """One of nobody, one that can be no name, one that may not be looked at, a file that is no photo."""
    (tmp_path / "broken.png").write_bytes(b"no picture at all")
    refused, look = tmp_path / "theirs", Path.stat

    def stat(path, **options):
        if path == refused:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **options)

    async def scenario():
        async with start((40, 12), None, replace(config, folder=str(tmp_path))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen, gallery = session.app.screen, session.app.screen.query_one("#gallery")
            await until(session.pilot, lambda: gallery.entry is not None)
            status, long = screen.query_one("StatusLine"), 300 * "x"
            for typed, told in (
                ("~nobody-of-this-name", "There is no file '~nobody-of-this-name'. Check the path."),
                (f"/tmp/{long}", f"'{long}' cannot be opened: File name too long."),
            ):
                await session.press("slash", "ctrl+u", *typed[:2])
                screen.query_one(Input).value = typed
                await session.press("enter")
                await until(session.pilot, lambda told=told: status.message == told)
                assert session.app.screen is screen
            with monkeypatch.context() as patch:
                patch.setattr(Path, "stat", stat)
                screen.query_one(Input).value = str(refused)
                await session.press("slash", "enter")
                await until(session.pilot, lambda: status.message.startswith("'theirs' may not be read"))
            await session.press("escape")
            assert gallery.has_focus and gallery.entry.path.name == "broken.png"
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is None)
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            no_picture = "'broken.png' is not a picture"
            await until(session.pilot, lambda: status.message.startswith(no_picture))
            field = session.app.screen.query_one(Input)
            await session.press("slash")
            assert field.has_focus
            field.value = str(photo_file)
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is not None and session.document is not None)
            assert session.app.recent.photos == [photo_file]

    run(scenario)


def shown_keys(screen):
    """What the key line offers: key and name."""
    return {(key.display, key.description) for _, key in screen.query_one(KeyLine).shown}


def test_the_browser_has_a_key_to_each_list_and_back_to_the_folder(start, config, photo_file, tmp_path, monkeypatch):
    left = Autosave(tmp_path / "state" / "npe" / "autosave", photo_file, 60.0, lambda: b"")
    left.touch()
    left.close()
    assert left_behind(left.file.parent)
    lists = {("f", "Folder"), ("r", "Recent"), ("u", "Unsaved")}

    async def scenario():
        async with start((100, 30), None, replace(config, folder=str(tmp_path))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen = session.app.screen
            chips, field, status = screen.query_one("#lists"), screen.query_one(Input), screen.query_one("StatusLine")
            await until(session.pilot, lambda: chips.chosen == "unsaved" and field.value)
            for key, name in (("r", "recent"), ("backspace", "folder"), ("u", "unsaved"), ("f", "folder")):
                await session.press(key)
                await until(session.pilot, lambda name=name: chips.chosen == name)
                wanted = lists | ({("⌫", "Up")} if name == "folder" else set())
                shown = lambda: {key for key in shown_keys(screen) if key[1] in {"Up", *dict(lists).values()}}  # noqa: E731
                await until(session.pilot, lambda wanted=wanted, shown=shown: shown() == wanted)
                assert field.value == f"{tmp_path}/", "the folder that was left is the one that comes back"
            assert status.message.startswith("Unsaved work is kept (u). 1 photo in")
            await session.press("backspace")
            await until(session.pilot, lambda: field.value == f"{tmp_path.parent}/")
        monkeypatch.setattr(Opening, "_ask", later)
        async with start((40, 12)) as session:
            await session.open()
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen = session.app.screen
            await until(session.pilot, lambda: screen.query_one("StatusLine").message)
            assert screen.query_one("#lists").chosen == "folder", "it was offered when the editor started"

    async def later(screen, title, question, fits):
        return "later"

    run(scenario)


def test_the_browser_opens_photos_up_to_the_limit_of_the_settings(start, config, photo_file, tmp_path):
    large = tmp_path / "large.png"
    Image.new("RGB", (200, 100)).save(large)  # 0.02 megapixels; the other has 0.0077
    settings = replace(config, folder=str(tmp_path), max_megapixels=0.01)

    async def scenario():
        async with start((40, 12), None, settings) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen = session.app.screen
            await until(session.pilot, lambda: screen.query_one("#gallery").entry is not None)
            await session.press("slash")
            screen.query_one(Input).value = str(large)
            await session.press("enter")
            await until(session.pilot, lambda: screen.query_one("StatusLine").serious)
            assert session.app.editing is None
            screen.query_one(Input).value = str(photo_file)
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is not None and session.document is not None)

    run(scenario)


def test_what_is_typed_while_a_folder_is_read_stays_and_escape_leaves_a_browser_only_for_what_lies_below(
    start, config, photo_file, tmp_path, monkeypatch
):
    """A large folder, or one on a slow disk: the field does not wait for its list."""
    listed = threading.Event()
    monkeypatch.setattr(open_screen, "entries_of", lambda folder: listed.wait(20) and entries_of(folder))

    async def scenario():
        async with start((40, 12), None, replace(config, folder=str(tmp_path))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen = session.app.screen
            field, gallery = screen.query_one(Input), screen.query_one(Gallery)
            await session.press("slash", *photo_file.name)
            assert not gallery.entry
            listed.set()
            await until(session.pilot, lambda: gallery.entry)
            assert field.value == str(photo_file)

            await session.press("tab", "escape")
            assert session.app.is_running and not session.app._exit and session.app.screen is screen
            await until(session.pilot, lambda: ("q", "Quit") in shown_keys(screen))
            assert not any(name == "Back" for _, name in shown_keys(screen))
            await session.press("slash")
            await until(session.pilot, lambda: any(name == "Back" for _, name in shown_keys(screen)))
            await session.press("escape")
            assert session.app.screen is screen and gallery.has_focus
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is not None)
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            await until(session.pilot, lambda: any(n == "Back" for _, n in shown_keys(session.app.screen)))
            await session.press("escape")
            await until(session.pilot, lambda: session.app.screen is session.screen)

    run(scenario)


def test_a_photo_that_cannot_be_opened_costs_nothing(start, photo_file, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture at all")

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await session.fill("7")
            document = session.document
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            browser = session.app.screen
            await session.press("slash")
            browser.query_one(Input).value = str(tmp_path / "broken.png")
            await session.press("enter")
            await until(session.pilot, lambda: "broken.png" in browser.query_one("StatusLine").message)
            await until(session.pilot, lambda: session.app._notifications)
            assert any("broken.png" in notification.message for notification in session.app._notifications)
            assert session.app.screen is browser
            await session.press("escape", "escape")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            assert session.document is document and document.marked

    run(scenario)


@pytest.mark.parametrize("where", ["npe_tui.files.opening.EditDocument", "npe_tui.hand.easel.Easel.open"])
def test_a_photo_that_memory_is_too_small_for_is_told_and_leads_to_the_browser(start, monkeypatch, where):
    async def scenario():
        with monkeypatch.context() as patch:
            patch.setattr(where, no_memory)
            async with start((80, 24)) as session:
                await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
                browser = session.app.screen
                told = lambda: browser.query_one("StatusLine").message  # noqa: E731
                await until(session.pilot, lambda: told().startswith("Not enough memory. Close other programs"))
                assert session.app.editing is None
                patch.undo()
                await session.press("enter")
                await until(session.pilot, lambda: session.app.editing is not None and session.document is not None)

    run(scenario)


def test_a_photo_that_fails_while_help_is_read_leads_to_the_browser(start, monkeypatch):
    async def scenario():
        helped = asyncio.Event()

        async def read(path, limit):
            await helped.wait()
            raise InputError("no picture at all")

        monkeypatch.setattr("npe_tui.files.opening.read", read)
        async with start((80, 24)) as session:
            await session.press("f1")
            await until(session.pilot, lambda: isinstance(session.app.screen, HelpScreen))
            helped.set()
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            assert session.app.editing is None
            assert "no picture at all" in session.app.screen.query_one("StatusLine").message

    run(scenario)


def test_another_photo_that_memory_is_too_small_for_costs_nothing(start, monkeypatch):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            document = session.document
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            browser = session.app.screen
            await until(session.pilot, lambda: browser.query_one(Gallery).entry is not None)
            monkeypatch.setattr("npe_tui.files.opening.EditDocument", no_memory)
            await session.press("enter")
            await until(session.pilot, lambda: browser.query_one("StatusLine").message.startswith("Not enough memory"))
            assert session.app.screen is browser
            await session.press("escape")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            assert session.document is document and document.marked

    run(scenario)


def no_memory(*_, **__):
    raise MemoryError


def test_a_folder_that_is_named_at_the_start_is_the_one_to_choose_from(start, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    async def scenario():
        async with start((40, 12), Path("..")) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            browser = session.app.screen
            await until(session.pilot, lambda: "1 photo in" in browser.query_one("StatusLine").message)
            assert browser.query_one(Input).value == f"{tmp_path}/" and not session.app._notifications

    run(scenario)


def test_a_broken_photo_at_the_start_leads_to_its_folder(start, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "broken.png").write_bytes(b"no picture at all")

    async def scenario():
        async with start((40, 12), folder / "broken.png") as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            browser = session.app.screen
            await until(session.pilot, lambda: browser.query_one(Input).value == f"{folder}/")
            told = browser.query_one("StatusLine")
            await until(session.pilot, lambda: told.message.startswith("'broken.png' is not a picture"))

    run(scenario)


def test_a_large_photo_is_seen_while_it_is_opened_where_it_will_be_and_cannot_be_painted_on(
    start, config, image, tmp_path, monkeypatch
):
    """It lies in the file on its side; no cell is empty in between, and few change when the photo itself comes."""
    photo, read, slow = tmp_path / "large.jpg", opening.read, threading.Event()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    lying = Image.fromarray(np.ascontiguousarray(np.rot90(image))).resize((1152, 960), Image.Resampling.NEAREST)
    lying.save(photo, quality=95, exif=exif)

    async def slowly(*arguments):
        await asyncio.to_thread(slow.wait, 20)
        return await read(*arguments)

    monkeypatch.setattr(opening, "read", slowly)

    async def scenario():
        async with start((80, 24), photo, replace(config, depth="true")) as session:
            view, title = session.editing.easel.view, session.screen.query_one("#title")
            shown = lambda: title.render_line(0).text  # noqa: E731
            await until(session.pilot, lambda: shown().startswith(" large.jpg  960x1152  opening"))
            await until(session.pilot, lambda: session.editing.ready and not view._flushing)
            small, codes, drawn = view._scene.picture, view._codes.copy(), []
            assert small.size[0] < 200 and len(np.unique(codes)) > 20
            await session.press("b", "right", "space", "7", "g", "u", "P", "c")
            assert view._scene.picture is small and session.document is None
            flush = type(view)._flush
            monkeypatch.setattr(type(view), "_flush", lambda self: (flush(self), drawn.append(self._codes.copy()))[0])
            slow.set()
            await until(session.pilot, lambda: session.document is not None and drawn)
            await until(session.pilot, lambda: not view._flushing)
            assert view._scene.picture.size == (960, 1152)
            channels = lambda codes: codes.view(np.uint8).astype(int)  # noqa: E731
            for each in drawn:
                assert np.abs(channels(each) - channels(codes)).mean() < 3

    run(scenario)


def test_what_would_take_as_long_as_the_photo_itself_is_not_decoded_twice(photo_file):
    assert thumbnail(photo_file, 40, 40) is not None and thumbnail(photo_file, 40, 40, quick=True) is None
