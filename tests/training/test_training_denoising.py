"""Single predictions against the closed form of the best linear denoiser; edits by one that knows the face."""

import pytest
import torch

from npe_core.diffusion.schedule import sigmas
from npe_core.models.denoiser import Denoiser, DenoiserConfig
from npe_core.models.surroundings import surroundings_of
from npe_core.training.evaluation.denoising import TIMESTEPS, denoising_table, measure_denoising
from npe_core.training.evaluation.painting import measure_painting, painting_table


class OnTheCpu:
    """What an engine tells besides its predictions."""

    device = torch.device("cpu")

    def denoise_within(self, original, mask):
        known = surroundings_of(original, mask)
        return lambda xt, t: self.denoise(xt, t, known)

    def finite(self, made, kind):
        assert made.isfinite().all()
        return made


class Untrained(OnTheCpu):
    """An engine whose network says nothing yet: its prediction is c_skip x_t."""

    def __init__(self):
        config = DenoiserConfig(image_size=32, base=8, mults=(1,), attention=(), surroundings=True)
        self.model = Denoiser(config).eval()
        self.seen = []

    @torch.inference_mode()
    def denoise(self, xt, t, known):
        self.seen.append((t, known))
        return self.model(xt, torch.full((len(xt),), t), known)


class Squares:
    def lpips(self, x, y):
        return (x - y).square().mean(dim=(1, 2, 3))


@pytest.fixture
def faces():
    """White noise of the variance that the network expects."""
    noise = torch.randn(24, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return noise.mul(0.5 * 127.5).add(127.5).clamp(0, 255).to(torch.uint8)


def test_the_error_of_the_best_linear_denoiser(faces):
    engine = Untrained()
    numbers = measure_denoising(engine, faces, Squares())
    for t in TIMESTEPS:
        variance = float(sigmas()[t]) ** 2
        expected = (0.25 * variance / (0.25 + variance)) ** 0.5
        inside, whole = (numbers[place][str(t)] for place in ("inside", "whole"))
        assert whole["rmse"] == pytest.approx(expected, rel=0.06)  # the data is clipped at two deviations
        assert inside["rmse"] == pytest.approx(expected, rel=0.06)
        assert whole["lpips"] == pytest.approx(whole["rmse"] ** 2, rel=1e-4)
        assert inside["lpips"] < 0.7 * whole["lpips"]  # the face itself lies around the shape
    known = [bool(around[:, 3].any()) for _, around in engine.seen]
    assert known == [True] * (len(known) // 2) + [False] * (len(known) // 2)
    assert denoising_table(numbers).count("\n") == 5


def test_without_a_judge_lpips_is_left_out(faces):
    assert "| -" in denoising_table(measure_denoising(Untrained(), faces[:8]))


class Knowing(OnTheCpu):
    """An engine that remembers the only face there is, all grey, so far as ``sureness`` goes."""

    def __init__(self, sureness):
        self.sureness, self.starts = sureness, set()

    def denoise(self, xt, t, known):
        self.starts.add(t)
        return torch.full_like(xt, 1 - self.sureness)


@pytest.mark.parametrize("sureness", [1.0, 0.75])
def test_paint_is_measured_by_what_is_left_of_it(sureness):
    engine, sheets = Knowing(sureness), {}
    grey = torch.full((10, 3, 32, 32), 128, dtype=torch.uint8)
    numbers = measure_painting(engine, grey, sheets, Squares())
    for t in ("250", "350", "425"):
        assert int(t) in engine.starts
        assert numbers[t]["rmse"] == pytest.approx(1 - sureness, abs=0.01)
        assert 0.05 * (1 - sureness) ** 2 <= numbers[t]["lpips"] <= 0.8 * (1 - sureness) ** 2 + 1e-4
    assert numbers["paint"]["rmse"] == pytest.approx(0, abs=0.01)  # of a flat picture the paint is the picture
    assert sheets["painting"].shape == (5 * 32, 8 * 32, 3)
    assert painting_table(numbers).count("\n") == 3


def test_paint_of_a_picture_is_not_yet_the_picture(faces):
    numbers = measure_painting(Untrained(), faces[:8], {})
    assert numbers["paint"]["rmse"] > 0.3 and "lpips" not in numbers["paint"]
