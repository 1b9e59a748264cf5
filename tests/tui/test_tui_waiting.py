"""A test whose app or program ends fails at once, with the reason, and does not wait out its patience."""

import pytest
from emulated import Emulated
from tui_session import run, until

from npe_tui.app import NpeApp


def test_what_ends_the_app_is_raised_where_a_test_waits(start, monkeypatch):
    def fault(self):
        raise RuntimeError("boom")

    monkeypatch.setattr(NpeApp, "action_next_theme", fault)
    waits = []

    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            session.app.call_later(session.app.action_next_theme)
            await until(session.pilot, lambda: waits.append(1))

    with pytest.raises(RuntimeError, match="boom"):
        run(scenario)
    assert len(waits) < 5


def test_who_waits_in_an_app_that_was_left_fails(start):
    async def scenario():
        async with start((40, 12)) as session:
            await session.open()
            session.app.exit()
            await until(session.pilot, lambda: False)

    with pytest.raises(AssertionError, match="has ended"):
        run(scenario)


def test_what_a_program_said_at_its_end_is_told_where_a_test_waits(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("raise SystemExit('no such luck')")
    with Emulated(program) as terminal, pytest.raises(AssertionError, match="no such luck"):
        terminal.until(lambda: False)
