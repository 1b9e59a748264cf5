"""The U-Nets by OpenVINO: the same pictures within rounding, converted once."""

import numpy as np
import pytest
import torch

from npe_core.device import choose_device, cpu_has_bf16
from npe_core.editor.engine import Engine
from npe_core.errors import EnvironmentFault
from npe_core.models.denoiser import Denoiser, DenoiserConfig


def test_without_openvino_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault, match="pip install openvino"):
        choose_device("openvino")


def test_it_is_the_cpu_by_another_name(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("npe_core.device.cpu_has_bf16", lambda: True)
    choice, plain = choose_device("openvino"), choose_device("cpu")
    assert (choice.name, choice.device, choice.dtype) == ("openvino", plain.device, plain.dtype)


def test_a_processor_without_bfloat16_is_told(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("npe_core.device.cpu_has_bf16", lambda: False)
    with pytest.raises(EnvironmentFault, match="bfloat16"):
        choose_device("openvino")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    pytest.importorskip("openvino", reason="needs the extra: pip install '.[openvino]'")
    if not cpu_has_bf16():
        pytest.skip("this processor has no bfloat16")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "npe" / "openvino"


SMALL = DenoiserConfig(image_size=32, base=16, mults=(1, 2), attention=(8,), head_width=16)


def small():
    torch.manual_seed(0)
    model = Denoiser(SMALL).eval().requires_grad_(False)
    for weight in model.unet.parameters():  # none of the zeros that training starts from
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.05)
    return model


def compiled(weights="0" * 64):
    from npe_core.models.openvino import Compiled

    return Compiled(small().unet, (torch.zeros(1, 3, 32, 32), torch.ones(1, dtype=torch.int64)), weights)


def test_network_is_the_same_and_a_batch_is_its_pictures(cache):
    x, t = torch.randn(3, 3, 32, 32), torch.tensor([1, 250, 500])
    network = compiled()
    together = network(x, t)
    assert torch.allclose(together, small().unet(x, t), rtol=0.05, atol=0.05)
    assert all(torch.equal(together[i : i + 1], network(x[i : i + 1], t[i : i + 1])) for i in range(3))


def test_conversion_is_kept_by_the_weights_and_survives_damage(cache, monkeypatch):
    x, t = torch.randn(1, 3, 32, 32), torch.tensor([250])
    first = compiled()(x, t)
    (kept,) = cache.glob("*.xml")
    with monkeypatch.context() as patch:
        patch.setattr("openvino.convert_model", None)
        assert torch.equal(compiled()(x, t), first)
    kept.write_text("<torn")
    assert torch.allclose(compiled()(x, t), first, rtol=0.05, atol=0.05)
    compiled("1" * 64)
    assert len(list(cache.glob("*.xml"))) == 2 and not [path for path in cache.iterdir() if path.is_dir()]


def test_a_folder_that_cannot_be_written_costs_only_time(cache):
    cache.parent.write_text("a file where the folder would be")
    assert compiled()(torch.zeros(1, 3, 32, 32), torch.tensor([1])).shape == (1, 3, 32, 32)


def test_the_shipped_networks_agree(cache):
    torch.manual_seed(0)
    plain, quick = Engine(choose_device("cpu")), Engine(choose_device("openvino"))
    xt = torch.randn(1, 3, plain.image_size, plain.image_size)
    difference = (plain.denoise(xt, 250) - quick.denoise(xt, 250)).abs()
    assert float(difference.mean()) < 0.004 and float(difference.max()) < 0.06
    x = torch.nn.functional.interpolate(torch.rand(2, 3, 8, 8) * 2 - 1, size=(quick.segment_size,) * 2)
    ids, others = (np.asarray(engine.segment(x).argmax(dim=1)) for engine in (plain, quick))
    assert (ids == others).mean() > 0.99
