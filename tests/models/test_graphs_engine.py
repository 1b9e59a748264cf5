"""The engine with recordings: both networks behind them, memory given up for them first, no step that waits."""

import pytest
import torch
from recordings import Recorder

from npe_core.defaults import SAMPLERS
from npe_core.device import DeviceChoice, choose_device, upload
from npe_core.diffusion.masked import masked_edit
from npe_core.editor.engine import Engine
from npe_core.errors import EnvironmentFault
from npe_core.strength import Strength


@pytest.fixture(scope="module")
def engines():
    """The shipped networks, plain and with recordings."""
    recorder = Recorder()
    return Engine(choose_device("cpu")), Engine(choose_device("cpu"), record=recorder), recorder


def test_engine_puts_both_networks_behind_recordings(engines):
    plain, quick, recorder = engines
    recorder.recorded.clear()
    xt = torch.randn(1, 3, plain.image_size, plain.image_size)
    x = torch.rand(1, 3, plain.segment_size, plain.segment_size) * 2 - 1
    mask = torch.ones(1, 1, plain.image_size, plain.image_size)
    within, other = (engine.denoise_within(xt.clamp(-1, 1), mask) for engine in (plain, quick))
    for t in (400, 200):
        assert torch.equal(within(xt, t), other(xt, t))
    for _ in range(2):
        assert torch.equal(plain.segment(x), quick.segment(x))
    assert recorder.recorded == [1, 1]


def test_engine_gives_up_recordings_before_it_takes_smaller_batches(engines, monkeypatch):
    _, quick, recorder = engines
    recorder.recorded.clear()
    xt = torch.randn(1, 3, quick.image_size, quick.image_size)
    for _ in range(2):
        quick.denoise(xt, 250)
    tried = []

    def model(x):
        tried.append(len(x))
        if len(tried) == 1 or len(x) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return x

    monkeypatch.setattr(quick, "largest_batch", 64)
    assert len(quick._run(model, torch.zeros(4, 3))) == 4
    assert tried == [4, 4, 2, 2]
    for _ in range(2):
        quick.denoise(xt, 250)
    assert recorder.recorded[-1:] == [1]
    monkeypatch.setattr(quick, "largest_batch", 1)
    with pytest.raises(EnvironmentFault, match="single picture"):
        quick._run(lambda x: model(torch.zeros(3)), torch.zeros(1, 3))


@pytest.fixture(scope="module")
def engine_without_values():
    return Engine(DeviceChoice(torch.device("meta"), torch.bfloat16, "shapes only"))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_step_of_an_edit_waits_for_the_device(sampler, engine_without_values):
    """On the meta device there are no values: whoever reads one, which on a GPU means to wait for it, fails."""
    engine, side = engine_without_values, engine_without_values.image_size
    pictures = torch.zeros(2, 3, side, side, device="meta")
    mask = torch.zeros(2, 1, side, side, device="meta")
    within = engine.denoise_within(pictures, mask)
    result = masked_edit(within, pictures, pictures, mask, Strength(250, 3, sampler), [1, 2])
    assert result.device.type == "meta" and result.shape == pictures.shape
    with pytest.raises((RuntimeError, NotImplementedError)):
        bool((mask > 0).any())


def test_uploading_to_where_it_is_copies_nothing():
    x = torch.zeros(3)
    assert upload(x, torch.device("cpu")) is x
