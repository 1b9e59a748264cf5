"""The commands from their words to their files, and what signals do to a run."""

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from npe_core.cli.app import run
from npe_core.device import choose_device
from npe_core.ending import unwind_on_signals
from npe_core.errors import UsageError
from npe_core.models.denoiser import DenoiserConfig
from npe_core.models.segmenter import SegmenterConfig
from npe_core.training import labelling
from npe_core.training.checkpoint import load_state, read_weights
from npe_core.training.data import load_pairs
from npe_core.training.evaluation.options import evaluation_parser
from npe_core.training.holding import held
from npe_core.training.loop import Trainer
from npe_core.training.options import train_parser
from npe_core.training.reading import UNKNOWN, drawn, read_pairs
from npe_core.training.recipe import TrainingRecipe
from npe_core.training.run import build_task, recipe_of
from npe_core.training.settings import with_settings
from npe_core.training.stopping import StopOnSignal

CPU = torch.device("cpu")
DENOISER = ["image_size=16", "base=8", "mults=1,2", "attention=4,", "head_width=8"]
SEGMENTER = ["image_size=32", "patch=2", "base=4", "mults=1,2"]


def config(words):
    return [part for word in words for part in ("--config", word)]


def diffusion_words(data, out, *more):
    return [
        "diffusion",
        "--data",
        f"{data}=2",
        "--out",
        str(out),
        "--batch",
        "2",
        "--device",
        "cpu",
        *config(DENOISER),
        *more,
    ]


def test_train_diffusion_from_the_command_line(pairs, small_release, tmp_path, monkeypatch, capsys):
    out = tmp_path / "run"
    words = ["train", *diffusion_words(pairs, out, "--images", "80", "--pieces", "0.05")]
    assert run(words) == 0
    told = json.loads((out / "run.json").read_text())
    assert told["config"]["mults"] == [1, 2] and told["recipe"]["images"] == 80
    assert told["data"] == [{"name": f"{pairs.parent.name}/{pairs.name}", "examples": 6, "share": 1.0}]
    assert "80/80 images" in capsys.readouterr().err
    assert (out / "loss.png").exists() and (out / "ema_long.safetensors.part01").exists()
    assert len((out / "log.jsonl").read_text().splitlines()) == 2
    assert run(words) == 0  # nothing is left to do
    assert capsys.readouterr().err == f"npe: {out} holds 80 of 80 images, as before. Give more --images.\n"

    monkeypatch.setenv("NPE_WEIGHTS", str(tmp_path / "weights"))
    assert run(["train", "release", "denoiser", str(out), "--data-name", "made up"]) == 0
    assert "80 images seen" in capsys.readouterr().out
    assert json.loads((tmp_path / "weights/manifest.json").read_text())["models"]["denoiser"]["config"]["base"] == 8
    assert run(["train", *diffusion_words(pairs, out, "--images", "80", "--config", "base=16")]) == 2
    assert "Repeat --config base=8, or give another --out" in capsys.readouterr().err
    more = tmp_path / "more"
    small = [word for setting in ("image_size=16", "base=8") for word in ("--config", setting)]
    words = ["train", "diffusion", "--data", str(pairs), "--out", str(more), "--batch", "2", "--device", "cpu"]
    assert run([*words, "--images", "2", "--init", str(out), "--guide", str(out)]) == 0  # folders of runs
    assert json.loads((more / "run.json").read_text())["config"] == told["config"]
    with held(more):
        assert run([*words, "--images", "4", *small, "--init", str(out)]) == 2
    assert "Another run is at work" in capsys.readouterr().err


def test_train_and_evaluate_segmentation(pairs, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NPE_WEIGHTS", str(tmp_path / "nothing"))
    out = tmp_path / "run"
    words = [
        "--data",
        str(pairs),
        "--out",
        str(out),
        "--images",
        "4",
        "--batch",
        "2",
        "--device",
        "cpu",
        *config(SEGMENTER),
    ]
    assert run(["train", "segmentation", *words]) == 0
    capsys.readouterr()
    measured = tmp_path / "measured"
    evaluate = ["evaluate", "segmentation", "--data", str(pairs), "--weights", str(out), "--device", "cpu"]
    assert run([*evaluate, "--out", str(measured), "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    (values,) = numbers["data"].values()
    assert values["faces"] == 6 and 0 <= values["mean_iou"] <= 1 and values["iou"]["attire"] is None
    assert numbers["weights"] == ["run (long)"] and "hair" in numbers["notes"][0]
    assert len(list(measured.glob("faces_*.png"))) == 1
    assert run([*evaluate, "--label-kind", "human"]) == 2


def test_the_mix_of_the_samples(capsys):
    """Four portraits, all of them looking ahead and without glasses."""
    samples = Path(__file__).resolve().parents[2] / "samples"
    assert run(["evaluate", "mix", "--data", str(samples), "--device", "cpu", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["data"].values()
    shares = found["shares"]
    assert found["faces"] == 4 and shares["glasses: none"] == shares["pose: frontal"] == 1
    assert sum(share for name, share in shares.items() if name.startswith("skin: ")) == 1
    assert run(["evaluate", "mix", "--data", str(samples), "--device", "cpu", "--count", "2"]) == 0
    told = capsys.readouterr().out
    assert "| pose: frontal" in told and "100 %" in told and "| 2 " in told


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


def test_settings_take_the_type_of_the_default():
    assert with_settings(DenoiserConfig(attention=()), ["attention=8,4"]).attention == (8, 4)
    changed = with_settings(SegmenterConfig(), ["base=8", "mults=1,2,3"])
    assert changed == SegmenterConfig(base=8, mults=(1, 2, 3))
    with pytest.raises(UsageError, match="base"):
        with_settings(SegmenterConfig(), ["base=wide"])


def test_sigterm_ends_a_run_after_its_step_with_a_checkpoint(diffusion_task, tmp_path):
    task = diffusion_task()
    trainer = Trainer(task, TrainingRecipe(batch=2, images=100), tmp_path, CPU)
    draw = task.draw

    def draw_and_ask_to_stop(count, rng):
        if trainer.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return draw(count, rng)

    task.draw = draw_and_ask_to_stop
    before = signal.getsignal(signal.SIGTERM)
    assert trainer.run() == signal.SIGTERM
    assert trainer.step == 3 and signal.getsignal(signal.SIGTERM) is before
    assert Trainer(diffusion_task(), TrainingRecipe(batch=2, images=100), tmp_path, CPU).step == 3


class Closed(io.StringIO):
    """A terminal's stream, of the kind that is asked what it can show; once ``gone`` it takes nothing more."""

    encoding = "utf-8"
    gone = False

    def isatty(self):
        return True

    def write(self, text):
        if self.gone:
            raise OSError(errno.EIO, "Input/output error")
        return super().write(text)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")
def test_a_run_whose_terminal_is_closed_is_saved_and_takes_no_harm_from_what_it_cannot_tell(
    pairs, tmp_path, monkeypatch
):
    """The system tells of the end, the shell tells again, and nothing can be written any more."""
    out, stream, step, save = tmp_path / "run", Closed(), Trainer.train_step, Trainer.save
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGHUP, signal.SIGTERM)}
    unwind_on_signals()  # as the program does
    monkeypatch.setattr(sys, "stderr", stream)

    def step_and_close(trainer):
        loss = step(trainer)
        if trainer.step == 2:
            stream.gone = True
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGHUP)
        return loss

    def close_and_save(trainer):
        signal.raise_signal(signal.SIGHUP)
        save(trainer)

    monkeypatch.setattr(Trainer, "train_step", step_and_close)
    monkeypatch.setattr(Trainer, "save", close_and_save)
    try:
        assert run(["train", *diffusion_words(pairs, out, "--images", "12")]) == 129
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert read_weights(out / "ema_long.safetensors")[2] == 4 and load_state(out, CPU)["step"] == 2


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")
def test_a_run_under_nohup_goes_on_without_its_terminal():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopOnSignal() as signals:
            signal.raise_signal(signal.SIGHUP)
        assert signals.number == 0 and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_run_that_is_stopped_says_how_far_it_is_and_goes_on(pairs, tmp_path, monkeypatch, capsys, name, code):
    words = ["train", *diffusion_words(pairs, tmp_path / "run", "--images", "12")]
    step = Trainer.train_step

    def step_and_ask_to_stop(trainer):
        loss = step(trainer)
        if trainer.step == 2:
            signal.raise_signal(getattr(signal, name))
        return loss

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_step", step_and_ask_to_stop)
        assert run(words) == code
        told = capsys.readouterr().err.splitlines()[-1]
        assert told == "npe: Stopped at 4 of 12 images; the same command goes on."
    assert run(words) == 0
    told = capsys.readouterr().err
    assert "12/12 images" in told and "Stopped" not in told


def test_what_is_other_in_a_run_that_goes_on_is_told_and_its_seed_stays(pairs, tmp_path, capsys):
    runs, other = [tmp_path / "told", tmp_path / "same"], tmp_path / "other"
    shutil.copytree(pairs, other)
    (other / "masks/0.png").unlink()
    (other / "images/0.png").unlink()
    for out in runs:
        assert run(["train", *diffusion_words(pairs, out, "--images", "4", "--seed", "3")]) == 0
    capsys.readouterr()
    assert run(["train", *diffusion_words(pairs, runs[0], "--images", "8", "--seed", "5")]) == 0
    told = capsys.readouterr().err
    assert f"npe: {runs[0]} holds 4 images. --seed 5 has no effect: the draws go on as seed 3 began them." in told
    assert json.loads((runs[0] / "run.json").read_text())["recipe"]["seed"] == 3
    assert run(["train", *diffusion_words(pairs, runs[1], "--images", "8", "--seed", "3")]) == 0
    assert "holds" not in capsys.readouterr().err
    one, two = (read_weights(out / "ema_long.safetensors")[0] for out in runs)
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())
    assert run(["train", *diffusion_words(other, runs[0], "--images", "12", "--lr", "1e-5")]) == 0
    told = capsys.readouterr().err
    before, now = (f"{folder.parent.name}/{folder.name}" for folder in (pairs, other))
    assert "It goes on with lr 1e-05 (before: 0.0004), data " in told and "--seed" not in told
    assert f"data {now} (5 examples, share 1.0) (before: {before} (6 examples, share 1.0))." in told


def test_a_run_whose_time_is_over_before_its_first_step_says_so(pairs, tmp_path, capsys):
    assert run(["train", *diffusion_words(pairs, tmp_path / "run", "--images", "4", "--minutes", "1e-9")]) == 0
    assert "holds 0 of 4 images, as before. The --minutes were over before the first step." in capsys.readouterr().err


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


def test_a_run_whose_time_is_over_is_done(diffusion_task, tmp_path):
    trainer = Trainer(diffusion_task(), TrainingRecipe(batch=2, images=100), tmp_path, CPU)
    assert trainer.run(seconds=0) == 0 and trainer.step < 50


MISSING = """
import json, runpy, sys
for missing in ("click", "cv2", "rich", "textual", "torchvision", "watchdog"):
    sys.modules[missing] = None
"""
BARE = MISSING + 'runpy.run_module("npe_core.training", run_name="__main__", alter_sys=True)'
EVERY_BARE = (
    MISSING
    + """
from npe_core.training.command import command
for words in json.loads(sys.argv[1]):
    command(words, "train")
"""
)


def test_every_model_trains_on_a_bare_machine(pairs, tmp_path):
    models = {
        "diffusion": [*config([*DENOISER, "surroundings=true", "prior=2"]), "--paint", "0.5", "--rollout", "0.5"],
        "segmentation": config(SEGMENTER),
        "super-resolution": ["--patch", "32", *config(["width=8", "blocks=1"])],
    }
    (tmp_path / "sharp").mkdir()
    Image.effect_noise((512, 512), 60).save(tmp_path / "sharp/0.png")
    rest = ["--images", "16", "--batch", "2", "--device", "cpu"]
    sources = {model: str(tmp_path / "sharp" if model == "super-resolution" else pairs) for model in models}
    runs = [
        [model, *settings, *rest, "--data", sources[model], "--out", str(tmp_path / model)]
        for model, settings in models.items()
    ]
    words, root = [sys.executable, "-c", EVERY_BARE, json.dumps(runs)], Path(__file__).resolve().parents[2]
    ran = subprocess.run(words, cwd=root, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("16/16 images") == 3
    assert all((tmp_path / model / "ema_short.safetensors").exists() for model in models)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_run_on_a_bare_machine_goes_on_exactly(pairs, tmp_path):
    words = diffusion_words(
        pairs, tmp_path / "killed", "--images", "100000", "--threads", "1", "--save-minutes", "0.0001"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen([sys.executable, "-c", BARE, *words], env=environment, cwd=root, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "killed/state.pt").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        process.kill()
        told = process.communicate()[1].decode()
    assert (tmp_path / "killed/state.pt").exists(), told

    def trainer(folder):
        options = train_parser("npe train").parse_args(words)
        torch.manual_seed(0)
        choice = choose_device(options.device)
        return Trainer(build_task(options, CPU, choice.dtype), recipe_of(options), folder, CPU, precision=choice.dtype)

    resumed, whole = trainer(tmp_path / "killed"), trainer(tmp_path / "whole")
    assert resumed.step >= 20
    while whole.step < resumed.step + 2:
        whole.train_step()
    resumed.train_step()
    resumed.train_step()
    same = zip(resumed.task.model.state_dict().values(), whole.task.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)


TEACHERS = '''
import torch

class FaceParser:
    """Knows the region from the brightness: 40 * id; of what is brighter than 180 it is not sure."""

    def __init__(self, device):
        self.device = device

    def celeb_logits(self, images):
        ids = (images.float().mean(dim=1) / 40).round().long().clamp(0, 10)
        sure = torch.where(ids > 4, 0.1, 20.0)
        return sure[:, None] * torch.nn.functional.one_hot(ids, 11).permute(0, 3, 1, 2)

    def regions_from_logits(self, logits, size):
        return torch.nn.functional.interpolate(logits.softmax(dim=1), size=(size, size))
'''


def test_labelled_pictures_are_pairs_to_train_on(pairs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(labelling, "TOGETHER", 2)
    (tmp_path / "teachers.py").write_text(TEACHERS)
    out = tmp_path / "pairs.npz"
    words = ["train", "label", "--data", str(pairs / "images"), "--teachers", str(tmp_path), "--out", str(out)]
    assert run([*words, "--size", "32", "--count", "5", "--device", "cpu"]) == 0
    assert "5 pairs" in capsys.readouterr().out
    before = out.read_bytes()
    assert run([*words, "--size", "32", "--count", "4", "--device", "cpu"]) == 2
    assert f"{out} exists already" in capsys.readouterr().err and out.read_bytes() == before
    images, masks, _ = read_pairs(out, 32)
    order = drawn(5, 0)(6)  # more are drawn than are read at a time
    assert (images.float().mean(dim=(1, 2, 3)) / 40).round().long().tolist() == order
    assert images.shape == (5, 3, 32, 32) and masks.shape == (5, 32, 32)
    for image, mask in zip(images, masks, strict=True):
        number = round(float(image.float().mean()) / 40)
        assert set(mask.unique().tolist()) == {number if number <= 4 else UNKNOWN}
    assert run([*words, "--size", "32", "--count", "4", "--device", "cpu", "--force"]) == 0
    assert len(read_pairs(out, 32)[0]) == 4


def test_labelling_keeps_masks_and_adds_what_the_parser_believes(pairs, tmp_path):
    (tmp_path / "teachers.py").write_text(TEACHERS)
    (tmp_path / "drawn").mkdir()
    shutil.copytree(pairs / "images", tmp_path / "drawn/images")
    shutil.copytree(pairs / "masks", tmp_path / "drawn/masks")
    Image.fromarray(np.full((32, 32), 9, np.uint8)).save(tmp_path / "drawn/masks/5.png")  # the parser would say 5
    out = tmp_path / "pairs.npz"
    words = ["train", "label", "--data", str(tmp_path / "drawn"), "--teachers", str(tmp_path), "--out", str(out)]
    assert run([*words, "--size", "32", "--device", "cpu"]) == 0
    images, masks, _ = read_pairs(out, 32)
    numbers = (images.float().mean(dim=(1, 2, 3)) / 40).round().long()
    assert masks.float().mean(dim=(1, 2)).tolist() == [9 if n == 5 else n for n in numbers.tolist()]
    (examples,) = load_pairs([str(out)], 32, CPU).sets
    beliefs = examples[2]
    assert beliefs.shape == (6, 11, 8, 8)
    assert torch.equal(beliefs.flatten(2).float().mean(dim=2).argmax(dim=1), numbers)
    options = train_parser("npe train").parse_args(
        ["segmentation", "--data", str(out), *config(SEGMENTER), "--out", str(tmp_path / "run")]
    )
    task, rng = build_task(options, CPU, torch.float32), torch.Generator().manual_seed(0)
    assert float(task.loss(task.draw(2, rng), rng).log["beliefs"]) > 0.1


def test_of_as_many_faces_as_asked_for_nothing_is_known(pairs, tmp_path):
    words = [
        "diffusion",
        "--data",
        str(pairs),
        *config([*DENOISER, "surroundings=true"]),
        "--out",
        str(tmp_path / "run"),
    ]
    for more, whole in (["--whole", "1"], True), ([], False):
        task = build_task(train_parser("npe train").parse_args([*words, *more]), CPU, torch.float32)
        _, mask = task.draw(64, torch.Generator().manual_seed(0))
        assert bool((mask == 1).all()) == whole


def test_beliefs_are_surer_than_the_parser():
    """0.6 : 0.3 : 0.1 to the third power."""
    probabilities = torch.tensor([0.6, 0.3, 0.1] + 8 * [0.0])[:, None, None]
    expected = [round(255 * p**3 / (0.6**3 + 0.3**3 + 0.1**3)) for p in (0.6, 0.3, 0.1)]
    assert labelling.levels_of(probabilities).flatten().tolist() == [*expected, *8 * [0]]


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
