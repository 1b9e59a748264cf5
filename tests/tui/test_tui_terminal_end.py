"""The end of a process in a real terminal: killed, hung up, terminated, left; no paint is lost, nothing aborts."""

import signal

import pytest
from tui_process import editor_on, ends, shows, shows_now


def test_paint_survives_kill_9(ana, tmp_path):
    state = tmp_path / "state" / "npe" / "autosave"
    with editor_on(ana, NPE_WEIGHTS=str(tmp_path), NPE_TUI_AUTOSAVE="0.1") as terminal:
        assert shows(terminal, "untouched")
        terminal.write("b\x1b[C ")  # the brush, the cursor, a dab
        assert shows(terminal, "painted, not saved")
        assert terminal.until(lambda: list(state.glob("*.paint")))
        terminal.process.send_signal(signal.SIGKILL)
        assert ends(terminal) == -signal.SIGKILL
    with editor_on(ana, NPE_WEIGHTS=str(tmp_path)) as terminal:
        assert shows(terminal, "Unsaved work was found")
        terminal.write("\r")
        assert shows(terminal, "painted, not saved")


@pytest.mark.parametrize("how", ["a signal", "the terminal goes"])
def test_a_lost_connection_keeps_what_was_not_written_yet(ana, tmp_path, how):
    state = tmp_path / "state" / "npe" / "autosave"
    with editor_on(ana, NPE_WEIGHTS=str(tmp_path), NPE_TUI_AUTOSAVE="3600") as terminal:
        assert shows(terminal, "untouched")
        terminal.write("b\x1b[C ")
        assert shows(terminal, "painted, not saved")
        assert not list(state.glob("*.paint"))
        if how == "a signal":
            terminal.process.send_signal(signal.SIGHUP)
            assert ends(terminal) == 129
        else:
            terminal.hang_up()
            assert terminal.process.wait(timeout=60) == 129
    assert len(list(state.glob("*.paint"))) == 1


@pytest.mark.parametrize("how", ["q", "SIGTERM"])
def test_leaving_while_the_engine_computes_is_an_orderly_end(ana, how):
    """Torch in a thread that the interpreter takes down would abort the process."""
    with editor_on(ana, NPE_TUI_DEVICE="cpu", NPE_TUI_STEPS="250", NPE_TUI_AUTOSAVE="0") as terminal:
        assert shows(terminal, "Pick a region"), terminal.screen.display
        terminal.write("7")
        assert shows(terminal, "Filled hair")
        terminal.write("v")  # four pictures: seconds go by within a step
        assert shows(terminal, "cancels"), terminal.screen.display
        if how == "q":
            terminal.write("q")
            assert shows(terminal, "Quit without saving?")
            terminal.write("\x1b[C\x1b[C\r")
        else:
            terminal.process.send_signal(signal.SIGTERM)
        assert ends(terminal) == (0 if how == "q" else 143)
        assert not shows_now(terminal, "terminate called")
