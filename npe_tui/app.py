"""The app: settings, themes, the engine, and the way from screen to screen."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar
from weakref import ref

from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.notifications import Notification, Notify
from textual.screen import Screen

from npe_core.errors import NpeError, UsageError
from npe_core.filenames import printable, printable_lines
from npe_core.terminal import has_true_colour, may_have_true_colour
from npe_tui.config import Config
from npe_tui.document.document import EditDocument
from npe_tui.editing.editing import Editing
from npe_tui.engine.running import Engine
from npe_tui.files import places
from npe_tui.files.recent import Recent
from npe_tui.files.saving import Saving
from npe_tui.hang_up import HangUp
from npe_tui.in_order import InOrder
from npe_tui.keys import APP_COMMANDS, COMMANDS, key_to, with_keys
from npe_tui.panels.status import StatusLine
from npe_tui.picture.pacing import pacer_of
from npe_tui.screens.dialog import Unnoted
from npe_tui.screens.edit import EditScreen
from npe_tui.themes import THEMES, next_theme, own_colours

_SETTLED, _COLLECTIONS = 0.1, 5
"""Seconds before a screen that was closed is looked for again, and how often."""
_PATIENCE = 1.0
"""Seconds that the engine has at the end to come to the end of a step."""


class NpeApp(InOrder, inherit_bindings=False):
    """The terminal editor. It does not inherit Textual's Ctrl+Q, which asks nothing."""

    TITLE = "npe"
    CSS_PATH = "npe.tcss"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (64, "-normal"), (110, "-wide")]  # noqa: RUF012 as App declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-low"), (24, "-medium"), (40, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        *(command.binding for command in APP_COMMANDS),
        Binding("ctrl+c", "how_to_quit", show=False),
    ]

    def __init__(self, config: Config, photo: Path | None = None, engine: Engine | None = None) -> None:
        """``photo`` may be a folder to choose one from. ``engine``: another one than the real, for tests."""
        super().__init__()
        self.config = config
        self.graphics = config.graphics
        """How a ``PictureView`` shows all its pixels."""
        self.photo = None if photo is None else places.rooted(photo)
        self.engine: Engine = engine or _engine(config)
        state = places.state_folder()
        self.recent = Recent(state)
        self.autosave_folder = state / "autosave"
        self.kept = False
        """Whether what was unsaved at a fault lies on the disk."""
        self.saving = Saving(self)
        self._asking: set[str] = set()
        """What asks a person something just now."""
        self._held: list[Notification] = []
        """What is told when no dialog is up any more."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = config.theme
        self.set_keymap(config.keys)

    def key_to(self, name: str) -> str:
        """The key that a message names for a command."""
        return key_to(name, self.config.keys)

    def on_mount(self) -> None:
        if self.photo is not None and not places.is_folder(self.photo):
            self.push_screen(EditScreen(self.photo))
        else:
            folder = Path(self.config.folder) if self.photo is None else self.photo.resolve()
            self.run_worker(self._open_first(folder), group="app")
            self.call_after_refresh(self.engine.start)
        HangUp(self).listen()
        self._tell_of_colours()

    def _tell_of_colours(self) -> None:
        """That there may be more than were found; not where somebody has chosen."""
        found = {"256": 256, "standard": 16}.get(self.console.color_system or "")
        chosen = self.config.depth != "auto" or self.no_color or self.is_headless
        if found and not chosen and may_have_true_colour(os.environ):
            told = f"The picture has {found} colours, for the terminal tells of no more. Does it show true colour? "
            self.notify(f'{told}COLORTERM=truecolor npe says so; depth = "{found}" in the settings ends this note.')

    def on_unmount(self) -> None:
        self.engine.stop()

    # --- from screen to screen ----------------------------------------------------------------------------------

    @property
    def editing(self) -> Editing | None:
        """The photo under way, whatever lies over it."""
        return next((screen.editing for screen in reversed(self.screen_stack) if isinstance(screen, EditScreen)), None)

    def pop_screen(self) -> AwaitComplete:
        """What lies below is painted when all has come about by which it is to be: once, over SSH that is felt."""
        self.delay_update()
        return super().pop_screen()

    async def _open_first(self, folder: Path, problem: str = "") -> None:
        document = await self._ask_photo(folder, problem, first=True)
        if document is not None:
            await self.push_screen(EditScreen(document.path, document))

    async def _ask_photo(
        self, folder: Path, problem: str = "", first: bool = False, current: Path | None = None
    ) -> EditDocument | None:
        from npe_tui.screens.open import OpenScreen

        screen = OpenScreen(folder, self.recent.photos, self.config, problem, first, current)
        return await self.push_screen_wait(screen)

    async def open_another(self, editing: Editing) -> None:
        """Choose a photo and go over to it, if nothing is lost by it; who waited to quit does not quit meanwhile."""
        self.saving.stay()
        document = await self._ask_photo(editing.path.parent, current=editing.path)
        if document is not None and await self.saving.may_close("Open another photo without saving?"):
            editing.running.leave()
            following, left = EditScreen(document.path, document, editing.tools.carried), ref(editing)
            del editing
            await self.switch_screen(following)
            # not begun here: what is begun from a key of that screen holds it as long as it runs
            self.call_later(lambda: self.run_worker(_forgotten(left), group="app"))

    def could_not_open(self, path: Path, problem: str) -> None:
        """The photo that was named at the start is none: to the file browser. What lies over its screen is answered."""
        while not isinstance(self.screen, EditScreen):
            self.screen.dismiss(None)
        self.pop_screen()
        self.run_worker(self._open_first(path.parent, problem), group="app")

    # --- commands -----------------------------------------------------------------------------------------------

    def once(self, what: str, work: Coroutine[Any, Any, Any]) -> None:
        """Begins something that asks a person, unless it is under way: a key that is pressed twice asks once."""
        if what in self._asking:
            work.close()
            return
        self._asking.add(what)

        async def asking() -> None:
            try:
                await work
            finally:
                self._asking.discard(what)

        self.run_worker(asking(), group="app")

    def action_leave(self) -> None:
        self.once("leave", self._leave())

    def action_how_to_quit(self) -> None:
        """For those who know programs to end by Ctrl+C, which would lose their work."""
        self.notify(f"{self.key_to('quit')} quits, {self.key_to('cancel')} stops what is running.")

    async def _leave(self) -> None:
        if await self.saving.may_close("Quit without saving?"):
            if (pacer := pacer_of(self)) is not None:
                await pacer.hear_out()
            self.exit()

    def action_help(self) -> None:
        from npe_tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.config.keys))

    def action_next_theme(self) -> None:
        self._use_theme(next_theme(self.theme))
        for status in self.screen.query(StatusLine):
            status.say(f"Theme {self.theme}{own_colours(self.theme)}")

    def _use_theme(self, name: str) -> None:
        self.delay_update()  # as in ``pop_screen``
        self.theme = name

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every command of the tables, and every theme."""
        commands = with_keys(COMMANDS, self.config.keys) if isinstance(screen, EditScreen) else ()
        for command in (*commands, *with_keys(APP_COMMANDS, self.config.keys)):
            if command.name != "palette":
                where = screen if command in commands else self
                yield SystemCommand(
                    f"{command.title}  {command.shown_keys}",
                    command.help,
                    lambda action=command.action, where=where: self._command(action, where),
                )
        for name in sorted(self.available_themes):
            yield SystemCommand(f"Theme {name}", f"Use the theme {name}", lambda name=name: self._use_theme(name))

    def _command(self, action: str, where: Screen[Any] | NpeApp) -> None:
        """What was chosen in the palette is for the picture, whichever control has the focus."""
        if isinstance(where, EditScreen):
            where.action_back_to_picture()
        self.run_worker(self.run_action(action, where), group="palette")

    # --- notes --------------------------------------------------------------------------------------------------

    def on_notify(self, event: Notify) -> None:
        """No note lies on a question: what comes meanwhile is told on the picture. Names of files are spelt in each."""
        note = event.notification
        note.message, note.title = printable_lines(note.message), printable(note.title)
        if self.screen_stack and isinstance(self.screen, Unnoted):
            event.prevent_default()
            self._held.append(note)

    def hold_notes(self) -> None:
        """A question comes up: what it cuts short is told again when it is gone."""
        self._held.extend(self._notifications)
        self.clear_notifications()
        for screen in self.screen_stack:  # what lies below shows what it showed
            screen.query("ToastHolder").remove()

    def tell_held_notes(self) -> None:
        """A question is gone; over another one they are held again."""
        held, self._held = self._held, []
        for note in held:
            self.notify(
                note.message, title=note.title, severity=note.severity, timeout=note.timeout, markup=note.markup
            )

    # --- the end that nobody chose ------------------------------------------------------------------------------

    def autosave_now(self) -> bool:
        """Writes what is unsaved, for the next session; returns whether it lies on the disk."""
        autosave = None if self.editing is None else self.editing.autosave
        return autosave is not None and autosave.flush()

    @property
    def fault(self) -> Exception | None:
        """What ended the app, if it was no person."""
        return self._exception

    def _fatal_error(self) -> None:
        """In place of Textual's page of local variables: ``run`` raises the fault, and the command line tells it."""
        self.kept = self.autosave_now()
        self._close_messages_no_wait()


async def _forgotten(left: ref[Editing]) -> None:
    """A closed screen is made of cycles, which with torch there stayed for many photos more, each with all its pixels.

    What has closed it may hold it for a moment, and a save for as long as it takes.
    """
    for _ in range(_COLLECTIONS):
        await asyncio.sleep(_SETTLED)
        gc.collect()
        if left() is None:
            return


def _engine(config: Config) -> Engine:
    from npe_tui.engine.worker import EngineWorker

    return EngineWorker(config.device, key_to("face", config.keys))


def run(photo: Path | None = None, device: str | None = None, max_megapixels: float | None = None) -> int:
    """Runs the editor until a person leaves it; returns the exit code.

    ``device`` and ``max_megapixels`` go before those that are set.

    Raises UsageError for bad settings, NpeError for a fault of its own.
    """
    from npe_tui import config
    from npe_tui.document import edit_settings

    settings = config.load()
    if device is not None:
        settings = replace(settings, device=device)
    if max_megapixels is not None:
        settings = replace(settings, max_megapixels=max_megapixels)
    try:
        edit_settings.presets(settings)
    except UsageError as error:
        raise config.where(error, config.source_of()[0]) from None
    if has_true_colour(os.environ):
        os.environ["COLORTERM"] = "truecolor"  # Textual goes by that alone
    app = NpeApp(settings, photo)
    app.run()
    code = app.return_code or 0
    if app.fault is not None:
        kept = "Paint and mask are kept: open the photo again. " if app.kept else ""
        told = f"This is a bug: {type(app.fault).__name__}: {app.fault}. {kept}Run again with --debug and report it."
        raise NpeError(told) from app.fault
    if not app.engine.ended(_PATIENCE):
        os._exit(code)  # torch, at work in a thread that the interpreter takes down, would abort the process
    return code
