"""Weights from elsewhere: taken in whole, given back as they were, or refused in one line."""

import dataclasses
import json
import os
import pickle
import shutil
import stat

import pytest
import torch
from safetensors.torch import save_file
from small_upscaler import CONFIG, flip_a_byte, upscaler_file
from torch import nn

from npe_core.errors import InputError
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.importing import entries_of, import_weights
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import (
    COARSE,
    KINDS,
    SMOOTH,
    Entry,
    load,
    read_former,
    read_manifest,
    sha256_of,
    shipped_folder,
    verify,
    write_manifest,
)

CPU = torch.device("cpu")


class PublishedSrgan(nn.Module):
    """The SRGAN generator as the common PyTorch implementation writes it, batch normalisation and all."""

    def __init__(self, blocks):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, 64, 9, 1, 4), nn.PReLU())
        self.res_blocks = nn.Sequential(*[PublishedBlock() for _ in range(blocks)])
        self.conv2 = nn.Sequential(nn.Conv2d(64, 64, 3, 1, 1), nn.BatchNorm2d(64, 0.8))
        layers = []
        for _ in range(2):
            layers += [nn.Conv2d(64, 256, 3, 1, 1), nn.BatchNorm2d(256), nn.PixelShuffle(2), nn.PReLU()]
        self.upsampling = nn.Sequential(*layers)
        self.conv3 = nn.Sequential(nn.Conv2d(64, 3, 9, 1, 4), nn.Tanh())

    def forward(self, x):
        first = self.conv1(x)
        return self.conv3(self.upsampling(first + self.conv2(self.res_blocks(first))))


class PublishedBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.Conv2d(64, 64, 3, 1, 1),
            nn.BatchNorm2d(64, 0.8),
            nn.PReLU(),
            nn.Conv2d(64, 64, 3, 1, 1),
            nn.BatchNorm2d(64, 0.8),
        )

    def forward(self, x):
        return x + self.conv_block(x)


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


def denoiser_of_side(side, path, prior=0):
    """A file of a small denoiser that makes pictures of that side."""
    config = {"image_size": side, "base": 8, "mults": [1], "attention": [], "prior": prior}
    state = Denoiser(DenoiserConfig(image_size=side, base=8, mults=(1,), attention=(), prior=prior)).state_dict()
    save_file(state, str(path), metadata={"config": json.dumps(config)})
    return path


@pytest.mark.parametrize("prior", [0, 32])
def test_a_denoiser_of_coarse_faces_takes_the_place_of_the_coarse_one(tmp_path, prior):
    before = read_manifest(shipped_folder())
    entry = import_weights(denoiser_of_side(32, tmp_path / "new.safetensors", prior), tmp_path / "mine")
    assert entry.kind == COARSE and read_manifest(tmp_path / "mine")["denoiser"] == before["denoiser"]


def test_a_denoiser_of_the_editors_side_takes_the_place_of_the_denoiser(tmp_path):
    entry = import_weights(denoiser_of_side(128, tmp_path / "new.safetensors", prior=32), tmp_path / "mine")
    assert entry.kind == "denoiser" and read_manifest(tmp_path / "mine")["denoiser"] == entry


def test_a_denoiser_that_the_editor_cannot_use_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"makes pictures of 64 pixels, a denoiser those of 128"):
        import_weights(denoiser_of_side(64, tmp_path / "new.safetensors"), tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


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


class Evil:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize(
    "content",
    [b"", b"not a checkpoint", pickle.dumps({"state_dict": Evil()}), pickle.dumps([1, 2])],
    ids=["empty", "text", "code", "list"],
)
def test_files_that_are_no_checkpoints_are_refused(tmp_path, capsys, content):
    path = tmp_path / "file.pth"
    path.write_bytes(content)
    with pytest.raises(InputError):
        import_weights(path, tmp_path / "mine")
    assert "executed" not in capsys.readouterr().out
    assert not (tmp_path / "mine" / "manifest.json").exists()


def test_a_checkpoint_that_fits_nothing_says_how_near_it_was(tmp_path):
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"fits none .* 0 of the \d+ tensors"):
        import_weights(tmp_path / "other.pth", tmp_path / "mine")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e5])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_that_are_not_finite_in_float16_are_refused_by_the_name_of_the_tensor(tmp_path, folder, suffix, value):
    state, mine = GeneratorResNet(UpscalerConfig()).state_dict(), tmp_path / f"new{suffix}"
    state["head.bias"][2] = value
    save_file(state, str(mine)) if suffix == ".safetensors" else torch.save(state, mine)
    before = sorted(folder.iterdir())
    with pytest.raises(InputError, match=r"new\..*: head\.bias has values that are not finite in float16"):
        import_weights(mine, folder)
    assert sorted(folder.iterdir()) == before and read_manifest(folder)["upscaler"].config == CONFIG


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


@pytest.mark.parametrize("words", ["yes\n", "x", "\x80\x04.", "(lp0\nS'a'\np1\na."])
def test_text_is_no_checkpoint_whatever_its_letters_mean_to_a_pickle(tmp_path, words):
    (tmp_path / "notes.pt").write_bytes(words.encode("latin-1"))
    with pytest.raises(InputError, match=r"notes\.pt (does not read as a checkpoint|holds no tensors)"):
        import_weights(tmp_path / "notes.pt", tmp_path / "mine")


@pytest.mark.parametrize("config", ["[1]", "3", '{"width": -1}', '{"width": "wide"}', '{"blocks": 2.5}', "{"])
def test_an_architecture_that_cannot_be_built_is_refused(tmp_path, config):
    save_file(
        GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict(), str(tmp_path / "a.safetensors"), {"config": config}
    )
    with pytest.raises(InputError, match=r"a\.safetensors"):
        import_weights(tmp_path / "a.safetensors", tmp_path / "mine")


@pytest.mark.parametrize("layer", ["conv1.0.bias", "res_blocks.0.conv_block.4.running_var", "conv3.0.weight"])
def test_an_srgan_generator_without_one_layer_is_refused_by_its_name(tmp_path, layer):
    state = PublishedSrgan(blocks=1).state_dict()
    del state[layer]
    torch.save(state, tmp_path / "generator.pth")
    with pytest.raises(InputError, match=f"without {layer}"):
        import_weights(tmp_path / "generator.pth", tmp_path / "mine")
