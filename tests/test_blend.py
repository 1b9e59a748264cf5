"""From the small result to the full size: the colour that was asked for, the detail that still belongs."""

import pytest
import torch

from npe_core.blend import detail_weight, full_size, gaussian_blur, keep_colour


def noise(seed, side=128, sigma=2.0):
    """(1, 3, side, side) smooth noise of mean 0 and deviation 0.3."""
    x = gaussian_blur(torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(seed)), sigma)
    return 0.3 * x / x.std()


def disc(radius=40.0, side=128):
    y, x = torch.meshgrid(torch.arange(side) + 0.5, torch.arange(side) + 0.5, indexing="ij")
    return (radius - torch.hypot(x - side / 2, y - side / 2)).clamp(0, 1)[None, None]


def mean_inside(x):
    return x[..., 54:74, 54:74].mean(dim=(0, 2, 3))


@pytest.mark.parametrize("colour", [(0.1, -0.2, 0.3), (0.9, -1.0, -1.0)])
def test_the_local_mean_becomes_that_of_the_paint_even_of_pure_colours(colour):
    guide = torch.tensor(colour)[None, :, None, None].expand(1, 3, 128, 128)
    kept = keep_colour(noise(1), guide, disc(), 1.0)
    assert (mean_inside(kept) - torch.tensor(colour)).abs().max() < 0.04
    assert float(kept.min()) >= -1 and float(kept.max()) <= 1


def test_half_the_amount_goes_half_the_way():
    result, guide = noise(1), torch.full((1, 3, 128, 128), 0.4)
    kept = keep_colour(result, guide, disc(), 0.5)
    expected = (mean_inside(result) + 0.4) / 2
    assert (mean_inside(kept) - expected).abs().max() < 0.03


def test_without_paint_nothing_changes():
    result, painted = noise(1), disc()
    kept = keep_colour(result, noise(2), painted, 1.0)
    outside = (painted == 0).expand_as(result)
    assert torch.equal(kept[outside], result.clamp(-1, 1)[outside])
    assert torch.equal(keep_colour(result, noise(2), 0 * painted, 1.0), result.clamp(-1, 1))


def test_detail_belongs_where_the_shapes_agree():
    guide = noise(3)
    assert float(detail_weight(guide, guide).min()) > 0.99
    assert float(detail_weight(0.5 * guide + 0.2, guide).mean()) == pytest.approx(0.5, abs=0.05)
    assert float(detail_weight(noise(4), guide).mean()) < 0.25
    assert float(detail_weight(-guide, guide).mean()) < 0.05


def enlarged(x, side):
    return torch.nn.functional.interpolate(x, size=(side, side), mode="bicubic", antialias=True)


def test_a_result_like_the_guide_gives_back_the_guide_at_any_size():
    guide = noise(5)
    base, weight = full_size(guide, guide, None, torch.ones(1, 1, 128, 128), 512)
    large = enlarged(guide, 512)
    assert (base + weight * large - large).abs().max() < 1e-5 and float(weight.min()) > 0.98


@pytest.mark.parametrize(("own", "least", "expected"), [(1.0, 0.6, 0.6), (0.0, 0.6, 0.0), (1.0, 0.0, 0.0)])
def test_where_shapes_differ_detail_is_the_upscalers_but_for_the_least(own, least, expected):
    guide = noise(6)
    restored = enlarged(-guide, 512) + 0.05
    base, weight = full_size(-guide, guide, restored, torch.full((1, 1, 128, 128), own), 512, least)
    assert float(weight.mean()) == pytest.approx(expected, abs=0.05)
    edited = base + weight * enlarged(guide, 512)
    assert float((edited - enlarged(-guide, 512)).mean()) == pytest.approx(0.05 * (1 - expected), abs=0.005)
