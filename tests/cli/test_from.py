"""npe edit --from: the edit of one file, repeated on another photo."""

import shutil

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from npe_core.cli.app import run
from npe_core.photo import Photo

FEW = ["--steps", "2", "--no-upscale"]


@pytest.fixture(autouse=True)
def files(tmp_path, portrait, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(portrait, "ana.png")
    shutil.copy(portrait.with_name("ben.png"), "ben.png")
    mask = np.zeros((512, 512), np.uint8)
    mask[330:380, 200:310] = 255
    Image.fromarray(mask).save("mask.png")


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def edit(photo, out, *options):
    return run(["edit", photo, "-o", out, *options])


def test_it_is_the_edit_that_the_same_options_make(capsys):
    options = ["--region", "hair=#8b2500", "--region", "lips=#b00020", "-t", "250", "--sampler", "ddim", "--seed", "7"]
    assert edit("ana.png", "red.png", *options, *FEW) == 0
    assert edit("ben.png", "direct.png", *options, *FEW) == 0
    assert edit("ben.png", "repeated.png", "--from", "red.png") == 0
    assert np.array_equal(pixels("direct.png"), pixels("repeated.png"))
    assert Photo.open("repeated.png").parameters == Photo.open("direct.png").parameters
    assert "other weights" not in capsys.readouterr().err


def test_options_override_what_is_stored():
    assert edit("ana.png", "red.png", "--region", "hair=#8b2500", "--seed", "7", "-t", "250", *FEW) == 0
    given = ["--region", "hair=#203050", "--region", "lips=#b00020", "--seed", "8", "--upscale"]
    assert edit("ben.png", "blue.png", "--from", "red.png", *given) == 0
    found = Photo.open("blue.png").parameters
    assert found["regions"] == {"hair": "#203050", "lips": "#b00020"}
    assert (found["seed"], found["timestep"], found["steps"], found["upscale"]) == (8, 250, 2, True)
    assert edit("ben.png", "more.png", "--from", "red.png", "--steps", "3") == 0
    assert Photo.open("more.png").parameters["steps"] == 3


def test_a_fill_lies_over_the_stored_ones_that_it_shares_a_region_with():
    ana = Photo.open("ana.png")
    stored = {"regions": {"skin+nose": "#c08060", "nose": "#d09070"}, "seed": 7, "steps": 2, "upscale": False}
    ana.edited(ana.image, np.zeros(ana.image.shape[:2]), stored).save("stored.png")
    assert edit("ben.png", "over.png", "--from", "stored.png", "--region", "nose+skin=#806040") == 0
    assert Photo.open("over.png").parameters["regions"] == {"skin+nose": "#806040"}
    assert edit("ben.png", "direct.png", "--region", "skin+nose=#806040", "--seed", "7", *FEW) == 0
    assert np.array_equal(pixels("over.png"), pixels("direct.png"))


def test_a_mask_is_in_no_file_and_may_be_given_anew(capsys):
    assert edit("ana.png", "spot.png", "--mask", "mask.png", "--color", "#c02040", "--seed", "7", *FEW) == 0
    assert Photo.open("spot.png").parameters["painted"] is True
    assert edit("ben.png", "out.png", "--from", "spot.png") == 2
    assert "--mask" in capsys.readouterr().err
    assert edit("ben.png", "out.png", "--from", "spot.png", "--mask", "mask.png", "--color", "#c02040") == 0
    assert edit("ben.png", "same.png", "--mask", "mask.png", "--color", "#c02040", "--seed", "7", *FEW) == 0
    assert np.array_equal(pixels("out.png"), pixels("same.png"))
    assert "--color" not in capsys.readouterr().err
    assert edit("ben.png", "plain.png", "--from", "spot.png", "--mask", "mask.png") == 0
    assert "what colour a mask was painted is not in spot.png" in capsys.readouterr().err


def test_a_feather_is_repeated_with_the_regions():
    options = ["--region", "hair=#8b2500", "--seed", "7", "--feather", "6"]
    assert edit("ana.png", "soft.png", *options, *FEW) == 0
    stored = Photo.open("soft.png").parameters
    assert (stored["feather"], stored["painted"]) == (6, False)
    assert edit("ben.png", "direct.png", *options, *FEW) == 0
    assert edit("ben.png", "repeated.png", "--from", "soft.png") == 0
    assert edit("ben.png", "hard.png", "--from", "soft.png", "--feather", "0") == 0
    assert np.array_equal(pixels("direct.png"), pixels("repeated.png"))
    assert not np.array_equal(pixels("direct.png"), pixels("hard.png"))


def test_a_small_timestep_takes_as_many_steps_as_it_has():
    options = ["--region", "lips=#b00020", "--seed", "7", "--no-upscale"]
    assert edit("ana.png", "usual.png", *options) == 0
    assert edit("ana.png", "direct.png", *options, "-t", "2") == 0
    assert edit("ana.png", "repeated.png", "--from", "usual.png", "-t", "2") == 0
    assert [Photo.open(name).parameters["steps"] for name in ("usual.png", "direct.png")] == [4, 2]
    assert np.array_equal(pixels("direct.png"), pixels("repeated.png"))


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (None, "no edit parameters"),
        ('{"regions": {"hiar": "#8b2500"}}', "Did you mean 'hair'"),
        ('{"regions": {"hair": "#8b2500"}, "timestep": 1e9}', "timestep"),
        ('{"timestep": 300}', "no regions"),
        ("[1]", "no edit parameters"),
    ],
)
def test_files_that_hold_no_edit_are_refused(stored, words, capsys):
    text = PngImagePlugin.PngInfo()
    if stored is not None:
        text.add_itxt("npe", stored)
    Image.fromarray(pixels("ana.png")).save("stranger.png", pnginfo=text)
    assert edit("ben.png", "out.png", "--from", "stranger.png") == 2
    err = capsys.readouterr().err
    assert words in err and "stranger.png" in err and len(err.strip().splitlines()) <= 2
    with pytest.raises(FileNotFoundError):
        pixels("out.png")


def test_other_weights_are_told(capsys):
    assert edit("ana.png", "red.png", "--region", "lips=#b00020", "--seed", "7", *FEW) == 0
    made = Photo.open("red.png")
    other = made.parameters | {"models": {"denoiser": "000000000000"}}
    made.edited(made.image, np.zeros(made.image.shape[:2]), other).save("elsewhere.png")
    assert edit("ben.png", "out.png", "--from", "elsewhere.png") == 0
    assert "other weights" in capsys.readouterr().err
