"""A photo of three people: which face is edited, and what is said about the others."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from npe_core.cli.app import run

BEN = np.s_[20:460, 340:780]
NOTE = "3 faces found; edited face 2 (the largest). --face N|all chooses others"
FEW = ["--steps", "1", "--no-upscale", "--seed", "1"]


@pytest.fixture(autouse=True)
def files(tmp_path, group_photo, monkeypatch):
    """group.png, and two masks: spot.png on the mouth of the one in the middle, left.png on that of the one beside."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(group_photo, "group.png")
    for name, place in {"spot": (520, 320, 600, 350), "left": (140, 290, 200, 315)}.items():
        mask = Image.new("L", (1120, 480))
        mask.paste(255, place)
        mask.save(f"{name}.png")


def edit(*options):
    return run(["edit", "group.png", "-o", "out.png", *FEW, *options])


def test_who_names_no_face_is_told_which_one_was_edited(capsys):
    assert edit("--region", "lips=#2040c0") == 0
    out, err = capsys.readouterr()
    assert err == f"npe: note: {NOTE}\n" and "1 face(s)" in out
    before, after = (np.asarray(Image.open(name)).astype(int) for name in ("group.png", "out.png"))
    changed = (before != after).any(axis=-1)
    assert changed[BEN].sum() == changed.sum() > 100


@pytest.mark.parametrize(("mask", "face"), [("spot", "2"), ("left", "1")])
def test_a_mask_chooses_the_face_that_it_lies_on_and_who_names_it_is_told_nothing(mask, face, capsys):
    assert edit("--mask", f"{mask}.png") == 0
    assert capsys.readouterr().err == ""
    assert edit("--mask", f"{mask}.png", "--face", face, "-o", "named.png", "--json") == 0
    check_told_nothing(*capsys.readouterr())
    pictures = [np.asarray(Image.open(name)) for name in ("out.png", "named.png")]
    assert (pictures[0] == pictures[1]).all() and (pictures[0] != np.asarray(Image.open("group.png"))).any()


def check_told_nothing(out, err):
    told = json.loads(out)
    assert err == "" and told["faces"] == 1 and not told["warnings"]


def test_of_all_faces_those_with_marks_are_edited_and_nothing_is_told(capsys):
    assert edit("--mask", "spot.png", "--face", "all", "--json") == 0
    check_told_nothing(*capsys.readouterr())


def test_a_mask_on_another_face_and_a_number_too_high_say_what_to_do(capsys):
    assert edit("--mask", "left.png", "--face", "3") == 2
    err = capsys.readouterr().err
    assert "Nothing is marked on the chosen faces" in err and "--face" in err and "npe faces" not in err
    assert edit("--mask", "left.png", "--face", "4") == 2
    assert "There are 3 faces" in capsys.readouterr().err


def test_a_mask_on_another_face_does_not_override_the_largest_that_was_asked_for(capsys):
    """The mask lies in the look at the largest face too; left to itself the edit is that of face 1."""
    assert edit("--mask", "left.png", "--face", "largest", "--json") == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert err == "" and NOTE in told["warnings"] and told["faces"] == 1  # in JSON the note is among the warnings


def test_a_study_is_of_one_face(capsys):
    study = ["sweep", "group.png", "-o", "study.png", "--timesteps", "20", "--steps", "1"]
    assert run([*study, "--region", "lips=#2040c0", "--face", "all"]) == 2
    assert "one face" in capsys.readouterr().err
    both = Image.fromarray(np.maximum(*(np.asarray(Image.open(f"{name}.png")) for name in ("spot", "left"))))
    both.save("both.png")
    assert run([*study, "--mask", "both.png"]) == 0
    assert "2 faces are marked; studied face 1" in capsys.readouterr().err


def test_the_other_commands_say_as_well_which_face_it_was(capsys):
    assert run(["segment", "group.png", "-o", "ids.png"]) == 0
    assert capsys.readouterr().err == f"npe: note: {NOTE.replace('edited', 'segmented')}\n"
    assert not np.delete(np.asarray(Image.open("ids.png")), np.r_[250:900], axis=1).any()
    assert run(["segment", "group.png", "-o", "ids.png", "--force", "--face", "2"]) == 0
    assert capsys.readouterr().err == ""
    study = ["sweep", "group.png", "-o", "study.png", "--timesteps", "20", "--steps", "1"]
    assert run([*study, "--region", "lips=#2040c0"]) == 0
    assert "; studied face 2 (the largest). --face N chooses others" in capsys.readouterr().err


def test_a_study_of_a_mask_is_of_the_face_that_it_lies_on(capsys):
    study = ["sweep", "group.png", "--mask", "left.png", "--timesteps", "20", "--steps", "1"]
    assert run([*study, "-o", "own.png"]) == 0 and capsys.readouterr().err == ""
    assert run([*study, "-o", "named.png", "--face", "1"]) == 0
    assert Image.open("own.png").tobytes() == Image.open("named.png").tobytes()
