"""A program under a real pseudo-terminal, and beside it the emulator that says what a person would see."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import pyte
from waiting import looks

OTHERS = (
    "NO_COLOR",
    "SSH_CONNECTION",
    "SSH_TTY",
    "COLORTERM",
    "TERM_PROGRAM",
    "LC_TERMINAL",
    "TMUX",
    "COLUMNS",
    "LINES",
)
"""What the environment says of the terminal that the tests run in."""
CELL = 8, 16
"""Pixels of a cell, for a terminal that reports the pointer in pixels."""
NAMED = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")


class Emulated:
    """Runs a Python program in a terminal of so many columns and rows; ``screen`` is a pyte screen of what it shows.

    ``pixels``: a terminal like kitty or ghostty, that reports sizes in-band and the pointer in pixels.
    ``answers``: whether it says where its cursor is, as they all do, and that it can synchronise its output.
    """

    def __init__(self, program, *arguments, columns=80, rows=30, pixels=True, answers=True, environment=None):
        self.columns, self.rows, self.pixels, self.answers = columns, rows, pixels, answers
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.seen = b""
        self.finely = False
        plain = {name: value for name, value in os.environ.items() if name not in OTHERS}
        self.fd, program_side = pty.openpty()
        self._set_size()
        self.process = subprocess.Popen(
            [sys.executable, str(program), *arguments],
            stdin=program_side,
            stdout=program_side,
            stderr=program_side,
            env=plain | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | (environment or {}),
            start_new_session=True,
        )
        os.close(program_side)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self):
        """The terminal goes. Its program gets no signal: it is not the one that controls it."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def _set_size(self):
        size = struct.pack("HHHH", self.rows, self.columns, self.columns * CELL[0], self.rows * CELL[1])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.screen.resize(rows, columns)
        self._set_size()
        if self.finely:
            self._report_size()
        else:
            self.process.send_signal(signal.SIGWINCH)

    def _report_size(self):
        self.write(f"\x1b[48;{self.rows};{self.columns};{self.rows * CELL[1]};{self.columns * CELL[0]}t")

    def write(self, text):
        os.write(self.fd, text.encode())

    def mouse(self, code, x, y, up=False):
        """An SGR mouse report at a point in cells; 0 is the left button, 32 more a move with it, 35 one without."""
        across, down = CELL if self.finely else (1, 1)
        self.write(f"\x1b[<{code};{int(x * across) + 1};{int(y * down) + 1}{'m' if up else 'M'}")

    def settle(self, quiet=0.15, limit=5.0):
        """Show what comes until nothing has come for ``quiet`` seconds."""
        end, heard = time.monotonic() + limit, time.monotonic()
        while time.monotonic() < min(end, heard + quiet):
            if not select.select([self.fd], [], [], 0.02)[0]:
                continue
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                return
            heard = time.monotonic()
            self.seen += data
            self._show(data)

    def until(self, condition):
        """Show what comes until ``condition()``; whether it came true. Fails where the program ends before."""
        for _ in looks():
            if condition():
                return True
            over = self.process.poll() is not None
            self.settle(quiet=0.03, limit=0.2)
            assert not over or condition(), "\n".join(("the program has ended", *self.screen.display))
        return False

    def _show(self, data):
        """The screen, and the answers of a terminal in the order of the questions."""
        # pyte takes the private markers < and > of keyboard modes for text
        self._stream.feed(data.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))
        if self.answers:
            self.write("\x1b[1;1R" * data.count(b"\x1b[6n"))
        if self.answers and b"\x1b[?2026$p" in data:
            self.write("\x1b[?2026;2$y")
        if self.pixels and b"\x1b[?2048$p" in data:
            self.write("\x1b[?2048;2$y")
        if self.pixels and b"\x1b[?2048h" in data:
            self._report_size()
        self.finely = self.finely or b"\x1b[?1016h" in data

    def dots(self, x, y, columns, rows, palette):
        """(2 * rows, columns, 3): the two colours of each cell of a rectangle, as the emulator shows them."""
        dots = np.zeros((2 * rows, columns, 3), np.uint8)
        for row in range(rows):
            for column in range(columns):
                cell = self.screen.buffer[y + row][x + column]
                front, back = _colour(cell.fg, palette, (255, 255, 255)), _colour(cell.bg, palette, (0, 0, 0))
                upper, lower = {" ": (back, back), "▀": (front, back), "▄": (back, front), "█": (front, front)}[
                    cell.data
                ]
                dots[2 * row, column], dots[2 * row + 1, column] = upper, lower
        return dots


def _colour(name, palette, default):
    if name == "default":
        return default
    name = name.replace("bfight", "bright")  # so pyte spells one of them
    bright = name.startswith("bright")
    if name.removeprefix("bright") in NAMED:
        return palette[NAMED.index(name.removeprefix("bright")) + 8 * bright]
    return tuple(bytes.fromhex(name))
