"""All keys, made from the table of commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Label, Static

from npe_core.regions import REGION_NAMES
from npe_tui.keys import APP_COMMANDS, COMMANDS, VIEW_KEYS, with_keys
from npe_tui.screens.dialog import Dialog


class HelpScreen(Dialog[None]):
    """What can be done, and with which key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,question_mark,q", "dismiss(None)", "Back"),
        Binding("down,j", "scroll(1)", show=False, priority=True),
        Binding("up,k", "scroll(-1)", show=False, priority=True),
    ]

    def __init__(self, keymap: Mapping[str, str]) -> None:
        """``keymap``: the keys of the settings, as ``with_keys`` takes them."""
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -help"):
            yield Label("Keys: Esc closes, arrows and PgDn scroll", classes="dialog-title")
            with VerticalScroll():
                for group, rows in tables(self._keymap).items():
                    yield Label(group, classes="heading")
                    yield Static(_table(rows))
                yield Static("docs/terminal.md has the settings, and how to give commands other keys.", classes="hint")

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


def tables(keymap: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Group -> rows of (keys, what they do)."""
    groups: dict[str, list[tuple[str, str]]] = {}
    fills = []
    for command in with_keys((*COMMANDS, *APP_COMMANDS), keymap):
        rows = groups.setdefault(command.group, [])
        if command.name.startswith("region_"):
            fills.append(command.shown_keys)
        else:
            rows.append((command.shown_keys, command.help))
    regions = ", ".join(f"{keys} {name}" for keys, name in zip(fills, REGION_NAMES, strict=True))
    groups["Pick"].insert(0, (f"{fills[0]} … {fills[-1]}", f"Fill a region: {regions}"))
    groups["See"] += VIEW_KEYS
    return groups


def _table(rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True, min_width=10)
    table.add_column()
    for keys, text in rows:
        table.add_row(keys, text)
    return table
