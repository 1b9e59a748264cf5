"""Learning rates and the average of weights."""

import pytest
import torch
from torch import nn

from npe_core.training.ema import Ema
from npe_core.training.recipe import PRESETS, TrainingRecipe


def test_learning_rate_of_known_steps():
    recipe = TrainingRecipe(batch=10, lr=1.0, warmup=4, images=1000, cooldown=0.5)
    assert [recipe.lr_at(step) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert recipe.lr_at(50) == 1.0
    assert recipe.lr_at(75) == pytest.approx(1 - 0.98 / 2)
    assert recipe.lr_at(100) == pytest.approx(0.02) and recipe.lr_at(1000) == pytest.approx(0.02)


def test_the_published_recipe():
    published = PRESETS["diffusion"]["published"]
    assert (published.batch, published.lr, published.weight_decay) == (40, 1e-3, 0.0)
    assert published.lr_at(0) == published.lr_at(10**6 // 40) == 1e-3


def test_average_of_weights_in_closed_form():
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0.0)
    ema = Ema(model, decay=0.5)
    with torch.no_grad():
        model.weight.fill_(1.0)
    expected = 0.0
    for n in range(12):
        ema.update(model)
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay)
    assert float(ema.shadow["weight"]) == pytest.approx(expected)
    twin = ema.copy_of(model)
    assert float(twin.weight.detach()) == pytest.approx(expected)
    assert float(model.weight.detach()) == 1.0 and not twin.training
