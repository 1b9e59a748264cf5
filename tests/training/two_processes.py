"""A tiny run as two processes such as torchrun starts: ``python two_processes.py FOLDER``.

The second is forked from the first, so that torch is imported once for both.
"""

import os
import signal
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.distributed as dist

from npe_core.training.distributed import World, join_world, leave_world
from npe_core.training.loop import Trainer
from npe_core.training.recipe import TrainingRecipe
from npe_core.training.task import Loss

CPU = torch.device("cpu")
BATCH = 4
STOPS = (3, 6)
"""Steps after which the run is saved; between them it is resumed."""


class Line:
    """Fits three numbers to a fourth. What is drawn is settled by step; a process takes its part of each batch."""

    name = "line"
    usual: ClassVar[dict] = {}
    adversary = None

    def __init__(self, world, step):
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
        self.examples = torch.randn(STOPS[-1], BATCH, 4, generator=torch.Generator().manual_seed(1))
        self.world, self.step = world, step

    def draw(self, count, rng):
        first = self.world.rank * count
        self.step += 1
        return (self.examples[self.step - 1, first : first + count],)

    def loss(self, batch, rng):
        (x,) = batch
        return Loss((self.model(x[:, :3]) - x[:, 3:]).square().mean())

    def sheet(self, model):
        return np.zeros((8, 8, 3), np.uint8)

    def config(self):
        return {}

    def data_sources(self):
        return []


class Stopped(Line):
    """Asks the second process to stop while both draw."""

    def draw(self, count, rng):
        if self.world.rank == 1:
            signal.raise_signal(signal.SIGTERM)
        self.step -= 1
        return super().draw(count, rng)


def train(folder, world):
    """The weights after all steps."""
    step = 0
    for stop in STOPS:
        recipe = TrainingRecipe(batch=BATCH, images=BATCH * stop, lr=0.05, warmup=0, cooldown=0)
        trainer = Trainer(Line(world, step), recipe, folder, CPU, precision=torch.float32, world=world)
        assert trainer.step == step
        trainer.run()
        step = stop
        if world.size > 1:
            dist.barrier()  # the first process saves
    return torch.cat([p.detach().reshape(-1) for p in trainer.task.model.parameters()])


def run_one_of_two(folder):
    world, _ = join_world(CPU)
    assert world == World(world.rank, 2)
    weights = train(folder, world)
    torch.save(weights, folder / f"weights{world.rank}.pt")
    recipe = TrainingRecipe(batch=BATCH, images=BATCH * 2 * STOPS[-1], warmup=0, cooldown=0)
    trainer = Trainer(Stopped(world, STOPS[-1]), recipe, folder, CPU, precision=torch.float32, world=world)
    assert (trainer.run(), trainer.step) == (signal.SIGTERM, STOPS[-1] + 1)
    leave_world()


if __name__ == "__main__":
    import torch._dynamo  # which else each of them imports with its first optimizer

    second = os.fork()
    os.environ["RANK"] = "0" if second else "1"
    run_one_of_two(Path(sys.argv[1]))
    if second:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(second, 0)[1]))
