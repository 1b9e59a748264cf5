"""What cannot be written is told as a fault of the machine, and before any work where that can be known."""

import shutil
import sys
from types import SimpleNamespace

import pytest
import torch
from limits import largest_file

from npe_core.cli.app import run
from npe_core.errors import EnvironmentFault
from npe_core.files import BEYOND_LIMIT, make_folder, replace_file
from npe_core.report import Report
from npe_core.training import report
from npe_core.training.checkpoint import export_weights, load_state, save_state, split
from npe_core.training.evaluation import command
from npe_core.training.loop import Trainer
from npe_core.training.recipe import TrainingRecipe

CPU = torch.device("cpu")


def log_of(folder):
    (folder / "log.jsonl").write_text("".join(f'{{"images": {n}, "loss": {9 / n}}}\n' for n in range(1, 40)))
    return folder / "log.jsonl"


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda folder: save_state(folder, {"weight": torch.zeros(4096)}), "state.pt"),
        (lambda folder: export_weights(folder / "w.safetensors", {"w": torch.zeros(4096)}, {}, 1), "w.safetensors"),
        (lambda folder: report.plot_loss(folder / "log.jsonl", folder / "loss.png"), "loss.png"),
        (lambda folder: report.forget_after(folder / "log.jsonl", 40), "log.jsonl"),
        (lambda folder: report.Reporter(folder, 40, "x").update(40, {"loss": 1.0}), "log.jsonl"),
        (lambda folder: split(folder / "log.jsonl", 600), "log.jsonl"),
    ],
    ids=["state", "weights", "plot", "log", "entry", "pieces"],
)
def test_a_full_disk_is_a_fault_of_the_machine_and_leaves_what_was_there(tmp_path, write, name):
    log_of(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(EnvironmentFault, match=name), largest_file(512):
        write(tmp_path)
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir() if ".part" not in path.name}
    assert left == before


@pytest.mark.parametrize(("free", "why", "remedy"), [
    (2_000_000, "2 MB are free", "Free some space"), (9_000_000, f"this is {BEYOND_LIMIT}", "Raise the limit"),
])  # fmt: skip
@pytest.mark.parametrize("before", [True, False])
def test_a_checkpoint_that_does_not_fit_is_told_with_what_it_needs_not_in_the_words_of_torch(
    tmp_path, monkeypatch, free, why, remedy, before
):
    state = {"model": {"weight": torch.zeros(500_000)}, "emas": [{"weight": torch.zeros(250_000)}] * 2, "step": 7}
    if before:
        save_state(tmp_path, {"step": 6})
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    with pytest.raises(EnvironmentFault) as caught, largest_file(1_000_000):
        save_state(tmp_path, state)
    kept = "The checkpoint before is kept. " if before else ""
    told = f"state.pt cannot be written: it needs 4 MB, and {why}.\n{kept}{remedy} and repeat the command."
    assert str(caught.value) == f"{tmp_path}/{told}"
    assert load_state(tmp_path, CPU) == ({"step": 6} if before else None)


def test_a_sheet_that_does_not_fit_leaves_the_run_whole(diffusion_task, tmp_path):
    task = diffusion_task()
    trainer = Trainer(task, TrainingRecipe(batch=2, images=24), tmp_path, CPU)
    trainer.train_step()
    task.sheet = lambda model: torch.randint(0, 256, (2000, 2000, 3), dtype=torch.uint8).numpy()
    with pytest.raises(EnvironmentFault, match=r"sheet_00000002\.png"), largest_file(8 * 2**20):
        trainer.save()
    assert not list(tmp_path.glob("*.png")) and not list(tmp_path.glob(".*"))
    assert Trainer(diffusion_task(), TrainingRecipe(batch=2, images=24), tmp_path, CPU).step == 1


def test_a_folder_below_a_file_is_no_bug(pairs, tmp_path, capsys):
    (tmp_path / "file").touch()
    words = ["train", "diffusion", "--data", str(pairs), "--batch", "2", "--device", "cpu", "--config", "base=8"]
    assert run([*words, "--out", str(tmp_path / "file/run")]) == 2
    assert f"{tmp_path / 'file'} is a file. Name a folder." in capsys.readouterr().err
    with pytest.raises(EnvironmentFault, match="file"), replace_file(tmp_path / "file/run.json"):
        pass


def test_a_folder_that_only_reads_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(EnvironmentFault, match="cannot be written to"):
        make_folder(tmp_path)


def test_where_pairs_go_is_looked_at_before_any_is_made(tmp_path, capsys):
    """The teachers named here do not exist: what is wrong with --out is said before they are looked for."""
    (tmp_path / "file").touch()
    words = ["train", "label", "--data", str(tmp_path), "--teachers", str(tmp_path / "none"), "--device", "cpu"]
    assert run([*words, "--out", str(tmp_path / "file/pairs.npz")]) == 2
    assert "file is a file. Name a folder." in capsys.readouterr().err
    assert run([*words, "--out", str(tmp_path / "pairs.zip")]) == 2
    assert "ends in .npz" in capsys.readouterr().err
    assert run([*words, "--out", str(tmp_path / "new/pairs.npz")]) == 2
    assert "teachers.py" in capsys.readouterr().err and (tmp_path / "new").is_dir()


def test_numbers_are_told_even_when_they_cannot_be_kept(tmp_path, monkeypatch, capsys):
    measured = []
    monkeypatch.setattr(command, "evaluate", lambda options: measured.append(options) or Report({"value": 7}))
    (tmp_path / "file").touch()
    words = ["evaluate", "mix", "--data", "x", "--json"]
    assert run([*words, "--out", str(tmp_path / "file/out")]) == 2 and not measured  # before hours of work
    (tmp_path / "out/evaluation.json").mkdir(parents=True)
    assert run([*words, "--out", str(tmp_path / "out")]) == 4 and len(measured) == 1
    assert '"value": 7' in capsys.readouterr().out


def test_numbers_are_kept_even_when_nobody_listens(tmp_path, monkeypatch):
    def closed(*texts, **more):
        raise BrokenPipeError

    monkeypatch.setattr(command, "evaluate", lambda options: Report({"value": 7}))
    monkeypatch.setattr("builtins.print", closed)
    with pytest.raises(BrokenPipeError):
        command.command(["mix", "--data", "x", "--out", str(tmp_path)], "npe evaluate")
    assert '"value": 7' in (tmp_path / "evaluation.json").read_text()


@pytest.mark.parametrize(("terminal", "told"), [(True, ["1/9", "2/9", "3/9"]), (False, ["3/9"])])
def test_without_rich_a_terminal_sees_every_line_and_a_pipe_the_last(tmp_path, monkeypatch, capsys, terminal, told):
    now = iter(range(100, 10000, 100))
    monkeypatch.setattr("npe_core.training.report.time.monotonic", lambda: next(now))
    monkeypatch.setattr(report, "_rich_bar", lambda name, total: None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    reporter = report.Reporter(tmp_path, 9, "x")
    for images in (1, 2, 3):
        reporter.update(images, {"loss": 1.0})
    reporter.close()
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == told
    assert len(list(report.read_log(tmp_path / "log.jsonl"))) == 3
