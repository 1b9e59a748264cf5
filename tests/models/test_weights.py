"""Weights on disk: whole, or one clear line and exit code 3."""

import json
import subprocess
import sys

import pytest
import torch
from small_upscaler import CONFIG, flip_a_byte

from npe_core.errors import WeightsError
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import (
    COARSE,
    KINDS,
    SMOOTH,
    load,
    read_manifest,
)

CPU = torch.device("cpu")


def test_loaded_model_is_the_saved_one(folder):
    model, entry = load("upscaler", CPU, torch.float32, folder)
    torch.manual_seed(0)
    same = GeneratorResNet(UpscalerConfig(**CONFIG))
    x = torch.rand(1, 3, 8, 8)
    assert torch.allclose(model(x), same(x), atol=2e-3)
    assert entry.provenance == {"images": 1} and not any(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "corrupt"),
        (flip_a_byte, "corrupt"),
        (lambda path: path.write_bytes(b""), "corrupt"),
    ],
)
def test_damaged_weights_are_refused(folder, damage, words):
    damage(folder / "upscaler.safetensors")
    with pytest.raises(WeightsError, match=words) as caught:
        load("upscaler", CPU, torch.float32, folder)
    assert caught.value.exit_code == 3 and len(str(caught.value).splitlines()) == 1


def manifest_with(**fields):
    entry = {"file": "x", "sha256": "0", "config": {}, "provenance": {}}
    return json.dumps({"models": {"upscaler": entry | fields}})


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"models": {"upscaler": {"file": "x"}}}', "\x00", manifest_with(file=None),
     manifest_with(sha256=7), manifest_with(config=[]), manifest_with(provenance="web")],
)  # fmt: skip
def test_damaged_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(WeightsError):
        read_manifest(folder)


def test_manifest_of_another_architecture_is_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["models"]["upscaler"]["config"]["width"] = 16
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(WeightsError, match="does not fit"):
        load("upscaler", CPU, torch.float32, folder)
    for config in ({"depth": 3}, {"width": 0}):
        manifest["models"]["upscaler"]["config"] = config
        (folder / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(WeightsError, match="architecture"):
            load("upscaler", CPU, torch.float32, folder)


def test_loading_imports_no_compiler():
    """Which torch does to draw random numbers on the meta device: two seconds of every command."""
    loads = "".join(f"load({kind!r}, torch.device('cpu'), torch.float32); " for kind in (*KINDS, COARSE, SMOOTH))
    program = f"import sys, torch; from npe_core.models.weights import load; {loads}print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "npe_core.models.upscaler" in loaded and "torch._dynamo" not in loaded


def test_a_missing_folder_is_one_clear_line(tmp_path):
    with pytest.raises(WeightsError, match="no weights"):
        load("denoiser", CPU, torch.float32, tmp_path / "nowhere")
