"""A field for a path that completes names."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from textual import events
from textual.suggester import Suggester

from npe_core.formats import INPUT_SUFFIXES
from npe_tui import places
from npe_tui.widgets.field import Field


class PathField(Field):
    """Right arrow takes the suggestion."""

    def __init__(self, value: str = "", **options: Any) -> None:
        super().__init__(value, suggester=_Paths(), select_on_focus=False, **options)

    @property
    def path(self) -> Path:
        """What is meant by what is written."""
        return places.meant(self.value)

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

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return await asyncio.to_thread(complete, value)


def complete(value: str) -> str | None:
    """What ``value`` could become, None if there is nothing like it."""
    if not value:
        return None
    written, start = places.expanded(places.begun_anew(value)), ""
    if not value.endswith("/"):
        written, start = written.parent, Path(value).name
    try:
        found = sorted(
            path.name + ("/" if places.is_folder(path) else "")
            for path in written.iterdir()
            if path.name.startswith(start)
            and (start or not path.name.startswith("."))
            and (places.is_folder(path) or path.suffix.lower() in INPUT_SUFFIXES)
        )
    except (OSError, ValueError):  # ValueError: no system has such a name
        return None
    return value[: len(value) - len(start)] + found[0] if found else None
