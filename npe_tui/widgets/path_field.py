"""A field for a path that completes names."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from textual import events
from textual.suggester import Suggester

from npe_core.filenames import printable
from npe_core.formats import INPUT_SUFFIXES
from npe_tui.files import places
from npe_tui.widgets.field import Field

_HERE = Path()
_MARKS = tuple(filter(None, (os.sep, os.altsep)))
"""What stands between the parts of a path."""


class PathField(Field):
    """Right arrow takes the suggestion."""

    def __init__(self, value: str = "", base: Path = _HERE, photos: bool = True, **options: Any) -> None:
        """``base``: the folder of a name that is written alone. Suggests folders, and ``photos`` if they are wanted."""
        super().__init__(value, suggester=_Paths(base, photos), select_on_focus=False, **options)
        self._base = base

    @property
    def path(self) -> Path:
        """What is meant by what is written; a path that is written as one is from where the editor was started."""
        path = places.meant(self.value)
        return self._base / path if _is_name(self.value, path) else path

    def _on_paste(self, event: events.Paste) -> None:
        """A whole path takes the place of what is written; other text goes in at the cursor."""
        path = places.meant(event.text)
        if path.is_absolute():
            event.stop()
            event.prevent_default()
            self.value = str(path)
            self.cursor_position = len(self.value)


class _Paths(Suggester):
    """The first folder or photo that goes on like that."""

    def __init__(self, base: Path, photos: bool) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._base, self._photos = base, photos

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(complete, value, self._base, self._photos)


def complete(value: str, base: Path = _HERE, photos: bool = True) -> str | None:
    """What ``value`` could become by a name that can be shown, None by none; the options as of ``PathField``."""
    if not value:
        return None
    end = max(value.rfind(mark) for mark in _MARKS) + 1
    written, start = value[:end], value[end:]  # by hand: a Path drops a dot at the end
    folder = places.expanded(places.begun_anew(written)) if written else base
    try:
        found = sorted(
            path.name + ("/" if places.is_folder(path) else "")
            for path in folder.iterdir()
            if path.name.startswith(start)
            and printable(path.name) == path.name
            and (start or not path.name.startswith("."))
            and (places.is_folder(path) or (photos and path.suffix.lower() in INPUT_SUFFIXES))
        )
    except (OSError, ValueError):  # ValueError: no system has such a name
        return None
    return written + found[0] if found else None


def _is_name(value: str, path: Path) -> bool:
    """Whether ``value``, which means ``path``, is a name alone."""
    return path.parent == Path() and not any(mark in value for mark in _MARKS)
