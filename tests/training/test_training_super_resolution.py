"""What the upscaler learns from."""

import pytest
import torch
from torch import nn

from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.upscaler import UpscalerConfig
from npe_core.training.data import Mixture
from npe_core.training.super_resolution import SuperResolutionTask, made_by


class Grey(nn.Module):
    """Answers 0 inside, and nonsense where the picture was shown."""

    def forward(self, low, known):
        return 1000 * known[:, 3:].expand(-1, 3, -1, -1)


def test_super_resolution_learns_only_what_it_was_not_shown():
    faces = Mixture.of([(torch.full((2, 3, 512, 512), 191, dtype=torch.uint8),)], [None], torch.device("cpu"))
    config = UpscalerConfig(width=8, blocks=1, surroundings=True)
    task = SuperResolutionTask(faces, torch.device("cpu"), config, patch=64)
    task.model = Grey()
    rng = torch.Generator().manual_seed(0)
    low, high, mask = task.draw(8, rng)
    assert 0.4 < float(mask.mean()) < 0.95
    assert float(task.loss((low, high, mask), rng).model) == pytest.approx(191 / 127.5 - 1, abs=1e-4)


@pytest.mark.parametrize("weight", [1.0, 4.0])
def test_lpips_counts_as_much_as_it_is_said_to(pixels, weight):
    faces = Mixture.of([(torch.full((2, 3, 512, 512), 191, dtype=torch.uint8),)], [None], torch.device("cpu"))
    config = UpscalerConfig(width=8, blocks=1)
    task = SuperResolutionTask(faces, torch.device("cpu"), config, pixels, weight, adversary_weight=0.0, patch=64)
    rng = torch.Generator().manual_seed(0)
    loss = task.loss(task.draw(2, rng), rng)
    assert float(loss.log["lpips"]) > 0
    assert float(loss.model.detach()) == pytest.approx(float(loss.log["l1"] + weight * loss.log["lpips"]), rel=1e-4)


def test_what_the_diffusion_model_made_lies_under_the_face_it_was_made_of():
    small = torch.randint(0, 256, (6, 3, 128, 128), dtype=torch.uint8)
    faces = Mixture.of([(small.repeat_interleave(4, 2).repeat_interleave(4, 3), small)], [None], torch.device("cpu"))
    task = SuperResolutionTask(faces, torch.device("cpu"), UpscalerConfig(width=8, blocks=1), patch=64, made=faces)
    low, high = task.draw_made(faces, 32, torch.Generator().manual_seed(0))
    assert low.shape == (32, 3, 16, 16) and torch.equal(high, low.repeat_interleave(4, 2).repeat_interleave(4, 3))


def test_the_diffusion_model_has_its_touch_and_leaves_the_face():
    denoiser = Denoiser(DenoiserConfig(base=8, mults=(1,), attention=()))  # untrained: the best linear one
    faces = torch.full((2, 3, 512, 512), 40, dtype=torch.uint8)
    faces[:, :, 128:384, 128:384] = 200
    made = made_by(denoiser, faces, torch.Generator().manual_seed(0), torch.float32).float()
    assert made.shape == (2, 3, 128, 128)
    assert float((made[:, :, 40:88, 40:88].mean() - made[:, :, :24, :24].mean()) / 160) > 0.6
    assert float(made[:, :, :24, :24].std()) > 1
