"""A small portrait of flat colours with known regions, an engine without a thread, and settings out of the way."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tui_fakes import HAIR, LIPS, SKIN, FakeEngine

from npe_tui.config import Config

sys.path.insert(0, str(Path(__file__).parent / "picture"))  # where the emulated terminal is


@pytest.fixture(autouse=True)
def homeless(tmp_path, monkeypatch):
    """Settings and state of the person who runs the tests are neither read nor written."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


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
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def config() -> Config:
    return replace(Config(), autosave=0.0)
