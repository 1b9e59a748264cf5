"""Makes the tables of keys in docs/terminal.md from the program's own table of commands.

python docs/make_terminal_pages.py
"""

from __future__ import annotations

from pathlib import Path

from npe_core.regions import REGION_NAMES
from npe_tui.keys import APP_COMMANDS, COMMANDS, REGION_KEYS, VIEW_KEYS

PAGE = Path(__file__).with_name("terminal.md")
START, END = "<!-- keys: made by docs/make_terminal_pages.py -->\n", "<!-- /keys -->\n"


def tables() -> str:
    """A table a group, as Markdown."""
    groups: dict[str, list[str]] = {}
    for command in (*COMMANDS, *APP_COMMANDS):
        groups.setdefault(command.group, [])
        if not command.name.startswith("region_"):
            keys = " ".join(f"`{key}`" for key in command.shown_keys.split())
            groups[command.group].append(f"| {keys} | {command.help} | `{command.name}` |")
    regions = ", ".join(f"`{key}` {name}" for key, name in zip(REGION_KEYS, REGION_NAMES, strict=True))
    groups["Pick"].insert(0, f"| `0` ... `9` `a` | Fill a region: {regions} | `region_hair` ... |")
    groups["See"] += [f"| {keys} | {text} | |" for keys, text in VIEW_KEYS]
    parts = [
        f"**{group}**\n\n| key | does | name |\n|---|---|---|\n" + "\n".join(rows) for group, rows in groups.items()
    ]
    return "\n" + "\n\n".join(parts) + "\n\n"


def with_tables(page: str) -> str:
    """The page with its tables made anew."""
    head, rest = page.split(START)
    return head + START + tables() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
