"""The editor as a process in a real terminal, with the real engine."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from tui_process import background, editor_on, ends, shows, shows_now
from waiting import PAUSE, looks

from npe_core.canvas import Canvas
from npe_core.photo import Photo, read_paint
from npe_tui.picture.pacing import LINGER


def test_open_pick_colour_enhance_save_and_leave_while_it_computes(ana, editor, tmp_path):
    with editor_on(ana, NPE_TUI_DEVICE="cpu", NPE_TUI_STEPS="2") as terminal:
        assert shows(terminal, "Enhance"), terminal.screen.display
        assert shows(terminal, "Pick a region"), terminal.screen.display
        terminal.write("7")
        assert shows(terminal, "Filled hair")
        idle = background(terminal, "#8b2500")
        terminal.write("\x1b[13~")  # F3: the hex field, whose text is selected
        assert terminal.until(lambda: background(terminal, "#8b2500") not in (idle, None))
        terminal.write("#5a3220\r")
        assert shows(terminal, "with #5a3220")
        terminal.write("g")
        assert shows(terminal, "Enhanced in"), terminal.screen.display
        terminal.write("\x13")  # Ctrl+S
        assert shows(terminal, "Save the edited photo")
        terminal.write("\r")
        assert shows(terminal, "Saved ")
        terminal.write("P")
        assert shows(terminal, "Save paint and mask")
        terminal.write("\r")
        assert terminal.until((tmp_path / "ana-paint.png").exists)
        assert terminal.until(lambda: not any("Save paint" in line for line in terminal.screen.display))
        terminal.write("5")
        assert shows(terminal, "Filled lips")
        terminal.write("\x1b[17~\t\t100\rv")  # F6, behind the presets the steps; four pictures of so many take long
        assert shows(terminal, "cancels"), terminal.screen.display
        terminal.write("q")  # while the engine computes, in a thread whose torch must not abort the process
        assert shows(terminal, "Quit without saving?")
        terminal.write("\x1b[C\x1b[C\r")
        assert ends(terminal) == 0
        assert not shows_now(terminal, "terminate called")

    saved, photo = Photo.open(tmp_path / "ana-edited.png"), Photo.open(ana)
    told = saved.parameters
    assert told["regions"] == {"hair": "#5a3220"} and told["steps"] == 2 and not told["painted"]
    _, mask = read_paint(tmp_path / "ana-paint.png", photo.size)
    assert 0.2 < mask.mean() < 0.8
    assert (saved.image[mask == 0] == photo.image[mask == 0]).all()
    canvas = Canvas(photo.image, editor.segment(photo, editor.choose(photo, 1)))
    canvas.fill("hair", "#5a3220")
    again = editor.edit(photo, canvas, told["timestep"], told["steps"], told["sampler"], told["seed"])
    difference = np.abs(saved.image.astype(int) - again.image)
    assert difference.mean() < 0.5, "the file is what the engine makes of the same fill, but for rounding"
    assert np.abs(saved.image.astype(int) - photo.image).mean() > 5


def test_a_mouse_paints_and_a_resize_does_not_stop_it_and_it_hears_the_terminal_out(ana, tmp_path):
    with editor_on(ana, NPE_WEIGHTS=str(tmp_path)) as terminal:
        assert shows(terminal, "untouched")
        terminal.write("b")
        assert shows(terminal, "brush 10px")
        terminal.mouse(0, 20, 10)
        terminal.mouse(32, 24, 12)
        terminal.resize(70, 24)
        terminal.settle()
        terminal.mouse(32, 20, 12)
        terminal.mouse(0, 20, 12, up=True)
        assert shows(terminal, "painted, not saved")
        terminal.write("u")
        assert shows(terminal, "untouched")
        terminal.settle()
        start, terminal.answers = len(terminal.seen), False
        terminal.write("\x1b[F")  # End: all of the picture is painted, and the terminal asked whether it is there
        assert terminal.until(lambda: b"\x1b[6n" in terminal.seen[start:])
        since = time.monotonic()
        terminal.write("q")
        terminal.settle(quiet=0.3)
        waits = b"\x1b[?1049l" not in terminal.seen[start:]
        assert waits or time.monotonic() - since > LINGER, "the answer would be typed at the shell's prompt"
        terminal.write("\x1b[1;1R" * terminal.seen[start:].count(b"\x1b[6n"))
        assert ends(terminal) == 0


def test_a_dumb_terminal_is_refused_with_a_sentence(ana):
    with editor_on(ana, TERM="dumb") as terminal:
        assert ends(terminal) == 2
        told = " ".join("".join(terminal.screen.display).split())
        assert "cannot draw on TERM=dumb" in told and "Traceback" not in told


@pytest.mark.parametrize("arguments", [["tui"], []])
def test_without_a_terminal(arguments):
    done = subprocess.run(
        [sys.executable, "-m", "npe_core", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=os.environ | {"TERM": "xterm"},
    )
    if arguments:
        assert done.returncode == 2 and "needs a terminal" in done.stderr and done.stderr.count("\n") == 1
    else:
        assert done.returncode == 0 and "Usage: npe" in done.stdout + done.stderr


def test_bad_settings_are_said_before_anything_starts(ana):
    with editor_on(ana, NPE_TUI_TIMESTEP="900") as terminal:
        assert ends(terminal) == 2
        assert "between 1 and 499" in " ".join("".join(terminal.screen.display).split())


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_under_tmux(ana, tmp_path):
    socket = tmp_path / "tmux"

    def tmux(*words):
        return subprocess.run(["tmux", "-S", socket, "-f", "/dev/null", *words], capture_output=True, text=True)

    def comes_to_show(text):
        for _ in looks():
            shown = tmux("capture-pane", "-p").stdout
            if text in shown:
                return True
            assert "npe has ended" not in shown, shown
            time.sleep(PAUSE)
        return False

    command = f"NPE_WEIGHTS={tmp_path} {sys.executable} -m npe_core tui {ana}; echo npe has ended; sleep 600"
    assert tmux("new-session", "-d", "-x", "90", "-y", "28", command).returncode == 0
    try:
        assert comes_to_show("untouched")
        tmux("send-keys", "b", "Right", "Space")
        assert comes_to_show("painted, not saved")
        assert "▀" in tmux("capture-pane", "-p").stdout
        tmux("resize-window", "-x", "60", "-y", "16")
        tmux("send-keys", "q")
        assert comes_to_show("Quit without saving?")
    finally:
        tmux("kill-server")


def test_the_first_frame_needs_neither_torch_nor_opencv_nor_pillow():
    program = "import sys, npe_tui.app; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "cv2", "PIL", "safetensors", "npe_core.editor", "npe_core.photo"} & set(loaded)
