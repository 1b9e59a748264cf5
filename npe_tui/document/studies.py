"""The last timestep study, which is shown again as long as another would be the same."""

from __future__ import annotations

from npe_tui.document.document import EditDocument
from npe_tui.document.edit_settings import EditSettings
from npe_tui.engine.messages import Studied


class Studies:
    """Knows of what the last study was made: a study takes as long as a dozen edits."""

    def __init__(self) -> None:
        self._begun: tuple[object, ...] = ()
        self._of: tuple[object, ...] = ()
        """What it was made of, besides the seed."""
        self._last: Studied | None = None

    def begin(self, document: EditDocument, settings: EditSettings) -> None:
        """One is being made of this."""
        self._begun = _made_of(document, settings)

    def done(self, study: Studied) -> None:
        """That one."""
        self._of, self._last = self._begun, study

    def again(self, document: EditDocument, settings: EditSettings) -> Studied | None:
        """The last one, if it is what this would make; where no seed is asked for any will do."""
        last = self._last
        if last is None or self._of != _made_of(document, settings) or settings.seed not in (None, last.seed):
            return None
        return last


def _made_of(document: EditDocument, settings: EditSettings) -> tuple[object, ...]:
    return document.canvas.revision, document.wish, settings.steps, settings.sampler
