"""A weights folder with one small upscaler."""

import pytest
from small_upscaler import CONFIG, upscaler_file

from npe_core.models.weights import Entry, sha256_of, write_manifest


@pytest.fixture
def folder(tmp_path):
    path = upscaler_file(tmp_path / "upscaler.safetensors", seed=0)
    write_manifest({"upscaler": Entry("upscaler", path.name, sha256_of(path), CONFIG, {"images": 1})}, tmp_path)
    return tmp_path
