"""What a terminal is told while a command is at work."""

import io

from npe_core.cli.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(monkeypatch, steps):
    """All that is written for those steps of four."""
    screen = Terminal()
    for name, value in {"TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr", screen)
    with progress("editing") as advance:
        for step in steps:
            advance(step, 4)
    return screen.getvalue()


def test_steps_are_counted(monkeypatch):
    written = told(monkeypatch, [1, 2, 3])

    assert "editing 3/4" in written
    assert "finishing" not in written


def test_no_time_is_left_out_of_what_is_not_counted(monkeypatch):
    written = told(monkeypatch, [1, 2, 3, 4])

    assert "editing: finishing" in written
    assert "0:00:00" not in written


def test_a_file_gets_no_bar(monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)

    with progress("editing") as advance:
        advance(4, 4)

    assert not file.getvalue()
