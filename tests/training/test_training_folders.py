"""A run's folder: what else may lie in it, who works in it, and what its log says at the end."""

import json
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save

from npe_core.errors import InputError, UsageError
from npe_core.training.checkpoint import read_weights
from npe_core.training.holding import held
from npe_core.training.loop import Trainer
from npe_core.training.recipe import TrainingRecipe
from npe_core.training.report import plot_loss, read_log

CPU = torch.device("cpu")
RECIPE = TrainingRecipe(batch=2, images=46)


@pytest.mark.parametrize(
    "state",
    [torch.zeros(3), {"epoch": 3}, {"step": 1, "rng": 5}, [1], None],
    ids=["tensor", "dict", "rng", "list", "none"],
)
def test_the_state_of_another_program_is_told_and_left_alone(diffusion_task, tmp_path, state):
    torch.save(state, tmp_path / "state.pt")
    before = (tmp_path / "state.pt").read_bytes()
    with pytest.raises(InputError, match=r"state\.pt is not the state"):
        Trainer(diffusion_task(), RECIPE, tmp_path, CPU)
    assert (tmp_path / "state.pt").read_bytes() == before


@pytest.mark.parametrize("place", ["torch.load", "npe_core.training.loop.Trainer._take"])
def test_memory_that_is_too_small_for_a_state_is_no_fault_of_the_state(diffusion_task, tmp_path, monkeypatch, place):
    def too_large(*_, **__):
        return torch.empty(10**17)

    torch.save({}, tmp_path / "state.pt")
    monkeypatch.setattr(place, too_large)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        Trainer(diffusion_task(), RECIPE, tmp_path, CPU)


@pytest.mark.parametrize("content", [b"hello", b"\x80\x04N.", b"(lp0\n.", b"cos\nsystem\n."])
def test_what_is_no_state_at_all_is_told(diffusion_task, tmp_path, content):
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"state\.pt is"):
        Trainer(diffusion_task(), RECIPE, tmp_path, CPU)


@pytest.mark.parametrize("notes", [[1, 2], {"config": None}, {"recipe": 7}])
def test_notes_of_something_else_are_told(diffusion_task, tmp_path, notes):
    Trainer(diffusion_task(), RECIPE, tmp_path, CPU).save()
    (tmp_path / "run.json").write_text(json.dumps(notes))
    with pytest.raises(InputError, match=r"run\.json"):
        Trainer(diffusion_task(), RECIPE, tmp_path, CPU)


@pytest.mark.parametrize("metadata", [{"config": "[1]"}, {"config": "{"}, {"images": "many"}])
def test_weights_with_odd_words_about_them_are_told(tmp_path, metadata):
    (tmp_path / "a.safetensors").write_bytes(save({"a": torch.zeros(2)}, metadata=metadata))
    with pytest.raises(InputError, match=r"a\.safetensors"):
        read_weights(tmp_path / "a.safetensors")


def test_odd_lines_of_a_log_are_passed_over(diffusion_task, tmp_path):
    lines = [b'{"images": 2, "loss": 0.5}', b"7", b"[1]", b"null", b'{"loss": 1}', b'{"images": "2"}', b"\xff\xfe"]
    lines += [b'{"images": 0, "loss": 1}', b'{"images": 3, "loss": Infinity}', b'{"images": 40, "loss": 0.4}']
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"\n".join(lines))
    assert [entry["images"] for entry in read_log(log)] == [2, 0, 3, 40]
    plot_loss(log, tmp_path / "loss.png")
    assert (tmp_path / "loss.png").exists()
    Trainer(diffusion_task(), RECIPE, tmp_path, CPU)
    assert [entry["images"] for entry in read_log(log)] == [0]


def test_the_log_has_the_last_steps_too(diffusion_task, tmp_path, capsys):
    Trainer(diffusion_task(), RECIPE, tmp_path, CPU).run()  # 20 steps and 3
    assert [entry["images"] for entry in read_log(tmp_path / "log.jsonl")] == [40, 46]
    assert "46/46 images" in capsys.readouterr().err
    assert (tmp_path / "loss.png").exists()
    short = Trainer(diffusion_task(), TrainingRecipe(batch=2, images=6), tmp_path / "short", CPU)
    losses, step = [], short.train_step

    def kept():
        losses.append(step())
        return losses[-1]

    short.train_step = kept
    short.run()
    (entry,) = read_log(tmp_path / "short/log.jsonl")
    assert entry["loss"] == pytest.approx(float(torch.stack([loss.model for loss in losses]).mean()), rel=1e-4)
    assert entry["images"] == 6 and "6/6 images" in capsys.readouterr().err


def test_a_resume_with_other_settings_says_which_to_repeat(diffusion_task, tmp_path):
    Trainer(diffusion_task(surroundings=True), RECIPE, tmp_path, CPU).save()
    with pytest.raises(UsageError) as refusal:
        Trainer(diffusion_task(prior=2), RECIPE, tmp_path, CPU)
    told = str(refusal.value)
    assert "surroundings=true, prior=0, not surroundings=false, prior=2" in told
    assert "--config surroundings=true --config prior=0" in told and "mults" not in told


HOLD = """
import sys
from pathlib import Path
from npe_core.training.holding import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_of_one_run_until_its_process_ends(tmp_path):
    pytest.importorskip("fcntl")
    folder = tmp_path / "new/run"
    process = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(UsageError, match="Another run is at work"), held(folder):
            pass
        with held(tmp_path / "other"):
            process.kill()
            process.wait()
    finally:
        process.kill()
        process.communicate()
    for _ in range(2):
        with held(folder):
            assert not list(folder.iterdir())


def test_a_folder_that_cannot_be_locked_is_used_all_the_same(tmp_path, monkeypatch):
    def without_locks(descriptor):
        raise OSError("no locks here")

    monkeypatch.setattr("npe_core.locks.take", without_locks)
    with held(tmp_path):
        shutil.copyfile(__file__, tmp_path / "file")
