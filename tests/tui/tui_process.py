"""The editor as a process in an emulated terminal, and what it shows there."""

from emulated import Emulated
from waiting import looks

QUIET = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def editor_on(photo, columns=100, rows=30, **environment):
    """The editor in an emulated terminal."""
    arguments = ("-m", "npe_core", "tui", str(photo))
    return Emulated(*arguments, columns=columns, rows=rows, environment=QUIET | environment)


def shows(terminal, text):
    """Whether the terminal comes to show a text."""
    return terminal.until(lambda: any(text in line for line in terminal.screen.display))


def shows_now(terminal, text):
    """Whether the terminal shows a text."""
    return any(text in line for line in terminal.screen.display)


def background(terminal, text):
    """The background of the place where a text is shown; None where it is not."""
    for row, line in enumerate(terminal.screen.display):
        if text in line:
            return terminal.screen.buffer[row][line.index(text)].bg
    return None


def ends(terminal):
    """The exit code of the process, whose output is read to the end."""
    for _ in looks():
        if terminal.process.poll() is not None:
            break
        terminal.settle(quiet=0.05, limit=0.2)
    return terminal.process.poll()
