"""Letters that take two cells: what stands beside them is in sight, and a click is for what is seen there."""

from dataclasses import replace

import pytest
from rich.cells import cell_len
from tui_colours import cells
from tui_session import run

from npe_tui.widgets import Chips


@pytest.mark.parametrize("message", ["", "写真を開いています"])
def test_the_size_stands_beside_a_wide_name(start, message):
    async def scenario():
        async with start((46, 12)) as session:
            await session.open()
            status = session.screen.status
            status.say(message)
            status.facts = ("日本語の写真.png", "512x512")
            await session.pilot.pause()
            line = "".join(segment.text for segment in cells(status))
            assert cell_len(line) == 46 and line.startswith(f" {message}")
            assert line.endswith("日本語の写真.png · 512x512 " if not message else "日本語の写真.png ")

    run(scenario)


def test_a_click_on_a_wide_word_presses_it_and_no_neighbour_and_all_are_in_sight(start, config):
    presets = {
        name: {"timestep": timestep} for name, timestep in (("強いほう", 400), ("弱いほうです", 100), ("中", 200))
    }

    async def scenario():
        async with start((120, 40), settings=replace(config, presets=presets)) as session:
            await session.open()
            chips = session.screen.query_one("#presets", Chips)
            seen = {}
            for row in range(chips.size.height):
                line = "".join(segment.text for segment in cells(chips, row))
                seen |= {name: (cell_len(line[: line.index(name)]), row) for name in presets if name in line}
            for name, (column, row) in seen.items():
                for offset in ((column, row), (column + cell_len(name) - 1, row)):
                    chips.chosen = None
                    await session.pilot.click(chips, offset=offset)
                    assert chips.chosen == name, offset
            assert [*seen] == [*presets]

    run(scenario)
