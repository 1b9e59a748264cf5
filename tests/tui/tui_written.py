"""What an app under Pilot would write to a terminal, and what that would show."""

import pyte
from textual._compositor import CompositorUpdate
from textual.geometry import Region


class Written:
    """Takes down all that is painted from now on, from the whole screen on."""

    def __init__(self, session, monkeypatch):
        self._session, self._text = session, ""
        self._screen = pyte.Screen(*session.app.size)
        self._stream = pyte.Stream(self._screen)

        def display(screen, update):
            if screen is session.app.screen and isinstance(update, CompositorUpdate):
                text = update.render_segments(session.app.console)
                self._text += text
                self._stream.feed(text)

        monkeypatch.setattr(session.app, "_display", display)

    async def settle(self):
        """Until all is painted that is going to be."""
        view, pilot = self._session.editing.easel.view, self._session.pilot
        await pilot.pause(0.02)
        while view._flushing:
            await pilot.pause(0.01)
        await pilot.pause(0.02)

    async def everything(self):
        """Have all of the screen painted; returns what it shows."""
        self._session.app.screen.refresh()
        await self.settle()
        return self.shown

    @property
    def shown(self):
        """Every cell with its colours; what a blank would be written in is not seen."""
        cells = [self._screen.buffer[y][x] for y in range(self._screen.lines) for x in range(self._screen.columns)]
        return [cell._replace(fg="") if cell.data == " " and not cell.reverse else cell for cell in cells]

    def lines(self, region: Region) -> list[str]:
        """What stands in a part of the screen."""
        return [line[region.x : region.right] for line in self._screen.display[region.y : region.bottom]]

    def dots(self) -> int:
        """How many cells of a picture were written since this was asked for last: those whose dots are of two colours,
        as almost all are."""
        text, self._text = self._text, ""
        return text.count("▀")
