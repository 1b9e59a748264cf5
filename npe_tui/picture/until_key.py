"""The terminal itself, while the app stands aside: something is shown in it until a key is pressed."""

from __future__ import annotations

import sys

_ENTER, _LEAVE = "\x1b[?1049h\x1b[2J\x1b[H", "\x1b[?1049l"
"""A screen of its own, empty: the terminal's first one, with what a shell has written there, stays as it is."""

if sys.platform == "win32":
    import msvcrt

    def show_until_key(text: str, undo: str = "") -> None:
        """Write a text to a screen of its own, wait for a key, and write what undoes it."""
        try:
            sys.stdout.write(_ENTER + text)
            sys.stdout.flush()
            msvcrt.getwch()
        finally:
            sys.stdout.write(undo + _LEAVE)
            sys.stdout.flush()

else:
    import os
    import re
    import select
    import signal
    import termios
    import tty
    from collections.abc import Iterator
    from contextlib import contextmanager, suppress

    _REPORTS = re.compile(rb"\x1b\[<?[\d;]*[MmRtIO]")
    """What a terminal tells by itself, late perhaps, of the pointer, the cursor, its size, its focus: no keys."""
    _BROKEN_OFF = "\x1b\\"
    """Ends a control string that was not written to its end; elsewhere it means nothing."""
    _PATIENCE = 0.5
    """Seconds that a terminal has, after a signal, to take some more of what undoes the text."""

    _AGAIN = 0.05
    """Seconds between two tries to write: Linux does not always tell that a pseudo-terminal has room again."""

    def show_until_key(text: str, undo: str = "") -> None:
        """Write a text to a screen of its own, line ends as CR LF, wait for a key, and write what undoes it.

        No key makes a signal, not even Ctrl+C. One that comes before all is written breaks it off.

        It ends as well with a signal to the process, whose handler the standing event loop has yet to call, and when
        the terminal is gone: that is for others to tell. A terminal that takes nothing more, as that of a connection
        that stalls, holds neither of them up.
        """
        terminal, screen = sys.stdin.fileno(), sys.stdout.fileno()
        with suppress(OSError, termios.error):
            before = termios.tcgetattr(terminal)
            try:
                tty.setraw(terminal)
                with _signals() as signals, _never_blocking(screen):
                    try:
                        _show((_ENTER + text).encode(), terminal, screen, signals)
                    finally:
                        _take_back((_BROKEN_OFF + undo + _LEAVE).encode(), screen, signals)
            finally:
                termios.tcsetattr(terminal, termios.TCSANOW, before)
                termios.tcflush(terminal, termios.TCIFLUSH)  # what else the key sent

    def _show(text: bytes, terminal: int, screen: int, signals: int) -> None:
        """Writes until a key or a signal comes, and waits for one when all is written."""
        rest = memoryview(text)
        while True:
            heard = select.select([terminal, signals], [screen] if rest else [], [], _AGAIN if rest else None)[0]
            if signals in heard:
                return
            if terminal in heard:
                keys = os.read(terminal, 1024)
                if not keys or _REPORTS.sub(b"", keys):
                    return
            if rest:
                rest = rest[_written(rest, screen) :]

    def _take_back(text: bytes, screen: int, signals: int) -> None:
        """Writes all of it, unless there is a signal and the terminal takes nothing."""
        rest, tries = memoryview(text), round(_PATIENCE / _AGAIN)
        while rest and tries:
            select.select([], [screen], [], _AGAIN)
            written = _written(rest, screen)
            rest = rest[written:]
            if not written and select.select([signals], [], [], 0)[0]:
                tries -= 1

    def _written(text: memoryview, screen: int) -> int:
        """How many bytes the terminal has taken."""
        with suppress(BlockingIOError):
            return os.write(screen, text)
        return 0

    @contextmanager
    def _never_blocking(screen: int) -> Iterator[None]:
        """Writing takes what there is room for. The terminal is shared, with the shell too: it is put back."""
        before = os.get_blocking(screen)
        os.set_blocking(screen, False)
        try:
            yield
        finally:
            os.set_blocking(screen, before)

    @contextmanager
    def _signals() -> Iterator[int]:
        """A file descriptor that can be read when a signal has come, which the event loop is told of at the end."""
        heard, told = os.pipe()
        os.set_blocking(told, False)
        loop = signal.set_wakeup_fd(told)
        try:
            yield heard
        finally:
            signal.set_wakeup_fd(loop)
            os.close(told)
            missed = os.read(heard, 1024)
            os.close(heard)
            if missed:
                os.write(loop, missed)
