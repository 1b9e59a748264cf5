"""The judges of an adversary, and their hinge loss."""

import pytest
import torch
from torch import nn

from npe_core.training.discriminator import FeatureDiscriminator, hinge_loss, places_made, weighted_mean


def test_hinge_loss_of_a_judge_that_says_what_it_sees():
    fake, real = torch.full((1, 3, 2, 2), -3.0), torch.full((1, 3, 2, 2), 0.5)
    everywhere = torch.ones(1, 1, 2, 2)
    assert float(hinge_loss(nn.Identity(), fake, real, everywhere)) == pytest.approx(0.5)
    assert float(hinge_loss(nn.Identity(), real, fake, everywhere)) == pytest.approx(4 + 1.5)
    assert float(hinge_loss(nn.Identity(), real, fake, 0 * everywhere)) == pytest.approx(4)


def test_pairs_count_by_their_share():
    fake, real = torch.tensor([0.0, 1.0, 8.0]), torch.tensor([1.0, -1.0, -8.0])
    fake, real = (x[:, None, None, None].expand(3, 2, 2, 2) for x in (fake, real))
    share = torch.tensor([1.0, 0.5, 0.0])
    loss = hinge_loss(nn.Identity(), fake, real, torch.ones(3, 1, 2, 2), share)
    assert float(loss) == pytest.approx((1 * 0 + 0.5 * 2) / 1.5 + (1 * 1 + 0.5 * 2) / 1.5)


def test_a_photograph_is_never_called_made_where_nothing_was():
    """Of four places one was made: what is said of the other three, right or wrong, is not counted."""
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 1, 6] = 1
    fake = torch.full((1, 2, 2, 2), 9.0)
    made = places_made(mask, fake)
    assert made.flatten().tolist() == [0, 1, 0, 0]
    fake[:, 0, 0, 1], fake[:, 1, 0, 1] = 2.0, -0.5
    assert float(weighted_mean(fake, made)) == pytest.approx(0.75)
    assert float(hinge_loss(nn.Identity(), fake, torch.full_like(fake, 2.0), made)) == pytest.approx((3 + 0.5) / 2)


def test_judges_of_features_learn_to_tell_two_textures_apart():
    torch.manual_seed(0)
    judge = FeatureDiscriminator((3, 4, 8), width=8).eval()  # spectral norms stay as they are
    features = [torch.randn(6, 3, 16, 16), torch.randn(6, 4, 8, 8), torch.randn(6, 8, 2, 2)]
    log_sigma = torch.linspace(-3, 2, 6)
    assert judge(features, log_sigma).shape == (6, 2, judge.PLACES, judge.PLACES)
    assert torch.allclose(judge([5 * x for x in features], log_sigma), judge(features, log_sigma), atol=1e-5)
    everywhere = torch.ones(6, 1, judge.PLACES, judge.PLACES)
    descent = torch.optim.AdamW(judge.train().parameters(), lr=1e-2)

    def batch():
        real = [torch.randn_like(x) for x in features]
        return [x.abs() for x in real], real

    for _ in range(60):
        fake, real = batch()
        descent.zero_grad()
        hinge_loss(lambda x: judge(x, log_sigma), fake, real, everywhere).backward()
        descent.step()
    fake, real = batch()
    assert float(hinge_loss(lambda x: judge(x, log_sigma), fake, real, everywhere).detach()) < 1
