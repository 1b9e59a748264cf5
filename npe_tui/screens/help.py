"""All keys, made from the table of commands."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from npe_core.regions import REGION_NAMES
from npe_tui.keys import APP_COMMANDS, COMMANDS, REGION_KEYS, VIEW_KEYS, Command


class HelpScreen(ModalScreen[None]):
    """What can be done, and with which key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,question_mark,q", "dismiss(None)", "Back"),
        Binding("down,j", "scroll(1)", show=False, priority=True),
        Binding("up,k", "scroll(-1)", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog -help"):
            yield Label("Keys", classes="dialog-title")
            for group, rows in tables().items():
                yield Label(group, classes="heading")
                yield Static(_table(rows))
            yield Static("docs/terminal.md has the settings, and how to give commands other keys.", classes="hint")

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


def tables() -> dict[str, list[tuple[str, str]]]:
    """Group -> rows of (keys, what they do)."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for command in (*COMMANDS, *APP_COMMANDS):
        if not command.name.startswith("region_"):
            groups.setdefault(command.group, []).append(_row(command))
    regions = ", ".join(f"{key} {name}" for key, name in zip(REGION_KEYS, REGION_NAMES, strict=True))
    groups["Pick"].insert(0, ("0 … 9 a", f"Fill a region: {regions}"))
    groups["See"] += VIEW_KEYS
    return groups


def _row(command: Command) -> tuple[str, str]:
    return command.shown_keys, command.help


def _table(rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True, min_width=10)
    table.add_column()
    for keys, text in rows:
        table.add_row(keys, text)
    return table
