"""The traceback of a bug that the editor lives on after: in a file, for the screen has room for a line only."""

from __future__ import annotations

import platform
import traceback

from npe_core import __version__, files
from npe_tui.files import places


def told(error: Exception) -> str:
    """What to tell of a bug, and where its traceback lies. The file holds the last one only."""
    path = places.state_folder() / "bug.txt"
    system = f"npe {__version__}, Python {platform.python_version()}, {platform.platform()}"
    trace = "".join(traceback.format_exception(error))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, f"{system}\n\n{trace}".encode(errors="backslashreplace"), durable=False)
    except OSError:
        where = "Please report it."
    else:
        where = f"Please report it with {path}."
    return f"This is a bug: {type(error).__name__}: {error}. {where}"
