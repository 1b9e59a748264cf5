"""A screen until a key, in a terminal that reads when it likes: signals, keys, and what it was sent by then."""

import asyncio
import os
import pty
import select
import signal
import sys
import termios
import threading

import pytest
from waiting import wait_for

from npe_tui.picture.until_key import show_until_key

TEXT, UNDO = "picture" * 100_000, "undo"
"""More than any terminal holds unread."""
START, END = b"\x1b[?1049h\x1b[2J\x1b[H", b"\x1b\\undo\x1b[?1049l"
SOON = 10.0
"""Seconds within which even a busy machine comes to it."""


class Terminal:
    """A terminal in place of the standard streams, and a person in front of it, who does something when it begins."""

    def __init__(self):
        self.far, near = pty.openpty()
        self.stdin, self.stdout = os.fdopen(near, "rb", 0), os.fdopen(os.dup(near), "wb", 0)
        self.seen = b""
        self.over, self.held_up = threading.Event(), False
        self.signals = []

    def close(self):
        os.close(self.far)
        self.stdin.close()
        self.stdout.close()

    def read(self, until):
        """Reads until there is nothing more of what ``until`` says."""
        while not until() and select.select([self.far], [], [], SOON)[0]:
            self.seen += os.read(self.far, 1 << 16)

    def show(self, act):
        """``act`` runs in a thread once the terminal is full."""

        def person():
            wait_for(lambda: not select.select([], [self.stdout], [], 0)[1])
            act()
            self.held_up = not self.over.wait(SOON)
            if self.held_up:  # a failure, but no test that stands still
                self.read(self.over.is_set)

        async def program():
            there = threading.Thread(target=person)
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.signals.append, "SIGTERM")
            there.start()
            show_until_key(TEXT, UNDO)
            self.over.set()
            await asyncio.to_thread(there.join)

        with pytest.MonkeyPatch.context() as streams:
            streams.setattr(sys, "stdin", self.stdin)
            streams.setattr(sys, "stdout", self.stdout)
            asyncio.run(program())


@pytest.fixture
def terminal():
    one = Terminal()
    yield one
    one.close()


def test_a_signal_ends_it_though_the_terminal_takes_nothing(terminal):
    """The handler, which the event loop has, is called after it; the terminal is as it was."""
    before = termios.tcgetattr(terminal.stdin)
    terminal.show(lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert not terminal.held_up
    assert "SIGTERM" in terminal.signals
    assert termios.tcgetattr(terminal.stdin) == before
    assert os.get_blocking(terminal.stdin.fileno())


def test_a_key_breaks_it_off_and_what_was_shown_is_undone(terminal):
    def act():
        os.write(terminal.far, b"\x1b[<35;10;5M")  # the pointer: no key
        os.write(terminal.far, b"\x03")
        terminal.read(lambda: terminal.seen.endswith(END))

    terminal.show(act)
    assert not terminal.held_up
    assert terminal.seen.startswith(START + b"picture") and terminal.seen.endswith(END)
    assert len(terminal.seen) < len(TEXT)


def test_all_of_it_reaches_a_terminal_that_reads_now_and_then(terminal):
    whole = START + TEXT.encode()

    def act():
        terminal.read(lambda: len(terminal.seen) >= len(whole))
        os.write(terminal.far, b"x")
        terminal.read(lambda: terminal.seen.endswith(END))

    terminal.show(act)
    assert terminal.seen == whole + END
