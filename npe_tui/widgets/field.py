"""An input field that takes its keys in the order in which they were typed."""

from __future__ import annotations

from textual import events
from textual.binding import Binding
from textual.widgets import Input

_ACTIONS = {
    key: binding.action for binding in Input.BINDINGS if isinstance(binding, Binding) for key in binding.key.split(",")
}


class Field(Input):
    """``Input`` puts letters in at once, but leaves its other keys to the app, which comes to them later: of a word
    that is typed fast, or arrives in one piece over a slow line, what Backspace takes away would be the end."""

    async def _on_key(self, event: events.Key) -> None:
        action = None if event.is_printable else _ACTIONS.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)
