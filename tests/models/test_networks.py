"""Shapes, preconditioning and what the networks promise before any training."""

import dataclasses

import pytest
import torch

from npe_core.diffusion.schedule import q_sample, sigmas
from npe_core.models.denoiser import Denoiser, DenoiserConfig, timestep_embedding
from npe_core.models.segmenter import Segmenter, SegmenterConfig
from npe_core.models.surroundings import surroundings_of
from npe_core.models.upscaler import GeneratorResNet, UpscalerConfig, conv_after_shuffle

SMALL = DenoiserConfig(image_size=32, base=16, mults=(1, 2), attention=(8,), head_width=16)


@pytest.mark.parametrize(
    ("model", "shape", "out"),
    [
        (Segmenter(SegmenterConfig(base=16, mults=(1, 2, 2))), (2, 3, 64, 64), (2, 11, 64, 64)),
        (Segmenter(SegmenterConfig(base=16, mults=(1, 2, 2), fine=8)), (2, 3, 64, 64), (2, 11, 64, 64)),
        (GeneratorResNet(UpscalerConfig(width=16, blocks=2)), (1, 3, 20, 24), (1, 3, 80, 96)),
        (GeneratorResNet(UpscalerConfig(width=16, blocks=2, skip="none")), (1, 3, 8, 8), (1, 3, 32, 32)),
    ],
)
def test_shapes(model, shape, out):
    assert model(torch.randn(shape)).shape == out


SHAPES = [
    {"base": base, "mults": mults, "patch": patch, "image_size": size}
    for base in (2, 3, 4, 6, 8, 20, 36)
    for mults in ((1,), (1, 2), (1, 1, 4), (0, 1))
    for patch, size in ((1, 4), (1, 6), (2, 8), (3, 8), (3, 12))
]


@pytest.mark.parametrize(
    ("kind", "build", "more"),
    [
        (DenoiserConfig, lambda config: Denoiser(config).eval(), {"attention": (4, 2), "head_width": 6}),
        (SegmenterConfig, lambda config: Segmenter(config).eval(), {}),
        (SegmenterConfig, lambda config: Segmenter(config).eval(), {"fine": 6}),
    ],
    ids=["denoiser", "segmenter", "fine"],
)
@torch.no_grad()
def test_exactly_the_shapes_that_cannot_be_built_are_refused(monkeypatch, kind, build, more):
    def works(shape):
        x = torch.randn(1, 3, shape["image_size"], shape["image_size"])
        try:
            model = build(kind(**shape, **more))
            model(*((x, torch.tensor([9])) if kind is DenoiserConfig else (x,)))
        except Exception:
            return False
        return True

    def accepted(shape):
        try:
            kind(**shape, **more)
        except ValueError:
            return False
        return True

    said = [accepted(shape) for shape in SHAPES]
    monkeypatch.setattr(kind, "__post_init__", lambda config: None)
    assert said == [works(shape) for shape in SHAPES]
    assert 10 < sum(said) < len(SHAPES) - 10


@pytest.mark.parametrize(
    ("kind", "values", "word"),
    [
        (DenoiserConfig, {"mults": ()}, "mults is empty"),
        (DenoiserConfig, {"mults": (1,) * 9}, "9 levels"),
        (DenoiserConfig, {"patch": 0}, "patch is 0"),
        (SegmenterConfig, {"mults": ()}, "mults is empty"),
        (SegmenterConfig, {"base": 0}, "base is 0"),
        (UpscalerConfig, {"width": 0}, "width is 0"),
        (UpscalerConfig, {"skip": "nearest"}, "skip is 'nearest'"),
    ],
)
def test_a_shape_that_cannot_be_meant_is_told_by_its_name(kind, values, word):
    with pytest.raises(ValueError, match=word):
        kind(**values)


def test_denoiser_takes_every_picture_of_a_batch_at_its_own_timestep():
    model = Denoiser(SMALL).eval()
    torch.nn.init.normal_(model.unet.head.weight, std=0.1)
    x, t = torch.randn(3, 3, 32, 32), torch.tensor([1, 250, 500])
    together = model(x, t)
    for i in range(3):
        assert torch.allclose(together[i : i + 1], model(x[i : i + 1], t[i : i + 1]), atol=1e-4)


@torch.no_grad()
def test_denoiser_that_knows_nothing_around_is_the_plain_one():
    torch.manual_seed(0)
    model = Denoiser(dataclasses.replace(SMALL, surroundings=True)).eval()
    for weight in (model.unet.surroundings.weight, model.unet.head.weight):
        torch.nn.init.normal_(weight, std=0.1)
    plain = Denoiser(SMALL).eval()
    own = model.state_dict()
    plain.load_state_dict({name: own[name] for name in plain.state_dict()})
    x, picture, mask, t = (
        torch.randn(1, 3, 32, 32),
        torch.rand(1, 3, 32, 32),
        torch.ones(1, 1, 32, 32),
        torch.tensor([400]),
    )
    assert torch.equal(model(x, t), plain(x, t))
    assert torch.equal(model(x, t, surroundings_of(picture, mask)), plain(x, t))
    mask[..., :16] = 0
    assert float((model(x, t, surroundings_of(picture, mask)) - plain(x, t)).abs().amax()) > 0.01


@pytest.mark.parametrize("t", [1, 50, 200, 350, 500])
def test_preconditioning_gives_the_network_unit_variance(t):
    """Karras et al. 2022, appendix B.6: input and training target of F have variance 1 if the data have sigma_data."""
    rng = torch.Generator().manual_seed(t)
    x0 = 0.5 * torch.randn(64, 3, 32, 32, generator=rng)
    xt = q_sample(x0, t, torch.randn(x0.shape, generator=rng))
    c_skip, c_out, c_in = Denoiser(SMALL).preconditioning(torch.tensor([t]))
    assert float((c_in * xt).std()) == pytest.approx(1, rel=0.01)
    assert float(((x0 - c_skip * xt) / c_out).std()) == pytest.approx(1, rel=0.01)


def test_untrained_denoiser_is_the_best_linear_one():
    """The head starts at zero, so D = c_skip x_t: the posterior mean of N(0, sigma_data^2) data."""
    t = torch.tensor([300])
    xt = torch.randn(1, 3, 32, 32)
    sigma = float(sigmas()[300])
    alpha_bar = 1 / (1 + sigma**2)
    expected = xt / alpha_bar**0.5 * 0.25 / (sigma**2 + 0.25)
    assert torch.allclose(Denoiser(SMALL)(xt, t), expected, atol=1e-5)


def test_timestep_embedding_tells_timesteps_apart():
    embedding = timestep_embedding(torch.arange(1, 501), 64)
    distances = torch.cdist(embedding, embedding) + 9 * torch.eye(500)
    assert float(distances.min()) > 0.1


@torch.no_grad()
def test_the_fine_level_of_the_segmenter_starts_from_the_plain_one():
    torch.manual_seed(0)
    model = Segmenter(SegmenterConfig(base=16, mults=(1, 2, 2), fine=8)).eval()
    plain = Segmenter(SegmenterConfig(base=16, mults=(1, 2, 2))).eval()
    own = model.state_dict()
    plain.load_state_dict({name: own[name] for name in plain.state_dict()})
    x = torch.rand(1, 3, 64, 64)
    assert torch.equal(model(x), plain(x))
    torch.nn.init.normal_(model.fine.head.weight)
    assert float((model(x) - plain(x)).abs().min(dim=1).values.max()) > 0


def test_upscaler_adds_to_the_bicubic_picture():
    model = GeneratorResNet(UpscalerConfig(blocks=2))
    torch.nn.init.zeros_(model.head.weight)
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    bicubic = torch.nn.functional.interpolate(x, scale_factor=4.0, mode="bicubic", align_corners=False)
    assert torch.equal(model(x), bicubic)


@torch.no_grad()
def test_upscaler_that_knows_nothing_around_is_the_plain_one():
    torch.manual_seed(0)
    model = GeneratorResNet(UpscalerConfig(width=16, blocks=2, surroundings=True)).eval()
    for weight in (model.surroundings.weight, model.head.weight):
        torch.nn.init.normal_(weight, std=0.1)
    x, picture, mask = torch.randn(1, 3, 12, 12), torch.rand(1, 3, 48, 48), torch.ones(1, 1, 48, 48)
    assert torch.equal(model(x, surroundings_of(picture, mask)), model(x))
    mask[..., :24] = 0
    changed = (model(x, surroundings_of(picture, mask)) - model(x)).abs().amax(dim=(0, 1, 2))
    assert float(changed[:24].min()) > 0


def test_surroundings_show_nothing_of_what_is_masked():
    picture, mask = torch.rand(2, 3, 8, 8), (torch.rand(2, 1, 8, 8) > 0.5).float() * 0.3
    known = surroundings_of(picture, mask)
    hidden = (mask > 0).expand(-1, 4, -1, -1)
    assert known.shape == (2, 4, 8, 8) and not known[hidden].any()
    assert torch.equal(known[:, :3][~hidden[:, :3]], picture[~hidden[:, :3]])


@pytest.mark.parametrize("side", [1, 5, 9])
@pytest.mark.parametrize("bias", [None, torch.randn(3)])
def test_convolution_after_the_shuffle_needs_no_shuffle(side, bias):
    torch.manual_seed(side)
    h, weight = torch.randn(2, 4 * 6, 7, 5), torch.randn(3, 6, side, side, requires_grad=True)
    plain = torch.nn.functional.conv2d(torch.nn.functional.pixel_shuffle(h, 2), weight, bias, padding=side // 2)
    quick = conv_after_shuffle(h, weight, bias)
    assert torch.allclose(quick, plain, atol=1e-4)
    gradients = [torch.autograd.grad(out.square().sum(), weight)[0] for out in (plain, quick)]
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("blocks", [1, 16, 23])
def test_upscaler_looks_as_far_as_it_says(blocks):
    """With all weights above 0 nothing cancels out: the gradient of a pixel is above 0 wherever it comes from."""
    config = UpscalerConfig(width=1, blocks=blocks)
    model = GeneratorResNet(config).double()
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 0.3)
    middle = config.reach + 4
    x = torch.ones(1, 3, 2 * middle + 1, 3, dtype=torch.float64, requires_grad=True)
    seen = []
    for phase in range(4):  # of the four rows that one of the input becomes
        (gradient,) = torch.autograd.grad(model(x)[0, :, 4 * middle + phase, 4].sum(), x)
        seen += (gradient[0].sum(dim=(0, 2)) > 0).nonzero().flatten().tolist()
    assert max(middle - min(seen), max(seen) - middle) == config.reach
