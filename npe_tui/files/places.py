"""Where things live: the folders that the platform means for settings and state, and what a person calls home."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from urllib.parse import unquote, urlsplit

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("npe", appauthor=False)


def expanded(path: Path | str) -> Path:
    """The path, with ``~`` and ``~name`` for a home folder; as it is where there is nobody of that name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def meant(text: str) -> Path:
    """The path that somebody wrote, or that a terminal wrote for a file which was dropped on it: plain, with ``~``, in
    quotes, with a shell's backslashes, or as an address (``file:///a%20face.jpg``)."""
    text = text.strip()
    if text.startswith("file://"):
        return Path(unquote(urlsplit(text).path))
    text = begun_anew(text)
    path = expanded(text)
    try:
        words = [] if os.path.lexists(path) else shlex.split(text)
    except ValueError:  # an apostrophe that is part of the name, or a name that no system has
        return path
    return expanded(words[0]) if len(words) == 1 else path


def rooted(path: Path) -> Path:
    """The path from the root on, so that it stays the same whatever becomes of the folder that the editor was started
    in. As it is where that folder is gone already."""
    try:
        return path if path.is_absolute() else path.parent.resolve() / path.name
    except OSError:
        return path


def begun_anew(text: str) -> str:
    """The path that counts where another one was written behind it: from the last ``//`` or ``/~/`` on."""
    start = max(text.rfind("//"), text.rfind("/~/"))
    return text[start + 1 :] if start >= 0 else text


def is_file(path: Path) -> bool:
    """Whether there is a file that may be looked at."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder that may be looked at."""
    try:
        return path.is_dir()
    except OSError:
        return False


def config_file() -> Path:
    """``~/.config/npe/config.toml`` on Linux."""
    return Path(_DIRS.user_config_dir) / "config.toml"


def state_folder() -> Path:
    """``~/.local/state/npe`` on Linux: recent files and autosaves."""
    return Path(_DIRS.user_state_dir)
