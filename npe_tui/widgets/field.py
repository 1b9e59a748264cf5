"""A text field whose Enter has done its work before the next key comes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from rich.highlighter import Highlighter
from rich.text import Text
from textual import events
from textual.widgets import Input

from npe_core.filenames import printable


class Field(Input):
    """In place of Textual's ``Submitted``, which is heard of after the keys that came in one piece with Enter."""

    def __init__(self, value: str = "", *, entered: Callable[[], Coroutine[Any, Any, object]], **options: Any) -> None:
        """``entered``: what Enter does; ``options``: those of ``Input``."""
        super().__init__(value, compact=True, highlighter=_Drawn(self), **options)
        self._entered = entered

    async def on_key(self, event: events.Key) -> None:
        """Enter, in the field's own turn: a binding's action has its turn when the app has done with other keys."""
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            await self._entered()


class _Drawn(Highlighter):
    """In place of what is no letter, a mark of one cell: a name may hold what a terminal would obey."""

    def __init__(self, field: Field) -> None:
        self._field = field

    def highlight(self, text: Text) -> None:
        value = self._field.value  # of which ``text`` lacks some already
        text.plain = "".join(letter if printable(letter) == letter else "\ufffd" for letter in value)
