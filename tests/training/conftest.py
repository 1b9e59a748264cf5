"""Tiny training data made in code, and models that train in milliseconds."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from npe_core.models.denoiser import DenoiserConfig
from npe_core.models.sides import SIDES
from npe_core.training.data import Mixture
from npe_core.training.diffusion import DiffusionTask

DENOISER = DenoiserConfig(image_size=16, base=8, mults=(1, 2), attention=(4,), head_width=8)


@pytest.fixture(autouse=True)
def one_thread():
    """The machine may be busy, and these models are too small to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """A folder of six 32x32 pairs: images/0.png ... of one colour each (40 * number), masks of id = number."""
    folder = tmp_path_factory.mktemp("pairs")
    for kind in ("images", "masks"):
        (folder / kind).mkdir()
    for number in range(6):
        Image.fromarray(np.full((32, 32, 3), 40 * number, np.uint8)).save(folder / f"images/{number}.png")
        Image.fromarray(np.full((32, 32), number, np.uint8)).save(folder / f"masks/{number}.png")
    return folder


@pytest.fixture
def no_shipped(tmp_path, monkeypatch):
    """A weights folder begins empty: no shipped weights are there to be taken along."""
    monkeypatch.setattr("npe_core.models.importing.shipped_folder", lambda: tmp_path / "nothing shipped")


@pytest.fixture
def small_release(no_shipped, monkeypatch):
    """Denoisers of 16 pixels may be released."""
    monkeypatch.setitem(SIDES, "denoiser", DENOISER.image_size)


class Pixels:
    """A Perceptual that sees pixels, and again half of them a side; its distance is their mean square."""

    channels = (3, 3)

    def features(self, x):
        return [x, torch.nn.functional.avg_pool2d(x, 2)]

    def distance(self, x, y):
        return (x[0] - y[0]).square().mean(dim=(1, 2, 3))


@pytest.fixture
def pixels():
    return Pixels()


@pytest.fixture(scope="session")
def diffusion_task():
    """A function that makes the same tiny task each time."""

    def make(surroundings=False, prior=0, **more):
        torch.manual_seed(0)
        faces = torch.randint(0, 256, (5, 3, 16, 16), dtype=torch.uint8)
        cpu = torch.device("cpu")
        config = dataclasses.replace(DENOISER, surroundings=surroundings, prior=prior)
        return DiffusionTask(Mixture.of([(faces,)], [None], cpu, ("made/up",)), cpu, config, **more)

    return make
