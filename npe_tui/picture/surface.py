"""Surface: the widget that paints a scene on the terminal, as little and as often as the terminal takes."""

from __future__ import annotations

import os
from asyncio import get_running_loop
from typing import Self

import numpy as np
from textual.app import ComposeResult
from textual.geometry import Region
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from npe_core.canvas.boxes import Box, merged
from npe_tui.picture.depth import Depth, choose_depth
from npe_tui.picture.lanes import LANE, Lane
from npe_tui.picture.pacing import PATIENCE, Pacer, pacer_of
from npe_tui.picture.quantise import plain
from npe_tui.picture.sampling import Pyramid
from npe_tui.picture.scene import Frame, Scene
from npe_tui.picture.viewport import Viewport

CELL_BYTES = {Depth.TRUE: 36, Depth.FIVE: 25, Depth.XTERM: 17, Depth.GREY: 13, Depth.ANSI: 6, Depth.MONO: 3}
"""What a cell costs on the way to the terminal, as measured on portraits."""
GATHER, FRAME = 0.002, 1 / 60
"""Seconds to wait for what else a movement of the pointer brings, and between two repaints."""
ALL: Box = (0, 0, 1 << 30, 1 << 30)


class Surface(Widget):
    """Shows an (H, W, 3) uint8 picture, the edge of a mask, another picture beside it."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Surface { layout: horizontal; overflow: hidden; width: 1fr; height: 1fr; }"

    depth: reactive[str] = reactive("auto", repaint=False)
    """The name of a ``Depth``, or auto."""

    def __init__(self, *, depth: str = "auto", id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.set_reactive(Surface.depth, depth)
        self._scene = Scene(Viewport((0, 0), (0, 0)))
        self._codes = np.zeros((0, 0), np.uint32)
        self._lanes: list[Lane] = []
        self._stale: list[Box] = []
        self._flushing = False
        self._flushed = 0.0
        self._owed = 0
        self._pacer: Pacer | None = None
        self._later: Timer | None = None
        """Runs while something may have to wait for a terminal that does not answer."""

    def show(self, image: np.ndarray, keep_view: bool = True) -> None:
        """Show another (H, W, 3) uint8 picture. It is kept, not copied: tell of changes in it with ``update_box``.

        Zoom and pan stay if it has the size of the last one, unless ``keep_view`` is False. Another size drops mask and
        comparison, which belonged to the last one.
        """
        scene = self._scene
        scene.picture = Pyramid(image)
        same = scene.viewport.photo == scene.picture.size
        if not same:
            scene.mask = scene.other = scene.split = None
        if not (same and keep_view):
            scene.viewport = Viewport(scene.picture.size, scene.viewport.cells)
        self._repaint()

    def update_box(self, image: np.ndarray, box: Box) -> None:
        """The same picture, or another of its size, that differs inside box (x0, y0, x1, y1) only."""
        scene = self._scene
        if scene.picture is None or scene.picture.size != (image.shape[1], image.shape[0]):
            self.show(image)
            return
        scene.picture.update(image, box)
        self._repaint(scene.viewport.box_to_cells(box))

    def set_mask(self, mask: np.ndarray | None, box: Box | None = None) -> None:
        """Draw the edge of a mask of the picture's size, (H, W) uint8 in 1/255, or none.

        ``box``: it differs inside only.
        """
        scene = self._scene
        if mask is None or box is None or scene.mask is None:
            if mask is not None or scene.mask is not None:
                scene.mask = None if mask is None else Pyramid(mask)
                self._repaint()
            return
        scene.mask.update(mask, box)
        if (cells := scene.viewport.box_to_cells(box)) is not None:
            columns, rows = scene.viewport.cells
            x0, y0, x1, y1 = cells
            self._repaint((max(x0 - 1, 0), max(y0 - 1, 0), min(x1 + 1, columns), min(y1 + 1, rows)))

    def compare(self, other: np.ndarray | None, split: float | None = None) -> None:
        """Show another picture of the same size instead of the picture, or left of a divider; None: the picture again.

        ``split`` in [0, 1] is where the divider stands, as a share of the photo's visible width.
        """
        scene = self._scene
        if other is None and scene.other is None:
            return
        if other is None or scene.other is None or scene.other.image is not other:
            scene.other = None if other is None else Pyramid(other)
        scene.split = None if other is None else split
        self._repaint()

    def frame(self, frames: tuple[Frame, ...]) -> None:
        """Draw these rectangles over the photo, and no others."""
        self._scene.frames = frames
        self._repaint()

    @property
    def split(self) -> float | None:
        """Where the divider stands, which a person may have dragged; None if there is none."""
        return self._scene.split

    @property
    def viewport(self) -> Viewport:
        """Where the photo stands in the view; set it to zoom or pan: ``view.viewport = view.viewport.zoom(2)``.

        That of another view of the same photo makes this one follow it.
        """
        return self._scene.viewport

    @viewport.setter
    def viewport(self, viewport: Viewport) -> None:
        viewport = viewport.resized(*self._scene.viewport.cells)
        if viewport != self._scene.viewport:
            self._scene.viewport = viewport
            self._repaint()

    def _mark(self, brush: tuple[float, float, float] | None, cursor: tuple[float, float] | None) -> None:
        """Draw the ring of the brush (photo x, y, radius) and the keyboard cursor here, and nowhere else."""
        if (brush, cursor) != (self._scene.brush, self._scene.cursor):
            boxes = self._scene.marks()
            self._scene.brush, self._scene.cursor = brush, cursor
            for box in boxes + self._scene.marks():
                self._repaint(box)

    # --- painting -----------------------------------------------------------------------------------------------

    def _repaint(self, box: Box | None = ALL) -> None:
        """Paint a box of cells again: soon, together with what else is about to change."""
        if box is None:
            return
        self._stale.append(box)
        if not self._flushing and self.is_mounted:
            self._flushing = True
            loop = get_running_loop()
            loop.call_at(max(loop.time() + GATHER, self._flushed + FRAME), self.call_later, self._flush)

    def _flush(self) -> None:
        """Paint what is stale, unless the terminal is behind: then all of it later, at once."""
        self._flushing = False
        self._flushed = get_running_loop().time()
        columns, rows = self._scene.viewport.cells
        if not self._stale or not columns or not rows:
            return
        if self._pacer is not None and not self._pacer.may_send(self._flush):
            self._later = self._later or self.set_timer(PATIENCE, self._flush_late)
            return
        stale, self._stale = self._stale, []
        depth, touched = self._scene.depth, set[int]()
        for x0, y0, x1, y1 in merged(stale):
            box = x0, y0, min(x1, columns), min(y1, rows)
            if x0 < box[2] and y0 < box[3]:
                self._codes[2 * y0 : 2 * box[3], x0 : box[2]] = self._scene.codes(box)
                touched.update(range(x0 // LANE, -(-box[2] // LANE)))
        for number in touched:
            lane = self._codes[:, number * LANE : (number + 1) * LANE]
            self._owed += self._lanes[number].put(lane, depth) * CELL_BYTES[depth]

    def _flush_late(self) -> None:
        """No answer of the terminal may have come since."""
        self._later = None
        self._flush()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """The lanes are all that is seen inside, and know when to be painted: Textual, which has a widget painted again
        that gets or loses the focus, means its border by that."""
        if not regions and repaint and not layout:
            top, right, bottom, left = self.gutter
            width, height = self.content_size
            across = left + width + right
            above, below = Region(-left, -top, across, top), Region(-left, height, across, bottom)
            regions = above, below, Region(-left, 0, left, height), Region(width, 0, right, height)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _shown(self) -> None:
        """A lane is being painted: once that is written, the terminal is asked whether it keeps up."""
        if self._owed and self._pacer is not None:
            self.call_later(self._pacer.sent, self._owed)
        self._owed = 0

    def _settle(self) -> None:
        """Take size, depth and backdrop from where the widget stands now."""
        scene, app = self._scene, self.app
        columns, rows = self.content_size
        scene.depth = choose_depth(
            self.depth, colour_system=app.console.color_system, no_colour=app.no_color, environment=os.environ
        )
        scene.backdrop = plain(self.background_colors[1].rgb, scene.depth)
        scene.viewport = scene.viewport.resized(columns, rows)
        lanes = -(-columns // LANE)
        self._codes = np.full((2 * rows, lanes * LANE), scene.backdrop, np.uint32)
        if (missing := lanes - len(self._lanes)) > 0:
            self._lanes += (new := [Lane(self._shown) for _ in range(missing)])
            self.mount(*new)
        self._repaint()

    def compose(self) -> ComposeResult:
        yield from self._lanes

    def on_mount(self) -> None:
        self._pacer = pacer_of(self.app)
        self.screen.screen_layout_refresh_signal.subscribe(self, lambda _: self._follow_layout())

    def on_resize(self) -> None:
        self._follow_layout()

    def _follow_layout(self) -> None:
        """Textual sends no Resize to a widget whose place was asked for before it was laid out first."""
        if self.content_size != self._scene.viewport.cells:
            self._settle()

    def watch_depth(self) -> None:
        if self.is_mounted:
            self._settle()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted and plain(self.background_colors[1].rgb, self._scene.depth) != self._scene.backdrop:
            self._settle()
