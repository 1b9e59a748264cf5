"""Training on a bare machine, without the editor's libraries: every model, and a run that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from training_words import DENOISER, SEGMENTER, config, diffusion_words

from npe_core.device import choose_device
from npe_core.training.loop import Trainer
from npe_core.training.options import train_parser
from npe_core.training.run import build_task, recipe_of

CPU = torch.device("cpu")

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
