"""PictureView: a picture that a person zooms and pans, and points at with the mouse or the keyboard."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from npe_tui.keys import COMMANDS, ZOOM
from npe_tui.picture.graphics import Protocol, cell_of, choose_protocol, erased, still
from npe_tui.picture.surface import Surface
from npe_tui.picture.until_key import show_until_key
from npe_tui.picture.viewport import Viewport

WHEEL = 1.2
"""How much closer one notch of the wheel goes."""
GRIP = 1.0
"""Cells beside the divider in which it can be taken."""


class PictureView(Surface, can_focus=True):
    """A ``Surface`` that posts where on the photo the pointer is; what that means is others' business.

    The wheel zooms at the pointer; the middle and the right button pan; a divider is dragged. The arrow keys move
    ``cursor`` by one dot, half a cell; painting with it is again others' business.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(command.binding for command in COMMANDS if command.name in ZOOM),
        Binding("left", "cursor(-1,0)", "Cursor left", show=False),
        Binding("right", "cursor(1,0)", "Cursor right", show=False),
        Binding("up", "cursor(0,-1)", "Cursor up", show=False),
        Binding("down", "cursor(0,1)", "Cursor down", show=False),
        Binding("shift+left", "cursor(-8,0)", "Cursor far left", show=False),
        Binding("shift+right", "cursor(8,0)", "Cursor far right", show=False),
        Binding("shift+up", "cursor(0,-8)", "Cursor far up", show=False),
        Binding("shift+down", "cursor(0,8)", "Cursor far down", show=False),
        Binding("ctrl+left", "pan(-8,0)", "Pan left", show=False),
        Binding("ctrl+right", "pan(8,0)", "Pan right", show=False),
        Binding("ctrl+up", "pan(0,-4)", "Pan up", show=False),
        Binding("ctrl+down", "pan(0,4)", "Pan down", show=False),
    ]

    brush_radius: reactive[float | None] = reactive(None, repaint=False)
    """Photo pixels: a ring of this radius is drawn at the cursor, or else at the pointer. None: no ring."""
    cursor: reactive[tuple[float, float] | None] = reactive(None, repaint=False)
    """The keyboard cursor in photo coordinates; None, and so after each move of the mouse: not shown."""

    class Pointer(Message):
        """The pointer, in photo coordinates: x right, y down, finer than a pixel or a cell where that is known."""

        def __init__(self, view: PictureView, x: float, y: float, button: int, inside: bool) -> None:
            super().__init__()
            self.view = view
            self.x, self.y = x, y
            self.button = button
            self.inside = inside
            """Whether the point is on the photo; a drag may leave it."""

        @property
        def control(self) -> PictureView:
            return self.view

    class PointerDown(Pointer):
        """A mouse button went down over the view; until it is let go, all moves are told, wherever they go."""

    class PointerMove(Pointer):
        """The pointer moved; ``button`` is the one that is held, or 0."""

    class PointerUp(Pointer):
        """The button of the last PointerDown was let go."""

    class ViewportChanged(Message):
        """A person zoomed or panned, or the view got another size."""

        def __init__(self, view: PictureView, viewport: Viewport) -> None:
            super().__init__()
            self.view, self.viewport = view, viewport

        @property
        def control(self) -> PictureView:
            return self.view

    def __init__(self, *, depth: str = "auto", id: str | None = None, classes: str | None = None) -> None:
        super().__init__(depth=depth, id=id, classes=classes)
        self._pointer: tuple[float, float] | None = None
        """In cells, while it is over the view or held."""
        self._finely = False
        """Whether the terminal was seen to report the pointer in pixels."""
        self._drag: Callable[[tuple[float, float]], object] | None = None
        """What the drag does with the pointer, if it is the view's own; others are told."""
        self._held = 0
        """The button of the drag under way, or 0."""

    # --- the mouse ----------------------------------------------------------------------------------------------

    def _point(self, event: events.MouseEvent) -> tuple[float, float]:
        """The pointer in cells of the view. A terminal that reports cells only means their middle."""
        x, y = event.pointer_screen_x, event.pointer_screen_y
        pixels = getattr(self.app._driver, "_mouse_pixels", False)  # the drivers for Linux and macOS know
        self._finely = self._finely or pixels or x != int(x) or y != int(y)
        region, middle = self.content_region, 0.0 if self._finely else 0.5
        return x - region.x + middle, y - region.y + middle

    def _tell(self, kind: type[Pointer], point: tuple[float, float], button: int) -> None:
        x, y = self.viewport.cell_to_photo(*point)
        width, height = self.viewport.photo
        inside = 0 <= x < width and 0 <= y < height
        self.post_message(kind(self, x, y, button, inside))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        event.stop()
        if self._held:
            if event.button != self._held:
                return  # another button during a drag
            self._let_go(event)  # that the button came up was lost on the way
        point = self._point(event)
        divider = self._scene.divider()
        if event.button in (2, 3):
            self._drag = self._panning(point)
        elif divider is not None and abs(point[0] - divider - 0.5) <= GRIP:
            self._drag = self._splitting
        else:
            self._tell(self.PointerDown, point, event.button)
        self._held = event.button
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        event.stop()
        self._pointer = self._point(event)
        if self._drag is not None:
            self._drag(self._pointer)
        else:
            self._tell(self.PointerMove, self._pointer, self._held)
        self.cursor = None
        self._draw_marks()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        event.stop()
        if self._held:  # not pressed elsewhere
            self._let_go(event)

    def _let_go(self, event: events.MouseEvent) -> None:
        if self._drag is None:
            self._tell(self.PointerUp, self._point(event), self._held)
        self._drag, self._held = None, 0
        self.release_mouse()

    def on_leave(self) -> None:
        if not self._held and self.app.mouse_over is not self and self.app.mouse_over not in self.children:
            self._pointer = None
            self._draw_marks()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        event.stop()
        self._look(self.viewport.pan(-4, 0))

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        event.stop()
        self._look(self.viewport.pan(4, 0))

    def _wheel(self, event: events.MouseEvent, notches: int) -> None:
        event.stop()
        if event.shift:
            self._look(self.viewport.pan(4 * notches, 0))
        elif event.ctrl:
            self._look(self.viewport.pan(0, 2 * notches))
        else:
            self._look(self.viewport.zoom(WHEEL**-notches, at=self._point(event)))

    def _panning(self, start: tuple[float, float]) -> Callable[[tuple[float, float]], object]:
        viewport = self.viewport
        return lambda point: self._look(viewport.pan(start[0] - point[0], start[1] - point[1]))

    def _splitting(self, point: tuple[float, float]) -> None:
        self._scene.split = self._scene.split_at(point[0])
        self._repaint()

    # --- the keyboard -------------------------------------------------------------------------------------------

    def action_zoom(self, factor: float) -> None:
        """Zoom at the keyboard cursor, or else at the middle."""
        at = None if self.cursor is None else self.viewport.photo_to_cell(*self.cursor)
        self._look(self.viewport.zoom(factor, at=at))

    def action_fit(self) -> None:
        """The whole photo."""
        self._look(self.viewport.fit())

    def action_actual(self) -> None:
        """One dot for each pixel of the photo."""
        self.action_zoom(1 / self.viewport.scale)

    def action_still(self) -> None:
        """The picture with all its pixels, in place of the app, until a key; where the terminal can show one.

        The app's ``graphics``, if it has such an attribute, is the name of a protocol, auto or none.
        """
        shown = self._scene.picture if self._scene.other is None or self.split is not None else self._scene.other
        if shown is None:
            return
        protocol = choose_protocol(getattr(self.app, "graphics", "auto"), os.environ)
        if not isinstance(protocol, Protocol):
            self.notify(protocol)
            return
        columns, rows = self.app.size
        text = still(shown.image, protocol, columns, max(rows - 2, 1), cell_of())
        how = f"Any key goes back to the editor, also while the picture ({len(text) / 1e6:.1f} MB) is on its way."
        showing = self._show_still(f"\x1b[{rows}H{how[: columns - 1]}\x1b[H{text}", erased(protocol))
        self.run_worker(showing, group="still", exclusive=True)  # the answers come when the key is done

    async def _show_still(self, text: str, undo: str) -> None:
        if self._pacer is not None:
            await self._pacer.hear_out()
        with self.app.suspend():
            show_until_key(text, undo)
        if self._pacer is not None:
            self._pacer.go_on()

    def action_pan(self, columns: int, rows: int) -> None:
        """Move the view over the photo, in cells."""
        self._look(self.viewport.pan(columns, rows))

    def action_cursor(self, across: int, down: int) -> None:
        """Move the keyboard cursor by dots; it appears where the pointer was, or in the middle, and stays in sight."""
        viewport = self.viewport
        columns, rows = viewport.cells
        if self.cursor is None:
            x, y = viewport.cell_to_photo(*(self._pointer or (columns / 2, rows / 2)))
        else:
            x, y = self.cursor[0] + across / viewport.scale, self.cursor[1] + down / viewport.scale
        width, height = viewport.photo
        self.cursor = min(max(x, 0.0), width - 0.5), min(max(y, 0.0), height - 0.5)
        column, row = viewport.photo_to_cell(*self.cursor)
        beyond = column - min(max(column, 1), max(columns - 1, 1)), row - min(max(row, 1), max(rows - 1, 1))
        if any(beyond):
            self._look(viewport.pan(*beyond))

    # --- what follows -------------------------------------------------------------------------------------------

    def _look(self, viewport: Viewport) -> None:
        """A person's own zoom or pan."""
        before, self.viewport = self.viewport, viewport
        if self.viewport != before:
            self.post_message(self.ViewportChanged(self, self.viewport))
            self._draw_marks()

    def shows_other(self, x: float, y: float) -> bool:
        """Whether the other picture is seen at a photo point: everywhere, or left of the divider."""
        divider = self._scene.divider()
        column, _ = self.viewport.photo_to_cell(x, y)
        return self._scene.other is not None and (divider is None or column < divider)

    def _draw_marks(self) -> None:
        at = self.cursor
        if at is None and self._pointer is not None:
            at = self.viewport.cell_to_photo(*self._pointer)
        ring = None if at is None or self.brush_radius is None or self._drag else (*at, self.brush_radius)
        self._mark(ring, self.cursor)

    def watch_brush_radius(self) -> None:
        self._draw_marks()

    def watch_cursor(self) -> None:
        self._draw_marks()

    def _settle(self) -> None:
        before = self.viewport
        super()._settle()
        if self.viewport != before:
            self.post_message(self.ViewportChanged(self, self.viewport))
