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

    def show_until_key(text: str, undo: str = "") -> None:
        """Write a text to a screen of its own, line ends as CR LF, wait for a key, and write what undoes it.

        No key makes a signal, not even Ctrl+C.

        It ends as well with a signal to the process, whose handler the standing event loop has yet to call, and when
        the terminal is gone: that is for others to tell.
        """
        terminal = sys.stdin.fileno()
        with suppress(OSError, termios.error):
            before = termios.tcgetattr(terminal)
            try:
                tty.setraw(terminal)
                with _signals() as signals:
                    sys.stdout.write(_ENTER + text)
                    sys.stdout.flush()
                    _wait(terminal, signals)
            finally:
                with suppress(OSError):
                    sys.stdout.write(undo + _LEAVE)
                    sys.stdout.flush()
                termios.tcsetattr(terminal, termios.TCSAFLUSH, before)  # what else the key sent is dropped

    def _wait(terminal: int, signals: int) -> None:
        while signals not in select.select([terminal, signals], [], [])[0]:
            keys = os.read(terminal, 1024)
            if not keys or _REPORTS.sub(b"", keys):
                break

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
