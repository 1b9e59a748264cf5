"""Names of saved files: as they are typed, shown and proposed."""

from pathlib import Path

import pytest
from textual.widgets import Input, Static
from tui_session import run, until

from npe_core.errors import EnvironmentFault
from npe_tui.screens.confirm import ConfirmScreen
from npe_tui.screens.save import SaveScreen


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
