"""The masked edit: what is kept, what joins when, and what the seed decides."""

import pytest
import torch

from npe_core.defaults import SAMPLERS_FROM_NOISE
from npe_core.diffusion.masked import ConstrainToMask, masked_edit
from npe_core.diffusion.schedule import alpha_bars, draw_noise, q_sample
from npe_core.strength import Strength


def pictures(count=1):
    rng = torch.Generator().manual_seed(0)
    original = torch.rand(count, 3, 16, 16, generator=rng) * 2 - 1
    painted = torch.rand(count, 3, 16, 16, generator=rng) * 2 - 1
    mask = torch.zeros(count, 1, 16, 16)
    mask[:, :, 4:12, 4:12] = 1
    mask[:, :, 4:12, 12] = 0.5
    return original, painted, mask


def blur(xt, t):
    """A denoiser that mixes neighbours, so that anything wrong outside the mask would leak in and out."""
    return torch.nn.functional.avg_pool2d(xt, 3, stride=1, padding=1)


@pytest.mark.parametrize("sampler", SAMPLERS_FROM_NOISE)
def test_kept_pixels_are_the_original_bit_for_bit(sampler):
    original, painted, mask = pictures()
    result = masked_edit(blur, original, painted, mask, Strength(350, 12, sampler), [1])
    kept = (mask == 0).expand_as(original)
    assert torch.equal(result[kept], original[kept])
    assert not torch.equal(result[~kept], original[~kept])


def test_paint_outside_the_mask_has_no_effect():
    original, painted, mask = pictures()
    elsewhere = torch.where(mask > 0, painted, -painted)
    strength = Strength(300, 8)
    assert torch.equal(
        masked_edit(blur, original, painted, mask, strength, [3]),
        masked_edit(blur, original, elsewhere, mask, strength, [3]),
    )


@pytest.mark.parametrize("sampler", SAMPLERS_FROM_NOISE)
def test_the_seed_decides_and_the_batch_does_not(sampler):
    original, painted, mask = pictures(3)
    strength = Strength(300, 6, sampler)
    together = masked_edit(blur, original, painted, mask, strength, [7, 8, 9])
    alone = masked_edit(blur, original[1:2], painted[1:2], mask[1:2], strength, [8])
    assert torch.allclose(together[1], alone[0], atol=1e-6)
    assert not torch.allclose(together[1], masked_edit(blur, original, painted, mask, strength, [7, 0, 9])[1])


def test_kept_pixels_follow_one_fixed_noise():
    original, painted, mask = pictures()
    eps = torch.randn(original.shape, generator=torch.Generator().manual_seed(4))
    hold = ConstrainToMask(torch.where(mask > 0, painted, original), mask, eps, 300)
    anything = torch.full_like(original, 9.0)
    for t in (300, 120, 1):
        held = hold(anything, t)
        kept = (mask == 0).expand_as(original)
        assert torch.equal(held[kept], q_sample(original, t, eps)[kept])


def test_half_a_mask_joins_at_half_the_timestep():
    original, painted, mask = pictures()
    eps = torch.zeros_like(original)
    hold = ConstrainToMask(torch.where(mask > 0, painted, original), mask, eps, 300)
    free = torch.full_like(original, 9.0)
    joined = {t: hold(free, t)[0, 0, 8, 12].item() == 9.0 for t in (300, 151, 150, 10, 0)}
    assert joined == {300: False, 151: False, 150: True, 10: True, 0: True}
    assert hold(free, 300)[0, 0, 8, 8].item() == 9.0


def test_nothing_is_kept_under_a_full_mask_but_the_paint_still_leads():
    original, painted, _ = pictures()
    everything = torch.ones(1, 1, 16, 16)
    subtle = masked_edit(lambda xt, t: xt, original, painted, everything, Strength(5, 5), [0])
    assert float((subtle - painted).abs().mean()) < 0.1 < float((subtle - original).abs().mean())


def test_the_noise_added_on_the_way_is_not_the_noise_that_was_there():
    """A network that sees the same noise twice takes it for a part of the picture."""
    original, painted, _ = pictures()
    seen = []

    def denoise(xt, t):
        seen.append((xt, t))
        return torch.zeros_like(xt)

    masked_edit(denoise, original, painted, torch.ones(1, 1, 16, 16), Strength(300, 3, "lcm"), [7])
    own, (xt, t) = draw_noise((3, 16, 16), [7]), seen[1]
    added = xt / (1 - float(alpha_bars()[t])) ** 0.5
    assert float(added.std()) == pytest.approx(1, abs=0.1)
    assert abs(float(torch.corrcoef(torch.stack([own.flatten(), added.flatten()]))[0, 1])) < 0.15
