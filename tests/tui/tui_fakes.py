"""An engine without a thread, and results without a model."""

from npe_core.editor import EditResult
from npe_tui.engine import messages

HAIR, SKIN, LIPS = 7, 1, 5


def invented(document, seed: int) -> EditResult:
    """A result that is grey by the seed where the mask is, made without a model."""
    image = document.photo.image.copy()
    mask = document.canvas.mask.copy()
    image[mask > 0] = seed % 256
    parameters = {"seed": seed, "timestep": 250, "regions": {f.region: f.colour for f in document.canvas.targets}}
    return EditResult(document.photo.edited(image, mask, parameters), mask, parameters, 1, {"total": 1.5})


class FakeEngine:
    """Notes what it is asked for; the test posts what it would have said."""

    def __init__(self):
        self.state = messages.EngineState("ready", "cpu", "abcdef12", "a test")
        self.sink = lambda message: None
        self.asked = []
        self.cancelled = 0

    def _note(self, *what):
        self.asked.append(what)
        return len(self.asked)

    def start(self):
        self._note("start")

    def segment(self, document):
        return self._note("segment", document)

    def edit(self, document, settings):
        return self._note("edit", document, settings)

    def variants(self, document, settings):
        return self._note("variants", document, settings)

    def study(self, document, settings):
        return self._note("study", document, settings)

    def cancel(self):
        self.cancelled += 1

    def stop(self):
        pass

    def ended(self, seconds):
        return True
