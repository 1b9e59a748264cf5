"""PictureView: the widget that shows a picture and says where on it the pointer is."""

from __future__ import annotations

import numpy as np
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from npe_core.canvas.boxes import Box
from npe_tui.picture.viewport import Viewport


class PictureView(Widget, can_focus=True):
    """Shows an (H, W, 3) uint8 picture; posts where on the photo the pointer is. Zoom and pan are its own business."""

    ALLOW_SELECT = False
    BINDINGS: list[BindingType] = [
        Binding("plus,equals_sign", "zoom(1.25)", "Zoom in", show=False),
        Binding("minus", "zoom(0.8)", "Zoom out", show=False),
        Binding("0", "fit", "Fit", show=False),
    ]

    brush_radius: reactive[float | None] = reactive(None)
    """Photo pixels; a ring of this radius is drawn at the pointer or the keyboard cursor. None: no ring."""
    cursor: reactive[tuple[float, float] | None] = reactive(None)
    """The keyboard cursor, in photo coordinates; None: not shown."""

    class Pointer(Message):
        """The pointer over the picture, in photo coordinates (x right, y down; finer than a pixel where known)."""

        def __init__(
            self, view: PictureView, x: float, y: float, button: int, shift: bool, ctrl: bool, inside: bool
        ) -> None:
            super().__init__()
            self.view = view
            self.x, self.y = x, y
            self.button, self.shift, self.ctrl = button, shift, ctrl
            self.inside = inside
            """Whether the point is on the photo (a drag may leave it)."""

        @property
        def control(self) -> PictureView:
            return self.view

    class PointerDown(Pointer):
        """A mouse button went down over the view."""

    class PointerMove(Pointer):
        """The pointer moved; ``button`` is 0 when none is held."""

    class PointerUp(Pointer):
        """The button of the last PointerDown was let go, wherever the pointer is now."""

    class ViewportChanged(Message):
        """The view was zoomed, panned or resized."""

        def __init__(self, view: PictureView, viewport: Viewport) -> None:
            super().__init__()
            self.view, self.viewport = view, viewport

        @property
        def control(self) -> PictureView:
            return self.view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._image = np.zeros((1, 1, 3), np.uint8)
        self._viewport = Viewport((1, 1), (0, 0))

    @property
    def viewport(self) -> Viewport:
        """Where the photo stands in the view; set it to zoom or pan: ``view.viewport = view.viewport.zoom(2)``."""
        return self._viewport

    @viewport.setter
    def viewport(self, viewport: Viewport) -> None:
        self._viewport = viewport
        self.refresh()

    def show(self, image: np.ndarray, keep_view: bool = True) -> None:
        """Show another (H, W, 3) uint8 picture; it is kept, not copied."""
        self._image = image
        height, width = image.shape[:2]
        keep = keep_view and self._viewport.photo == (width, height)
        self.viewport = self._viewport if keep else Viewport((width, height), self._viewport.cells)

    def update_box(self, image: np.ndarray, box: Box) -> None:
        """The same picture, changed inside box (x0, y0, x1, y1) only."""
        self._image = image
        self.refresh()

    def set_mask(self, mask: np.ndarray | None, box: Box | None = None) -> None:
        """The (H, W) float32 mask whose edge is drawn; with ``box`` only that part of it changed."""

    def compare(self, other: np.ndarray | None, split: float | None = None) -> None:
        """Show another picture of the same size instead, or left of a divider at ``split`` of the width in [0, 1]."""

    def on_resize(self, event: events.Resize) -> None:
        self.viewport = self._viewport.resized(event.size.width, event.size.height)

    def action_zoom(self, factor: float) -> None:
        self.viewport = self._viewport.zoom(factor)

    def action_fit(self) -> None:
        self.viewport = self._viewport.fit()

    def render_line(self, y: int) -> Strip:
        return Strip.blank(self.size.width)
