"""What ends a run early: signals, a closed terminal, and its time."""

import errno
import io
import os
import signal
import sys

import pytest
import torch
from training_words import diffusion_words

from npe_core.cli.app import run
from npe_core.ending import unwind_on_signals
from npe_core.training.checkpoint import load_state, read_weights
from npe_core.training.loop import Trainer
from npe_core.training.recipe import TrainingRecipe
from npe_core.training.stopping import StopOnSignal

CPU = torch.device("cpu")


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


def test_a_run_whose_time_is_over_before_its_first_step_says_so(pairs, tmp_path, capsys):
    assert run(["train", *diffusion_words(pairs, tmp_path / "run", "--images", "4", "--minutes", "1e-9")]) == 0
    assert "holds 0 of 4 images, as before. The --minutes were over before the first step." in capsys.readouterr().err


def test_a_run_whose_time_is_over_is_done(diffusion_task, tmp_path):
    trainer = Trainer(diffusion_task(), TrainingRecipe(batch=2, images=100), tmp_path, CPU)
    assert trainer.run(seconds=0) == 0 and trainer.step < 50
