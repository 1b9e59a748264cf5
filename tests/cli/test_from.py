"""npe edit --from: the edit of one file, repeated on another photo."""

import shutil

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from npe_core.cli.app import run
from npe_core.photo import Photo

FEW = ["--steps", "1", "--no-upscale"]
OPTIONS = ["--region", "hair=#8b2500", "--region", "lips=#b00020", "--feather", "6", "-t", "200", "--sampler", "ddim"]
OPTIONS += ["--seed", "7", "--steps", "2", "--no-upscale"]


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


@pytest.fixture(scope="module")
def red(portrait, tmp_path_factory):
    """A file that was edited with all of OPTIONS."""
    path = tmp_path_factory.mktemp("red") / "red.png"
    assert edit(str(portrait), str(path), *OPTIONS) == 0
    return path


def stored(parameters, out):
    """Writes ana.png to a file that says it was edited so."""
    ana = Photo.open("ana.png")
    ana.edited(ana.image, np.zeros(ana.image.shape[:2]), parameters).save(out)


def test_it_is_the_edit_that_the_same_options_make(red, capsys):
    """A feather is repeated with the regions."""
    parameters = Photo.open(red).parameters
    assert (parameters["feather"], parameters["painted"]) == (6, False)
    assert edit("ben.png", "direct.png", *OPTIONS) == 0
    assert edit("ben.png", "repeated.png", "--from", str(red)) == 0
    assert np.array_equal(pixels("direct.png"), pixels("repeated.png"))
    assert Photo.open("repeated.png").parameters == Photo.open("direct.png").parameters
    assert "other weights" not in capsys.readouterr().err
    assert edit("ben.png", "hard.png", "--from", str(red), "--feather", "0") == 0
    assert not np.array_equal(pixels("direct.png"), pixels("hard.png"))


def test_options_override_what_is_stored_and_other_weights_are_told(red, capsys):
    other = Photo.open(red).parameters | {"models": {"denoiser": "000000000000"}, "upscale": True}
    stored(other, "elsewhere.png")
    given = ["--region", "hair=#203050", "--region", "nose=#d09070", "--seed", "8", *FEW]
    assert edit("ben.png", "blue.png", "--from", "elsewhere.png", *given) == 0
    assert "other weights" in capsys.readouterr().err
    found = Photo.open("blue.png").parameters
    assert found["regions"] == {"hair": "#203050", "lips": "#b00020", "nose": "#d09070"}
    assert (found["seed"], found["steps"], found["upscale"]) == (8, 1, False)
    assert (found["timestep"], found["sampler"], found["feather"]) == (200, "ddim", 6)


def test_a_fill_lies_over_the_stored_ones_that_it_shares_a_region_with():
    fills = {"skin+nose": "#c08060", "nose": "#d09070"}
    stored({"regions": fills, "seed": 7, "steps": 1, "upscale": False}, "stored.png")
    assert edit("ben.png", "over.png", "--from", "stored.png", "--region", "nose+skin=#806040") == 0
    assert Photo.open("over.png").parameters["regions"] == {"skin+nose": "#806040"}
    assert edit("ben.png", "direct.png", "--region", "skin+nose=#806040", "--seed", "7", *FEW) == 0
    assert np.array_equal(pixels("over.png"), pixels("direct.png"))


def test_a_mask_is_in_no_file_and_may_be_given_anew(capsys):
    assert edit("ana.png", "spot.png", "--mask", "mask.png", "--color", "#c02040", "--seed", "7", *FEW) == 0
    assert Photo.open("spot.png").parameters["painted"] is True
    assert edit("ben.png", "out.png", "--from", "spot.png") == 2
    assert "--mask" in capsys.readouterr().err
    assert edit("ana.png", "out.png", "--from", "spot.png", "--mask", "mask.png", "--color", "#c02040") == 0
    assert np.array_equal(pixels("out.png"), pixels("spot.png"))
    assert "--color" not in capsys.readouterr().err
    assert edit("ben.png", "plain.png", "--from", "spot.png", "--mask", "mask.png") == 0
    assert "what colour a mask was painted is not in spot.png" in capsys.readouterr().err


def test_a_small_timestep_takes_as_many_steps_as_it_has():
    lips = {"lips": "#b00020"}
    stored({"regions": lips, "seed": 7, "timestep": 250, "steps": 4, "upscale": False}, "usual.png")
    assert edit("ana.png", "direct.png", "--region", "lips=#b00020", "--seed", "7", "--no-upscale", "-t", "2") == 0
    assert edit("ana.png", "repeated.png", "--from", "usual.png", "-t", "2") == 0
    assert Photo.open("direct.png").parameters["steps"] == 2
    assert np.array_equal(pixels("direct.png"), pixels("repeated.png"))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (None, "no edit parameters"),
        ('{"regions": {"hiar": "#8b2500"}}', "Did you mean 'hair'"),
        ('{"regions": {"hair": "#8b2500"}, "timestep": 1e9}', "timestep"),
        ('{"timestep": 300}', "no regions"),
        ("[1]", "no edit parameters"),
    ],
)
def test_files_that_hold_no_edit_are_refused(written, words, capsys):
    text = PngImagePlugin.PngInfo()
    if written is not None:
        text.add_itxt("npe", written)
    Image.fromarray(pixels("ana.png")).save("stranger.png", pnginfo=text)
    assert edit("ben.png", "out.png", "--from", "stranger.png") == 2
    err = capsys.readouterr().err
    assert words in err and "stranger.png" in err and len(err.strip().splitlines()) <= 2
    with pytest.raises(FileNotFoundError):
        pixels("out.png")
