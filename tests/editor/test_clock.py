"""Seconds are counted until the device has done its work."""

import time
from types import SimpleNamespace

import pytest
import torch

from npe_core.editor.clock import Clock, timed


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_work_that_a_gpu_still_does_counts(kind, monkeypatch):
    monkeypatch.setattr(getattr(torch, kind), "synchronize", lambda *_: time.sleep(0.05))
    engine, clock = SimpleNamespace(device=torch.device(kind), load_seconds=0.0), Clock()
    with timed(engine, "diffusion", [clock]):
        pass
    assert clock.seconds["diffusion"] == clock.seconds["total"] >= 0.05
