"""From a run to a weights folder: whole at any moment, and only what the editor can use."""

import json
import shlex

import pytest
import torch
from safetensors.torch import save_file

from npe_core.cli.app import run
from npe_core.errors import InputError, UsageError
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.importing import import_weights
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig
from npe_core.models.weights import (
    COARSE,
    SMOOTH,
    Entry,
    load,
    read_former,
    read_manifest,
    sha256_of,
    verify,
    write_manifest,
)
from npe_core.training.averaging import average
from npe_core.training.checkpoint import export_weights, split
from npe_core.training.evaluation.subject import weights_with
from npe_core.training.release import release

CPU = torch.device("cpu")
SMALL = {"width": 8, "blocks": 1, "skip": "bicubic", "surroundings": False}


def upscaler(path, seed):
    torch.manual_seed(seed)
    export_weights(path, GeneratorResNet(UpscalerConfig(**SMALL)).state_dict(), SMALL, seed)
    return path


def denoiser(path, side):
    config = {"image_size": side, "base": 8, "mults": [1], "attention": []}
    model = Denoiser(DenoiserConfig(image_size=side, base=8, mults=(1,), attention=()))
    export_weights(path, model.state_dict(), config, 1)
    return path


def test_a_release_that_ends_early_leaves_the_weights_whole_and_another_replaces_them(
    no_shipped, tmp_path, monkeypatch
):
    folder = tmp_path / "weights"
    first = release("upscaler", upscaler(tmp_path / "one.safetensors", 1), folder=folder)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("npe_core.models.importing.write_manifest", killed)
        with pytest.raises(KeyboardInterrupt):
            release("upscaler", upscaler(tmp_path / "two.safetensors", 2), folder=folder)
    assert read_manifest(folder) == {"upscaler": first}
    load("upscaler", CPU, torch.float32, folder)
    second = release("upscaler", tmp_path / "two.safetensors", folder=folder, replace=True)
    assert (folder / second.file).read_bytes() == (tmp_path / "two.safetensors").read_bytes()
    assert [path.name for path in folder.glob("*.safetensors")] == [second.file]
    load("upscaler", CPU, torch.float32, folder)


@pytest.mark.parametrize("kind", ["upscaler", SMOOTH])
def test_the_weights_before_a_release_come_back_by_the_command_that_it_tells(
    no_shipped, tmp_path, monkeypatch, capsys, kind
):
    """With all that was known of them, also into a folder that is not the one in use, and with a name that a shell
    would split."""
    folder, measured = tmp_path / "my weights", tmp_path / "measured.json"
    measured.write_text('{"lpips": 0.1}')
    for part in ("upscaler", SMOOTH):
        release(part, upscaler(tmp_path / f"{part}.safetensors", 1), "short", measured, ["faces"], folder)
    before = read_manifest(folder)
    words = ["train", "release", kind, str(upscaler(tmp_path / "two.safetensors", 2)), "--weights", str(folder)]
    assert run(words) == 0
    assert read_manifest(folder)[kind] != before[kind]
    told = capsys.readouterr().out.splitlines()[-1].partition("To go back: ")[2]
    variable, program, *words = shlex.split(told)
    monkeypatch.setenv(*variable.split("="))
    assert program == "npe" and run(words) == 0
    after = read_manifest(folder)
    assert after == before
    for name in before:
        verify(after[name], folder)


def test_what_was_imported_stays_when_another_is_released_unless_it_is_to_be_replaced(no_shipped, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    files = [upscaler(tmp_path / f"{seed}.safetensors", seed) for seed in range(3)]
    imported = import_weights(files[0], folder)
    second = release("upscaler", files[1], folder=folder)
    verify(imported, folder)
    release("upscaler", files[2], folder=folder, replace=True)
    verify(imported, folder)
    assert read_former(folder) == [{"upscaler": imported}] and not (folder / second.file).exists()


def test_a_release_keeps_what_imports_have_put_aside(tmp_path):
    former = [{"denoiser": Entry("denoiser", "old.safetensors", "0" * 64, {}, {})}]
    write_manifest({}, tmp_path, former)
    entry = release("upscaler", upscaler(tmp_path / "mine.safetensors", 1), folder=tmp_path)
    assert read_former(tmp_path) == former and read_manifest(tmp_path) == {"upscaler": entry}


def test_a_folder_without_weights_takes_the_shipped_ones_along(tmp_path, monkeypatch):
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    entries = {}
    for kind in ("denoiser", "upscaler", SMOOTH):
        path = upscaler(shipped / f"{kind}.safetensors", 0)
        entries[kind] = Entry(kind, path.name, sha256_of(path), SMALL, {"data": [kind]})
    write_manifest(entries, shipped)
    monkeypatch.setattr("npe_core.models.importing.shipped_folder", lambda: shipped)
    entry = release("upscaler", upscaler(tmp_path / "mine.safetensors", 1), folder=tmp_path / "mine")
    assert read_manifest(tmp_path / "mine") == {**entries, "upscaler": entry}
    assert (tmp_path / "mine/denoiser.safetensors").exists()
    release(SMOOTH, tmp_path / "mine.safetensors", folder=tmp_path / "mine", replace=True)
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes((shipped / entries[SMOOTH].file).read_bytes())
    assert release(SMOOTH, copy, folder=tmp_path / "mine") == entries[SMOOTH]
    verify(entries[SMOOTH], tmp_path / "mine")


@pytest.mark.parametrize(
    ("kind", "side", "words"),
    [
        ("denoiser", 32, "makes pictures of 32 pixels, a denoiser those of 128. Release it as denoiser_coarse."),
        (COARSE, 128, "makes pictures of 128 pixels, a denoiser_coarse those of 32. Release it as denoiser."),
        ("denoiser", 64, "Train with --config image_size=128."),
    ],
)
def test_a_denoiser_of_another_side_is_refused(no_shipped, tmp_path, kind, side, words):
    run = denoiser(tmp_path / "run.safetensors", side)
    with pytest.raises(InputError) as refusal:
        release(kind, run, folder=tmp_path / "weights")
    assert words in str(refusal.value) and not (tmp_path / "weights").exists()


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 1e5])
def test_weights_that_diverged_are_neither_released_nor_averaged(no_shipped, tmp_path, value):
    state = GeneratorResNet(UpscalerConfig(**SMALL)).state_dict()
    state["head.bias"][1] = value
    run = tmp_path / "run.safetensors"
    save_file(state, str(run), metadata={"config": json.dumps(SMALL)})
    with pytest.raises(InputError, match=r"head\.bias has values that are not finite"):
        release("upscaler", run, folder=tmp_path / "weights")
    with pytest.raises(InputError, match=r"head\.bias"):
        average([str(upscaler(tmp_path / "good.safetensors", 1)), str(run)], tmp_path / "mean")
    assert not (tmp_path / "weights").exists() and not list(tmp_path.glob("mean/*.safetensors"))


@pytest.mark.parametrize(("named", "told"), [("ema_short", "short"), ("ema_long", "long"), ("best", None)])
def test_which_average_a_file_holds_is_told_by_its_name_alone(no_shipped, tmp_path, named, told):
    path = upscaler(tmp_path / f"{named}.safetensors", 1)
    assert release("upscaler", path, folder=tmp_path / "weights").provenance.get("ema") == told


def test_whole_numbers_are_no_weights_of_a_run(no_shipped, tmp_path):
    state = GeneratorResNet(UpscalerConfig(**SMALL)).state_dict()
    state["head.bias"] = state["head.bias"].to(torch.int8)
    save_file(state, str(tmp_path / "run.safetensors"), metadata={"config": json.dumps(SMALL)})
    with pytest.raises(InputError, match=r"run\.safetensors: head\.bias is of type int8"):
        release("upscaler", tmp_path / "run.safetensors", folder=tmp_path / "weights")


def test_denoisers_of_the_sides_of_the_editor_are_released(no_shipped, tmp_path):
    for kind, side in (("denoiser", 128), (COARSE, 32)):
        release(kind, denoiser(tmp_path / f"{side}.safetensors", side), folder=tmp_path / "weights")
    assert read_manifest(tmp_path / "weights").keys() == {"denoiser", COARSE}


def test_a_denoiser_of_any_side_can_be_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("NPE_WEIGHTS", str(tmp_path / "nothing"))
    with weights_with("denoiser", denoiser(tmp_path / "64.safetensors", 64), "long") as folder:
        assert read_manifest(folder).keys() == {"denoiser"}
        assert load("denoiser", CPU, torch.float32, folder)[0].config.image_size == 64


def test_an_average_replaces_none_of_its_runs(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        upscaler(tmp_path / name / "ema_long.safetensors", 1)
    before = (tmp_path / "two/ema_long.safetensors").read_bytes()
    for second in ("two", "two/ema_long.safetensors"):
        with pytest.raises(UsageError, match="one of the runs"):
            average([str(tmp_path / "one"), f"{tmp_path / second}=3"], tmp_path / "one" / ".." / "two")
    assert (tmp_path / "two/ema_long.safetensors").read_bytes() == before and not (tmp_path / "two/run.json").exists()


def test_an_average_overwrites_no_run_and_no_other_average_unasked(tmp_path, capsys):
    runs = [str(upscaler(tmp_path / f"{seed}.safetensors", seed)) for seed in range(3)]
    mean, other = tmp_path / "mean", tmp_path / "run"
    other.mkdir()
    (other / "state.pt").touch()
    assert run(["train", "average", *runs[:2], "--out", str(mean)]) == 0
    before = (mean / "ema_long.safetensors").read_bytes()
    for out, words in ((mean, "exists already"), (other, "is the folder of a run")):
        assert run(["train", "average", *runs, "--out", str(out)]) == 2
        assert words in capsys.readouterr().err
    assert (mean / "ema_long.safetensors").read_bytes() == before and len(list(other.iterdir())) == 1
    assert run(["train", "average", *runs, "--out", str(other), "--force"]) == 2
    assert run(["train", "average", *runs, "--out", str(mean), "--force"]) == 0
    assert (mean / "ema_long.safetensors").read_bytes() != before


def test_one_average_takes_the_place_of_the_other_only_when_asked_and_leaves_nothing_of_it(tmp_path):
    """One run.json tells of what lies beside it: with both there it would be wrong about one of them."""
    runs = [str(upscaler(tmp_path / f"{seed}.safetensors", seed)) for seed in range(3)]
    average(runs[:2], tmp_path / "mean")
    split(tmp_path / "mean/ema_long.safetensors", 1000)
    before = {path: path.read_bytes() for path in sorted((tmp_path / "mean").iterdir())}
    with pytest.raises(UsageError, match=r"ema_long\.safetensors.* exists already"):
        average(runs, tmp_path / "mean", "short")
    assert {path: path.read_bytes() for path in sorted((tmp_path / "mean").iterdir())} == before
    average(runs, tmp_path / "mean", "short", force=True)
    assert {path.name for path in (tmp_path / "mean").iterdir()} == {"ema_short.safetensors", "run.json"}
    (tmp_path / "mean/ema_short.safetensors").unlink()
    with pytest.raises(UsageError, match=r"run\.json exists already"):
        average(runs, tmp_path / "mean")


@pytest.mark.parametrize("words", [["train"], ["train", "average"], ["evaluate", "mix"]])
def test_the_help_of_argparse_reads_as_that_of_click(capsys, words):
    assert run([*words, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"Usage: npe {' '.join(words)} ") and "\nOptions:\n  -h, --help" in told
    assert "  Show this message and exit.\n" in told and "positional" not in told


@pytest.mark.parametrize(
    "notes", [[1], {"config": None}, {"recipe": [1]}, {"task": 3}, {"data": {"a": 1}}, {"data": [1]}, {"average": 1}]
)
def test_notes_of_something_else_are_told(no_shipped, tmp_path, notes):
    upscaler(tmp_path / "ema_long.safetensors", 1)
    (tmp_path / "run.json").write_text(json.dumps(notes))
    with pytest.raises(InputError, match=r"run\.json"):
        release("upscaler", tmp_path, folder=tmp_path / "weights")
