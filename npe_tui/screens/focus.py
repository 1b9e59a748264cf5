"""The focus, of which a move costs no more than the two controls: much, over SSH, were it the screen."""

from __future__ import annotations

from textual.reactive import Reactive
from textual.widget import Widget


class QuietFocus:
    """What all screens are besides a ``Screen``. Textual's own paint all that they show for each move of the focus, and
    then the controls that look otherwise by it."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
