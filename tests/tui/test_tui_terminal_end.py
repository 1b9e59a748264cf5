"""The end of a process in a real terminal: killed, hung up, terminated, left; no paint is lost, nothing aborts."""

import os
import queue
import re
import signal
from types import SimpleNamespace

from tui_process import editor_on, ends, shows, shows_now

from npe_tui import hang_up

F7 = "\x1b[18~"


def waits_for_a_key(terminal):
    """Whether the still picture is there, to the last of its pieces: of a slow terminal the process waits for no more
    than half a second when it is told to end."""
    return b"Any key" in terminal.seen and re.search(rb"m=0;[^\x1b]*\x1b\\", terminal.seen) is not None


def test_paint_survives_kill_9_and_a_lost_connection(ana, tmp_path):
    """Three sessions of one photo. Those that are hung up, by a signal or as the terminal goes, write what was not,
    also while the still picture waits for a key, which is taken from the terminal then."""
    folder = tmp_path / "state" / "npe" / "autosave"

    def kept():
        return {file: file.read_bytes() for file in folder.glob("*.paint")}

    hours = {"NPE_WEIGHTS": str(tmp_path), "NPE_TUI_AUTOSAVE": "3600", "TERM": "xterm-kitty", "COLORTERM": ""}
    with editor_on(ana, **hours) as terminal:
        assert shows(terminal, "untouched") and b";48;2;" in terminal.seen, (
            "true colour, which nothing but its name tells"
        )
        terminal.write("b\x1b[C ")  # the brush, the cursor, a dab
        assert shows(terminal, "painted, not saved")
        assert not kept()
        terminal.write(F7)
        assert terminal.until(lambda: waits_for_a_key(terminal))
        terminal.process.send_signal(signal.SIGHUP)
        assert ends(terminal) == 129
        assert b"\x1b_Ga=d,d=A,q=2\x1b\\\x1b[?1049l" in terminal.seen
    assert len(kept()) == 1
    with editor_on(ana, NPE_WEIGHTS=str(tmp_path), NPE_TUI_AUTOSAVE="0.1") as terminal:
        assert shows(terminal, "Unsaved work was found")
        terminal.write("\x1b[C\x1b[C\r")  # Throw it away
        assert shows(terminal, "untouched") and terminal.until(lambda: not kept())
        terminal.write("b\x1b[C ")
        assert shows(terminal, "painted, not saved")
        assert terminal.until(kept)
        terminal.process.send_signal(signal.SIGKILL)
        assert ends(terminal) == -signal.SIGKILL
    with editor_on(ana, **hours | {"TERM": "xterm-256color", "NPE_TUI_GRAPHICS": "kitty"}) as terminal:
        (lost,) = kept()
        assert shows(terminal, "Unsaved work was found")
        terminal.write("\r")
        assert shows(terminal, "painted, not saved")
        assert terminal.until(lambda: len(kept()) == 1 and lost not in kept())
        before = kept()
        terminal.write("b\x1b[C\x1b[C\x1b[C l")  # a dab elsewhere, then the tint, which is told
        assert shows(terminal, "tint 10px") and kept() == before
        terminal.write(F7)
        assert terminal.until(lambda: waits_for_a_key(terminal))
        assert b"COLORTERM" in terminal.seen, "told, where the terminal's name leaves it open"
        terminal.hang_up()
        assert terminal.process.wait(timeout=60) == 129
    assert kept().keys() == before.keys() and kept() != before


def test_a_signal_while_the_engine_computes_is_an_orderly_end(ana):
    """Torch in a thread that the interpreter takes down would abort the process."""
    with editor_on(ana, NPE_TUI_DEVICE="cpu", NPE_TUI_STEPS="250", NPE_TUI_AUTOSAVE="0") as terminal:
        assert shows(terminal, "Pick a region"), terminal.screen.display
        terminal.write("7")
        assert shows(terminal, "Filled hair")
        terminal.write("v")  # four pictures: seconds go by within a step
        assert shows(terminal, "cancels"), terminal.screen.display
        terminal.process.send_signal(signal.SIGTERM)
        assert ends(terminal) == 143
        assert not shows_now(terminal, "terminate called")


def test_a_terminal_that_takes_no_last_words_holds_up_no_end(monkeypatch):
    """As that of a connection that stalls: Textual would wait for it."""
    ended, asked = queue.Queue(), []
    monkeypatch.setattr(hang_up, "_LAST", 0.01)
    monkeypatch.setattr(os, "_exit", ended.put)
    app = SimpleNamespace(autosave_now=lambda: asked.append("kept"), exit=lambda return_code: asked.append(return_code))
    hang_up.HangUp(app)._terminated()
    assert asked == ["kept", 143]
    assert ended.get(timeout=60) == 143
