"""Where settings and state live: the folders that the platform means for them."""

from __future__ import annotations

from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("npe", appauthor=False)


def config_file() -> Path:
    """``~/.config/npe/config.toml`` on Linux."""
    return Path(_DIRS.user_config_dir) / "config.toml"


def state_folder() -> Path:
    """``~/.local/state/npe`` on Linux: recent files and autosaves."""
    return Path(_DIRS.user_state_dir)
