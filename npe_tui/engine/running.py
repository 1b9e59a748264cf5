"""The jobs that the engine does for a screen: one that makes pictures at a time, and one that looks for regions."""

from __future__ import annotations

import time
from typing import Protocol

from npe_tui.document.document import EditDocument
from npe_tui.document.edit_settings import EditSettings
from npe_tui.engine.messages import EngineState, FromEngine


class Sink(Protocol):
    """Takes messages from any thread."""

    def __call__(self, message: FromEngine) -> object: ...


class Engine(Protocol):
    """What the screens know of ``worker.EngineWorker``; tests have another one without a thread."""

    state: EngineState
    sink: Sink

    def start(self) -> None: ...
    def segment(self, document: EditDocument) -> int: ...
    def edit(self, document: EditDocument, settings: EditSettings) -> int: ...
    def variants(self, document: EditDocument, settings: EditSettings) -> int: ...
    def study(self, document: EditDocument, settings: EditSettings) -> int: ...
    def cancel(self) -> None: ...
    def stop(self) -> None: ...
    def ended(self, seconds: float) -> bool: ...


class Running:
    """Numbers of the jobs that are on their way, and since when."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._looking = 0
        self._making = 0
        self._began = 0.0

    @property
    def making(self) -> bool:
        """Whether pictures are being made: the canvas is read from then."""
        return bool(self._making)

    @property
    def looking(self) -> bool:
        """Whether regions are being looked for."""
        return bool(self._looking)

    @property
    def seconds(self) -> float:
        """Since the job that makes pictures was started."""
        return time.perf_counter() - self._began

    def look(self, document: EditDocument) -> None:
        """Look for the regions of the document's face."""
        self._looking = self.engine.segment(document)

    def make(self, what: str, document: EditDocument, settings: EditSettings) -> None:
        """``edit``, ``variants`` or ``study``."""
        self._began = time.perf_counter()
        self._making = getattr(self.engine, what)(document, settings)

    def cancel(self) -> bool:
        """Stop the pictures; returns whether any were being made."""
        if self._making:
            self.engine.cancel()
        return bool(self._making)

    def leave(self) -> None:
        """The photo is left: nothing that is on its way is wanted any more."""
        if self._making or self._looking:
            self.engine.cancel()
        self._making = self._looking = 0

    def is_making(self, message: FromEngine) -> bool:
        """Whether the message is about the pictures that are being made."""
        return bool(message.job) and message.job == self._making

    def is_looking(self, message: FromEngine) -> bool:
        """Whether the message is about the regions that are looked for."""
        return bool(message.job) and message.job == self._looking

    def done(self, message: FromEngine) -> None:
        """The job of this message has ended."""
        if self.is_making(message):
            self._making = 0
        if self.is_looking(message):
            self._looking = 0
