"""The training loop of all models: mixed precision, EMA of two lengths, exact resume, a time budget."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from npe_core.device import is_out_of_memory
from npe_core.errors import InputError, UsageError
from npe_core.files import make_folder, replace_file
from npe_core.training.checkpoint import (
    AWAY,
    NOTES,
    STATE,
    export_weights,
    exported,
    load_state,
    run_notes,
    save_state,
    warm_start,
)
from npe_core.training.distributed import World
from npe_core.training.ema import Ema
from npe_core.training.recipe import TrainingRecipe
from npe_core.training.report import Reporter, forget_after, plot_loss
from npe_core.training.settings import as_setting
from npe_core.training.stopping import StopOnSignal
from npe_core.training.task import Loss, Task

LOG_STEPS = 20
"""Steps between two entries of the log."""
_LATE = 128
"""Asks to stop because the time is over: the number of no signal."""


class Trainer:
    """Trains ``task.model`` by ``recipe`` in ``folder``; a run that finds a checkpoint there goes on from it, exactly.

    precision: bfloat16 runs the networks under autocast, float32 does not. ``stage`` is what ``stage_of`` says, to be
    noted beside the recipe. Raises UsageError when the folder holds another run, InputError when ``init`` or the state
    in the folder does not fit, EnvironmentFault when the folder cannot be written.
    """

    def __init__(
        self,
        task: Task,
        recipe: TrainingRecipe,
        folder: Path,
        device: torch.device,
        init: Path | None = None,
        precision: torch.dtype = torch.bfloat16,
        world: World | None = None,
        stage: dict[str, Any] | None = None,
    ) -> None:
        self.task, self.recipe, self.folder, self.device, self.stage = task, recipe, folder, device, stage or {}
        self.precision, self.world = precision, world or World()
        self.batch = self.world.share(recipe.batch)
        make_folder(folder)
        task.model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        state = load_state(folder, device)
        self.before = 0
        """Images that the weights of ``init`` had seen."""
        if state is not None:
            check_same_run(folder, task, recipe)
        elif init is not None:
            self.before = warm_start(task.model, init)
        self.rng = torch.Generator().manual_seed(recipe.seed)
        self.step = 0
        self.optimizer = self._optimizer(task.model)
        self.adversary_optimizer = self._optimizer(task.adversary) if task.adversary is not None else None
        self.emas = [Ema(task.model, decay) for decay in recipe.ema]
        if state is not None:
            self._restore(state)
        if self.world.rank > 0:  # the checkpoint keeps the stream of the first process; the others start fresh ones
            self.rng.manual_seed(hash((recipe.seed, self.world.rank, self.step)) % 2**62)
        else:
            forget_after(folder / "log.jsonl", self.images)
            self._describe()

    def _optimizer(self, model: nn.Module) -> torch.optim.AdamW:
        recipe = self.recipe
        return torch.optim.AdamW(
            model.parameters(), lr=recipe.lr, betas=recipe.betas, weight_decay=recipe.weight_decay, fused=True
        )

    @property
    def images(self) -> int:
        """Images seen in this run so far."""
        return self.step * self.recipe.batch

    def run(self, seconds: float | None = None, save_seconds: float = 300.0) -> int:
        """Train until recipe.images are seen, ``seconds`` are over or a signal asks to stop; then save.

        Returns the number of the signal, of whichever process it came to; 0 without.
        """
        start = saved = logged = time.monotonic()
        leads = self.world.rank == 0
        reporter = Reporter(self.folder, self.recipe.images, self.task.name, seconds) if leads else None
        window: list[Loss] = []
        asked = 0

        def log(now: float) -> None:
            numbers = self.world.mean(mean_of(window), self.device)
            if not math.isfinite(numbers["loss"]):
                raise UsageError(f"The loss is {numbers['loss']} at {self.images} images. Choose a lower --lr.")
            numbers |= {"images_per_s": len(window) * self.recipe.batch / (now - logged), "lr": self.lr}
            if reporter is not None:
                reporter.update(self.images, numbers)

        with StopOnSignal() as signals:
            try:
                while self.images < self.recipe.images:
                    late = seconds is not None and time.monotonic() - start > seconds
                    asked = self.world.most(signals.number or (_LATE if late else 0), self.device)
                    if asked:
                        break
                    window.append(self.train_step())
                    if len(window) < LOG_STEPS:
                        continue
                    now = time.monotonic()
                    log(now)
                    window, logged = [], now
                    if reporter is not None and now - saved > save_seconds:
                        self.save()
                        saved = logged = time.monotonic()
                if window:
                    log(time.monotonic())
            finally:
                if reporter is not None:
                    reporter.close()
            if reporter is not None:
                self.save()
        return asked if asked != _LATE else 0

    @property
    def lr(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def train_step(self) -> Loss:
        """One optimiser step on one batch; returns the losses, detached."""
        task = self.task
        task.model.train()
        batch = task.draw(self.batch, self.rng)
        with self._autocast():
            loss = task.loss(batch, self.rng)
        self._descend(self.optimizer, task.model, loss.model)
        if task.adversary is not None and self.adversary_optimizer is not None and loss.adversary is not None:
            self._descend(self.adversary_optimizer, task.adversary, loss.adversary)
        for ema in self.emas:
            ema.update(task.model)
        self.step += 1
        return Loss(loss.model.detach().float(), log=loss.log)

    def _autocast(self) -> torch.autocast:
        # Without its cache: up to PyTorch 2.10 it keeps weights that were cast under no_grad, which then learn nothing.
        enabled = self.precision == torch.bfloat16
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)

    def _descend(self, optimizer: torch.optim.Optimizer, model: nn.Module, loss: Tensor) -> None:
        for group in optimizer.param_groups:
            group["lr"] = self.recipe.lr_at(self.step)
        optimizer.zero_grad(set_to_none=True)  # also of what the other network's loss left behind
        loss.backward()
        self.world.average_gradients(model)
        nn.utils.clip_grad_norm_(model.parameters(), self.recipe.clip)
        optimizer.step()

    def save(self) -> None:
        """Checkpoint, fp16 weights of both averages, sample sheet and loss plot.

        Raises UsageError when the weights are not finite: what was saved before stays. Raises EnvironmentFault.
        """
        check_finite(self.task)
        save_state(self.folder, self._state())
        models = {"short": self.emas[0].copy_of(self.task.model), "long": self.emas[1].copy_of(self.task.model)}
        for length, model in models.items():
            weights = exported(self.folder, length)
            export_weights(weights, model.state_dict(), self.task.config(), self.before + self.images)
        with torch.no_grad(), self._autocast():
            sheet = self.task.sheet(models["short"])
        with replace_file(self.folder / f"sheet_{self.images:08d}.png") as temporary:
            Image.fromarray(sheet).save(temporary, "PNG")
        plot_loss(self.folder / "log.jsonl", self.folder / "loss.png")

    def _describe(self) -> None:
        description = {
            "task": self.task.name,
            "config": self.task.config(),
            "recipe": dataclasses.asdict(self.recipe),
            "stage": self.stage,
            "data": self.task.data_sources(),
        }
        with replace_file(self.folder / NOTES) as temporary:
            temporary.write_text(json.dumps(description, indent=2))

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "step": self.step,
            "before": self.before,
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
        """Raises InputError for the state of something else."""
        try:
            self._take(state)
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            raise InputError(f"{self.folder / STATE} is not the state of such a run. {AWAY}") from None

    def _take(self, state: dict[str, Any]) -> None:
        self.step, self.before = state["step"], state.get("before", 0)
        self.rng.set_state(state["rng"].cpu())
        self.task.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._renew(self.optimizer)
        for ema, saved in zip(self.emas, state["emas"], strict=True):
            ema.restore(saved)
        if self.task.adversary is not None and self.adversary_optimizer is not None and "adversary" in state:
            self.task.adversary.load_state_dict(state["adversary"])
            self.adversary_optimizer.load_state_dict(state["adversary_optimizer"])
            self._renew(self.adversary_optimizer)

    def _renew(self, optimizer: torch.optim.Optimizer) -> None:
        """By this recipe again: with its state an optimizer takes the settings that it was saved with."""
        for group in optimizer.param_groups:
            group |= {"betas": self.recipe.betas, "weight_decay": self.recipe.weight_decay}


def check_finite(task: Task) -> None:
    """Raises UsageError when a weight of the model, or of its adversary, is not finite in float16, as it is exported.

    The loss is looked at now and then only, and before the update that it leads to.
    """
    for network in (task.model, task.adversary):
        if network is not None and not torch.stack([p.half().isfinite().all() for p in network.parameters()]).all():
            raise UsageError("The weights are no longer finite; the last checkpoint was kept. Choose a lower --lr.")


def check_same_run(folder: Path, task: Task, recipe: TrainingRecipe) -> None:
    """Raises UsageError when the checkpoint in ``folder`` is of another model or counts its steps in other batches.

    What notes of older runs do not say of the architecture was as it is by default.
    """
    known = run_notes(folder)
    for word, was, wanted in (
        ("task", known.get("task", task.name), task.name),
        ("batch", known.get("recipe", {}).get("batch", recipe.batch), recipe.batch),
    ):
        if was != wanted:
            raise UsageError(
                f"{folder} holds a run with {word} {was}, not {wanted}. Give another --out, or --init from it."
            )
    wanted, usual = (json.loads(json.dumps(shape)) for shape in (task.config(), task.usual))
    was = usual | known.get("config", wanted)
    others = [key for key in was if was[key] != wanted.get(key)]
    if others:
        there, here = ([as_setting(key, shape.get(key)) for key in others] for shape in (was, wanted))
        repeated = " ".join(f"--config {setting}" for setting in there)
        raise UsageError(
            f"{folder} holds a run of another architecture: {', '.join(there)}, not {', '.join(here)}.\n"
            f"Repeat {repeated}, or give another --out."
        )


def mean_of(losses: list[Loss]) -> dict[str, float]:
    """Loss and logged numbers, averaged over steps; here a GPU is waited for."""
    numbers = {"loss": float(torch.stack([loss.model for loss in losses]).mean())}
    for key in losses[0].log:
        numbers[key] = float(torch.stack([loss.log[key].float() for loss in losses]).mean())
    return numbers
