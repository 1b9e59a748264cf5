"""The upscaler inside the engine: between its two weights, in parts, and with its surroundings."""

import gc

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from npe_core.device import choose_device
from npe_core.editor.engine import Engine, to_images, to_tensor
from npe_core.errors import UsageError
from npe_core.models.surroundings import surroundings_of
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import SMOOTH, Entry, sha256_of, write_manifest

CONFIG = {"width": 8, "blocks": 1, "skip": "bicubic", "surroundings": True}


def engine_with(folder, *kinds):
    """An engine over random upscalers that differ in the bias of the head only: 0.5 sharp, -0.5 smooth."""
    entries = {}
    for kind, bias in zip(kinds, (0.5, -0.5), strict=False):
        torch.manual_seed(0)
        model = GeneratorResNet(UpscalerConfig(**CONFIG))
        torch.nn.init.normal_(model.surroundings.weight, std=0.05)
        torch.nn.init.normal_(model.head.weight, std=0.02)
        torch.nn.init.constant_(model.head.bias, bias)
        path = folder / f"{kind}.safetensors"
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, str(path))
        entries[kind] = Entry(kind, path.name, sha256_of(path), CONFIG, {})
    write_manifest(entries, folder)
    return Engine(choose_device("cpu"), folder)


def test_sharpness_lies_between_the_two_weights(tmp_path):
    engine = engine_with(tmp_path, "upscaler", SMOOTH)
    x = torch.rand(1, 3, 16, 16) - 0.5
    smooth, between, sharp = (engine.upscale(x, s) for s in (0.0, 0.25, 1.0))
    assert float((sharp - smooth).mean()) == pytest.approx(1.0, abs=0.02)
    assert torch.allclose(between, 0.75 * smooth + 0.25 * sharp, atol=0.02)
    assert torch.equal(engine.upscale(x, 1.0), sharp), "the sharp weights were changed"


def test_without_smooth_weights_only_full_sharpness_works(tmp_path):
    engine = engine_with(tmp_path, "upscaler")
    x = torch.zeros(1, 3, 8, 8)
    assert engine.upscale(x).shape == (1, 3, 32, 32)
    with pytest.raises(UsageError, match="upscaler_smooth, which these weights do not have"):
        engine.upscale(x, 0.5)


def test_tiles_make_the_whole_picture_and_are_counted(tmp_path):
    engine = engine_with(tmp_path, "upscaler")
    image, told = np.random.default_rng(0).integers(0, 256, (70, 100, 3), np.uint8), []
    tiled = engine.upscale_tiled(image, progress=lambda *done: told.append(done), tile=48)
    assert told == [(1, 6), (2, 6), (3, 6), (4, 6), (5, 6), (6, 6)]
    whole = to_images(engine.upscale(to_tensor([image])))[0]
    assert tiled.shape == whole.shape and np.abs(tiled.astype(int) - whole).max() <= 2


def test_of_the_tiles_that_are_done_no_floats_are_held(tmp_path):
    engine = engine_with(tmp_path, "upscaler")
    image, held = np.zeros((64, 256, 3), np.uint8), []
    engine.upscale_tiled(image, progress=lambda *_: held.append(bytes_of_tensors()), tile=64)
    assert len(held) == 4 and held[-1] <= held[1]


def bytes_of_tensors():
    """That are reachable from Python, by their storages."""
    storages = (one.untyped_storage() for one in gc.get_objects() if type(one) is torch.Tensor)
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def test_the_marked_part_is_that_of_the_whole_picture(tmp_path):
    engine = engine_with(tmp_path, "upscaler")
    picture, mask = torch.rand(1, 3, 512, 512) * 2 - 1, torch.zeros(1, 1, 128, 128)
    mask[..., 60:70, 90:100] = 1
    known = surroundings_of(picture, torch.nn.functional.interpolate(mask, scale_factor=4.0))
    x = torch.rand(1, 3, 128, 128) * 2 - 1
    inside = (slice(None), slice(None), slice(240, 280), slice(360, 400))
    whole, part, blind = (
        engine.upscale(x, known=known),
        engine.upscale_marked(x, mask, known=known),
        engine.upscale_marked(x, mask),
    )
    assert torch.allclose(part[inside], whole[inside], atol=1e-5)
    assert not torch.allclose(blind[inside], whole[inside], atol=0.02)


@pytest.mark.parametrize("rows", [(0, 9), (60, 70), (120, 128)])
def test_around_what_is_marked_nothing_is_enlarged(tmp_path, rows):
    """But for four pixels, which a pixel of a photo in which the face is tiny looks at."""
    engine, seen = engine_with(tmp_path, "upscaler"), []
    engine.upscaler(1.0).upsample[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[2:]))
    x, mask = torch.rand(1, 3, 128, 128) * 2 - 1, torch.zeros(1, 1, 128, 128)
    mask[..., slice(*rows), 90:100] = 1
    part, whole = engine.upscale_marked(x, mask), engine.upscale(x)
    assert seen[0] == (min(128, rows[1] + 7) - max(0, rows[0] - 7), 24)
    for around, close in ((1, 1e-5), (4, 0.01)):  # farther out, of what it looks at a part is left out
        top, bottom = max(0, rows[0] - around), rows[1] + around
        there = (..., slice(4 * top, 4 * bottom), slice(4 * (90 - around), 4 * (100 + around)))
        assert torch.allclose(part[there], whole[there], atol=close)
