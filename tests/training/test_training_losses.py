"""Losses, schedules and averages against closed forms."""

import math
import statistics

import pytest
import torch
from torch import nn

from npe_core.diffusion.schedule import sigmas
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.upscaler import UpscalerConfig
from npe_core.training.data import Mixture
from npe_core.training.diffusion import (
    LOG_SIGMA_MEAN,
    LOG_SIGMA_STD,
    WHOLE_LOG_SIGMA_MEAN,
    DiffusionTask,
    random_masks,
    some_painted,
    timestep_density,
)
from npe_core.training.discriminator import FeatureDiscriminator, hinge_loss, places_made, weighted_mean
from npe_core.training.ema import Ema
from npe_core.training.reading import UNKNOWN
from npe_core.training.recipe import PRESETS, Recipe
from npe_core.training.segmentation import BORDER_WEIGHT, dice_loss, near_borders, weighted_entropy
from npe_core.training.super_resolution import SuperResolutionTask, made_by


def certain(ids):
    """Logits that are sure of ids (B, H, W)."""
    return 50.0 * nn.functional.one_hot(ids, 11).permute(0, 3, 1, 2).float()


def dice(logits, truth):
    return float(dice_loss(logits.softmax(dim=1), truth))


def entropy(logits, truth, weight):
    return float(weighted_entropy(logits.log_softmax(dim=1), truth, weight))


def test_dice_of_a_perfect_and_of_a_wrong_prediction():
    truth = torch.zeros(1, 4, 4, dtype=torch.long)
    truth[:, 2:] = 7
    assert dice(certain(truth), truth) == pytest.approx(0, abs=1e-5)
    # All of class 0 and 7 missed: (2 * 0 + 1) / (0 + 8 + 1) of each.
    assert dice(certain(torch.full_like(truth, 3)), truth) == pytest.approx(1 - 1 / 9, abs=1e-5)


def test_dice_of_half_an_overlap():
    truth = torch.zeros(1, 4, 4, dtype=torch.long)
    said = truth.clone()
    said[:, 2:] = 1  # overlap 8, sizes 8 and 16
    assert dice(certain(said), truth) == pytest.approx(1 - 17 / 25, abs=1e-5)


def test_unknown_pixels_do_not_count():
    truth = torch.zeros(1, 4, 4, dtype=torch.long)
    said = truth.clone()
    said[:, 2:] = 1
    truth[:, 2:] = UNKNOWN
    assert dice(certain(said), truth) == pytest.approx(0, abs=1e-5)


def test_borders_are_where_another_region_is_two_pixels_away():
    truth = torch.zeros(1, 4, 12, dtype=torch.long)
    truth[..., 6:9] = 5
    truth[..., 9:] = UNKNOWN  # what is not known makes no border
    assert near_borders(truth)[0, 0].nonzero().flatten().tolist() == [4, 5, 6, 7]
    assert not near_borders(torch.full((1, 4, 4), UNKNOWN)).any()


def test_cross_entropy_weighs_regions_and_borders():
    """One pixel says nothing (ln 11), the others are right: its share of all weights is what it costs."""
    truth = torch.zeros(1, 1, 12, dtype=torch.long)
    truth[..., 6:] = 2
    truth[..., 11] = UNKNOWN
    weight = torch.ones(11)
    weight[2] = 3.0
    total = 4 + 2 * BORDER_WEIGHT + 3 * (2 * BORDER_WEIGHT + 3)
    for column, own in ((0, 1.0), (5, BORDER_WEIGHT), (6, 3 * BORDER_WEIGHT), (10, 3.0), (11, 0.0)):
        logits = certain(truth.clamp(max=10))
        logits[..., column] = 0
        expected = math.log(11) * own / total
        assert entropy(logits, truth, weight) == pytest.approx(expected, abs=1e-5)
    assert entropy(certain(truth.clamp(max=10)), torch.full_like(truth, UNKNOWN), weight) == 0


def test_hinge_loss_of_a_judge_that_says_what_it_sees():
    fake, real = torch.full((1, 3, 2, 2), -3.0), torch.full((1, 3, 2, 2), 0.5)
    everywhere = torch.ones(1, 1, 2, 2)
    assert float(hinge_loss(nn.Identity(), fake, real, everywhere)) == pytest.approx(0.5)
    assert float(hinge_loss(nn.Identity(), real, fake, everywhere)) == pytest.approx(4 + 1.5)
    assert float(hinge_loss(nn.Identity(), real, fake, 0 * everywhere)) == pytest.approx(4)


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
    """Only in a network that may know something; else all examples are alike."""
    rng, means = torch.Generator().manual_seed(0), []
    for surroundings in (True, False):
        task = diffusion_task(surroundings=surroundings)
        mask = torch.ones(8000, 1, 4, 4)
        mask[::2, :, :2] = 0
        log_sigma = task.log_sigma[task.draw_timesteps(mask, rng)]
        means += [float(log_sigma[::2].mean()), float(log_sigma[1::2].mean())]
    assert means == pytest.approx([LOG_SIGMA_MEAN, 0.5, LOG_SIGMA_MEAN, LOG_SIGMA_MEAN], abs=0.06)


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


class Brightness(nn.Module):
    """Takes bright pictures for photographs; of the features it sees the pixels."""

    def forward(self, features, log_sigma):
        assert features[0].shape[0] == len(log_sigma)
        return features[0].mean(dim=(1, 2, 3), keepdim=True)


def test_the_adversary_judges_what_lpips_sees_and_learns_apart_from_the_model(diffusion_task, pixels):
    task = diffusion_task(perceptual=pixels, perceptual_weight=0.0, adversary_weight=0.5)
    task.adversary, task.model.unet = Brightness(), Silent()
    t, weight = 250, nn.Parameter(torch.tensor(1.0))
    task.density = task.whole_density = nn.functional.one_hot(torch.tensor(t - 1), 500).double()
    task.model.preconditioning = lambda t: (weight, torch.ones(()), torch.ones(()))  # the prediction is weight x_t
    bright = torch.full((64, 3, 16, 16), 0.25)
    loss = task.loss((bright, torch.ones_like(bright[:, :1])), torch.Generator().manual_seed(0))
    made = 0.25 * float(task.model.alpha_bar[t]) ** 0.5
    assert float(loss.log["fooled"]) == pytest.approx(-made, abs=0.01)
    assert float(loss.model.detach()) == pytest.approx(float(loss.log["square"] + 0.5 * loss.log["fooled"]), abs=1e-4)
    assert float(loss.adversary) == pytest.approx((1 - 0.25) + (1 + made), abs=0.01)
    assert not loss.adversary.requires_grad  # Brightness has nothing to learn, and nothing else is reached


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
    made = made_by(denoiser, faces, torch.Generator().manual_seed(0)).float()
    assert made.shape == (2, 3, 128, 128)
    assert float((made[:, :, 40:88, 40:88].mean() - made[:, :, :24, :24].mean()) / 160) > 0.6
    assert float(made[:, :, :24, :24].std()) > 1


def test_learning_rate_of_known_steps():
    recipe = Recipe(batch=10, lr=1.0, warmup=4, images=1000, cooldown=0.5)
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
