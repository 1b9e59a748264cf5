"""What lies under a dialog is not painted for nothing, and what lies over is there before its keys are."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.segment import ControlType, Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.widgets import Button, Input, Static
from tui_colours import cells, contrast, fill, readable
from tui_session import run, until

from npe_tui.in_order import InOrder
from npe_tui.screens import dialog
from npe_tui.screens.confirm import ConfirmScreen
from npe_tui.screens.faces import FaceScreen
from npe_tui.screens.save import SaveScreen
from npe_tui.screens.study import StudyScreen


@pytest.mark.parametrize("key", ["q", "P", "question_mark"])
def test_control_c_in_a_dialog_says_there_how_to_quit(start, key):
    async def scenario():
        async with start((40, 12), notes=True) as session:
            await session.open()
            await session.fill("7")
            await session.press(key)
            await until(session.pilot, lambda: session.app.screen is not session.screen)
            dialog = session.app.screen
            await until(session.pilot, lambda: dialog.is_mounted)
            await session.press("end", "ctrl+c", "ctrl+c")  # what is selected is copied
            await until(session.pilot, lambda: dialog.query("#how-to-quit"))
            await session.pilot.pause()
            hint = dialog.query_one("#how-to-quit")
            assert str(hint.content) == "Esc leaves this; q quits then."
            assert hint.region.height == 1 and dialog.query_one(".dialog").region.contains_region(hint.region)
            assert all(button.region.bottom <= 12 for button in dialog.query(Button)) and hint.region.bottom <= 12
            await session.press("escape")
            assert session.app.screen is session.screen and not session.app._notifications

    run(scenario)


async def ask_where(session):
    await session.fill("7")
    await session.press("P")
    await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen) and session.app.screen.is_mounted)


def test_a_letter_in_the_save_dialog_changes_nothing_else(start, monkeypatch):
    changed = []
    update, refresh = Static.update, Button.refresh
    monkeypatch.setattr(Static, "update", lambda self, *a, **k: [changed.append(self.id), update(self, *a, **k)][1])
    monkeypatch.setattr(
        Button,
        "refresh",
        lambda self, *a, **k: [changed.append(self.id if k.get("layout") else ""), refresh(self, *a, **k)][1],
    )

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            await ask_where(session)
            field, problem = session.app.screen.query_one(Input), session.app.screen.query_one("#problem")
            field.value = ""
            await session.press("enter")
            assert "Write a name" in str(problem.content)
            await session.press("a")
            assert not str(problem.content)
            changed.clear()
            await session.press("b", "c", "d")
            assert field.value == "abcd" and not {"problem", "write"} & set(changed)

    run(scenario)


def test_a_name_to_save_as_is_completed_beside_the_photo_and_by_no_photo(start, photo_file, tmp_path, monkeypatch):
    """Where it is then saved; other photos are no place to save to."""
    for name in ("zebra", "elsewhere/zeal"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "zeal.png").touch()
    monkeypatch.chdir(tmp_path / "elsewhere")

    async def scenario():
        async with start((40, 12), Path("..") / photo_file.name) as session:
            await session.open()
            await ask_where(session)
            field = session.app.screen.query_one(Input)
            await session.press("z", "e")
            await until(session.pilot, lambda: field._suggestion)
            await session.press("right", "a", ".", "p", "n", "g")
            assert field.value == "zebra/a.png"
            field.value = ""
            await session.press("z", "e", "d", ".", "p", "n", "g", "enter")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            await until(session.pilot, (tmp_path / "zed.png").exists)
            await until(session.pilot, lambda: session.screen.status.message.startswith("Saved"))

    run(scenario)


def test_a_folder_that_went_meanwhile_is_named_and_made_again(start, photo_file, tmp_path, monkeypatch):
    """Also where it is the one that the editor was started in, which is then nowhere."""
    folder = tmp_path / "gone"
    folder.mkdir()
    photo_file.rename(folder / photo_file.name)
    with monkeypatch.context() as inside:
        inside.chdir(folder)

        async def scenario():
            async with start((60, 18), Path(photo_file.name)) as session:
                await session.open()
                shutil.rmtree(folder)
                await ask_where(session)
                await session.press("enter")
                told = str(session.app.screen.query_one("#problem").content)
                assert told == f"There is no folder {folder}. Enter once more creates it."
                await session.press("enter")
                await until(session.pilot, (folder / "me-paint.png").exists)
                await until(session.pilot, lambda: session.screen.status.message.startswith("Saved"))

        run(scenario)


def test_the_keys_of_the_photo_are_not_told_anew_where_none_changed_or_under_a_dialog(start):
    """Others may have the focus. Under a dialog all of the dimmed picture would be painted again; they are told when it
    goes.
    """

    async def scenario():
        async with start((80, 24)) as session:
            await session.open()
            line = session.screen.query_one("KeyLine")
            await until(session.pilot, lambda: line.offered)
            before = line.offered
            await ask_where(session)
            session.editing.running._making = 1
            session.screen.refresh_bindings()
            for _ in range(5):
                await session.pilot.pause()
            assert line.offered == before and before[0].enabled
            await session.press("escape")
            await until(session.pilot, lambda: line.offered != before)
            assert line.offered[0].action == "enhance" and not line.offered[0].enabled

            session.screen.query_one("#presets").focus()
            await session.pilot.pause()
            await until(session.pilot, lambda: line.offered)
            before = line.offered
            session.screen.query_one("#samplers").focus()
            await session.pilot.pause()
            session.screen.refresh_bindings()
            for _ in range(3):
                await session.pilot.pause()
            assert line.offered is before

    run(scenario)


def test_a_dialog_dims_what_lies_below_as_textual_does_and_each_colour_once(start):
    photo = [Segment("▀", Style(color=f"#{n:02x}2030", bgcolor=f"#20{n:02x}40")) for n in range(256)]
    others = [
        Segment("a", Style(bold=True, meta={"x": 1})),
        Segment("b"),
        Segment.line(),
        Segment("c", Style(link="d")),
    ]
    control = Segment("", None, [(ControlType.BELL,)])
    for colour in (Color(18, 18, 18, 0.6), Color(0, 0, 0, 0)):
        expected = list(BackgroundScreen.process_segments([*photo, *others, control], colour))
        assert list(dialog._Dimmed.process_segments([*photo, *others, control], colour)) == expected

    async def scenario():
        async with start((120, 40)) as session:
            await session.open()
            await ask_where(session)
            await session.pilot.pause()
            before = dialog._dimmed.cache_info()
            session.app.screen.refresh()
            await until(session.pilot, lambda: dialog._dimmed.cache_info().hits > before.hits + 1000)
            assert dialog._dimmed.cache_info().misses == before.misses

    run(scenario)


class Unnoting(InOrder):
    """An app without notes."""

    def hold_notes(self):
        pass

    tell_held_notes = hold_notes


@pytest.mark.parametrize(
    ("screen", "key"),
    [
        (lambda: StudyScreen(np.zeros((776, 1296, 3), np.uint8), (200, 300, 400), 200, "auto"), "right"),
        (lambda: FaceScreen(np.zeros((96, 80, 3), np.uint8), [], "auto"), "space"),
    ],
)
def test_a_key_that_comes_with_a_screen_waits_until_its_parts_are_there(screen, key):
    async def scenario():
        app = Unnoting()
        async with app.run_test() as pilot:
            shown = screen()
            app.push_screen(shown)
            app.post_message(events.Key(key, None))
            await until(pilot, lambda: shown.is_mounted)
            for _ in range(3):
                await pilot.pause()
            if key == "right":
                assert shown.query_one("#timesteps").chosen == "300"
            else:
                assert "Arrows move the cursor" in str(shown.query_one("#title").content)

    asyncio.run(scenario())


def fills(screen, theme):
    """Name of each button -> what its label stands on."""
    return {button.id: fill(cells(button)[len(cells(button)) // 2].style, theme) for button in screen.query(Button)}


def only_strong(screen, theme):
    """The one button that leaps to the eye: from the dialog, and from the others, which lie as flat as it."""
    seen, ground = fills(screen, theme), fill(cells(screen.query_one(".dialog-title"))[0].style, theme)
    (strong,) = (name for name in seen if contrast(seen[name], ground) >= 3)
    quiet = [seen[name] for name in seen if name != strong]
    assert all(contrast(seen[strong], other) >= 3 and contrast(other, ground) < 1.5 for other in quiet), seen
    assert max(readable(cell.style, theme) for cell in cells(screen.query_one(f"#{strong}"))) >= 4.5
    return strong


def test_the_strong_button_is_the_one_that_enter_presses(start):
    async def scenario():
        async with start((64, 20)) as session:
            await session.open()
            await session.fill("7")
            await session.enhance()
            for theme in ("npe-dark", "npe-light", "ansi-dark", "ansi-light"):
                session.app.theme = theme
                await session.pilot.pause()
                await session.press("q")
                await until(session.pilot, lambda: isinstance(session.app.screen, ConfirmScreen))
                screen = session.app.screen
                for name in ("stay", "save", "drop", "stay"):
                    await until(session.pilot, lambda name=name: session.app.focused.id == name)
                    await session.pilot.pause()
                    assert only_strong(screen, theme) == name
                    await session.press("right")
                screen.set_focus(None)
                await session.pilot.pause()
                assert only_strong(screen, theme) == "stay"
                await session.press("enter")
                assert session.app.screen is session.screen, "that is what Enter does then"
                await session.press("S")
                await until(session.pilot, lambda: isinstance(session.app.screen, SaveScreen))
                await session.pilot.pause()
                assert only_strong(session.app.screen, theme) == "write", "Enter in the field"
                await session.press("tab", "tab")
                assert only_strong(session.app.screen, theme) == "back"
                await session.press("escape")
                await until(session.pilot, lambda: session.app.screen is session.screen)

    run(scenario)
