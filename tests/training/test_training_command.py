"""The commands from their words to their files, and a run that goes on with other words."""

import json
import shutil
from pathlib import Path

import torch
from training_words import DENOISER, SEGMENTER, config, diffusion_words

from npe_core.cli.app import run
from npe_core.training.checkpoint import read_weights
from npe_core.training.holding import held
from npe_core.training.options import train_parser
from npe_core.training.run import build_task

CPU = torch.device("cpu")


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


def test_pieces_that_are_too_small_are_refused_before_the_first_step(pairs, tmp_path, capsys):
    out = tmp_path / "run"
    for size, code in (("0.0001", 2), ("1e-9", 2), ("0.001", 0)):
        assert run(["train", *diffusion_words(pairs, out, "--images", "2", "--pieces", size)]) == code
        assert ("more than 100 pieces" in capsys.readouterr().err) == (code == 2)
        assert (out / "state.pt").exists() == (out / "run.json").exists() == (code == 0)
    assert (out / "ema_short.safetensors.part00").stat().st_size == 1000


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
