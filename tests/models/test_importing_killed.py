"""An import that is killed: what is on the disk belongs together, and the next call goes on."""

import json
import shutil

import pytest
import torch
from safetensors.torch import save_file
from small_upscaler import CONFIG

from npe_core.models.importing import entries_of, import_weights
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import COARSE, KINDS, SMOOTH, Entry, load, sha256_of, verify, write_manifest

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


@pytest.mark.parametrize("copied", range(6))
def test_a_kill_while_a_folder_is_filled_is_mended_by_the_next_call(tmp_path, monkeypatch, copied):
    """After so many of its six files."""
    shipped, mine = tmp_path / "shipped", tmp_path / "mine"
    shipped.mkdir()
    entries = {}
    for kind in (*KINDS, COARSE, SMOOTH):
        path = shipped / f"{kind}.safetensors"
        path.write_text(kind)
        entries[kind] = Entry(kind, path.name, sha256_of(path), {}, {})
    write_manifest(entries, shipped)
    monkeypatch.setattr("npe_core.models.importing.shipped_folder", lambda: shipped)
    copy, done = shutil.copyfile, []

    def copy_until_killed(source, target, **options):
        if len(done) == copied:
            raise KeyboardInterrupt
        done.append(source)
        return copy(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", copy_until_killed)
        with pytest.raises(KeyboardInterrupt):
            entries_of(mine)
    assert not (mine / "manifest.json").exists()
    assert entries_of(mine) == entries
    for entry in entries.values():
        verify(entry, mine)
