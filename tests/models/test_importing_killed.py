"""An import that is killed: what is on the disk belongs together, and the next call goes on."""

import json
import shutil

import pytest
import torch
from limits import largest_file
from safetensors.torch import save_file
from small_upscaler import CONFIG

from npe_core.errors import EnvironmentFault
from npe_core.models.importing import changing, import_weights
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import COARSE, KINDS, SMOOTH, Entry, load, read_manifest, sha256_of, verify, write_manifest

CPU = torch.device("cpu")


def test_an_import_that_ends_before_the_manifest_leaves_the_weights_as_they_were(folder, tmp_path, monkeypatch):
    """As a kill between the file and the manifest does: all that is on disk belongs together."""
    mine, manifest = tmp_path / "new.safetensors", (folder / "manifest.json").read_bytes()
    save_file(
        GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict(), str(mine), metadata={"config": json.dumps(CONFIG)}
    )

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("npe_core.models.importing.write_manifest", killed)
        with pytest.raises(KeyboardInterrupt):
            import_weights(mine, folder)
    assert (folder / "manifest.json").read_bytes() == manifest
    load("upscaler", CPU, torch.float32, folder)


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of five weights, of a few bytes each, as the shipped ones."""
    folder, entries = tmp_path / "shipped", {}
    folder.mkdir()
    for kind in (*KINDS, COARSE, SMOOTH):
        path = folder / f"{kind}.safetensors"
        path.write_text(kind)
        entries[kind] = Entry(kind, path.name, sha256_of(path), {}, {})
    write_manifest(entries, folder)
    monkeypatch.setattr("npe_core.models.importing.shipped_folder", lambda: folder)
    return folder


@pytest.mark.parametrize("copied", range(6))
def test_a_kill_while_a_folder_is_filled_is_mended_by_the_next_call(shipped, tmp_path, monkeypatch, copied):
    """After so many of its six files."""
    mine, entries = tmp_path / "mine", read_manifest(shipped)
    copy, done = shutil.copyfile, []

    def copy_until_killed(source, target, **options):
        if len(done) == copied:
            raise KeyboardInterrupt
        done.append(source)
        return copy(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", copy_until_killed)
        with pytest.raises(KeyboardInterrupt), changing(mine):
            pass
    assert not (mine / "manifest.json").exists()
    with changing(mine) as filled:
        assert filled == entries
    for entry in entries.values():
        verify(entry, mine)


def test_a_disk_that_is_full_before_a_folder_is_filled_is_told_in_one_line(shipped, tmp_path):
    """By the first file that has no room; the next call goes on."""
    state = GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict()
    save_file(state, str(tmp_path / "new.safetensors"), metadata={"config": json.dumps(CONFIG)})
    for name in ("denoiser", "upscaler"):
        (shipped / f"{name}.safetensors").write_bytes(bytes(4096))
    with pytest.raises(EnvironmentFault) as fault, largest_file(2048):
        import_weights(tmp_path / "new.safetensors", tmp_path / "mine")
    (line,) = str(fault.value).splitlines()
    assert line.startswith(f"{tmp_path / 'mine/denoiser.safetensors'} cannot be written: File too large")
    assert len(line) < len(str(tmp_path)) + 150 and line.endswith("Name another folder in NPE_WEIGHTS.")
    assert not (tmp_path / "mine/manifest.json").exists()
    with changing(tmp_path / "mine") as filled:
        assert filled == read_manifest(shipped)
