"""Words in a row: close together where that saves a row."""

import asyncio

import pytest
from textual.app import App

from npe_tui.widgets import Chip, Chips


@pytest.mark.parametrize(
    ("width", "rows"),
    [
        (20, [" one  two  three    "]),
        (15, [" one two three "]),
        (14, [" one  two     ", " three        "]),
    ],
)
def test_words_share_the_cell_between_them_where_that_saves_a_row_and_each_is_pressed_where_it_stands(width, rows):
    pressed, chips = [], Chips(tuple(Chip(name, name) for name in ("one", "two", "three")), "two")

    class Row(App):
        AUTO_FOCUS = None

        def compose(self):
            yield chips

        def on_chips_pressed(self, event):
            pressed.append(event.name)

    async def scenario():
        async with Row().run_test(size=(width, 4)) as pilot:

            def lines():
                return [chips.render_line(y).text for y in range(chips.region.height)]

            assert lines() == rows
            for word in ("one", "two", "three"):
                y = next(y for y, line in enumerate(rows) if word in line)
                for x in (rows[y].index(word), rows[y].index(word) + len(word) - 1):
                    await pilot.click(Chips, offset=(x, y))
                    assert pressed.pop() == word
            chips.focus()
            await pilot.pause()
            for word in ("one", "two", "three"):
                chips.cursor = ("one", "two", "three").index(word)
                assert f"[{word}]" in "".join(lines())

    asyncio.run(scenario())


def test_swatches_keep_their_width():
    swatches = Chips(tuple(Chip(name, name, "#8b2500") for name in ("one", "two", "three")))
    assert [len(row) for row in swatches._rows(5)] == [2, 1]
