"""Exponential moving average of a model's weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Ema:
    """Averages of a model's parameters: shadow += (1 - d) (parameter - shadow), d = min(decay, (1 + n) / (10 + n)).

    n counts the updates before, so that the random start is forgotten soon. Buffers are not averaged.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.shadow: dict[str, Tensor] = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        names = list(self.shadow)
        parameters = dict(model.named_parameters())
        torch._foreach_lerp_([self.shadow[n] for n in names], [parameters[n].detach() for n in names], 1 - decay)

    def copy_of(self, model: nn.Module) -> nn.Module:
        """A copy of the model, in evaluation mode, that carries the averaged weights."""
        twin = copy.deepcopy(model).eval()
        with torch.no_grad():
            for name, parameter in twin.named_parameters():
                parameter.copy_(self.shadow[name])
        return twin

    def state(self) -> dict[str, object]:
        return {"decay": self.decay, "steps": self.steps, "shadow": self.shadow}

    def restore(self, state: dict[str, object]) -> None:
        self.steps = int(state["steps"])  # type: ignore[call-overload]
        for name, tensor in state["shadow"].items():  # type: ignore[attr-defined]
            self.shadow[name].copy_(tensor)
