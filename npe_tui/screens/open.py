"""Choose a photo: a path field, the photos of a folder as thumbnails, recent ones, and work left behind."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Label

from npe_core.errors import NpeError
from npe_tui.config import Config
from npe_tui.document.document import EditDocument
from npe_tui.files import opening, places
from npe_tui.files.autosave import left_behind
from npe_tui.files.thumbnails import Entry, entries_of
from npe_tui.panels.status import StatusLine
from npe_tui.screens.focus import QuietFocus
from npe_tui.widgets import Chip, Chips
from npe_tui.widgets.gallery import Gallery
from npe_tui.widgets.key_line import KeyLine
from npe_tui.widgets.path_field import PathField


class OpenScreen(QuietFocus, Screen[EditDocument | None]):
    """Answers with a photo that was read, None when a person went back; says what cannot be read, and stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "path", "Path"),
        Binding("backspace", "up", "Up"),
        Binding("f", "list('folder')", "Folder"),
        Binding("backspace", "list('folder')", show=False),  # where there is no way up
        Binding("r", "list('recent')", "Recent"),
        Binding("u", "list('unsaved')", "Unsaved"),
        Binding("escape", "back", "Back"),
    ]

    def __init__(
        self,
        folder: Path,
        recent: list[Path],
        config: Config,
        problem: str = "",
        first: bool = False,
        current: Path | None = None,
    ) -> None:
        """``problem``: why the last photo could not be opened. ``current``: the one that lies below.

        ``first``: no photo lies below. There is no way back then, and unsaved work is offered before all else.
        """
        super().__init__()
        self._folder = places.expanded(folder).absolute()
        self._recent = recent
        self._config = config
        self._problem = problem
        self._first = first
        self._current = current
        self._list = "folder"
        self._left: dict[Path, float] = {}

    def compose(self) -> ComposeResult:
        yield Label(" Open a photo", id="title")
        with Horizontal(id="open-line"):
            yield Chips(
                (Chip("folder", "folder"), Chip("recent", "recent"), Chip("unsaved", "unsaved")), "folder", id="lists"
            )
            yield PathField(entered=self._enter, placeholder="/ type a path; right arrow completes", id="path")
        yield Gallery(self._config.depth, id="gallery")
        yield StatusLine()
        yield KeyLine("choose", "back", "leave", "help")

    def on_mount(self) -> None:
        self.set_focus(self.query_one(Gallery))
        self._name_folder()
        self.run_worker(self._begin(), group="list")

    async def _begin(self) -> None:
        self._left = {
            saved.photo: saved.when
            for saved in reversed(await asyncio.to_thread(left_behind, places.state_folder() / "autosave"))
            if places.is_file(saved.photo)
        }
        await self._show("unsaved" if self._left and self._first and not self._problem else "folder")
        if self._problem:
            self.query_one(StatusLine).say(self._problem, serious=True)

    # --- lists --------------------------------------------------------------------------------------------------

    def action_list(self, which: str) -> None:
        self.run_worker(self._show(which), group="list", exclusive=True)

    async def _show(self, which: str, came_from: Path | None = None) -> None:
        status = self.query_one(StatusLine)
        entries: list[Entry] = []
        if which == "recent":
            entries = [Entry(path) for path in self._recent]
            status.say("" if entries else "No photos were opened yet")
        elif which == "unsaved":
            entries = [Entry(path, name=f"{path.name}  {_ago(when)}") for path, when in self._left.items()]
            told = "Paint of sessions that ended without saving: open a photo to recover it"
            status.say(told if entries else "No unsaved work was left behind")
        else:
            try:
                entries = await asyncio.to_thread(entries_of, self._folder)
            except OSError as error:
                status.say(f"{self._folder} cannot be listed: {error.strerror}", serious=True)
                entries = [Entry(self._folder.parent, True, "../")]
            else:
                photos = sum(not entry.folder for entry in entries)
                kept = "Unsaved work is kept (u). " if self._left else ""
                status.say(f"{kept}{photos} photo{'' if photos == 1 else 's'} in {self._folder}")
        self.query_one("#lists", Chips).chosen = self._list = which
        self.refresh_bindings()
        cursor_at = came_from or self._current
        chosen = next((i for i, entry in enumerate(entries) if entry.path == cursor_at), None)
        first_photo = next((i for i, entry in enumerate(entries) if not entry.folder), 0)
        self.query_one(Gallery).show_entries(entries, first_photo if chosen is None else chosen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Up is from a folder; back is out of the path field, or to the photo that lies below."""
        if action == "up":
            return self._list == "folder"
        return action != "back" or not self._first or isinstance(self.focused, PathField)

    def action_up(self) -> None:
        self._go(self._folder.parent)

    def _go(self, folder: Path) -> None:
        came_from, self._folder = self._folder, folder.absolute()
        self._name_folder()
        self.run_worker(self._show("folder", came_from), group="list", exclusive=True)

    def _name_folder(self) -> None:
        """Puts the folder in the field, before it is read: what is typed meanwhile stays."""
        self.query_one(PathField).value = f"{self._folder}/".replace("//", "/")

    # --- choosing -----------------------------------------------------------------------------------------------

    def action_path(self) -> None:
        field = self.query_one(PathField)
        self.set_focus(field)  # now: focus() would do it after the keys that are on their way already
        field.cursor_position = len(field.value)

    def action_back(self) -> None:
        if self.query_one(PathField).has_focus:
            self.set_focus(self.query_one(Gallery))
        else:
            self.dismiss(None)

    @on(Chips.Pressed, "#lists")
    def _choose_list(self, event: Chips.Pressed) -> None:
        self.action_list(event.name)
        self.set_focus(self.query_one(Gallery))

    @on(Gallery.Highlighted)
    def _tell(self, event: Gallery.Highlighted) -> None:
        size = f"{event.size[0]}x{event.size[1]}" if event.size else ""
        self.query_one(StatusLine).facts = tuple(fact for fact in (event.entry.path.name, size) if fact)

    @on(Gallery.Opened)
    def _open(self, event: Gallery.Opened) -> None:
        self._take(event.entry.path)

    async def _enter(self) -> None:
        self._take(self._meant(self.query_one(PathField)))

    def _meant(self, field: PathField) -> Path:
        """The path; of one that was typed whole on the list, the first ``/`` only led to the field."""
        typed = field.value.removeprefix(f"{self._folder}/")
        from_root = Path("/") / typed
        ways = (field.path, from_root) if typed != field.value else (field.path,)
        return next((path for path in ways if places.is_file(path) or places.is_folder(path)), field.path)

    def on_paste(self, event: events.Paste) -> None:
        """A file that was dropped on the terminal, which writes its path."""
        self._take(places.meant(event.text))

    def _take(self, path: Path) -> None:
        if places.is_folder(path):
            self._go(path)
            self.set_focus(self.query_one(Gallery))
        else:
            self.run_worker(self._read(path), group="read", exclusive=True)

    async def _read(self, path: Path) -> None:
        self.query_one(StatusLine).say(f"Opening {path.name}")
        try:
            document = await opening.read(path, self._config.max_megapixels)
        except NpeError as error:
            self.query_one(StatusLine).say(opening.why_not_opened(path, error), serious=True)
        else:
            self.dismiss(document)


def _ago(when: float) -> str:
    minutes = max((time.time() - when) / 60, 0)
    if minutes < 90:
        return f"{minutes:.0f} min ago"
    return f"{minutes / 60:.0f} h ago" if minutes < 48 * 60 else f"{minutes / 1440:.0f} days ago"
