"""Bad input: one clear message, the right exit code, nothing written, nothing overwritten."""

import errno
import json
import shlex
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from npe_core.cli.app import run


def png_header(width, height):
    """A PNG whose header claims width x height and whose data stop at once."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 4) + b"IDAT" + b"\0\0\0\0" + b"\0\0\0\0"


@pytest.fixture
def files(tmp_path, portrait):
    """A folder of good and bad inputs."""
    (tmp_path / "face.png").write_bytes(portrait.read_bytes())
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("this is no picture")
    (tmp_path / "truncated.png").write_bytes(portrait.read_bytes()[:50_000])
    (tmp_path / "bomb.png").write_bytes(png_header(30_000, 30_000))
    Image.new("RGB", (24, 24)).save(tmp_path / "tiny.png")
    Image.new("L", (100, 100), 255).save(tmp_path / "small_mask.png")
    Image.new("L", (512, 512), 0).save(tmp_path / "black_mask.png")
    spot = Image.new("L", (512, 512), 0)
    spot.paste(255, (200, 200, 220, 220))
    spot.save(tmp_path / "spot.png")
    Image.new("RGB", (512, 512)).save(tmp_path / "opaque_paint.png")
    Image.fromarray(np.full((300, 300, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    (tmp_path / "exists.png").write_text("precious")
    return tmp_path


HAIR = ["--region", "hair=#8b2500"]

REFUSALS = {
    "missing": (["nowhere.png", "-o", "out.png", *HAIR], 2, "nowhere.png"),
    "empty": (["empty.png", "-o", "out.png", *HAIR], 2, "empty.png"),
    "text": (["text.png", "-o", "out.png", *HAIR], 2, "text.png"),
    "truncated": (["truncated.png", "-o", "out.png", *HAIR], 2, "truncated.png"),
    "bomb": (["bomb.png", "-o", "out.png", *HAIR], 2, "30000"),
    "tiny": (["tiny.png", "-o", "out.png", *HAIR], 2, "64"),
    "folder": ([".", "-o", "out.png", *HAIR], 2, ""),
    "nothing to do": (["face.png", "-o", "out.png"], 2, "--region"),
    "unknown region": (["face.png", "-o", "out.png", "--region", "hiar=#8b2500"], 2, "Did you mean 'hair'"),
    "no colour": (["face.png", "-o", "out.png", "--region", "hair"], 2, "NAME=#RRGGBB"),
    "bad colour": (["face.png", "-o", "out.png", "--region", "hair=red"], 2, "#RRGGBB"),
    "bad mask colour": (["face.png", "-o", "out.png", "--mask", "black_mask.png", "--color", "#12"], 2, "#RRGGBB"),
    "colour alone": (["face.png", "-o", "out.png", *HAIR, "--color", "#123456"], 2, "--mask"),
    "tint of a region": (["face.png", "-o", "out.png", *HAIR, "--tint"], 2, "--tint goes with --paint"),
    "tint without a colour": (["face.png", "-o", "out.png", "--mask", "spot.png", "--tint"], 2, "--mask and --color"),
    "timestep 0": (["face.png", "-o", "out.png", *HAIR, "-t", "0"], 2, "between 1 and 499"),
    "timestep 500": (["face.png", "-o", "out.png", *HAIR, "-t", "500"], 2, "between 1 and 499"),
    "timestep word": (["face.png", "-o", "out.png", *HAIR, "-t", "strong"], 2, "strong"),
    "steps": (["face.png", "-o", "out.png", *HAIR, "-t", "20", "--steps", "30"], 2, "steps"),
    "sampler": (["face.png", "-o", "out.png", *HAIR, "--sampler", "euler"], 2, "dpmpp"),
    "seed below 0": (["face.png", "-o", "out.png", *HAIR, "--seed", "-1"], 2, "seed"),
    "seed beyond 63 bits": (["face.png", "-o", "out.png", *HAIR, "--seed", str(2**63)], 2, "seed"),
    "feather below 0": (["face.png", "-o", "out.png", *HAIR, "--feather", "-1"], 2, "x>=0"),
    "from nowhere": (["face.png", "-o", "out.png", "--from", "nowhere.png"], 2, "nowhere.png"),
    "from no edit": (["face.png", "-o", "out.png", "--from", "face.png"], 2, "no edit parameters"),
    "mask size": (["face.png", "-o", "out.png", "--mask", "small_mask.png"], 2, "100"),
    "mask black": (["face.png", "-o", "out.png", "--mask", "black_mask.png"], 2, "Nothing is marked"),
    "paint opaque": (["face.png", "-o", "out.png", "--paint", "opaque_paint.png"], 2, "alpha"),
    "face number": (["face.png", "-o", "out.png", *HAIR, "--face", "7"], 2, "face"),
    "face word": (["face.png", "-o", "out.png", *HAIR, "--face", "best"], 2, "largest"),
    "box": (["face.png", "-o", "out.png", *HAIR, "--box", "1,2,3"], 2, "X,Y,W,H"),
    "face raised": (["face.png", "-o", "out.png", *HAIR, "--face", "\u00b2"], 2, "largest"),
    "face and aligned": (["face.png", "-o", "out.png", *HAIR, "--face", "1", "--aligned"], 2, "Give one of them"),
    "box of nothing": (["face.png", "-o", "out.png", *HAIR, "--box", "100,100,1e-5,1e-5"], 2, "no place in a photo"),
    "box beyond all": (["face.png", "-o", "out.png", *HAIR, "--box", "0,0,1e300,1"], 2, "no place in a photo"),
    "box with a digit too many": (["face.png", "-o", "out.png", *HAIR, "--box", "0,0,4000,4000"], 2, "far larger"),
    "face of 5000 digits": (["face.png", "-o", "out.png", *HAIR, "--face", "9" * 5000], 2, "largest"),
    "feather of everything": (
        ["face.png", "-o", "out.png", "--mask", "spot.png", "--feather", "1e308"],
        2,
        "--feather 1e+308 leaves nothing",
    ),
    "box and aligned": (
        ["face.png", "-o", "out.png", *HAIR, "--box", "1,2,3,4", "--aligned"],
        2,
        "--box and --aligned",
    ),
    "no face": (["grey.png", "-o", "out.png", *HAIR], 2, "--aligned"),
    "device word": (["face.png", "-o", "out.png", *HAIR, "--device", "toaster"], 2, "toaster"),
    "device raised": (["face.png", "-o", "out.png", *HAIR, "--device", "cuda:\u00b2"], 2, "not a device"),
    "device missing": (["face.png", "-o", "out.png", *HAIR, "--device", "cuda:63"], 4, "cuda:63"),
    "output exists": (["face.png", "-o", "exists.png", *HAIR], 2, "--force"),
    "timestep, and output exists": (["face.png", "-o", "exists.png", *HAIR, "-t", "500"], 2, "between 1 and 499"),
    "device, and output exists": (["face.png", "-o", "exists.png", *HAIR, "--device", "foo"], 2, "not a device"),
    "output is the input": (["face.png", "-o", "face.png", *HAIR, "--force"], 2, "face.png"),
    "output suffix": (["face.png", "-o", "out.xyz", *HAIR], 2, ".png"),
    "output folder": (["face.png", "-o", "no/such/out.png", *HAIR], 2, "no/such"),
    "sharpness above 1": (["face.png", "-o", "out.png", *HAIR, "--sharpness", "1.5"], 2, "0<=x<=1"),
    "sharpness nan": (["face.png", "-o", "out.png", *HAIR, "--sharpness", "nan"], 2, "finite"),
    "feather infinite": (["face.png", "-o", "out.png", *HAIR, "--feather", "inf"], 2, "finite"),
    "megapixels nan": (["face.png", "-o", "out.png", *HAIR, "--max-megapixels", "nan"], 2, "finite"),
    "box nan": (["face.png", "-o", "out.png", *HAIR, "--box", "1,2,nan,4"], 2, "finite"),
    "two photos": (["face.png", "grey.png", "-o", "out.png", *HAIR], 2, "one photo, not also 'grey.png'. Run it once"),
    "no name": (["", "-o", "out.png", *HAIR], 2, "'PHOTO': The name is empty."),
    "no output name": (["face.png", "-o", "", *HAIR], 2, "'--output': The name is empty."),
    "output is a folder": (["face.png", "-o", ".", *HAIR, "--force"], 2, "'.' is a folder, not a file. Name a file"),
    "no region": (["face.png", "-o", "out.png", "--region", "skin+=#00ff00"], 2, "There is no region ''"),
    "region twice": (
        ["face.png", "-o", "out.png", *HAIR, "--region", "hair=#00ff00"],
        2,
        "--region gives hair two colours, #8b2500 and #00ff00",
    ),
    "unknown option": (["face.png", "-o", "out.png", "--colour-of-hair", "red"], 2, "--help"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_clearly_and_nothing_is_written(case, files, monkeypatch, capsys):
    arguments, code, words = REFUSALS[case]
    monkeypatch.chdir(files)
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    assert run(["edit", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err and "Traceback" not in err
    assert 1 <= len(err.strip().splitlines()) <= 2
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


@pytest.mark.parametrize(
    ("command", "option"),
    [("edit", "--mask"), ("edit", "--paint"), ("edit", "--from"), ("sweep", "--mask"), ("sweep", "--paint")],
)
def test_force_overwrites_none_of_the_files_that_are_read(command, option, files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    spot = np.zeros((512, 512, 4), np.uint8)
    spot[330:380, 200:310] = 255
    Image.fromarray(spot if option == "--paint" else spot[..., 0]).save("read.png")
    if option == "--from":
        from npe_core.photo import Photo

        made = Photo.open("face.png")
        made.edited(made.image, np.zeros((512, 512)), {"regions": {"hair": "#8b2500"}}).save("read.png", force=True)
    before = (files / "read.png").read_bytes()
    assert run([command, "face.png", "-o", "read.png", option, "read.png", "--force"]) == 2
    assert "'read.png' is an input, which is never written to" in capsys.readouterr().err
    assert (files / "read.png").read_bytes() == before


@pytest.mark.parametrize("marks", [[*HAIR, "--color", "#123456"], [*HAIR, "--color", "#zzzzzz"], [], [*HAIR, "--tint"]])
@pytest.mark.parametrize("command", ["edit", "sweep"])
def test_a_study_refuses_the_marks_that_an_edit_refuses(command, marks, files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    assert run([command, "face.png", "-o", "out.png", *marks]) == 2
    assert "--mask" in capsys.readouterr().err
    assert not (files / "out.png").exists()


@pytest.mark.parametrize("command", ["edit", "segment", "faces", "sweep", "upscale"])
def test_the_limit_that_a_message_names_is_an_option_of_the_command(command, files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    marks = HAIR if command in ("edit", "sweep") else []
    assert run([command, "bomb.png", "-o", "out.png", *marks]) == 2
    assert "--max-megapixels" in capsys.readouterr().err
    assert run([command, "face.png", "-o", "out.png", *marks, "--max-megapixels", "0.25"]) == 2
    assert "the limit is 0.25" in capsys.readouterr().err


def test_an_unwritable_output_is_found_before_the_models_run(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    assert run(["edit", "face.png", "-o", "/proc/out.png", *HAIR]) == 4
    assert "/proc" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["edit", "face.png", *HAIR],
        ["segment", "face.png"],
        ["upscale", "face.png"],
        ["faces", "face.png"],
        ["sweep", "face.png", *HAIR],
        ["sample", "-n", "1"],
    ],
    ids=lambda command: command[0],
)
def test_a_mistyped_folder_of_the_output_is_bad_usage(command, files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    for folder in ("nowhere", "exists.png"):  # the second is a file
        assert run([*command, "-o", f"{folder}/out.png"]) == 2
        err = capsys.readouterr().err
        assert f"There is no folder '{folder}'" in err and len(err.splitlines()) == 1


def test_a_sentence_ends_before_the_next_begins(capsys):
    assert run(["status", "a", "b"]) == 2
    assert "(a b). See npe status --help." in capsys.readouterr().err
    assert run(["edit", "--hlp"]) == 2
    assert "'--help'? See npe edit --help." in capsys.readouterr().err


def test_a_file_in_the_place_of_a_folder_of_samples_is_bad_usage(files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    (files / "taken.jpg").write_bytes(b"precious")
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    assert run(["sample", "-o", "out.png", "--out-dir", "exists.png"]) == 2
    assert "'exists.png' is a file, not a folder" in capsys.readouterr().err
    assert run(["sample", "-o", "out.gif", "--out-dir", "new"]) == 2
    assert "GIF" in capsys.readouterr().err
    assert run(["segment", "face.png", "-o", "taken.jpg"]) == 2
    assert "Region ids are written as PNG" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before


@pytest.mark.parametrize(("typed", "near"), [("swep", "sweep"), ("Edit", "edit"), ("xyzzy", "")])
def test_a_mistyped_command_names_the_nearest(typed, near, capsys):
    assert run([typed]) == 2
    err = capsys.readouterr().err
    assert repr(typed) in err and (f"Did you mean {near!r}?" in err) == bool(near)


def test_a_photo_in_the_place_of_a_command_names_what_opens_it(tmp_path, capsys):
    photo = tmp_path / "a face.png"
    photo.touch()
    assert run([str(photo)]) == 2
    opens = capsys.readouterr().err.strip().rpartition("To open it: npe ")[2]
    assert shlex.split(opens) == ["tui", str(photo)]


@pytest.mark.parametrize("damage", ["missing", "truncated", "altered"])
def test_damaged_weights_are_exit_code_3(damage, files, tmp_path, monkeypatch, capsys):
    import shutil

    from npe_core.models.weights import read_manifest, weights_folder

    broken = tmp_path / "weights"
    shutil.copytree(weights_folder(), broken)
    path = broken / read_manifest(broken)["denoiser"].file
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    monkeypatch.setenv("NPE_WEIGHTS", str(broken))
    monkeypatch.chdir(files)
    for arguments in (["edit", "face.png", "-o", "out.png", *HAIR], ["weights", "verify"], ["doctor"]):
        assert run(arguments) == 3
        out, err = capsys.readouterr()
        assert "denoiser" in out + err and "Traceback" not in err
    assert not (files / "out.png").exists()


@pytest.mark.parametrize("kind", ["denoiser", "segmenter", "upscaler"])
def test_a_manifest_without_a_model_that_edits_need_is_exit_code_3(kind, tmp_path, monkeypatch, capsys):
    from npe_core.models.weights import shipped_folder

    for path in shipped_folder().iterdir():
        (tmp_path / path.name).symlink_to(path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    del manifest["models"][kind]
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setenv("NPE_WEIGHTS", str(tmp_path))
    for command in (["weights", "verify"], ["doctor"]):
        assert run(command) == 3
        out, err = capsys.readouterr()
        assert f"The manifest has no {kind}." in out + err and "Traceback" not in err


def test_an_imported_upscaler_has_no_sharpness_below_1_and_says_so(files, tmp_path, monkeypatch, capsys):
    from safetensors.torch import save_file

    from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
    from npe_core.models.weights import read_manifest, shipped_folder

    save_file(GeneratorResNet(UpscalerConfig()).state_dict(), str(tmp_path / "mine.safetensors"))
    monkeypatch.setenv("NPE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(files)
    assert run(["weights", "import", str(tmp_path / "mine.safetensors")]) == 0
    assert "--sharpness below 1 needs an upscaler_smooth" in capsys.readouterr().out
    shipped = read_manifest(shipped_folder())
    assert run(["weights", "import", str(shipped_folder() / shipped["segmenter"].file)]) == 0
    assert "--sharpness" not in capsys.readouterr().out
    for command in (
        ["edit", "face.png", "-o", "out.png", "--aligned", *HAIR],
        ["upscale", "face.png", "-o", "out.png"],
    ):
        assert run([*command, "--sharpness", "0.5", "--device", "cpu"]) == 2
        err = capsys.readouterr().err
        assert "Sharpness below 1 needs upscaler_smooth" in err and "Reinstall" not in err
    assert not (files / "out.png").exists()
    assert run(["weights", "import", str(shipped_folder() / shipped["upscaler"].file)]) == 0
    assert "Its upscaler_smooth is there too" in (told := capsys.readouterr().out)
    assert read_manifest() == shipped
    assert run(shlex.split(told.splitlines()[-1].removeprefix("To go back: npe "))) == 0
    assert read_manifest()["upscaler"].provenance == {"imported_from": "mine.safetensors"}


@pytest.mark.parametrize("command", [["edit", "face.png", "-o", "out.png", *HAIR], ["weights", "list"], ["doctor"]])
def test_an_empty_folder_of_weights_is_told_what_fills_it(command, files, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NPE_WEIGHTS", str(tmp_path / "new"))
    monkeypatch.chdir(files)
    assert run(command) == 3
    told = "".join(capsys.readouterr())
    assert "Unset NPE_WEIGHTS, or fill its folder with `npe weights import FILE`." in told and "Reinstall" not in told


def test_every_file_of_weights_that_is_not_whole_is_told(tmp_path, monkeypatch, capsys):
    from npe_core.models.weights import read_manifest, shipped_folder, write_manifest

    entries = read_manifest(shipped_folder())
    (tmp_path / entries["upscaler"].file).symlink_to(shipped_folder() / entries["upscaler"].file)
    write_manifest(entries, tmp_path)
    monkeypatch.setenv("NPE_WEIGHTS", str(tmp_path))
    assert run(["weights", "verify"]) == 3
    out, err = capsys.readouterr()
    assert "upscaler: upscaler" in out and "face detector" in out
    missing = [kind for kind in entries if f"The weights of the {kind} are missing" in err]
    assert missing == [kind for kind in entries if kind != "upscaler"]


def test_what_the_system_refuses_in_passing_is_no_bug(files, monkeypatch, capsys):
    import npe_core.photo

    def refused(*_, **__):
        raise OSError(errno.EIO, "Input/output error", "face.png")

    monkeypatch.chdir(files)
    monkeypatch.setattr(npe_core.photo, "check_output", refused)
    assert run(["edit", "face.png", "-o", "out.png", *HAIR]) == 4
    err = capsys.readouterr().err
    assert "Input/output error" in err and "bug" not in err and len(err.splitlines()) == 1


def test_without_debug_a_bug_is_one_line_and_with_it_a_traceback(files, monkeypatch, capsys):
    import npe_core.photo

    def broken(*_, **__):
        raise ZeroDivisionError("oops")

    monkeypatch.chdir(files)
    monkeypatch.setattr(npe_core.photo, "check_output", broken)
    assert run(["edit", "face.png", "-o", "out.png", *HAIR]) == 70
    err = capsys.readouterr().err
    assert "ZeroDivisionError: oops" in err and "Traceback" not in err
    assert run(["--debug", "edit", "face.png", "-o", "out.png", *HAIR]) == 70
    assert "Traceback" in capsys.readouterr().err
