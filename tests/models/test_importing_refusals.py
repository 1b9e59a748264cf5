"""What is no weights of this editor is refused in one line, and nothing is written."""

import pickle
import re

import pytest
import torch
from foreign_weights import PublishedSrgan, denoiser_of_side
from safetensors.torch import save_file
from small_upscaler import CONFIG

from npe_core.errors import InputError
from npe_core.models.importing import import_weights
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import read_manifest


def test_a_denoiser_that_the_editor_cannot_use_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"makes pictures of 64 pixels, a denoiser those of 128"):
        import_weights(denoiser_of_side(64, tmp_path / "new.safetensors"), tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop("trunk.bias"), "trunk.bias is missing"),
        (lambda state: state.update({"trunk.bias": torch.zeros(4)}), "trunk.bias is (4,), not (8,)"),
        (lambda state: state.update(more=torch.zeros(4)), "more is one too many"),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(tmp_path, change, words):
    state = GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict()
    change(state)
    torch.save(state, tmp_path / "new.pt")
    with pytest.raises(InputError, match=rf"of the upscaler fit, \d+ are there; {re.escape(words)}\."):
        import_weights(tmp_path / "new.pt", tmp_path / "mine")


@pytest.mark.parametrize("dtype", [torch.int8, torch.complex64, torch.bool])
@pytest.mark.parametrize("made", ["ours", "srgan"])
def test_numbers_that_are_whole_or_complex_are_no_weights(tmp_path, dtype, made):
    model = GeneratorResNet(UpscalerConfig(**CONFIG)) if made == "ours" else PublishedSrgan(blocks=1)
    state = model.state_dict()
    name = "head.bias" if made == "ours" else "conv2.0.bias"
    state[name] = state[name].to(dtype)
    torch.save(state, tmp_path / "new.pt")
    with pytest.raises(InputError, match=rf"new\.pt: {name} is of type {str(dtype)[6:]}\."):
        import_weights(tmp_path / "new.pt", tmp_path / "mine")


@pytest.mark.parametrize("kept", [2000, -1])
@pytest.mark.parametrize("write", [save_file, torch.save])
def test_the_beginning_of_a_checkpoint_is_told_as_cut_off(tmp_path, write, kept):
    write(GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict(), tmp_path / "whole")
    (tmp_path / "part").write_bytes((tmp_path / "whole").read_bytes()[:kept])
    with pytest.raises(InputError, match=r"part is cut off: .* Copy it again\."):
        import_weights(tmp_path / "part", tmp_path / "mine")


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


@pytest.mark.parametrize("words", ["yes\n", "x", "\x80\x04.", "(lp0\nS'a'\np1\na."])
def test_text_is_no_checkpoint_whatever_its_letters_mean_to_a_pickle(tmp_path, words):
    (tmp_path / "notes.pt").write_bytes(words.encode("latin-1"))
    with pytest.raises(InputError, match=r"notes\.pt (does not read as a checkpoint|holds no tensors)"):
        import_weights(tmp_path / "notes.pt", tmp_path / "mine")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("[1]", "no table of names and values"),
        ("3", "no table of names and values"),
        ("{", "no table of names and values"),
        ('{"width": -1}', "width is -1; expected a number above 0"),
        ('{"width": "wide"}', "width is 'wide'; expected a value like 64"),
        ('{"width": 8, "blocks": 2.5}', "blocks is 2.5; expected a value like 16"),
        ('{"surroundings": 1}', "surroundings is 1; expected a value like False"),
        ('{"mults": [1, "2"]}', "mults is [1, '2']; expected a value like (1, 2, 4, 4)"),
        ('{"width": 200000}', "stem.weight is (8, 3, 9, 9), not (200000, 3, 9, 9)"),
        ('{"depth": 3}', "fits none of the models"),
    ],
)
def test_an_architecture_that_cannot_be_built_is_refused(tmp_path, config, words):
    save_file(
        GeneratorResNet(UpscalerConfig(**CONFIG)).state_dict(), str(tmp_path / "a.safetensors"), {"config": config}
    )
    with pytest.raises(InputError, match=rf"a\.safetensors.*{re.escape(words)}"):
        import_weights(tmp_path / "a.safetensors", tmp_path / "mine")


@pytest.mark.parametrize("layer", ["conv1.0.bias", "res_blocks.0.conv_block.4.running_var", "conv3.0.weight"])
def test_an_srgan_generator_without_one_layer_is_refused_by_its_name(tmp_path, layer):
    state = PublishedSrgan(blocks=1).state_dict()
    del state[layer]
    torch.save(state, tmp_path / "generator.pth")
    with pytest.raises(InputError, match=f"without {layer}"):
        import_weights(tmp_path / "generator.pth", tmp_path / "mine")
