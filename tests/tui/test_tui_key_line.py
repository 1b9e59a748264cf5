"""The keys at the bottom: read as they are offered, pressed by the mouse."""

from tui_colours import cells, fill, readable
from tui_session import run, until

from npe_tui.widgets.key_line import KeyLine


def test_the_line_shows_the_keys_there_is_room_for_and_a_click_on_one_presses_it(start):
    async def scenario():
        async with start((60, 20)) as session:
            await session.open()
            line = session.screen.query_one(KeyLine)
            told = lambda: "".join(cell.text for cell in cells(line)).rstrip()  # noqa: E731
            await until(session.pilot, lambda: "f1 Help" in told())
            assert told() == " ".join(f"{key.display} {key.description}" for _, key in line.shown)
            assert len(line.shown) < len(line.offered), "not all fit"
            assert line.region.y == 19 and line.region.width == 60
            for column, key in line.shown:
                assert told()[column:].startswith(f"{key.display} {key.description}")

            at = {key.action: column for column, key in line.shown}
            ground = {fill(cell.style) for cell in cells(line)}
            assert len(ground) == 1
            await session.pilot.hover(line, (at["help"], 0))
            await until(session.pilot, lambda: {fill(cell.style) for cell in cells(line)} != ground)
            pointed = [cell.text for cell in cells(line) if fill(cell.style) not in ground]
            assert "".join(pointed) == "f1 Help"
            await session.pilot.hover("#easel")
            await until(session.pilot, lambda: {fill(cell.style) for cell in cells(line)} == ground)

            await session.pilot.click(line, (at["help"] + len("f1 Help") - 1, 0))
            await until(session.pilot, lambda: session.app.screen is not session.screen)
            await session.press("escape")
            await until(session.pilot, lambda: session.app.screen is session.screen)
            await session.pilot.click(line, (at["help"] + len("f1 Help"), 0))
            assert session.app.screen is session.screen, "between two keys"

    run(scenario)


def test_what_cannot_be_done_just_now_is_dim_and_a_click_on_it_does_nothing(start, monkeypatch):
    async def scenario():
        async with start((60, 20)) as session:
            await session.open()
            await session.fill("7")
            line = session.screen.query_one(KeyLine)

            await until(session.pilot, lambda: line.shown)

            def contrast():
                """Of each key's first letter."""
                letters = [cell.style for cell in cells(line) for _ in cell.text]
                return {key.action: readable(letters[column]) for column, key in line.shown}

            usable = contrast()
            await session.make("g", "edit")
            await until(session.pilot, lambda: contrast()["enhance"] < usable["enhance"])
            assert contrast()["help"] == usable["help"]
            rung, asked = [], len(session.engine.asked)
            monkeypatch.setattr(session.app, "bell", lambda: rung.append(True))
            assert line.shown[0][1].action == "enhance"
            await session.pilot.click(line, (0, 0))
            await session.pilot.pause()
            assert rung and len(session.engine.asked) == asked

    run(scenario)


def test_a_wide_line_tells_of_more_keys_the_important_first_and_of_all_that_it_has_room_for(start):
    async def scenario():
        async with start((200, 40)) as session:
            await session.open()
            line = session.screen.query_one(KeyLine)
            await until(session.pilot, lambda: line.shown)
            told = "".join(cell.text for cell in cells(line)).rstrip()
            assert told.startswith("g Enhance ^s Save f1 Help q Quit p Pick b Brush e Eraser u Undo")
            assert "c Before/after o Open v Variants t Study . Stronger , Weaker f3 " in told
            column, last = line.shown[-1]
            assert last == line.offered[-1] or column + last.wide + line.offered[len(line.shown)].wide >= 200
            await session.pilot.resize_terminal(120, 40)
            assert [key.description for _, key in line.shown][9:] == ["Open", "Variants", "Study", "Stronger"]

    run(scenario)
