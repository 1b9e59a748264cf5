"""Opening and saving: nothing is lost or overwritten without a question."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from textual import events
from textual.widgets import Footer, Input, Static
from textual.widgets._footer import FooterKey
from tui_fakes import invented
from tui_session import run, until

from npe_core.errors import EnvironmentFault
from npe_core.photo import Photo
from npe_tui import messages
from npe_tui.autosave import Autosave, left_behind
from npe_tui.screens import open as open_screen
from npe_tui.screens.confirm import ConfirmScreen
from npe_tui.screens.open import OpenScreen
from npe_tui.screens.save import SaveScreen
from npe_tui.thumbnails import entries_of
from npe_tui.widgets.gallery import Gallery


def test_saving_asks_before_overwriting(start, tmp_path):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("ctrl+s")
            assert "nothing to save yet" in session.screen.status.message
            await session.fill("7")
            await session.enhance()
            taken = tmp_path / "taken.png"
            taken.write_bytes(b"precious")
            await session.press("S")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            field = session.app.screen.query_one(Input)
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
    await until(session.pilot, lambda: session.screen.status.message == f"Saved {file}")
    return file


def test_a_file_of_this_session_is_saved_to_without_a_question(start):
    async def scenario():
        async with start((80, 24)) as session:
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

    run(scenario)


@pytest.mark.parametrize("new", [True, False])
def test_what_another_program_wrote_meanwhile_is_asked_about(start, new):
    async def scenario():
        async with start((80, 24)) as session:
            file = await save_first(session, "lips.png")
            if new:
                await session.enhance(6)
            theirs = bytes(len(file.read_bytes()))
            before = file.stat()
            file.write_bytes(theirs)
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # as a copy that keeps times would
            for _ in range(2):
                await session.press("ctrl+s")
                await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
                await session.press("enter")
                assert "exists already" in str(session.app.screen.query_one("#problem").content)
                await session.press("escape")
                assert file.read_bytes() == theirs
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await session.press("enter", "enter")
            await until(session.pilot, lambda: session.screen.status.message == f"Saved {file}")
            assert Photo.open(file).parameters["seed"] == (6 if new else 5)

    run(scenario)


def test_a_file_that_cannot_be_written_again_is_asked_for_with_the_reason(start, monkeypatch):
    def full(*arguments, **options):
        raise EnvironmentFault("No space left.")

    async def scenario():
        async with start((80, 24)) as session:
            file = await save_first(session, "lips.png")
            await session.enhance(6)
            monkeypatch.setattr(type(session.document), "save", full)
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            await until(session.pilot, lambda: session.app.screen.query("#problem"))
            assert str(session.app.screen.query_one("#problem").content) == "No space left."
            assert session.app.screen.query_one(Input).value == str(file)

    run(scenario)


def test_a_dropped_file_is_opened_and_its_path_takes_the_place_of_another(start, config, tmp_path):
    """Terminals paste the path of a file that is dropped on them, quoted for a shell."""
    photo = tmp_path / "a b.png"
    (tmp_path / "me.png").rename(photo)

    async def scenario():
        async with start((80, 24), None, replace(config, folder="/")) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            await session.press("slash")
            session.app.post_message(events.Paste(f"'{tmp_path}/'"))
            await session.pilot.pause()
            field = session.app.screen.query_one(Input)
            assert field.value == str(tmp_path)
            session.app.post_message(events.Paste("/more"))
            await session.pilot.pause()
            assert field.value == "/more"
            session.app.post_message(events.Paste("over"))
            await session.pilot.pause()
            assert field.value == "/moreover"
            await session.press("escape")
            session.app.post_message(events.Paste(f"'{photo}' "))
            await until(session.pilot, lambda: session.app.editing is not None)
            assert session.app.editing.path == photo

    run(scenario)


def test_letters_and_other_keys_that_come_at_once_keep_their_order(start, tmp_path):
    """As from a fast hand, or over a line that delivers them in one piece."""

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            await session.press("S")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            field = session.app.screen.query_one(Input)
            for key in (*["backspace"] * 4, ".", "j", "p", "g", "home", "delete", "/", "end"):
                letter = {".": ".", "/": "/"}.get(key, key if len(key) == 1 else None)
                session.app.post_message(events.Key({".": "full_stop", "/": "slash"}.get(key, key), letter))
            await until(session.pilot, lambda: field.value.endswith(".jpg"))
            assert field.value == str(tmp_path / "me-edited.jpg")
            session.app.post_message(events.Key("ctrl+u", None))
            session.app.post_message(events.Key("a", "a"))
            await until(session.pilot, lambda: field.value == "a")

    run(scenario)


def test_a_key_that_is_pressed_twice_asks_once(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            for key, kind in (("q", ConfirmScreen), ("S", SaveScreen), ("o", OpenScreen)):
                action = {"q": "app.leave", "S": "save_as", "o": "open"}[key]
                for _ in range(2):
                    await session.screen.run_action(action)  # both before the dialog is there to take the second
                await until(session.pilot, lambda kind=kind: isinstance(session.app.screen, kind))
                for _ in range(3):
                    await session.pilot.pause()
                assert len(session.app.screen_stack) == 3, key
                await session.press("escape")
                await until(session.pilot, lambda: session.app.screen is session.screen)

    run(scenario)


def test_the_question_where_to_save_knows_of_an_enhance_that_ends_meanwhile(start):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            await session.fill("5")
            number = await session.make("g", "edit")
            await session.press("ctrl+s")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            warning = session.app.screen.query_one("#stale")
            assert warning.display
            await session.say(messages.Edited(number, [invented(session.document, 5)]))
            await until(session.pilot, lambda: not warning.display)

    run(scenario)


def test_the_browser_opens_a_photo_and_says_what_is_no_photo(start, photo_file, config, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture at all")

    async def scenario():
        async with start((80, 24), None, replace(config, folder=str(tmp_path))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            gallery = session.app.screen.query_one("#gallery")
            await until(session.pilot, lambda: gallery.entry is not None)
            assert gallery.entry.path.name == "broken.png"
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is None)
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            await until(session.pilot, lambda: "broken.png" in session.app.screen.query_one("StatusLine").message)
            field = session.app.screen.query_one(Input)
            await session.press("slash")
            assert field.has_focus
            field.value = str(photo_file)
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is not None and session.document is not None)
            assert session.app.recent.photos == [photo_file]

    run(scenario)


def test_a_whole_path_can_be_typed_on_the_list(start, photo_file, config, tmp_path):
    """Its first slash leads to the field, which begins with the folder."""
    (tmp_path / "empty").mkdir()

    async def scenario():
        async with start((80, 24), None, replace(config, folder=str(tmp_path / "empty"))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            field = session.app.screen.query_one(Input)
            await until(session.pilot, lambda: field.value == f"{tmp_path}/empty/")
            await session.press("slash")
            field.insert_text_at_cursor(str(photo_file)[1:])
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is not None and session.document is not None)
            assert session.app.recent.photos == [photo_file]

    run(scenario)


def test_what_is_typed_while_a_folder_is_read_stays(start, photo_file, config, tmp_path, monkeypatch):
    """A large folder, or one on a slow disk: the field does not wait for its list."""
    listed = threading.Event()
    monkeypatch.setattr(open_screen, "entries_of", lambda folder: listed.wait(20) and entries_of(folder))

    async def scenario():
        async with start((80, 24), None, replace(config, folder=str(tmp_path))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen = session.app.screen
            field = screen.query_one(Input)
            await session.press("slash", *photo_file.name)
            assert not screen.query_one(Gallery).entry
            listed.set()
            await until(session.pilot, lambda: screen.query_one(Gallery).entry)
            assert field.value == str(photo_file)

    run(scenario)


def shown_keys(screen):
    """What the key line offers: key and name."""
    return {(key.key_display, key.description) for key in screen.query_one(Footer).query(FooterKey)}


def test_the_browser_has_a_key_to_each_list_and_back_to_the_folder(start, config, photo_file, tmp_path):
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
                await until(session.pilot, lambda: lists <= shown_keys(screen))
                up = ("⌫", "Up") in shown_keys(screen)
                assert up == (name == "folder"), shown_keys(screen)
                assert field.value == f"{tmp_path}/", "the folder that was left is the one that comes back"
            assert status.message.startswith("Unsaved work is kept (u). 1 photo in")
            await session.press("backspace")
            await until(session.pilot, lambda: field.value == f"{tmp_path.parent}/")
        async with start((100, 30)) as session:
            session.screen._ask_recovery = later
            await session.open()
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen = session.app.screen
            await until(session.pilot, lambda: screen.query_one("StatusLine").message)
            assert screen.query_one("#lists").chosen == "folder", "it was offered when the editor started"

    async def later(title, question):
        return "later"

    run(scenario)


@pytest.mark.parametrize(("most", "opens"), [(0.01, False), (0.03, True)])
def test_the_browser_opens_photos_up_to_the_limit_of_the_settings(start, config, tmp_path, most, opens):
    large = tmp_path / "large.png"
    Image.new("RGB", (200, 100)).save(large)
    settings = replace(config, folder=str(tmp_path), max_megapixels=most)

    async def scenario():
        async with start((100, 30), None, settings) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen = session.app.screen
            await until(session.pilot, lambda: screen.query_one("#gallery").entry is not None)
            screen.query_one(Input).value = str(large)
            status = screen.query_one("StatusLine")
            await session.press("slash", "enter")
            await until(session.pilot, lambda: status.serious or session.app.editing is not None)
            assert (session.app.editing is not None) == opens, status.message

    run(scenario)


def test_escape_leaves_a_browser_only_where_something_lies_below(start, config, tmp_path):
    async def scenario():
        async with start((100, 30), None, replace(config, folder=str(tmp_path))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen = session.app.screen
            await until(session.pilot, lambda: screen.query_one("#gallery").entry is not None)
            await session.press("tab", "escape")
            assert session.app.is_running and not session.app._exit and session.app.screen is screen
            await until(session.pilot, lambda: ("q", "Quit") in shown_keys(screen))
            assert not any(name == "Back" for _, name in shown_keys(screen))
            await session.press("slash")
            await until(session.pilot, lambda: any(name == "Back" for _, name in shown_keys(screen)))
            await session.press("escape")
            assert session.app.screen is screen and screen.query_one("#gallery").has_focus
            await session.press("enter")
            await until(session.pilot, lambda: session.app.editing is not None)
            await session.press("o")
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            await until(session.pilot, lambda: any(n == "Back" for _, n in shown_keys(session.app.screen)))
            await session.press("escape")
            await until(session.pilot, lambda: session.app.screen is session.screen)

    run(scenario)


def test_the_browser_says_which_path_cannot_be_meant_or_looked_at(start, config, tmp_path, monkeypatch):
    refused = tmp_path / "theirs"

    async def scenario():
        async with start((80, 24), None, replace(config, folder=str(tmp_path))) as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            screen, look = session.app.screen, Path.stat
            for typed, told in (("~nobody-of-this-name", "There is no file"), ("/" + 300 * "x", "cannot be opened")):
                await session.press("slash", "ctrl+u", *typed[:2])
                screen.query_one(Input).value = typed
                await session.press("enter")
                assert session.app.screen is screen and told in screen.query_one("StatusLine").message

            def stat(path, **options):
                if path == refused:
                    raise PermissionError(13, "Permission denied", str(path))
                return look(path, **options)

            monkeypatch.setattr(Path, "stat", stat)
            screen.query_one(Input).value = str(refused)
            await session.press("slash", "enter")
            assert "Permission denied" in screen.query_one("StatusLine").message

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


def test_a_name_that_is_too_long_or_missing_is_asked_for(start, tmp_path):
    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.press("P")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            screen = session.app.screen
            screen.query_one(Input).value = f"{tmp_path}/{300 * 'x'}.png"
            await session.press("enter")
            assert session.app.screen is screen and "too long" in str(screen.query_one("#problem").content)
            screen.query_one(Input).value = " "
            await session.press("enter")
            assert str(screen.query_one("#problem").content) == "Write a name, for example me-paint.png."

    run(scenario)


def test_what_could_not_be_written_is_asked_for_again_as_it_was_typed(start, tmp_path, monkeypatch):
    import npe_core.photo

    write, full = npe_core.photo.write_atomically, [True]

    def on_a_full_disk(*arguments, **options):
        if full:
            raise EnvironmentFault("No space left.")
        write(*arguments, **options)

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            await session.fill("7")
            monkeypatch.setattr(npe_core.photo, "write_atomically", on_a_full_disk)
            await session.press("P")
            await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
            first = session.app.screen
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


def test_a_photo_that_cannot_be_opened_costs_nothing(start, photo_file, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture at all")

    async def scenario():
        async with start((80, 24)) as session:
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


def test_a_broken_photo_at_the_start_leads_to_its_folder(start, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "broken.png").write_bytes(b"no picture at all")

    async def scenario():
        async with start((80, 24), folder / "broken.png") as session:
            await until(session.pilot, lambda: isinstance(session.app.screen, OpenScreen))
            browser = session.app.screen
            await until(session.pilot, lambda: browser.query_one(Input).value == f"{folder}/")
            await until(session.pilot, lambda: "broken.png" in browser.query_one("StatusLine").message)

    run(scenario)


def test_a_name_alone_is_beside_the_photo_a_path_from_here_and_its_folder_is_made_when_asked(
    start, tmp_path, monkeypatch
):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    async def scenario():
        async with start((120, 40)) as session:
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
                told = f"Saved {file}"
                await until(session.pilot, lambda told=told: session.screen.status.message == told)
                assert file.exists()
            await session.enhance(6)
            await session.press("ctrl+s")
            await until(session.pilot, lambda: session.screen.status.message == f"Saved again as {file}.")

    run(scenario)
