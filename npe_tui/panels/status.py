"""The line at the bottom: what there is, what happened, what the machine is."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from npe_core.filenames import printable, printable_lines


class StatusLine(Widget):
    """A message on the left, facts on the right; the message wins where there is no room for both."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StatusLine { height: 1; width: 1fr; color: $text; }
    StatusLine > .status--facts { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"status--facts"}

    message: reactive[str] = reactive("")
    serious: reactive[bool] = reactive(False)
    """Whether the message tells of something that went wrong."""
    facts: reactive[tuple[str, ...]] = reactive(())
    """From the most to the least important."""

    def say(self, message: str, serious: bool = False, noted: bool = False) -> None:
        """Another message; of what went wrong all is to be read, if need be in a notification, unless one is up."""
        message = printable_lines(message)
        if serious and not noted and self.is_mounted and cell_len(message) + 1 > self.size.width:
            self.app.notify(message, severity="warning", markup=False)
        self.serious = serious
        self.message = message

    def validate_facts(self, facts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(printable, facts))

    def render(self) -> Text:
        width = self.size.width
        left = Text(
            " " + self.message.replace("\n", " "), "bold" if self.serious else "", no_wrap=True, overflow="ellipsis"
        )
        facts = list(self.facts)
        while facts and left.cell_len + 2 + cell_len(" · ".join(facts)) + 1 > width:
            facts.pop()
        right = " · ".join(facts) + " " if facts else ""
        left.truncate(max(width - cell_len(right), 0), overflow="ellipsis", pad=True)
        return left.append(right, self.get_component_rich_style("status--facts"))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1
