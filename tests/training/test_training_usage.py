"""Bad usage of the training commands is told in words, and the examples of their help are good usage."""

import json
from pathlib import Path

import pytest
import torch
from training_words import SEGMENTER, config, diffusion_words

from npe_core.cli.app import run
from npe_core.errors import UsageError
from npe_core.models.denoiser import DenoiserConfig
from npe_core.models.segmenter import SegmenterConfig
from npe_core.training.checkpoint import export_weights
from npe_core.training.evaluation.options import evaluation_parser
from npe_core.training.options import train_parser
from npe_core.training.settings import with_settings


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "diffusion"], "--data"),
        (["train", "diffusion", "--data", "gone.zip", "--out", "OUT"], "does not exist"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--batch", "0"], "--batch"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--config", "bases=3"], "one of the keys"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--init", "OUT/no.safetensors"], "part00"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--adversary", "0.1"], "needs --teachers"),
        (["train", "super-resolution", "--data", "x", "--out", "OUT", "--lpips", "4"], "needs --teachers"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--paint", "1.5"], "--paint"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--paint", "0.5"], "surroundings=true"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--rollout", "0"], "--rollout"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--rollout", "0.5"], "--rollout needs --config surr"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--whole", "0.5"], "--whole needs --config surr"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--seed", str(2**64)], "--seed"),
        (["train", "label", "--data", "x", "--teachers", "x", "--out", "OUT/x.npz", "--seed", str(2**64)], "--seed"),
        (["train", "label", "--data", "x", "--teachers", "x", "--out", "OUT/x.npz", "--size", "3"], "multiple of 4"),
        (["train", "super-resolution", "--data", "x", "--out", "OUT", "--patch", "8"], "from 16 to 512, not 8"),
        (["train", "super-resolution", "--data", "x", "--out", "OUT", "--patch", "18"], "multiple of 4"),
        (
            ["train", "segmentation", "--data", "x", "--out", "OUT", *config(SEGMENTER), *config(["image_size=36"])],
            "36",
        ),
        (
            ["train", "segmentation", "--data", "x", "--out", "OUT", *config(SEGMENTER), *config(["image_size=16"])],
            "16",
        ),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--config", "prior=200"], "up to 32"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--config", "mults="], "mults is empty"),
        (["train", "diffusion", "--data", "x", "--out", "OUT", "--config", "patch=3"], "128 is no multiple of 24"),
        (["train", "segmentation", "--data", "x", "--out", "OUT", "--config", "base=3"], "divisible by 32"),
        (["train", "release", "denoiser", "OUT"], "part00"),
        (["train", "average", "OUT/one", "OUT/two", "--out", "OUT"], "part00"),
        (["train", "average", "OUT=x", "OUT", "--out", "OUT/new"], "'x' is no share of OUT"),
        (["train", "segmentation", "--data", "OUT=many", "--out", "OUT/new"], "'many' is no share of OUT"),
        (["evaluate", "diffusion", "--data", "edits=x"], "val=SRC"),
        (["evaluate", "diffusion", "--data", "foo=OUT"], "'foo' is no role. Write val=SRC, reference=SRC or edits"),
        (["evaluate", "diffusion", "--data", "x", "--count", "-3"], "--count"),
        (["evaluate", "diffusion", "--data", "x", "--edits", "-1"], "--edits"),
        (["evaluate", "diffusion", "--data", "x", "--seed", str(2**64)], "--seed"),
        (["evaluate", "super-resolution", "--data", "x", "--teachers", "OUT"], "teachers.py"),
    ],
)
def test_bad_usage_is_told_in_words(words, message, tmp_path, capsys):
    assert run([word.replace("OUT", str(tmp_path)) for word in words]) == 2
    told = capsys.readouterr().err
    assert told.startswith("npe: ") and "Traceback" not in told
    assert message.replace("OUT", str(tmp_path)) in told


def test_small_pictures_are_refused_where_sharp_ones_are_needed(pairs, tmp_path, capsys):
    sharp = ["train", "super-resolution", "--data", str(pairs), "--out", str(tmp_path / "sharp"), "--device", "cpu"]
    assert run([*sharp, "--images", "2", "--batch", "2", "--patch", "16"]) == 2
    assert "6 of 6 pictures have fewer than 512 pixels a side" in capsys.readouterr().err
    larger = [
        "train",
        *diffusion_words(
            pairs, tmp_path / "parts", "--images", "2", "--larger", str(pairs), "--config", "image_size=32"
        ),
    ]
    assert run(larger) == 2
    assert "6 of 6 pictures have fewer than 64 pixels a side" in capsys.readouterr().err
    assert run(["evaluate", "super-resolution", "--data", str(pairs), "--device", "cpu"]) == 2
    assert "fewer than 512 pixels" in capsys.readouterr().err


def test_a_batch_that_memory_does_not_hold_is_told_with_what_helps(pairs, tmp_path, capsys):
    many = str(10**17)
    words = diffusion_words(pairs, tmp_path, "--images", many)
    words[words.index("--batch") + 1] = many
    assert run(["train", *words]) == 4
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == f"npe: cpu ran out of memory. Choose a smaller --batch than {many}, or a smaller --config."


@pytest.mark.parametrize(("notes", "held"), [(None, ""), ({"task": "diffusion"}, " holds a run of diffusion, which")])
def test_a_run_that_is_to_begin_at_the_weights_of_another_model_is_told(tmp_path, capsys, notes, held):
    weights = tmp_path / "ema_long.safetensors"
    export_weights(weights, {"x": torch.zeros(1)}, {"image_size": 16, "sigma_data": 0.5}, 1)
    if notes is not None:
        (tmp_path / "run.json").write_text(json.dumps(notes))
    assert run(["train", "segmentation", "--data", "x", "--out", str(tmp_path / "new"), "--init", str(tmp_path)]) == 2
    known = "image_size, patch, base, mults, fine"
    told = capsys.readouterr().err
    why = f"does not fit the segmenter (sigma_data is none of {known}). Name weights of a segmenter."
    assert told == f"npe: {weights}{held} {why}\n"


def test_settings_take_the_type_of_the_default():
    assert with_settings(DenoiserConfig(attention=()), ["attention=8,4"]).attention == (8, 4)
    changed = with_settings(SegmenterConfig(), ["base=8", "mults=1,2,3"])
    assert changed == SegmenterConfig(base=8, mults=(1, 2, 3))
    with pytest.raises(UsageError, match="base"):
        with_settings(SegmenterConfig(), ["base=wide"])


def test_an_out_that_is_a_file_is_bad_usage(pairs, tmp_path, capsys):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("gone")
    for out, told in (("file", "a file"), ("link", "a link to no folder")):
        assert run(["train", *diffusion_words(pairs, tmp_path / out)]) == 2
        assert f"{tmp_path / out} is {told}. Name a folder." in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_an_out_that_cannot_be_made_is_told_with_the_folder_that_is_missing(pairs, capsys):
    assert run(["train", *diffusion_words(pairs, "/proc/new/run")]) == 4
    assert "The folder /proc/new cannot be made: No such file or directory." in capsys.readouterr().err


@pytest.mark.parametrize(("command", "count"), [("train", 3), ("evaluate", 4)])
def test_help_has_examples_that_the_parser_takes(command, count, capsys):
    parser = {"train": train_parser, "evaluate": evaluation_parser}[command]("npe " + command)
    assert run([command, "--help"]) == 0
    told = capsys.readouterr().out
    examples = [line.split() for line in told.splitlines() if line.startswith(f"  npe {command} ")]
    assert len(examples) == count
    for _, _, *words in examples:
        assert parser.parse_args(words).command == words[0]
    assert run(["--help"]) == 0
    listed = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(f"  {command} "))
    assert listed.split(None, 1)[1].rstrip(".") in told  # click may cut it short
