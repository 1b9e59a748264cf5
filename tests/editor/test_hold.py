"""What the model may not repaint: the light of a fill, finely; of flat paint only the broad colours, not its edge."""

from dataclasses import replace

import pytest
import torch

from npe_core.blend import gaussian_blur, luminance
from npe_core.editor.hold import (
    UNLIKE,
    UNTIL,
    contrast_hold,
    hold_to_paint,
    least_detail,
    light_scale,
    near_paint,
    quieted,
)
from npe_core.editor.views import Views


@pytest.fixture
def scene():
    """A smooth guide, and a result with patches of 6 pixels that the guide has not."""
    rng = torch.Generator().manual_seed(0)
    guide = gaussian_blur(torch.rand(1, 3, 128, 128, generator=rng) - 0.5, 12.0)
    patches = 0.3 * torch.randn(1, 1, 22, 22, generator=rng)
    patches = torch.nn.functional.interpolate(patches, size=(128, 128), mode="bicubic").expand(-1, 3, -1, -1)
    ones = torch.ones(1, 1, 128, 128)
    return Views(guide, guide, mask=ones, painted=ones, thin=0 * ones, marks=[]), (guide + patches).clamp(-1, 1)


def patchiness(x, guide):
    """RMS of the light that differs from the guide's at scales above 2.5 pixels."""
    return float(gaussian_blur(luminance(x - guide), 2.5).square().mean().sqrt())


def test_a_fill_keeps_its_light_more_finely_than_flat_paint(scene):
    views, result = scene
    fill, flat = (hold_to_paint(result, views, torch.full((1, 1, 128, 128), own), 250) for own in (1.0, 0.0))
    before = patchiness(result, views.guide)
    assert patchiness(fill, views.guide) < 0.15 * before
    assert patchiness(flat, views.guide) > 3 * patchiness(fill, views.guide)


def test_strong_edits_are_freer(scene):
    views, result = scene
    strands = 0.2 * torch.sin(2 * torch.pi * torch.arange(128) / 4)  # of a wall nothing would be repainted
    views, result = replace(views, guide=views.guide + strands), (result + strands).clamp(-1, 1)
    own = torch.ones(1, 1, 128, 128)
    left = [patchiness(hold_to_paint(result, views, own, t), views.guide) for t in (250, 300, 400, 475)]
    assert left == sorted(left) and left[1] < left[2] < left[3]
    scales = [light_scale(t) for t in (150, 300, 400, 475)]
    assert light_scale(1) == scales[0] and scales == sorted(set(scales)) and light_scale(499) == scales[-1]


def test_ripples_of_four_pixels_are_no_strands(scene):
    """At the strength of a usual edit the photo's own strands stay, where the model draws waves of its own."""
    views, _ = scene
    waves = 0.1 * torch.sin(2 * torch.pi * torch.arange(128) / 4).expand(1, 3, 128, 128)
    for t, most in ((200, 0.6), (250, 0.7), (300, 0.8)):
        held = hold_to_paint(views.guide + waves, views, torch.ones(1, 1, 128, 128), t) - views.guide
        assert float(held.square().mean().sqrt()) < most * 0.1 / 2**0.5


def ripples(x):
    """RMS of the light at scales of 1 to 8 pixels."""
    light = luminance(x)
    return float((gaussian_blur(light, 0.7) - gaussian_blur(light, 6.0)).square().mean().sqrt())


@pytest.mark.parametrize(("timestep", "height"), [(150, 0.03), (250, 0.03), (400, 0.08), (475, 0.12)])
def test_a_smooth_wall_stays_smooth(scene, timestep, height):
    """Of the ripples that the model draws on a wall with a little grain no more is left than the grain is worth."""
    views, _ = scene
    grain = 0.004 * torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(1))
    wall = replace(views, guide=views.guide.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1) + grain)
    waves = height * torch.sin(2 * torch.pi * torch.arange(128) / 4).expand(1, 3, 128, 128)
    held = hold_to_paint(wall.guide + waves, wall, torch.ones(1, 1, 128, 128), timestep)
    assert ripples(held) < 1.5 * ripples(wall.guide)


def test_where_there_are_strands_the_model_may_draw_some(scene):
    """What is no stronger than the contrast of the fill is left as it is."""
    views, _ = scene
    strands, drawn = (0.1 * torch.sin(2 * torch.pi * torch.arange(128) / n) for n in (5, 3))
    hair = (views.guide + strands).clamp(-1, 1)
    assert torch.allclose(quieted(hair + 0.8 * drawn, hair, 1.0), hair + 0.8 * drawn, atol=1e-6)


@pytest.mark.parametrize(("timestep", "least", "most"), [(100, 0, 0.2), (250, 0, 0.2), (400, 0.8, 1)])
def test_a_soft_shape_gives_no_leave_to_draw(timestep, least, most):
    """Beside nose and brows the contrast of a fill is that of the shape: blotches as strong are taken away there."""
    shape = 0.2 * torch.sin(torch.arange(128) / 4.0).expand(1, 3, 128, 128)
    blotches = 0.04 * torch.sin(2 * torch.pi * torch.arange(128) / 3)[:, None].expand(128, 128)
    kept = (quieted(shape + blotches, shape, contrast_hold(timestep)) - shape).square().mean().sqrt()
    assert least < float(kept / blotches.square().mean().sqrt()) <= most


def disc(radius):
    y, x = torch.meshgrid(torch.arange(128) - 63.5, torch.arange(128) - 63.5, indexing="ij")
    return (x * x + y * y < radius * radius).float()[None, None]


def test_the_edge_of_flat_paint_is_the_models(scene):
    """Of hard-edged paint on grey the model made grey: deep inside the paint comes back, at its edge hardly, and from
    t = 400 not at all; a fill is kept up to its outline."""
    painted, grey, red = disc(24), torch.zeros(1, 3, 128, 128), torch.tensor([0.6, -0.4, -0.4])[None, :, None, None]
    views = replace(scene[0], original=grey, guide=grey + painted * red, mask=painted, painted=painted)
    inside, edge = (disc(16) > 0)[0, 0], (painted > disc(23))[0, 0]

    def kept(own, timestep):
        held = hold_to_paint(grey, views, torch.full((1, 1, 128, 128), own), timestep) / red
        return float(held[..., inside].mean()), float(held[..., edge].mean())

    assert kept(0.0, 200)[0] == pytest.approx(1, abs=0.03) and kept(0.0, 200)[1] < 0.5
    assert 0.4 < kept(0.0, 300)[0] < 0.9 and kept(0.0, 300)[1] < 0.4
    assert kept(0.0, 400) == (0, 0)
    assert kept(1.0, 250) == pytest.approx((1, 1), abs=0.03)


def test_what_is_not_painted_is_left_to_the_model(scene):
    views, result = scene
    painted = torch.zeros(1, 1, 128, 128)
    painted[..., :64] = 1
    half = replace(views, painted=painted)
    held = hold_to_paint(result, half, torch.ones(1, 1, 128, 128), 250)
    assert torch.equal(held[..., 64:], result[..., 64:]) and not torch.equal(held[..., :64], result[..., :64])


def test_of_the_photos_own_detail_less_is_kept_the_stronger_the_edit():
    assert [least_detail(t) for t in (1, 250, 350, 450, 499)] == [0.75, 0.75, 0.375, 0.0, 0.0]


def predicted_near(guide, prediction, painted, t):
    """What a denoiser that always predicts ``prediction`` is left with."""
    return near_paint(lambda xt, t: prediction, guide, painted)(torch.zeros_like(guide), t)


def test_a_prediction_that_turns_away_from_its_paint_is_brought_back_as_near_as_rough_paint_is():
    guide, ones = torch.full((1, 3, 32, 32), 0.5), torch.ones(1, 1, 32, 32)
    away = guide - torch.tensor([0.9, 0.6, 0.0])[None, :, None, None]
    near = predicted_near(guide, away, ones, UNTIL + 1)
    assert torch.allclose((guide - near).norm(dim=1), torch.tensor(UNLIKE), atol=1e-5)
    assert torch.allclose((guide - near) / UNLIKE, (guide - away) / (guide - away).norm(dim=1, keepdim=True), atol=1e-5)
    assert torch.equal(predicted_near(guide, away, ones, UNTIL), away)


def test_details_and_what_is_not_painted_are_the_models():
    rng = torch.Generator().manual_seed(0)
    guide = torch.zeros(1, 3, 64, 64)
    stripes = 0.8 * torch.sin(2 * torch.pi * torch.arange(64) / 3).expand_as(guide)
    slight = guide + 0.5 * UNLIKE / 3**0.5
    ones = torch.ones(1, 1, 64, 64)
    inside = (..., slice(8, -8))
    assert torch.allclose(predicted_near(guide, stripes, ones, 400)[inside], stripes[inside], atol=1e-6)
    assert torch.equal(predicted_near(guide, slight, ones, 400), slight)
    half = ones.clone()
    half[..., :32] = 0
    other = torch.rand(1, 3, 64, 64, generator=rng) * 2 - 1
    assert torch.equal(predicted_near(guide, other, half, 400)[..., :32], other[..., :32])
