"""A small portrait of flat colours with known regions, an app whose engine has no thread, settings out of the way."""

import gc
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import textual._wait
import textual.screen
from PIL import Image
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot
from tui_fakes import HAIR, LIPS, SKIN, FakeEngine
from tui_session import Session, face

from npe_tui.app import NpeApp
from npe_tui.config import Config

sys.path.insert(0, str(Path(__file__).parent / "picture"))  # where the emulated terminal is


@pytest.fixture(autouse=True)
def homeless(tmp_path, monkeypatch):
    """Settings and state of the person who runs the tests are neither read nor written."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(autouse=True)
def uncollected():
    """Unreachable objects wait for the end of the test.

    An app is made of so many that looking for them meanwhile, among all those of torch, took a third of the time.
    """
    gc.collect(1)  # those of the app of the test before
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def rules():
    """What style sheets were parsed to, by all that it depends on."""
    return {}


@pytest.fixture(autouse=True)
def parsed_once(rules, monkeypatch):
    """A style sheet is parsed once, not for each app again: a twelfth of the time of a test was that."""
    parse = Stylesheet._parse_rules

    def parsed(sheet, css, *args, **options):
        key = css, args, tuple(options.items()), frozenset(sheet._variables.items())
        if key not in rules:
            rules[key] = parse(sheet, css, *args, **options)
        return rules[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parsed)


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    """Pilot waits for 20 ms without work, a bit more than a frame of 60 a second; both are four times as short here.

    Half of the time of a test was that: waiting for nothing.
    """
    monkeypatch.setattr(textual.screen, "UPDATE_PERIOD", 1 / 240)
    monkeypatch.setattr(textual._wait, "SLEEP_GRANULARITY", 1 / 200)
    monkeypatch.setattr(textual._wait, "SLEEP_IDLE", 1 / 200 / 20)
    resize_terminal = Pilot.resize_terminal

    async def resize(pilot, *size):
        await resize_terminal(pilot, *size)
        await pilot.pause(1 / 60)  # a size counts when for 1/120 s no other has come
        await pilot.pause()

    monkeypatch.setattr(Pilot, "resize_terminal", resize)


@pytest.fixture(autouse=True)
def mortal(monkeypatch):
    """What has ended the app is raised where a test waits: it would else wait in vain, for minutes, for what comes
    next."""
    pause = Pilot.pause

    async def wait(pilot, *delay):
        try:
            await pause(pilot, *delay)
        finally:
            if pilot.app._exception is not None:
                raise pilot.app._exception

    monkeypatch.setattr(Pilot, "pause", wait)


@pytest.fixture
def ids() -> np.ndarray:
    """(96, 80) uint8: hair above, a face, lips in it."""
    found = np.zeros((96, 80), np.uint8)
    found[8:50, 16:64] = HAIR
    found[28:80, 24:56] = SKIN
    found[60:66, 34:46] = LIPS
    return found


@pytest.fixture
def image(ids) -> np.ndarray:
    """(96, 80, 3) uint8"""
    colours = np.full((11, 3), 128, np.uint8)
    colours[[HAIR, SKIN, LIPS]] = (60, 40, 30), (220, 180, 160), (190, 90, 90)
    noise = np.random.default_rng(0).integers(-8, 9, (*ids.shape, 3))
    return np.clip(colours[ids] + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def photo_file(image, tmp_path):
    """That portrait as a file."""
    path = tmp_path / "me.png"
    Image.fromarray(image).save(path)
    return path


@pytest.fixture
def ana(portrait, tmp_path) -> Path:
    """The sample portrait in a folder that may be written to."""
    return Path(shutil.copy(portrait, tmp_path / "ana.png"))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def config() -> Config:
    return replace(Config(), autosave=0.0)


@pytest.fixture
def found(monkeypatch):
    """The faces that are found in the portrait; looking for them in flat colours takes a second."""
    found = [face(24, 28, 56, 80)]
    monkeypatch.setattr("npe_core.faces.find_faces", lambda image: found)
    return found


@pytest.fixture
def start(config, photo_file, engine, ids, found):
    """start(size) gives an app and its pilot, to be used with ``async with``."""

    class Started:
        def __init__(self, size, photo=photo_file, settings=config, notes=False):
            self.app = NpeApp(settings, photo, engine)
            self.context = self.app.run_test(size=size, notifications=notes)

        async def __aenter__(self):
            self.pilot = await self.context.__aenter__()
            return Session(self.app, self.pilot, engine, ids)

        async def __aexit__(self, *error):
            await self.context.__aexit__(*error)

    return Started
