"""A text field whose Enter has done its work before the next key comes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual import events
from textual.widgets import Input


class Field(Input):
    """In place of Textual's ``Submitted``, which is heard of after the keys that came in one piece with Enter."""

    def __init__(self, value: str = "", *, entered: Callable[[], Coroutine[Any, Any, object]], **options: Any) -> None:
        """``entered``: what Enter does; ``options``: those of ``Input``."""
        super().__init__(value, compact=True, **options)
        self._entered = entered

    async def on_key(self, event: events.Key) -> None:
        """Enter, in the field's own turn: a binding's action has its turn when the app has done with other keys."""
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            await self._entered()
