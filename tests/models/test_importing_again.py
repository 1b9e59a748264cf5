"""Weights that come back: as they were, with the smooth weights that left with them, and in place of damaged ones."""

import dataclasses
import json
import shutil

import pytest
import torch
from safetensors.torch import save_file
from small_upscaler import CONFIG, flip_a_byte, upscaler_file

from npe_core.models.importing import import_weights
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import SMOOTH, Entry, load, read_former, read_manifest, sha256_of, verify, write_manifest

CPU = torch.device("cpu")


def test_what_was_imported_can_be_imported_elsewhere_and_again(folder, tmp_path):
    """Its file says its architecture, which the sizes of the tensors do not."""
    mine = tmp_path / "new.safetensors"
    save_file(
        GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict(), str(mine), metadata={"config": json.dumps(CONFIG)}
    )
    first = import_weights(mine, folder)
    file, manifest = folder / first.file, (folder / "manifest.json").read_bytes()
    assert import_weights(file, folder) == first and (folder / "manifest.json").read_bytes() == manifest
    elsewhere = import_weights(file, tmp_path / "elsewhere")
    assert (elsewhere.config, elsewhere.sha256) == (first.config, first.sha256)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b""), lambda path: path.unlink()])
@pytest.mark.parametrize("kind", ["upscaler", SMOOTH])
def test_importing_the_good_file_mends_a_damaged_one(folder, tmp_path, kind, damage):
    (only,) = read_manifest(folder).values()
    entry = dataclasses.replace(only, kind=kind)
    write_manifest({kind: entry}, folder)
    good = tmp_path / "good.safetensors"
    good.write_bytes((folder / entry.file).read_bytes())
    damage(folder / entry.file)
    assert import_weights(good, folder) == entry and read_manifest(folder) == {kind: entry}
    verify(entry, folder)


def test_the_weights_before_an_import_keep_their_file_and_importing_it_goes_back(folder, tmp_path):
    before = {name: t.contiguous() for name, t in load("upscaler", CPU, torch.float32, folder)[0].state_dict().items()}
    mine = tmp_path / "new.safetensors"
    old = folder / read_manifest(folder)["upscaler"].file
    torch.manual_seed(1)
    save_file(
        GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict(), str(mine), metadata={"config": json.dumps(CONFIG)}
    )
    save_file(before, str(tmp_path / "copy.safetensors"), metadata={"config": json.dumps(CONFIG)})
    import_weights(mine, folder)
    assert old.exists() and not torch.equal(
        load("upscaler", CPU, torch.float32, folder)[0].state_dict()["stem.weight"], before["stem.weight"]
    )
    import_weights(tmp_path / "copy.safetensors", folder)
    after = load("upscaler", CPU, torch.float32, folder)[0].state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.fixture
def pair(folder):
    """The weights folder with smooth weights that belong to its upscaler."""
    smooth = upscaler_file(folder / "smooth.safetensors", 1)
    entries = read_manifest(folder)
    entries[SMOOTH] = Entry(SMOOTH, smooth.name, sha256_of(smooth), CONFIG, {"images": 2})
    write_manifest(entries, folder)
    return folder


@pytest.fixture
def other(tmp_path):
    """The file of another upscaler."""
    state = GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict()
    save_file(state, str(tmp_path / "other.safetensors"), metadata={"config": json.dumps(CONFIG)})
    return tmp_path / "other.safetensors"


def test_an_upscaler_comes_back_as_it_was_with_the_smooth_weights_that_left_with_it(pair, other):
    before = read_manifest(pair)
    for _ in range(2):
        imported = import_weights(other, pair)
        assert read_manifest(pair) == {"upscaler": imported}
        assert import_weights(pair / before["upscaler"].file, pair) == before["upscaler"]
        assert read_manifest(pair) == before
        for entry in before.values():
            verify(entry, pair)
    assert read_former(pair) == [{"upscaler": imported}]


def test_shipped_weights_come_back_into_a_folder_that_has_lost_their_files(pair, other, tmp_path, monkeypatch):
    monkeypatch.setattr("npe_core.models.importing.shipped_folder", lambda: pair)
    mine, shipped = tmp_path / "mine", read_manifest(pair)
    import_weights(other, mine)
    for entry in shipped.values():
        (mine / entry.file).unlink()
    assert import_weights(pair / shipped["upscaler"].file, mine) == shipped["upscaler"]
    assert read_manifest(mine) == shipped
    for entry in shipped.values():
        verify(entry, mine)


def test_weights_come_back_under_another_name_where_theirs_is_taken(pair, other, tmp_path, monkeypatch):
    """As in a folder that was filled by an older version, whose upscaler had other weights under the same name."""
    monkeypatch.setattr("npe_core.models.importing.shipped_folder", lambda: pair)
    mine = tmp_path / "mine"
    mine.mkdir()
    shutil.copyfile(other, mine / "upscaler.safetensors")
    older = Entry("upscaler", "upscaler.safetensors", sha256_of(other), CONFIG, {"images": 3})
    write_manifest({"upscaler": older}, mine)
    new = import_weights(pair / "upscaler.safetensors", mine)
    shipped = read_manifest(pair)["upscaler"]
    assert new.file != shipped.file and dataclasses.replace(new, file=shipped.file) == shipped
    verify(new, mine)
    assert import_weights(mine / older.file, mine) == older and read_manifest(mine) == {"upscaler": older}


def test_smooth_weights_that_were_damaged_meanwhile_stay_away(pair, other):
    before = read_manifest(pair)
    import_weights(other, pair)
    flip_a_byte(pair / before[SMOOTH].file)
    assert import_weights(pair / before["upscaler"].file, pair) == before["upscaler"]
    assert read_manifest(pair) == {"upscaler": before["upscaler"]}
