"""Weights from elsewhere: taken in whole, in the place of those of their kind, and beside all the others."""

import json
import os
import stat
from pathlib import Path

import pytest
import torch
from foreign_weights import PublishedSrgan, denoiser_of_side
from safetensors.torch import save_file
from small_upscaler import CONFIG

from npe_core.models.importing import import_weights
from npe_core.models.recognising import recognise
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import (
    COARSE,
    SMOOTH,
    Entry,
    load,
    read_manifest,
    shapes_of,
    shipped_folder,
    verify,
    write_manifest,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"state_dict": {f"module.{n}": v for n, v in s.items()}, "epoch": 3}]
)
def test_published_srgan_checkpoint_gives_the_same_pictures(tmp_path, wrap):
    torch.manual_seed(1)
    published = PublishedSrgan(blocks=2)
    for _ in range(3):  # running statistics that are not the initial ones
        published.train()(torch.rand(2, 3, 12, 12))
    published.eval()
    torch.save(wrap(published.state_dict()), tmp_path / "generator.pth")
    entry = import_weights(tmp_path / "generator.pth", tmp_path / "mine")
    assert entry.kind == "upscaler" and entry.config == {
        "width": 64,
        "blocks": 2,
        "skip": "none",
        "surroundings": False,
    }
    verify(entry, tmp_path / "mine")
    assert read_manifest(tmp_path / "mine").keys() == read_manifest(shipped_folder()).keys() - {SMOOTH}
    model, _ = load("upscaler", CPU, torch.float32, tmp_path / "mine")
    x = torch.rand(1, 3, 12, 12)
    with torch.no_grad():
        assert torch.allclose(model(x), published(x), atol=5e-3)


@pytest.mark.parametrize("prior", [0, 32])
def test_a_denoiser_of_coarse_faces_takes_the_place_of_the_coarse_one(tmp_path, prior):
    before = read_manifest(shipped_folder())
    entry = import_weights(denoiser_of_side(32, tmp_path / "new.safetensors", prior), tmp_path / "mine")
    assert entry.kind == COARSE and read_manifest(tmp_path / "mine")["denoiser"] == before["denoiser"]


def test_a_denoiser_of_the_editors_side_takes_the_place_of_the_denoiser(tmp_path):
    entry = import_weights(denoiser_of_side(128, tmp_path / "new.safetensors", prior=32), tmp_path / "mine")
    assert entry.kind == "denoiser" and read_manifest(tmp_path / "mine")["denoiser"] == entry


@pytest.mark.parametrize("kind", ["denoiser", "segmenter", "upscaler", COARSE])
def test_the_architectures_that_ship_are_read_off_the_tensors(kind):
    """As of a checkpoint of PyTorch, which does not say them."""
    config = read_manifest(shipped_folder())[kind].config
    state = {name: torch.empty(shape, device="meta") for name, shape in shapes_of(kind, config).items()}
    assert json.loads(json.dumps(recognise(state, None, Path("new.pt"))[:2])) == [kind, config]


def wrapped(state):
    return {f"module.{name}": tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("new.pt", lambda state, path: torch.save({"state_dict": wrapped(state)}, path)),
        ("new.pt", lambda state, path: torch.save(state, path, _use_new_zipfile_serialization=False)),
        ("new.pth", lambda state, path: save_file(wrapped(state), path)),
        ("new.safetensors", lambda state, path: save_file(wrapped(state), path)),
        ("new.safetensors", lambda state, path: torch.save(state, path)),
        ("NEW.SAFETENSORS", lambda state, path: save_file(state, path)),
        ("new", lambda state, path: save_file(state, path, {"config": json.dumps(CONFIG | {"surroundings": True})})),
    ],
)
def test_a_checkpoint_is_known_by_what_is_in_it_whatever_its_name(folder, tmp_path, name, write):
    state = GeneratorResNet(UpscalerConfig(width=8, blocks=1, surroundings=True)).state_dict()
    write(state, tmp_path / name)
    entry = import_weights(tmp_path / name, folder)
    assert entry.config == CONFIG | {"surroundings": True}
    new = load("upscaler", CPU, torch.float32, folder)[0].state_dict()
    assert all(torch.equal(new[name], tensor.half().float()) for name, tensor in state.items())


@pytest.mark.parametrize("length", [0x280, 0x4B50])
def test_a_header_as_long_as_the_first_bytes_of_a_pickle_or_a_zip_archive_is_one(folder, tmp_path, length):
    path = tmp_path / "new.safetensors"
    save_file(GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict(), path)
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end]) | {"__metadata__": {"config": json.dumps(CONFIG)}}
    text = json.dumps(header, separators=(",", ":")).encode()
    length += 0x10000 * (length < len(text))  # the two lowest bytes are what stands first
    path.write_bytes(length.to_bytes(8, "little") + text.ljust(length) + content[end:])
    assert import_weights(path, folder).config == CONFIG


def test_import_of_our_own_file_keeps_the_rest_of_the_manifest(folder, tmp_path):
    state = GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict()
    mine = tmp_path / "new.safetensors"
    save_file(state, str(mine), metadata={"config": json.dumps(CONFIG)})
    write_manifest(
        {**read_manifest(folder), "segmenter": Entry("segmenter", "s.safetensors", "0" * 64, {}, {})}, folder
    )
    assert import_weights(mine, folder).config == CONFIG
    assert read_manifest(folder).keys() == {"upscaler", "segmenter"}
    load("upscaler", CPU, torch.float32, folder)


def test_a_folder_that_is_not_there_is_made_where_no_weights_ship_that_would_fill_it(tmp_path, monkeypatch):
    monkeypatch.setattr("npe_core.models.importing.shipped_folder", lambda: tmp_path / "nothing shipped")
    state, mine = GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict(), tmp_path / "new.safetensors"
    save_file(state, str(mine), metadata={"config": json.dumps(CONFIG)})
    entry = import_weights(mine, tmp_path / "my/weights")
    assert read_manifest(tmp_path / "my/weights") == {"upscaler": entry}
    verify(entry, tmp_path / "my/weights")


def test_imported_weights_may_be_read_as_other_files_of_the_folder(tmp_path, folder):
    mine = tmp_path / "new.safetensors"
    state = GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict()
    save_file(state, str(mine), metadata={"config": json.dumps(CONFIG)})
    before = os.umask(0o022)
    try:
        import_weights(mine, folder)
    finally:
        os.umask(before)
    (imported,) = folder.glob("upscaler-*.safetensors")
    assert stat.S_IMODE(imported.stat().st_mode) == 0o644
