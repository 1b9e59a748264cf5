"""The commands on a real portrait, with the shipped models."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from npe_core.cli.app import run
from npe_core.cli.marking import marks_meant
from npe_core.regions import LEGEND, REGION_NAMES


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_edit_with_json_as_a_process_of_its_own(portrait, tmp_path):
    """The contract's keys on stdout, nothing on stderr, and a picture that differs only where hair may be."""
    command = [sys.executable, "-m", "npe_core", "edit", str(portrait), "-o", "red.png", "--region", "hair=#8b2500"]
    done = subprocess.run([*command, "--seed", "3", "--json"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    keys = {
        "output",
        "device",
        "seed",
        "timestep",
        "steps",
        "sampler",
        "faces",
        "seconds",
        "peak_memory_mib",
        "warnings",
    }
    assert told.keys() == keys
    assert told["seconds"].keys() == {"load", "segment", "diffusion", "upscale", "total"}
    assert (told["output"], told["seed"], told["timestep"], told["faces"]) == ("red.png", 3, 250, 1)
    assert (
        told["seconds"]["total"] >= sum(told["seconds"][stage] for stage in ("segment", "diffusion", "upscale")) - 0.01
    )
    assert 100 < told["peak_memory_mib"] < 1536
    before, after = pixels(portrait), pixels("red.png")
    changed = (before != after).any(axis=2)
    assert before.shape == after.shape and 0.05 < changed.mean() < 0.7
    assert not changed[230:400, 200:300].any()  # eyes, nose and mouth


def test_a_colour_for_several_regions_is_one_fill_and_none_is_filled_twice():
    together = marks_meant(("skin+nose=#6b4226", "hair=#8b2500", "nose=#6b4226"), None, None, None)
    assert list(together.fills.items()) == [("skin+nose", "#6b4226"), ("hair", "#8b2500")]


def test_one_colour_in_two_spellings_is_one_colour():
    for other in ("#8B2500", "8b2500", " #8b2500"):
        assert marks_meant((f"hair={other}", "hair=#8b2500"), None, None, None).fills == {"hair": "#8b2500"}
    assert marks_meant(("hair=#abc", "hair=#aabbcc"), None, None, None).fills == {"hair": "#aabbcc"}


def test_tint_keeps_the_strands_that_flat_paint_covers(portrait):
    """Of a streak of hair: how the fine light of the edit goes with the photo's own."""
    strand = np.zeros((512, 512), np.uint8)
    strand[150:300, 60:90] = 255
    Image.fromarray(strand).save("strand.png")
    paint = ["--mask", "strand.png", "--color", "#2050d0", "-t", "200", "--seed", "1", "--steps", "2", "--no-upscale"]
    assert run(["edit", str(portrait), "-o", "flat.png", *paint]) == 0
    assert run(["edit", str(portrait), "-o", "tinted.png", *paint, "--tint"]) == 0

    def fine(path):
        inside = pixels(path)[160:290, 65:85].astype(float).mean(axis=2)
        return inside - cv2.GaussianBlur(inside, (0, 0), 3)

    own, flat, tinted = fine(portrait), fine("flat.png"), fine("tinted.png")
    assert np.corrcoef(own.ravel(), tinted.ravel())[0, 1] > 0.8 > 0.4 > np.corrcoef(own.ravel(), flat.ravel())[0, 1]
    blue = pixels("tinted.png")[160:290, 65:85].mean(axis=(0, 1))
    assert blue[2] > blue[1] + 40 and blue[2] > blue[0] + 80


def test_mask_edits_exactly_inside(portrait):
    mask = np.zeros((512, 512), np.uint8)
    mask[330:380, 200:310] = 255
    Image.fromarray(mask).save("mask.png")
    edit = ["edit", str(portrait), "-o", "out.webp", "--mask", "mask.png", "--color", "#c02040", "--steps", "1"]
    assert run([*edit, "--no-upscale"]) == 0
    before, after = pixels(portrait), pixels("out.webp")
    assert np.array_equal(before[mask == 0], after[mask == 0])
    assert np.abs(before[mask > 0].astype(int) - after[mask > 0]).mean() > 5


def test_a_red_mask_is_told_about(portrait, capsys):
    mask = np.zeros((512, 512, 3), np.uint8)
    mask[330:380, 200:310] = (255, 0, 0)
    Image.fromarray(mask).save("red.png")
    edit = ["edit", str(portrait), "-o", "out.png", "--mask", "red.png", "--steps", "1", "--no-upscale"]
    assert run(edit) == 0
    assert "red.png' is in colour" in capsys.readouterr().err
    study = ["sweep", str(portrait), "-o", "grid.png", "--mask", "red.png", "--timesteps", "20", "--steps", "1"]
    assert run(study) == 0
    assert "red.png' is in colour" in capsys.readouterr().err


def test_a_photo_in_the_place_of_a_mask_is_told_about(portrait, capsys):
    edit = ["edit", str(portrait), "-o", "out.png", "--mask", str(portrait.with_name("ben.png")), "--steps", "1"]
    assert run([*edit, "--no-upscale", "--json"]) == 0
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert "ben.png' has many colours, as a photo does" in warning


def test_paint_is_soft_and_exact(portrait):
    paint = np.zeros((512, 512, 4), np.uint8)
    paint[340:370, 220:290] = (240, 240, 240, 255)
    paint[340:370, 290:300] = (240, 240, 240, 100)
    Image.fromarray(paint).save("paint.png")
    assert run(["edit", str(portrait), "-o", "out.png", "--paint", "paint.png", "-t", "350", "--steps", "2"]) == 0
    before, after = pixels(portrait), pixels("out.png")
    assert np.array_equal(before[paint[..., 3] == 0], after[paint[..., 3] == 0])
    assert (before != after).any(axis=2)[345:365, 230:280].mean() > 0.9


def test_force_overwrites_and_the_seed_repeats(portrait, capsys):
    few = ["--steps", "2", "--no-upscale"]
    arguments = ["edit", str(portrait), "-o", "out.png", "--region", "lips=#b00020", "--seed", "9", *few]
    assert run(arguments) == 0
    first = pixels("out.png")
    assert run(arguments) == 2
    assert run([*arguments, "--force"]) == 0
    assert np.array_equal(first, pixels("out.png"))
    assert "seed 9" in capsys.readouterr().out


def test_segment_writes_ids_of_the_photos_size(portrait, capsys):
    assert run(["segment", str(portrait), "-o", "ids.png"]) == 0
    with Image.open("ids.png") as picture:
        assert picture.mode == "L" and picture.size == (512, 512)
        ids = np.asarray(picture)
    assert ids.max() < len(REGION_NAMES) and {1, 4, 5, 7} <= set(np.unique(ids).tolist())
    assert "hair" in capsys.readouterr().out
    assert run(["segment", str(portrait), "-o", "over.png", "--overlay", "--aligned"]) == 0
    nose = pixels("over.png")[270, 256].astype(int)
    assert np.abs(nose - LEGEND[4]).sum() < np.abs(nose - LEGEND[7]).sum()


def test_upscale_makes_it_four_times_as_large_and_keeps_what_the_file_says(portrait, capsys):
    with Image.open(portrait) as picture:
        small = picture.convert("RGB").resize((80, 64))
    small.putalpha(Image.linear_gradient("L").resize((80, 64)))
    small.save("small.png", dpi=(300, 300))
    assert run(["upscale", "small.png", "-o", "large.png"]) == 0
    assert capsys.readouterr().err == ""
    with Image.open("large.png") as picture:
        assert (picture.mode, picture.size) == ("RGBA", (320, 256))
        assert tuple(map(round, picture.info["dpi"])) == (300, 300)
    assert run(["upscale", "small.png", "-o", "large.bmp"]) == 0
    assert "BMP has no transparency" in capsys.readouterr().err


def test_sample_writes_a_grid_and_single_files(capsys):
    """The grid may lie among the faces, but not in the place of one."""
    arguments = ["sample", "-n", "3", "--steps", "1", "--out-dir", "faces", "--seed", "5"]
    assert run([*arguments, "-o", "faces/000007.png"]) == 2
    assert "is the name of a face" in capsys.readouterr().err
    assert run([*arguments, "-o", "faces/grid.png"]) == 0
    assert pixels("faces/grid.png").shape == (256, 256, 3)
    names = ["000005.png", "000006.png", "000007.png", "grid.png"]
    assert sorted(path.name for path in Path("faces").iterdir()) == names
    assert [pixels(f"faces/{name}").shape for name in names[:3]] == [(128, 128, 3)] * 3
    assert np.array_equal(pixels("faces/grid.png")[:128, :128], pixels("faces/000005.png"))


def test_sweep_draws_a_row_a_timestep(portrait, capsys):
    arguments = ["sweep", str(portrait), "--region", "hair=#993300", "-o", "grid.png", "--timesteps", "100,400"]
    assert run([*arguments, "--steps", "2", "--aligned"]) == 0
    assert "grid.png: timesteps 100, 400, seed" in capsys.readouterr().out
    sheet = pixels("grid.png")
    assert sheet.shape == (28 + 2 * 256 + 4, 72 + 5 * 256 + 4 * 4, 3)
    rows = [sheet[28 + row * 260 :][:256, 72:] for row in range(2)]
    original = [row[:, :256] for row in rows]
    assert np.array_equal(*original)
    masked, free = rows[1][:, 4 * 260 :], rows[1][:, 3 * 260 : 3 * 260 + 256]
    nose = np.s_[120:160, 115:140]
    assert (
        np.abs(masked[nose].astype(int) - original[1][nose]).mean()
        < 2
        < np.abs(free[nose].astype(int) - original[1][nose]).mean()
    )


def test_faces_lists_what_is_there(portrait, capsys):
    assert run(["faces", str(portrait), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["faces"]) == 1 and told["size"] == [512, 512]
    (right_eye, left_eye, *_) = told["faces"][0]["landmarks"]
    assert right_eye[0] < 256 < left_eye[0] and right_eye[1] == pytest.approx(0.47 * 512, abs=26)


def test_doctor_and_weights_say_that_all_is_well(capsys):
    assert run(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] and {"device", "denoiser", "segmenter", "upscaler"} <= {check["name"] for check in told["checks"]}
    assert run(["weights", "verify"]) == 0
    assert capsys.readouterr().out.count("is whole") >= 3
    assert run(["weights", "list"]) == 0
    told = capsys.readouterr().out
    assert "images_seen" in told and "[" not in told and max(map(len, told.splitlines()[1:])) < 120
    assert run(["weights", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"].keys() >= {"denoiser", "segmenter", "upscaler"}


@pytest.mark.parametrize("command", [[], ["edit"], ["segment"], ["sweep"], ["weights"], ["train"], ["evaluate"]])
def test_help_says_what_a_command_is_for(command, capsys):
    assert run([*command, "--help"]) == 0
    assert "usage: npe" in capsys.readouterr().out.lower()


@pytest.mark.parametrize("command", [["edit"], ["upscale"], ["bench", "tui"], ["sweep"]])
def test_help_shows_ranges_and_defaults_as_a_person_reads_them(command, capsys):
    assert run([*command, "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "None" not in told and "default: (" not in told
    if command == ["edit"]:
        assert "[default: 4, at most the timestep]" in told
        assert "0<=x<=1" in told and "x>=0" in told


def test_help_tells_every_exit_code_as_the_readme_does(capsys):
    assert run(["--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    listed = told[told.index("Exit codes: ") :]
    readme = " ".join((Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").split())
    for code in (0, 1, 2, 3, 4, 5, 70, 130, 141):
        assert re.search(rf"[ ;]{code} [a-z]", listed)
    assert listed[: listed.index("any more")] in readme


def test_a_stopped_command_claims_nothing_about_files(monkeypatch, capsys):
    from npe_core.editor import Editor

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Editor, "sample", stopped)
    assert run(["sample", "-n", "1", "--out-dir", "new/faces"]) == 130
    assert capsys.readouterr().err.strip() == "npe: Stopped."
    assert not Path("new").exists()


def test_faces_says_where_a_box_may_be_given_and_what_its_own_are(portrait, capsys):
    assert run(["faces", str(portrait), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["faces"][0]
    x0, y0, x1, y1 = told["box"]
    assert all(x0 < x < x1 and y0 < y < y1 for x, y in told["landmarks"])
    assert run(["faces", "--help"]) == 0
    assert "[x0, y0, x1, y1]" in capsys.readouterr().out
    Image.new("RGB", (300, 300), "grey").save("grey.png")
    assert run(["faces", "grey.png"]) == 2
    assert "npe edit takes --box" in capsys.readouterr().err


def test_stripped_files_cannot_be_repeated_and_help_says_so(portrait, capsys):
    arguments = ["edit", str(portrait), "--region", "lips=#b00020", "--steps", "1", "--no-upscale"]
    assert run([*arguments, "-o", "bare.png", "--strip-metadata"]) == 0
    assert run(["edit", str(portrait), "-o", "again.png", "--from", "bare.png"]) == 2
    assert "no edit parameters" in capsys.readouterr().err
    assert run(["edit", "--help"]) == 0
    assert "--from cannot repeat such a file" in " ".join(capsys.readouterr().out.split())


def test_a_jpeg_moves_what_the_mask_leaves_out_a_little(portrait):
    with Image.open(portrait) as picture:
        picture.convert("RGB").save("source.jpg", quality=90)
    mask = np.zeros((512, 512), np.uint8)
    mask[330:380, 200:310] = 255
    Image.fromarray(mask).save("mask.png")
    few = ["--steps", "1", "--no-upscale"]
    for name in ("out.jpg", "out.tiff"):
        assert run(["edit", "source.jpg", "-o", name, "--mask", "mask.png", "--color", "#c02040", *few]) == 0
    with Image.open("source.jpg") as before, Image.open("out.jpg") as after:
        assert before.quantization == after.quantization
    far = np.s_[:300]
    moved = np.abs(pixels("source.jpg")[far].astype(int) - pixels("out.jpg")[far])
    assert 0 < moved.max() < 12 and moved.mean() < 0.5
    assert np.array_equal(pixels("source.jpg")[mask == 0], pixels("out.tiff")[mask == 0])
    for name in ("out.jpg", "out.tiff"):
        assert np.abs(pixels("source.jpg")[mask > 0].astype(int) - pixels(name)[mask > 0]).mean() > 5
