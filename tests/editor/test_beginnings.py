"""Where the engine lets samples begin: with a coarse denoiser where the weights have one."""

import pytest
import torch
from safetensors.torch import save_file

from npe_core.device import choose_device
from npe_core.diffusion.cascade import BEGIN
from npe_core.diffusion.schedule import alpha_bars, draw_noise
from npe_core.editor import Editor
from npe_core.editor.engine import Engine
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.weights import COARSE, Entry, sha256_of, write_manifest

SMALL = {"base": 8, "mults": [1], "attention": []}


@pytest.fixture
def engine_with(tmp_path):
    """An engine over untrained denoisers; the coarse one has learned that all faces are of one grey."""

    def make(*kinds):
        entries = {}
        for kind in kinds:
            config = {"image_size": 8, "prior": 8, **SMALL} if kind == COARSE else {"image_size": 32, **SMALL}
            torch.manual_seed(0)
            model = Denoiser(DenoiserConfig(**{n: tuple(v) if isinstance(v, list) else v for n, v in config.items()}))
            if model.prior is not None:
                model.prior.learn([torch.full((5, 3, 8, 8), 0.75)], [1.0])
            path = tmp_path / f"{kind}.safetensors"
            save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, str(path))
            entries[kind] = Entry(kind, path.name, sha256_of(path), config, {})
        write_manifest(entries, tmp_path)
        return Engine(choose_device("cpu"), tmp_path)

    return make


def test_samples_begin_with_what_the_coarse_denoiser_makes(engine_with):
    """Of an untrained network only the preconditioning speaks: it keeps a part of the grey that it is given."""
    engine = engine_with("denoiser", COARSE)
    xt, t = engine.begin([3, 4])
    alpha_bar = float(alpha_bars()[BEGIN])
    begun = (xt - (1 - alpha_bar) ** 0.5 * draw_noise((3, 32, 32), [3, 4])) / alpha_bar**0.5
    coarse = begun.unflatten(2, (8, 4)).unflatten(4, (8, 4)).mean(dim=(3, 5))
    assert t == BEGIN and begun.std(dim=(2, 3)).min() > 0.01
    torch.testing.assert_close(engine.begin([4])[0], xt[1:], atol=1e-4, rtol=0)
    enlarged = torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bicubic")
    assert float((begun - enlarged).std()) < 0.5 * float(begun.std()), "not a picture of 8 x 8 pixels"


def test_without_one_they_begin_with_noise(engine_with):
    xt, t = engine_with("denoiser").begin([3, 4])
    assert t == 499 and torch.equal(xt, draw_noise((3, 32, 32), [3, 4]))


def test_samples_take_no_more_calls_than_there_are_timesteps(engine_with, tmp_path):
    engine_with("denoiser", COARSE)
    calls = []
    faces = Editor("cpu", tmp_path).sample(1, steps=499, progress=calls.append)
    assert faces.shape == (1, 32, 32, 3) and BEGIN <= len(calls) < 499
