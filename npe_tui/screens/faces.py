"""Which face is meant: several were found, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from npe_tui.document.document import FaceBox, FaceWish
from npe_tui.picture import PictureView
from npe_tui.picture.scene import Frame
from npe_tui.screens.dialog import Unnoted
from npe_tui.screens.focus import QuietFocus
from npe_tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from npe_core.faces import Face

_SLIP = 1.01
"""Cells, and a bit for rounding: a button that is let go within this was clicked, for no hand is still."""
_SMALLEST = 64
"""Pixels: in less there is no face to edit."""


class FaceScreen(Unnoted, QuietFocus, Screen[FaceWish | None]):
    """Answers with the face that is meant; None: the one that was meant before, or none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"face({n})", f"Face {n}", show=False) for n in range(1, 10)),
        Binding("a", "all", "All faces"),
        Binding("w", "whole", "Whole picture"),
        Binding("space", "corner", "Corner of box"),
        Binding("escape", "back", "Back"),
    ]

    def __init__(self, image: np.ndarray, faces: list[Face], depth: str, wish: FaceWish | None = None) -> None:
        """``image`` (H, W, 3) uint8; ``wish``: the face that is meant until another is chosen, None for none."""
        super().__init__()
        self._image, self._faces, self._depth, self._wish = image, faces, depth, wish
        self._corner: tuple[float, float] | None = None
        self._frames: tuple[Frame, ...] = ()

    def compose(self) -> ComposeResult:
        count = len(self._faces)
        asked = "No face found" if not count else "Which face?" if count > 1 else "One face was found"
        box = "drag a box around head and hair"
        hint = f"or {box}" if count else f"{box}, or press w; Enhance needs one"
        self._title = f"{asked}  [$text-muted]{hint}[/]"
        yield Label(f" {self._title}", id="title")
        with Horizontal(id="body"):
            yield PictureView(depth=self._depth, id="faces")
            with Vertical(id="face-side"):
                yield OptionList(*self._options(), id="face-list", compact=True)
        yield KeyLine("corner", "back")  # the other keys are in the list, too

    def _options(self) -> list[Option]:
        options = [Option(f"{n}  face {n}", id=f"face-{n}") for n in range(1, len(self._faces) + 1)]
        if len(self._faces) > 1:
            options.append(Option("a  all faces", id="all"))
        options.append(Option("w  whole picture", id="whole"))
        if self._drawn is not None:
            options.append(Option("   drawn box", id="box"))
        return [*options, Option("Esc  none" if self._wish is None else "Esc  as it was", id="none")]

    @property
    def _drawn(self) -> FaceBox | None:
        """The box that was drawn before, while it is meant."""
        return None if self._wish is None else self._wish.box

    @property
    def _meant(self) -> str | None:
        """The id of the option that is in force."""
        wish = self._wish
        if wish is None:
            return None
        return "box" if wish.box else "whole" if wish.aligned else "all" if wish.face == "all" else f"face-{wish.face}"

    def on_mount(self) -> None:
        view = self.query_one(PictureView)
        view.show(self._image)
        self.watch(view, "cursor", self._stretch, init=False)
        options = self.query_one(OptionList)
        names = [option.id for option in options.options]
        options.highlighted = names.index(self._meant) if self._meant in names else 0
        self.set_focus(options)

    @on(OptionList.OptionHighlighted)
    def _show_which(self, event: OptionList.OptionHighlighted) -> None:
        """Frames around the faces; thick around the one that Enter would take."""
        frames = [
            Frame(face.box, number, event.option_id in (f"face-{number}", "all"))
            for number, face in enumerate(self._faces, start=1)
        ]
        if self._drawn is not None:
            frames.append(Frame(self._drawn, None, event.option_id == "box"))
        self._frames = tuple(frames)
        self.query_one(PictureView).frame(self._frames)

    # --- answers ------------------------------------------------------------------------------------------------

    def action_face(self, number: int) -> None:
        if number <= len(self._faces):
            self.dismiss(FaceWish(number))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """All faces are offered where there are several."""
        return action != "all" or len(self._faces) > 1

    def action_back(self) -> None:
        """From a box that was begun, or else from the question."""
        if self._corner is not None:
            self._drop()
        else:
            self.dismiss(None)

    def action_all(self) -> None:
        self.dismiss(FaceWish("all"))

    def action_whole(self) -> None:
        self.dismiss(FaceWish(aligned=True))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        name = event.option_id or ""
        if name.startswith("face-"):
            self.action_face(int(name.removeprefix("face-")))
        elif name == "all":
            self.action_all()
        elif name == "whole":
            self.action_whole()
        elif name == "box":
            self.dismiss(self._wish)
        else:
            self.dismiss(None)

    # --- a box by hand ------------------------------------------------------------------------------------------

    def action_corner(self) -> None:
        """Space: one corner, then the other."""
        view = self.query_one(PictureView)
        if view.cursor is None:
            self.set_focus(view)
            view.action_cursor(0, 0)
            self._entitle("Arrows move the cursor; Space sets a corner of the box")
        elif self._corner is None:
            self._begin(view.cursor)
        else:
            self._box(self._corner, view.cursor)

    @on(PictureView.PointerDown)
    def _down(self, event: PictureView.PointerDown) -> None:
        self._begin((event.x, event.y))

    @on(PictureView.PointerMove)
    def _move(self, event: PictureView.PointerMove) -> None:
        self._stretch((event.x, event.y))

    @on(PictureView.PointerUp)
    def _up(self, event: PictureView.PointerUp) -> None:
        if self._corner is not None:
            self._box(self._corner, (event.x, event.y))

    def _begin(self, corner: tuple[float, float]) -> None:
        self._corner = corner
        self._entitle("And the opposite corner?")
        self._stretch(corner)

    def _stretch(self, to: tuple[float, float] | None) -> None:
        """The box as far as it is drawn, among the faces."""
        if self._corner is not None and to is not None:
            drawn = Frame(_between(self._corner, to), None, True)
            self.query_one(PictureView).frame((*self._frames, drawn))

    def _box(self, one: tuple[float, float], other: tuple[float, float]) -> None:
        self._drop()
        if self._apart(one, other) <= _SLIP:
            self._click(*one)
            return
        height, width = self._image.shape[:2]
        x0, y0, x1, y1 = _between(*((min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in (one, other)))
        if min(x1 - x0, y1 - y0) >= _SMALLEST:
            self.dismiss(FaceWish(box=(x0, y0, x1, y1)))
        else:
            self._entitle(f"That box is too small: it has at least {_SMALLEST} pixels each way")

    def _click(self, x: float, y: float) -> None:
        for number, face in enumerate(self._faces, start=1):
            if face.box[0] <= x <= face.box[2] and face.box[1] <= y <= face.box[3]:
                self.dismiss(FaceWish(number))
                return

    def _apart(self, one: tuple[float, float], other: tuple[float, float]) -> float:
        """Cells between two points of the photo, along the axis on which they are more."""
        viewport = self.query_one(PictureView).viewport
        (x0, y0), (x1, y1) = viewport.photo_to_cell(*one), viewport.photo_to_cell(*other)
        return max(abs(x1 - x0), abs(y1 - y0))

    def on_resize(self) -> None:
        """A drag under way would end elsewhere on the photo than it was seen to."""
        if self._corner is not None:
            self._drop()

    def _drop(self) -> None:
        """The box that was begun is none."""
        self._corner = None
        self._entitle(self._title)
        self.query_one(PictureView).frame(self._frames)

    def _entitle(self, title: str) -> None:
        self.query_one("#title", Label).update(f" {title}")


def _between(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float, float, float]:
    (x0, x1), (y0, y1) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return x0, y0, x1, y1
