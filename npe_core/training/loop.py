"""The training loop of all three models: bf16, EMA of two lengths, exact resume, a time budget."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from npe_core.training.checkpoint import export_weights, load_state, save_state, warm_start
from npe_core.training.ema import Ema
from npe_core.training.recipe import Recipe
from npe_core.training.report import Reporter, plot_loss
from npe_core.training.task import Task


class _StopOnSignal:
    """SIGTERM and SIGINT end the run after the current step, with a checkpoint."""

    def __init__(self) -> None:
        self.stopped = False

    def __enter__(self) -> _StopOnSignal:
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class Trainer:
    """Trains ``task.model`` by ``recipe`` in ``folder``; a run that finds a checkpoint there goes on from it."""

    def __init__(self, task: Task, recipe: Recipe, folder: Path, device: torch.device, init: Path | None = None) -> None:
        self.task, self.recipe, self.folder, self.device = task, recipe, folder, device
        folder.mkdir(parents=True, exist_ok=True)
        task.model.to(device=device, memory_format=torch.channels_last)
        state = load_state(folder, device)
        if state is None and init is not None:
            warm_start(task.model, init)
        self.rng = torch.Generator().manual_seed(recipe.seed)
        self.step = 0
        self.optimizer = self._optimizer(task.model)
        self.adversary_optimizer = self._optimizer(task.adversary) if task.adversary is not None else None
        self.emas = [Ema(task.model, decay) for decay in recipe.ema]
        if state is not None:
            self._restore(state)
        (folder / "run.json").write_text(
            json.dumps({"task": task.name, "config": task.config(), "recipe": dataclasses.asdict(recipe)}, indent=2)
        )

    def _optimizer(self, model: nn.Module) -> torch.optim.AdamW:
        recipe = self.recipe
        return torch.optim.AdamW(
            model.parameters(), lr=recipe.lr, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True
        )

    @property
    def images(self) -> int:
        """Images seen so far."""
        return self.step * self.recipe.batch

    def run(self, minutes: float | None = None, save_minutes: float = 5.0) -> None:
        """Train until recipe.images are seen, ``minutes`` are over or a signal asks to stop."""
        start = saved = logged = time.monotonic()
        reporter = Reporter(self.folder, self.recipe.images, self.task.name)
        window: list[tuple[Tensor, dict[str, float]]] = []
        with _StopOnSignal() as signals:
            while self.images < self.recipe.images and not signals.stopped:
                if minutes is not None and time.monotonic() - start > 60 * minutes:
                    break
                window.append(self.train_step())
                if len(window) == 20:
                    now = time.monotonic()
                    numbers = {"loss": float(torch.stack([loss for loss, _ in window]).mean())}
                    for key in window[0][1]:
                        numbers[key] = sum(extra[key] for _, extra in window) / len(window)
                    numbers["images_per_s"] = len(window) * self.recipe.batch / (now - logged)
                    numbers["lr"] = self.optimizer.param_groups[0]["lr"]
                    reporter.update(self.images, numbers)
                    window, logged = [], now
                    if now - saved > 60 * save_minutes:
                        self.save()
                        saved = logged = time.monotonic()
        reporter.close()
        self.save()

    def train_step(self) -> tuple[Tensor, dict[str, float]]:
        """One optimiser step on one batch; returns the loss and what the task logs."""
        task, recipe = self.task, self.recipe
        task.model.train()
        lr = recipe.lr_at(self.step)
        batch = task.draw(recipe.batch, self.rng)
        with torch.autocast(self.device.type, torch.bfloat16):
            loss, numbers = task.loss(batch, self.rng)
        self._descend(self.optimizer, task.model, loss, lr)
        if task.adversary is not None and self.adversary_optimizer is not None:
            with torch.autocast(self.device.type, torch.bfloat16):
                adversary_loss = task.adversary_loss()
            self._descend(self.adversary_optimizer, task.adversary, adversary_loss, lr)
        for ema in self.emas:
            ema.update(task.model)
        self.step += 1
        return loss.detach().float(), numbers

    def _descend(self, optimizer: torch.optim.Optimizer, model: nn.Module, loss: Tensor, lr: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), self.recipe.clip)
        optimizer.step()

    def save(self) -> None:
        """Checkpoint, fp16 weights of both averages, sample sheet and loss plot."""
        save_state(self.folder, self._state())
        models = {"short": self.emas[0].copy_of(self.task.model), "long": self.emas[1].copy_of(self.task.model)}
        for length, model in models.items():
            path = self.folder / f"ema_{length}.safetensors"
            temporary = path.with_suffix(".tmp")
            export_weights(temporary, model.state_dict(), self.task.config())
            os.replace(temporary, path)
        with torch.no_grad():
            Image.fromarray(self.task.sheet(models["short"])).save(self.folder / f"sheet_{self.images:08d}.png")
        plot_loss(self.folder / "log.jsonl", self.folder / "loss.png")

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "step": self.step,
            "rng": self.rng.get_state(),
            "model": self.task.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "emas": [ema.state() for ema in self.emas],
        }
        if self.task.adversary is not None and self.adversary_optimizer is not None:
            state["adversary"] = self.task.adversary.state_dict()
            state["adversary_optimizer"] = self.adversary_optimizer.state_dict()
        return state

    def _restore(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.rng.set_state(state["rng"].cpu())
        self.task.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for ema, saved in zip(self.emas, state["emas"], strict=True):
            ema.restore(saved)
        if self.task.adversary is not None and self.adversary_optimizer is not None:
            self.task.adversary.load_state_dict(state["adversary"])
            self.adversary_optimizer.load_state_dict(state["adversary_optimizer"])
