"""The terminal itself, while the app stands aside: something is shown in it until a key is pressed."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import msvcrt

    def show_until_key(text: str) -> None:
        """Write a text to the terminal, and wait for a key."""
        sys.stdout.write(text)
        sys.stdout.flush()
        msvcrt.getwch()

else:
    import os
    import re
    import select
    import signal
    import termios
    import tty
    from contextlib import suppress

    _REPORTS = re.compile(rb"\x1b\[<?[\d;]*[MmRtIO]")
    """What a terminal tells by itself, late perhaps, of the pointer, the cursor, its size, its focus: no keys."""

    def show_until_key(text: str) -> None:
        """Write a text to the terminal, line ends as CR LF, and wait for a key. None makes a signal, not even Ctrl+C.

        It ends as well with a signal to the process, whose handler the standing event loop has yet to call, and when
        the terminal is gone: that is for others to tell.
        """
        terminal = sys.stdin.fileno()
        with suppress(OSError, termios.error):
            before = termios.tcgetattr(terminal)
            try:
                tty.setraw(terminal)
                sys.stdout.write(text)
                sys.stdout.flush()
                _wait(terminal)
            finally:
                termios.tcsetattr(terminal, termios.TCSAFLUSH, before)  # what else the key sent is dropped

    def _wait(terminal: int) -> None:
        heard, told = os.pipe()
        os.set_blocking(told, False)
        loop = signal.set_wakeup_fd(told)
        try:
            while heard not in select.select([terminal, heard], [], [])[0]:
                keys = os.read(terminal, 1024)
                if not keys or _REPORTS.sub(b"", keys):
                    break
        finally:
            signal.set_wakeup_fd(loop)
            os.close(told)
            signals = os.read(heard, 1024)
            os.close(heard)
            if signals:
                os.write(loop, signals)  # which it would have had
