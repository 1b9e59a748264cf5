"""Where things live: the folders that the platform means for settings and state, and what a person calls home."""

from __future__ import annotations

from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("npe", appauthor=False)


def expanded(path: Path | str) -> Path:
    """The path, with ``~`` and ``~name`` for a home folder; as it is where there is nobody of that name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_file(path: Path) -> bool:
    """Whether there is a file that may be looked at."""
    try:
        return path.is_file()
    except OSError:
        return False


def config_file() -> Path:
    """``~/.config/npe/config.toml`` on Linux."""
    return Path(_DIRS.user_config_dir) / "config.toml"


def state_folder() -> Path:
    """``~/.local/state/npe`` on Linux: recent files and autosaves."""
    return Path(_DIRS.user_state_dir)
