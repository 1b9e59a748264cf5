"""From the small result to the full size: the colour that was asked for, the detail that still belongs."""

import pytest
import torch

from npe_core.blend import detail_weight, full_size, gaussian_blur, keep_colour, match_ring, texture_within


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


@pytest.mark.parametrize("sigma", [1.0, 2.0, 5.0, 10.0])
def test_the_local_mean_is_near_that_of_any_paint(sigma):
    """To what the docstring of ``keep_colour`` says."""
    painted, guide = disc(), noise(7)

    def low(x):
        return gaussian_blur(painted * x, 5.0) / gaussian_blur(painted, 5.0).clamp_min(1e-3)

    kept = keep_colour(noise(1, sigma=sigma), guide, painted, 1.0)
    error = (low(kept) - low(guide)).abs()[(painted == 1).expand_as(guide)]
    assert float(error.mean()) < 0.02 and float(error.max()) < 0.1


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


@pytest.mark.parametrize(("likeness", "expected"), [(0.9, 0.9), (0.55, 0.5 * 0.55), (0.3, 0.0)])
def test_detail_belongs_by_how_alike_the_shapes_are(likeness, expected):
    """From a correlation of 0.3 on, wholly from 0.8; of equal contrast, the slope is the correlation."""
    guide, other = (noise(seed, sigma=1.0)[:, :1].expand(-1, 3, -1, -1) for seed in (3, 4))
    other = other - (other * guide).mean() / guide.square().mean() * guide
    result = likeness * guide + (1 - likeness**2) ** 0.5 * other / other.std() * guide.std()
    assert float(detail_weight(result, guide, sigma=12.0).mean()) == pytest.approx(expected, abs=0.04)


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
    own_texture, kept = (torch.full((1, 1, 128, 128), value) for value in (own, least))
    base, weight = full_size(-guide, guide, restored, own_texture, 512, kept)
    assert float(weight.mean()) == pytest.approx(expected, abs=0.05)
    edited = base + weight * enlarged(guide, 512)
    assert float((edited - enlarged(-guide, 512)).mean()) == pytest.approx(0.05 * (1 - expected), abs=0.005)


def spot(radius, middle=(30.0, 34.0), size=64, soft=0.0):
    y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    inside = radius + 0.5 - torch.hypot(y - middle[0], x - middle[1])
    return (inside / max(soft, 1.0)).clamp(0, 1)[None, None]


@pytest.mark.parametrize("soft", [0.0, 12.0])
def test_a_drift_of_colour_is_taken_away_by_the_ring(soft):
    """A constant shift, as far as the mask lets it, is exactly what the ring shows; what was drawn inside stays."""
    original = torch.rand((1, 3, 64, 64), generator=torch.Generator().manual_seed(1)) - 0.5
    mask, drawn = spot(22, soft=soft), 0.3 * spot(4)
    drift = torch.tensor([0.15, -0.1, 0.05])[None, :, None, None]
    result = original + mask * drift + drawn
    matched = match_ring(result, original, original, mask, mask)
    assert (matched - original - drawn).abs().max() < 1e-5
    assert torch.equal(matched[:, :, mask[0, 0] == 0], result[:, :, mask[0, 0] == 0])


@pytest.mark.parametrize("margin", [1, 3])
def test_a_spot_that_was_taken_away_does_not_come_back(margin):
    """A dark spot under a tight mask, which the model replaced by skin that is a little too light."""
    mole, mask = spot(3), spot(3 + margin)
    original = 0.4 - 0.8 * mole.expand(1, 3, 64, 64)
    result = torch.where(mask > 0, torch.tensor(0.44), original)
    matched = match_ring(result, original, original, mask, mask)
    assert (matched - 0.4)[:, :, mole[0, 0] == 1].abs().max() < 0.05


def test_the_ring_is_matched_locally():
    """Pink to the left and green to the right: each side goes by its own part of the ring, the middle by both."""
    original, mask = torch.zeros((1, 3, 64, 64)), spot(22)
    slope = ((torch.arange(64) - 33.5) / 22)[None, None, None, :]
    drift = mask * slope * torch.tensor([-0.2, 0.2, -0.1])[None, :, None, None]
    matched = match_ring(original + drift, original, original, mask, mask)
    ring = (mask > 0) & (spot(18) == 0)
    assert matched[:, :, ring[0, 0]].abs().mean() < 0.15 * drift[:, :, ring[0, 0]].abs().mean()
    assert matched.abs().max() < 0.06


def test_what_is_not_free_stays_beside_a_matched_ring():
    original, mask = torch.zeros((1, 3, 64, 64)), spot(22)
    fill = spot(12)
    result = torch.where(fill > 0, torch.tensor(0.8), 0.2 * mask).expand(1, 3, 64, 64)
    free = mask * (fill == 0)
    matched = match_ring(result, original, original, mask, free)
    assert torch.equal(matched[:, :, fill[0, 0] > 0], result[:, :, fill[0, 0] > 0])
    assert matched[:, :, (free > 0)[0, 0]].abs().max() < 1e-5
    assert torch.equal(match_ring(result, original, original, mask, torch.zeros_like(mask)), result)


def test_the_ring_of_a_soft_mask_reaches_to_where_the_mask_is_whole():
    """Drift at mask 0.9 to 0.98 only: the middle is moved by it; deeper than the ring's 3 pixels it is a drawing."""
    original, mask = torch.zeros((1, 3, 64, 64)), spot(22, soft=12.0)
    at_the_edge = original + 0.1 * ((mask > 0.9) & (mask < 0.98))
    assert float(match_ring(at_the_edge, original, original, mask, mask)[..., 30, 34].max()) < -0.003
    drawn = original + 0.1 * spot(5)
    assert (match_ring(drawn, original, original, mask, mask) - drawn).abs().max() < 1e-6


@pytest.mark.parametrize(("taken", "left"), [(1.6, 1.0), (-0.5, 0.0)])
def test_what_lies_beyond_the_paint_or_on_the_other_side_of_the_photo_is_drift(taken, left):
    original, mask = torch.full((1, 3, 64, 64), 0.2), spot(22)
    paint = mask * torch.tensor([0.1, -0.1, 0.0])[None, :, None, None]
    matched = match_ring(original + taken * paint, original, original + paint, mask, mask)
    assert (matched - original - left * paint).abs().max() < 1e-5


@pytest.mark.parametrize("taken", [0.3, 0.7, 1.0])
def test_paint_that_the_model_took_up_is_no_drift(taken):
    """Between photo and paint nothing is moved, however faint the paint; what leads elsewhere is taken away."""
    original, mask = torch.full((1, 3, 64, 64), 0.2), spot(22)
    paint = torch.tensor([0.1, -0.1, 0.0])[None, :, None, None]
    guide, drift = original + mask * paint, mask * torch.tensor([0.04, 0.04, -0.06])[None, :, None, None]
    asked = original + taken * mask * paint
    assert (match_ring(asked, original, guide, mask, mask) - asked).abs().max() < 1e-5
    assert (match_ring(asked + drift, original, guide, mask, mask) - asked).abs().max() < 1e-5


def test_a_batch_is_matched_as_each_of_its_pictures():
    random = torch.Generator().manual_seed(2)
    original, result = (torch.rand((3, 3, 64, 64), generator=random) * 2 - 1 for _ in range(2))
    mask = torch.cat([spot(22), spot(9, (50.0, 10.0)), torch.ones((1, 1, 64, 64))])
    guide = torch.rand((3, 3, 64, 64), generator=random) * 2 - 1
    together = match_ring(result, original, guide, mask, mask)
    for k in range(3):
        one = slice(k, k + 1)
        assert torch.equal(together[one], match_ring(*(x[one] for x in (result, original, guide, mask, mask))))
    assert torch.equal(together[2], result[2])  # a mask without an edge has no ring


def test_the_outline_of_a_tint_does_not_hide_that_its_texture_is_the_photos():
    """Of a stroke far darker than what is around it; flat paint and paint of another texture have nothing of the
    photo's."""
    photo, inside = noise(3, sigma=1.0), torch.zeros(1, 1, 128, 128)
    inside[..., 60:68] = 1
    tinted, flat, other = (
        photo + inside * (paint - photo) for paint in (0.5 * photo - 0.7, torch.tensor(-0.7), 0.5 * noise(4) - 0.7)
    )
    under = (slice(None), slice(None), slice(20, 108), slice(60, 68))
    assert float(texture_within(photo, tinted, inside)[under].min()) > 0.9
    assert float(detail_weight(photo, tinted, sigma=4.0, quiet=0.006)[under].mean()) < 0.5
    assert float(texture_within(photo, flat, inside).max()) < 1e-3
    assert float(texture_within(photo, other, inside)[under].mean()) < 0.25


def test_two_pixels_of_paint_have_no_texture():
    """Of two, one is the lighter in the photo and one in the paint: they always agree, or are opposed."""
    photo, inside = noise(3, sigma=1.0), torch.zeros(1, 1, 128, 128)
    inside[..., 64, 64:66] = 1
    for paint in (0.5 * photo - 0.7, -0.5 * photo - 0.7):
        assert not texture_within(photo, photo + inside * (paint - photo), inside).any()


def test_flat_paint_in_the_likeness_of_the_photo_is_no_tint():
    """Rough paint of a feature has the shapes of what it is painted over, in a few flat colours."""
    photo, inside = noise(3, sigma=3.0) + 0.5 * noise(4, sigma=1.0), torch.zeros(1, 1, 128, 128)
    inside[..., 30:98, 30:98] = 1
    levels = (photo * 2.5).round() / 2.5
    assert len(levels.unique()) > 2
    painted = photo + inside * (torch.roll(levels, 2, dims=3) - photo)
    tinted = photo + inside * (0.5 * photo - 0.7 - photo)
    under = inside.bool()
    assert float(texture_within(photo, painted, inside)[under].mean()) < 0.1
    assert float(texture_within(photo, tinted, inside)[under].mean()) > 0.9
