"""The editor under Pilot: an app with its photo open, and the hands of a person on it."""

import asyncio

import numpy as np
from textual import events
from textual._wait import wait_for_idle
from textual.keys import _character_to_key, key_to_character
from tui_fakes import invented
from waiting import PATIENCE, looks

from npe_core.editor import FaceChoice
from npe_core.faces import Face, FaceCrop
from npe_tui.engine import messages
from npe_tui.screens.edit import EditScreen


class Ids:
    """Regions as the engine gives them, without probabilities."""

    def __init__(self, ids):
        self.ids, self.probabilities = ids, None
        self.choice = FaceChoice((FaceCrop.centred(ids.shape[1], ids.shape[0]),))


async def until(pilot, met):
    """Waits for threads of the app; fails when what is waited for does not come, at once where the app has ended."""
    for _ in looks(4 * PATIENCE):
        await pilot.pause()  # a quarter of a PAUSE at least
        if met():
            return
        assert pilot.app.is_running, "the app has ended"
    raise AssertionError("waited in vain")


class Session:
    """An app with the portrait open and its regions known."""

    def __init__(self, app, pilot, engine, ids):
        self.app, self.pilot, self.engine, self.ids = app, pilot, engine, ids

    @property
    def screen(self):
        return next((screen for screen in reversed(self.app.screen_stack) if isinstance(screen, EditScreen)), None)

    @property
    def editing(self):
        return self.app.editing

    @property
    def document(self):
        return self.editing.document

    async def open(self):
        await until(self.pilot, lambda: ("segment", self.document) in self.engine.asked)
        await self.say(messages.Segmented(self.number("segment"), Ids(self.ids)))
        await until(self.pilot, lambda: self.document.regions is not None)
        return self

    def number(self, what):
        return max(n for n, asked in enumerate(self.engine.asked, start=1) if asked[0] == what)

    async def say(self, message):
        self.engine.sink(message)
        await self.pilot.pause()
        await self.pilot.pause()

    async def press(self, *keys):
        """As Pilot does it, which waits twice for each key."""
        for key in keys:
            name = key if len(key) > 1 or key.isalnum() else _character_to_key(key)
            self.app.post_message(events.Key(name, key_to_character(name)))
            await wait_for_idle(0)
        await self.pilot.pause()

    async def fill(self, key="7"):
        before = self.document.canvas.revision
        await self.press(key)
        await until(self.pilot, lambda: self.document.canvas.revision > before and self.document.canvas._dirty is None)

    async def enhance(self, seed=5):
        number = await self.make("g", "edit")
        await self.say(messages.Edited(number, [invented(self.document, seed)]))

    async def make(self, key, what):
        """Has the engine asked for pictures; returns the number of the job."""
        before = len(self.engine.asked)
        await self.press(key)
        await until(self.pilot, lambda: any(asked[0] == what for asked in self.engine.asked[before:]))
        return self.number(what)


def face(x0, y0, x1, y1) -> Face:
    across, down = x1 - x0, y1 - y0
    shares = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    return Face((x0, y0, x1, y1), shares * (across, down) + (x0, y0), 0.9)


def run(scenario):
    asyncio.run(scenario())
