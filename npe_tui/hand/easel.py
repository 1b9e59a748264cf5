"""The easel: the picture as it is now, and beside or over it the photo as it was, the regions, the model's guess."""

from __future__ import annotations

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import reactive

from npe_core.canvas.boxes import Box, cut
from npe_tui.document.document import EditDocument
from npe_tui.engine.messages import Patch
from npe_tui.picture import PictureView

COMPARISONS = ("off", "divider", "beside")


class Easel(Horizontal):
    """One or two views of a document."""

    before: reactive[bool] = reactive(False, init=False, repaint=False)
    """Whether the photo is shown as it was."""
    comparison: reactive[str] = reactive("off", init=False, repaint=False)
    """``off``, ``divider`` or ``beside``"""
    map: reactive[bool] = reactive(False, init=False, repaint=False)
    """Whether the regions are shown over the photo."""
    outline: reactive[bool] = reactive(True, init=False, repaint=False)
    """Whether the edge of the mask is shown."""

    def __init__(self, depth: str) -> None:
        super().__init__(id="easel")
        self.view = PictureView(depth=depth, id="photo")
        """The view that a person works in."""
        self._other = PictureView(depth=depth, id="before")
        self._other.display = False
        self._other.can_focus = False
        self._document: EditDocument | None = None
        self._guess: np.ndarray | None = None
        self._divider = 0.5
        """Where the divider is shown again, as a share of the visible width."""

    def compose(self) -> ComposeResult:
        yield self._other
        yield self.view

    # --- what to show -------------------------------------------------------------------------------------------

    def open(self, document: EditDocument) -> None:
        """Show another document."""
        same = self._document is not None and self._document.size == document.size
        self._document, self._guess = document, None
        self.display_all(keep_view=same)

    def display_all(self, keep_view: bool = True) -> None:
        """Draw everything afresh."""
        document = self._document
        if document is None:
            return
        shown = document.shown if self._guess is None else self._guess
        if self.map and document.regions is not None:
            shown = document.region_overlay()
        self.view.show(shown, keep_view=keep_view)
        self._show_mask(None)
        self._show_comparison()

    def update_box(self, box: Box) -> None:
        """The document changed inside a box (x0, y0, x1, y1): what was done is shown, whatever was shown before."""
        if self._document is None:
            return
        self.before = False
        if self.map or self._guess is not None:
            self._guess, self.map = None, False
            self.display_all()
        else:
            self.view.update_box(self._document.shown, box)
            self._show_mask(box)

    def guess(self, patches: tuple[Patch, ...]) -> None:
        """Put the model's guess into the picture."""
        if self._document is None or not patches:
            return
        if self._guess is None:
            self.map, self.before = False, False
            self._guess = self._document.shown.copy()
            self.view.show(self._guess)
            self.view.set_mask(None)
        for patch in patches:
            self._guess[cut(patch.box)] = patch.image
            self.view.update_box(self._guess, patch.box)

    def forget_guess(self) -> None:
        """Show the document itself again."""
        if self._guess is not None:
            self._guess = None
            self.display_all()

    def _show_mask(self, box: Box | None) -> None:
        """The edge of the mask is shown while there is something to enhance; over a finished edit it would be in the
        way."""
        document = self._document
        if document is None or not self.outline or not document.stale or self._guess is not None:
            self.view.set_mask(None)
        else:
            self.view.set_mask(document.canvas.levels, box)

    def _show_comparison(self) -> None:
        if self._document is None:
            return
        original = self._document.photo.image
        if self.view.split is not None:
            self._divider = self.view.split
        self._other.display = self.comparison == "beside"
        if self.comparison == "beside":
            self._other.show(original)
        if self.before:
            self.view.compare(original)
        elif self.comparison == "divider":
            self.view.compare(original, self._divider)
        else:
            self.view.compare(None)

    def watch_before(self) -> None:
        self._show_comparison()

    def watch_comparison(self) -> None:
        self._show_comparison()

    def watch_map(self) -> None:
        self.display_all()

    def watch_outline(self) -> None:
        self._show_mask(None)

    def cursor(self) -> tuple[float, float]:
        """Where the keyboard cursor is; it appears if it was not there."""
        if self.view.cursor is None:
            self.view.action_cursor(0, 0)
        assert self.view.cursor is not None, "it has just been set"
        return self.view.cursor

    # --- the divider and the two views ---------------------------------------------------------------------------

    def move_divider(self, by: float) -> None:
        """Moves the divider by a share of the visible width, if there is one."""
        split = self.view.split
        if split is not None and self._document is not None:
            self.view.compare(self._document.photo.image, min(max(split + by, 0.0), 1.0))

    @on(PictureView.ViewportChanged)
    def _keep_together(self, event: PictureView.ViewportChanged) -> None:
        event.stop()
        for view in (self.view, self._other):
            if view is not event.view and self._other.display:
                view.viewport = event.viewport
