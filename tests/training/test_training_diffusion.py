"""What the denoiser learns from: timesteps, masks, paint, LPIPS, guidance and an adversary, in closed form."""

import math
import statistics

import pytest
import torch
from torch import nn

from npe_core.diffusion.schedule import sigmas
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.training.beginnings import (
    LOG_SIGMA_MEAN,
    LOG_SIGMA_STD,
    WHOLE_LOG_SIGMA_MEAN,
    call_before,
    made_before,
    random_masks,
    some_painted,
    timestep_density,
)
from npe_core.training.checkpoint import export_weights, warm_start
from npe_core.training.data import Mixture
from npe_core.training.diffusion import DiffusionTask
from npe_core.training.loop import Trainer


@pytest.mark.parametrize("wanted", [LOG_SIGMA_MEAN, WHOLE_LOG_SIGMA_MEAN])
def test_timesteps_make_log_sigma_normal(wanted):
    density = timestep_density(wanted)
    log_sigma = torch.from_numpy(sigmas()[1:].copy()).log()
    assert density.shape == (500,) and float(density.sum()) == pytest.approx(1) and bool((density > 0).all())
    mean = float((density * log_sigma).sum())
    spread = math.sqrt(float((density * (log_sigma - mean) ** 2).sum()))
    # The schedule ends at ln sigma = -4.6 and 2.5: the tails beyond are cut off, 0.7 % and 4 % above.
    beyond = (2.53 - wanted) / LOG_SIGMA_STD
    cut = statistics.NormalDist().pdf(beyond) / statistics.NormalDist().cdf(beyond)
    assert mean == pytest.approx(wanted - LOG_SIGMA_STD * cut, abs=0.01)
    assert spread == pytest.approx(LOG_SIGMA_STD * math.sqrt(1 - beyond * cut - cut**2), abs=0.01)


def test_timesteps_are_later_where_nothing_is_known(diffusion_task):
    """Only in a network that may know something, or that makes whole faces; else all examples are alike."""
    rng, means = torch.Generator().manual_seed(0), []
    for kind in ({"surroundings": True}, {"prior": 2}, {}):
        task = diffusion_task(**kind)
        mask = torch.ones(8000, 1, 4, 4)
        mask[::2, :, :2] = 0
        log_sigma = task.log_sigma[task.draw_timesteps(mask, rng)]
        means += [float(log_sigma[::2].mean()), float(log_sigma[1::2].mean())]
    assert means == pytest.approx([LOG_SIGMA_MEAN, 0.5, LOG_SIGMA_MEAN, 0.5, LOG_SIGMA_MEAN, LOG_SIGMA_MEAN], abs=0.06)


class Shouting(nn.Module):
    """Is right about nothing, and far off where the picture is known."""

    def forward(self, x, t, known):
        return 1000 * known[:, 3:].expand(-1, 3, -1, -1)


def test_what_is_known_is_not_learned():
    """Elsewhere the error is the target, whose variance is 1 where the data's is sigma_data (Karras et al. 2022)."""
    faces = torch.randn(8, 3, 16, 16).mul(0.5 * 127.5).add(127.5).clamp(0, 255).to(torch.uint8)
    config = DenoiserConfig(image_size=16, base=8, mults=(1,), attention=(), surroundings=True)
    task = DiffusionTask(Mixture.of([(faces,)], [None], torch.device("cpu")), torch.device("cpu"), config)
    task.model.unet = Shouting()
    rng = torch.Generator().manual_seed(0)
    x0, mask = task.draw(64, rng)
    assert 0.3 < float(mask.mean()) < 0.9
    assert float(task.loss((x0, mask), rng).model) == pytest.approx(1, rel=0.1)


class Silent(nn.Module):
    """F = 0: the prediction is c_skip x_t, the best linear one for data of that variance."""

    def forward(self, x, t, known):
        return torch.zeros_like(x)


def test_lpips_judges_the_predicted_picture_where_it_is_not_known(pixels):
    """With a square for LPIPS: the error that is left is sigma^2 sigma_data^2 / (sigma^2 + sigma_data^2)."""
    faces = torch.randn(64, 3, 16, 16).mul(0.5 * 127.5).add(127.5).clamp(0, 255).to(torch.uint8)
    cpu = torch.device("cpu")
    config = DenoiserConfig(image_size=16, base=8, mults=(1,), attention=(), surroundings=True)
    task = DiffusionTask(
        Mixture.of([(faces,)], [None], cpu),
        cpu,
        config,
        perceptual=pixels,
        perceptual_weight=2.0,
    )
    task.model.unet = Silent()
    rng = torch.Generator().manual_seed(0)
    x0, _ = task.draw(512, rng)
    variance = torch.from_numpy(sigmas()[1:].copy()) ** 2

    def left(density):
        return float((density * 0.25 * variance / (variance + 0.25)).sum())

    everywhere = task.loss((x0, torch.ones_like(x0[:, :1])), rng)
    assert float(everywhere.log["lpips"]) == pytest.approx(left(task.whole_density), rel=0.1)
    assert float(everywhere.model) == pytest.approx(float(everywhere.log["square"] + 2 * everywhere.log["lpips"]))
    half = torch.ones_like(x0[:, :1])
    half[..., :8] = 0
    assert float(task.loss((x0, half), rng).log["lpips"]) == pytest.approx(left(task.density) / 2, rel=0.1)


class Brightness(nn.Module):
    """Takes bright pictures for photographs; of the features it sees the pixels."""

    def forward(self, features, log_sigma):
        assert features[0].shape[0] == len(log_sigma)
        return features[0].mean(dim=(1, 2, 3), keepdim=True)


def test_the_adversary_judges_what_lpips_sees_and_learns_apart_from_the_model(diffusion_task, pixels):
    task = diffusion_task(perceptual=pixels, perceptual_weight=0.0, adversary_weight=0.5)
    task.adversary, task.model.unet = Brightness(), Silent()
    weight = nn.Parameter(torch.tensor(1.0))
    task.model.preconditioning = lambda t: (weight, torch.ones(()), torch.ones(()))  # the prediction is weight x_t
    bright = torch.full((64, 3, 16, 16), 0.25)

    def loss_at(*timesteps):
        density = sum(nn.functional.one_hot(torch.tensor(t - 1), 500) for t in timesteps)
        task.density = task.whole_density = density.double()
        return task.loss((bright, torch.ones_like(bright[:, :1])), torch.Generator().manual_seed(0))

    loss = loss_at(90)
    made = 0.25 * float(task.model.alpha_bar[90]) ** 0.5
    assert float(loss.log["fooled"]) == pytest.approx(-made, abs=0.01)
    assert float(loss.model.detach()) == pytest.approx(float(loss.log["square"] + 0.5 * loss.log["fooled"]), abs=1e-4)
    assert float(loss.adversary) == pytest.approx((1 - 0.25) + (1 + made), abs=0.01)
    assert not loss.adversary.requires_grad  # Brightness has nothing to learn, and nothing else is reached
    nothing = loss_at(200)  # where a face is laid out, there is no adversary
    assert float(nothing.log["fooled"]) == float(nothing.adversary) == 0
    both = loss_at(90, 200)  # and of these examples there only the low ones count
    assert float(both.log["fooled"]) == pytest.approx(-made, abs=0.01)
    assert float(both.adversary) == pytest.approx((1 - 0.25) + (1 + made), abs=0.01)


class Scale(nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x, t, known=None):
        return self.weight * x


class Linear(Denoiser):
    """D(x_t, t) = weight x_t, one weight for all timesteps."""

    def __init__(self, weight):
        super().__init__(DenoiserConfig(image_size=16, base=8, mults=(1,), attention=()))
        self.unet = Scale(weight)

    def preconditioning(self, t):
        one = torch.ones(len(t), 1, 1, 1)
        return 0 * one, one, one


@pytest.mark.parametrize(("t", "reached"), [(100, 0.0), (250, 0.25), (400, 0.5)])
def test_a_guided_network_learns_what_lies_beyond_the_best_answer_seen_from_the_guide(monkeypatch, t, reached):
    """The best linear answer is k, the guide's k0: at high timesteps the loss is least at k + 0.5 (k - k0)."""
    faces = torch.randn(64, 3, 16, 16).mul(0.5 * 127.5).add(127.5).clamp(0, 255).to(torch.uint8)
    cpu = torch.device("cpu")
    task = DiffusionTask(Mixture.of([(faces,)], [None], cpu), cpu, guide=Linear(0.4), guidance=1.5)
    task.density = task.whole_density = nn.functional.one_hot(torch.tensor(t - 1), 500).double()
    task.model = Linear(0.5)
    descent = torch.optim.SGD(task.model.parameters(), lr=0.2)
    rng = torch.Generator().manual_seed(0)
    x0 = faces.float() / 127.5 - 1
    for _ in range(60):
        descent.zero_grad()
        task.loss((x0, torch.ones_like(x0[:, :1])), rng).model.backward()
        descent.step()
    alpha_bar, variance = float(task.model.alpha_bar[t]), float(x0.square().mean())
    best = alpha_bar**0.5 * variance / (alpha_bar * variance + 1 - alpha_bar)
    assert float(task.model.unet.weight.detach()) == pytest.approx(best + reached * (best - 0.4), abs=0.02)


def test_masks_of_edits_are_whole_or_of_many_sizes():
    masks = random_masks(256, 32, torch.Generator().manual_seed(0))
    shares = masks.mean(dim=(1, 2, 3))
    assert masks.shape == (256, 1, 32, 32) and set(masks.unique().tolist()) == {0.0, 1.0}
    assert 0.3 < float((shares == 1).float().mean()) < 0.5
    assert float(shares.min()) < 0.1 and 0.7 < float(shares[shares < 1].max()) < 0.81
    assert float(random_masks(64, 32, torch.Generator().manual_seed(0), parts=64).mean(dim=(1, 2, 3)).max()) < 0.81


@pytest.mark.parametrize("asked", [0.2, 0.7])
def test_the_share_of_whole_faces_is_what_one_asks_for(asked):
    masks = random_masks(1000, 16, torch.Generator().manual_seed(0), parts=200, whole_share=asked)
    whole = masks.flatten(1).amin(1) > 0
    assert not whole[:200].any()
    assert float(whole[200:].float().mean()) == pytest.approx(asked, abs=0.05)


def test_of_parts_of_faces_something_is_always_known():
    """Faces are black here and parts of larger ones white: what is white everywhere is never wholly unknown."""
    cpu = torch.device("cpu")
    black, white = (torch.full((4, 3, side, side), v, dtype=torch.uint8) for side, v in ((16, 0), (32, 255)))
    config = DenoiserConfig(image_size=16, base=8, mults=(1,), attention=(), surroundings=True)
    task = DiffusionTask(Mixture.of([(black,)], [None], cpu), cpu, config, Mixture.of([(white,)], [None], cpu))
    x0, mask = task.draw(512, torch.Generator().manual_seed(0))
    parts, everywhere = x0.mean(dim=(1, 2, 3)) > 0, mask.mean(dim=(1, 2, 3)) == 1
    assert 0.1 < float(parts.float().mean()) < 0.2
    assert not bool((parts & everywhere).any()) and 0.3 < float(everywhere[~parts].float().mean()) < 0.5


def test_paint_takes_the_place_of_parts_that_an_edit_would_begin_at():
    """Noise is never a few flat colours: what was painted differs. Half of the masks are 1 everywhere."""
    rng = torch.Generator().manual_seed(0)
    x0 = torch.rand(64, 3, 16, 16, generator=rng) * 2 - 1
    mask = torch.zeros(64, 1, 16, 16)
    mask[..., :8] = 1
    mask[::2] = 1
    t = torch.tensor([100, 149, 150, 400]).repeat_interleave(16)
    shown = some_painted(x0, mask, t, 1.0, rng)
    differs = (shown != x0).flatten(1).any(1)
    assert torch.equal(differs, (t >= 150) & (torch.arange(64) % 2 == 1))
    assert torch.equal(shown[..., 8:], x0[..., 8:])
    some = (some_painted(x0, mask, torch.full_like(t, 300), 0.5, rng) != x0).flatten(1).any(1)
    assert 8 < int(some.sum()) < 24


def test_some_examples_go_on_from_a_call_before():
    """The calls of an edit at t, 3/4 t, t/2 and t/4: each but the first has one at 4/3, 3/2 or 2 of its timestep."""
    t = torch.tensor([60, 120, 240, 360, 480, 6, 12, 300]).repeat(10)
    chosen, before = call_before(t, 0.5, torch.Generator().manual_seed(0))
    assert len(chosen) == 40 and len(chosen.unique()) == 40
    expected = torch.stack([t[chosen] * 4 // 3, t[chosen] * 3 // 2, t[chosen] * 2], dim=1)
    assert bool((expected == before[:, None]).any(dim=1).all())
    assert {int((row == own).int().argmax()) for row, own in zip(expected, before, strict=True)} == {0, 1, 2}
    rng = torch.Generator().manual_seed(0)
    few = [len(call_before(t[:2], 0.1, rng)[0]) for _ in range(1000)]
    assert set(few) == {0, 1} and sum(few) / 2000 == pytest.approx(0.1, abs=0.02)


def test_what_was_made_before_is_the_prediction_inside_and_the_face_around():
    x0 = torch.rand(4, 3, 16, 16) * 2 - 1
    mask, eps, t = torch.zeros(4, 1, 16, 16), torch.randn(4, 3, 16, 16), torch.tensor([50, 150, 300, 500])
    mask[..., :8] = 1
    model, paint = Linear(0.5), torch.full_like(x0, 0.75)
    made = made_before(model, paint, x0, mask, t, eps)
    for k in range(4):
        alpha_bar = float(model.alpha_bar[t[k]])
        inside = 0.5 * (alpha_bar**0.5 * 0.75 + (1 - alpha_bar) ** 0.5 * eps[k, ..., :8])
        torch.testing.assert_close(made[k, ..., :8], inside.clamp(-1, 1))
    assert torch.equal(made[..., 8:], x0[..., 8:]) and not made.requires_grad


def test_nothing_was_made_before_beyond_the_last_timestep_or_out_of_nothing():
    x0, eps = torch.rand(3, 3, 16, 16), torch.randn(3, 3, 16, 16)
    mask = torch.ones(3, 1, 16, 16)
    mask[1:, ..., :8] = 0
    made = made_before(Linear(0.5), x0, x0, mask, torch.tensor([300, 501, 300]), eps)
    assert torch.equal(made[:2], x0[:2]) and not torch.equal(made[2], x0[2])


class Sure(nn.Module):
    """Makes one grey of everything, and keeps what it was shown."""

    def __init__(self, grey):
        super().__init__()
        self.grey, self.seen = grey, []

    def forward(self, x, t, known=None):
        self.seen.append(x)
        return torch.full_like(x, self.grey)


def test_a_rollout_is_noised_from_what_the_model_made_and_the_face_stays_the_target(diffusion_task):
    task = diffusion_task()
    task.rollout_share, task.model, t = 1.0, Linear(1.0), 100
    task.model.unet = Sure(0.4)
    task.density = task.whole_density = nn.functional.one_hot(torch.tensor(t - 1), 500).double()
    bright = torch.full((64, 3, 16, 16), 0.9)
    mask = torch.ones_like(bright[:, :1])
    mask[..., :1] = 0
    loss = task.loss((bright, mask), torch.Generator().manual_seed(0))
    before, now = (x[..., 1:] for x in task.model.unet.seen)
    assert float(now.mean()) == pytest.approx(float(task.model.alpha_bar[t]) ** 0.5 * 0.4, abs=0.01)
    assert float(before.mean()) > float(now.mean())  # the call before saw the face
    assert float(loss.model) == pytest.approx((0.9 - 0.4) ** 2, rel=1e-4)


def test_rollouts_take_no_gradient_from_the_step_that_follows(diffusion_task):
    """In bfloat16 the weights are cast twice a step: once for the rollout, which learns nothing, and once to learn."""
    task = diffusion_task(surroundings=True)
    task.rollout_share, rng = 1.0, torch.Generator().manual_seed(0)
    trainer = Trainer.__new__(Trainer)
    trainer.device, trainer.precision = torch.device("cpu"), torch.bfloat16
    with trainer._autocast():
        assert not torch.is_autocast_cache_enabled()
        task.loss(task.draw(8, rng), rng).model.backward()
    assert all(p.grad is not None for p in task.model.parameters())


def test_a_run_knows_the_prior_of_its_own_data_whatever_it_starts_from(tmp_path):
    """Half black above and white below, half turned round: the mean is grey, and mirroring changes nothing."""
    cpu, config = torch.device("cpu"), DenoiserConfig(image_size=16, base=8, mults=(1,), attention=(), prior=2)
    faces = torch.zeros(8, 3, 16, 16, dtype=torch.uint8)
    faces[::2, :, 8:], faces[1::2, :, :8] = 255, 255
    model = DiffusionTask(Mixture.of([(faces,)], [None], cpu), cpu, config).model
    torch.testing.assert_close(model.prior.mean, torch.zeros(12))
    drawn = model.prior.draw(list(range(40)), 2)
    ends = drawn[:, :, :1], drawn[:, :, 1:]
    assert {round(float(half.mean())) for half in ends[0]} == {-1, 1}
    torch.testing.assert_close(ends[0], -ends[1], atol=1e-4, rtol=0)
    torch.testing.assert_close(drawn.abs(), torch.ones_like(drawn), atol=1e-4, rtol=0)
    export_weights(tmp_path / "start.safetensors", model.state_dict(), {}, 40)
    dark = DiffusionTask(Mixture.of([(torch.zeros_like(faces),)], [None], cpu), cpu, config).model
    assert warm_start(dark, tmp_path / "start.safetensors") == 40
    torch.testing.assert_close(dark.prior.mean, -torch.ones(12))
    assert torch.equal(dark.unet.stem.weight, model.unet.stem.weight.half().float())
