"""From the 128-pixel result to a picture that looks real at full size: colour kept, detail brought back.

All functions are pure, over (B, C, H, W) float tensors; pictures lie in [-1, 1], masks and weights in [0, 1].
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from npe_core.colour import LUMA

RING = 3
"""Pixels of 128 over which drift is measured: more would be that of other places, fewer that of single pixels."""
DRIFT = 0.15
"""Of [-1, 1]: from about here on a difference counts as no drift. With 0.1 steps stayed at masks on cheeks."""
TEXTURE, TEXTURE_QUIET = 4.0, 0.006
"""The window, in pixels of a crop, in which fine textures are compared: about a pixel of the denoiser's. And the
contrast below which there is none: less than a level of 255."""
SAME, OTHER = 0.02, 0.08
"""Of [-1, 1]: the difference up to which the model has left a place alone, and that from which on it has not."""


def gaussian_blur(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of sigma pixels, edges mirrored."""
    radius = max(1, math.ceil(3 * sigma))
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype) / sigma) ** 2)
    taps = (taps / taps.sum()).expand(x.shape[1], 1, -1)
    x = F.pad(x, (radius, radius, radius, radius), mode="reflect")
    x = F.conv2d(x, taps[:, :, None, :], groups=x.shape[1])
    return F.conv2d(x, taps[:, :, :, None], groups=x.shape[1])


def luminance(x: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B, 1, H, W)."""
    weights = torch.tensor(LUMA, device=x.device, dtype=x.dtype)[None, :, None, None]
    return (x * weights).sum(dim=1, keepdim=True)


def keep_colour(
    result: Tensor, guide: Tensor, painted: Tensor, amount: float, sigma: float = 5.0, tint_sigma: float = 1.5
) -> Tensor:
    """Bring the low frequencies of the result to those of the paint, inside the paint only.

    The model may invent texture and light, but the colour is what was asked for: the tint (colour less luminance) is
    held down to ``tint_sigma`` pixels, the light only to ``sigma``. ``painted`` (B, 1, H, W) says where there is paint;
    amount 1 brings the local mean to the paint's, to 0.02 on the average and 0.1 at worst where ``painted`` is 1
    (measured); 0 leaves the result alone. The low frequencies are compared within the paint only (normalised
    convolution), so nothing bleeds in from outside. (The idea of ILVR, Choi et al. 2021, applied once at the end.)
    """

    def low(x: Tensor, width: float) -> Tensor:
        return gaussian_blur(painted * x, width) / gaussian_blur(painted, width).clamp_min(1e-3)

    drift = (guide - luminance(guide)) - (result - luminance(result))
    result = (result + amount * painted * low(drift, tint_sigma)).clamp(-1, 1)
    wanted = low(result, sigma) + amount * (low(guide, sigma) - low(result, sigma))
    for _ in range(3):  # of a pure colour clipping takes away a part of what is added
        result = (result + painted * (wanted - low(result, sigma))).clamp(-1, 1)
    return result


def match_ring(result: Tensor, original: Tensor, guide: Tensor, mask: Tensor, free: Tensor) -> Tensor:
    """Bring what was re-imagined to the colours that surround it, so that its border cannot be seen.

    The model's colours drift a little. How far is measured on a ring, ``RING`` pixels wide, at the edge of the mask,
    where the result should still be the original, and taken away inside: near a part of the ring as it is there, deep
    inside as the ring is on the whole (weights by the inverse cube of the distance, close to the membrane of Poisson
    cloning; mean-value cloning, Farbman et al. 2009, is much the same). Drift grows with the mask, hence the least
    squares. Differences much larger than ``DRIFT`` (root mean square of the channels) are no drift: something was there
    that the model took away, as a spot on the skin under a tight mask, and must not come back. They hardly count
    (weights of Geman and McClure). Nor is it drift where the result lies between the original and the paint of the
    guide: that much was asked for. ``mask`` and ``free``, how much a place takes part, are (B, 1, H, W); where ``free``
    is 0 nothing changes.
    """
    asked = guide - original
    whole = asked.square().sum(dim=1, keepdim=True).clamp_min(1e-6)
    along = ((result - original) * asked).sum(dim=1, keepdim=True) / whole
    expected = original + along.clamp(0, 1) * asked
    edge = F.max_pool2d((mask < 0.99).float(), 2 * RING + 1, stride=1, padding=RING)
    height, width = mask.shape[-2:]
    y, x = (torch.arange(2 * side, dtype=torch.float64) for side in (height, width))
    squared = torch.minimum(y, 2 * height - y)[:, None] ** 2 + torch.minimum(x, 2 * width - x) ** 2
    nearness = torch.fft.rfft2((squared + 0.5) ** -1.5)
    matched = []
    for own, before, share, near in zip(result, expected, free, edge, strict=True):  # one by one: batches change no bit
        if not bool((share * near).any()):
            matched.append(own)
            continue
        moved = own - before
        near = near / (1 + (moved / DRIFT).square().mean(dim=0, keepdim=True)).square()
        ring = torch.cat([moved * share * near, share * share * near]).cpu().double()
        reached = torch.fft.irfft2(torch.fft.rfft2(ring, s=(2 * height, 2 * width)) * nearness)[:, :height, :width]
        away = (reached[:3] / reached[3:].clamp_min(1e-9)).clamp(-1, 1).to(own)
        matched.append(torch.where(share > 0, (own - share * away).clamp(-1, 1), own))
    return torch.stack(matched)


def detail_weight(result: Tensor, guide: Tensor, sigma: float = 2.5, quiet: float = 0.03) -> Tensor:
    """How far the guide's fine detail still belongs to the result: (B, 1, H, W) in [0, 1].

    It is the local correlation of both luminances times the regression slope of the result on the guide (at most 1):
    1 where the shapes agree or where both are flat, 0 where the model drew something else. ``quiet`` is the contrast
    below which a difference is not a shape.
    """
    a, b = (luminance(x) for x in (result, guide))
    mean_a, mean_b = gaussian_blur(a, sigma), gaussian_blur(b, sigma)
    variance_a = (gaussian_blur(a * a, sigma) - mean_a**2).clamp_min(0)
    variance_b = (gaussian_blur(b * b, sigma) - mean_b**2).clamp_min(0)
    covariance = gaussian_blur(a * b, sigma) - mean_a * mean_b
    floor = quiet**2
    correlation = (covariance + floor) / ((variance_a + floor) * (variance_b + floor)).sqrt()
    slope = (covariance + floor) / (variance_b + floor)
    agreement = ((correlation - 0.3) / 0.5).clamp(0, 1)
    return agreement * slope.clamp(0, 1)


def texture_within(original: Tensor, guide: Tensor, inside: Tensor) -> Tensor:
    """How far the texture inside of paint is the original's, as that of a tint is: (B, 1, H, W) in [0, 1].

    ``inside`` (B, 1, H, W) is 1 where nothing but paint shows. Only that is compared (normalised convolution), so that
    the paint's own outline, which the original does not have, says nothing. 0 for flat paint.
    """
    share = gaussian_blur(inside, TEXTURE)

    def mean(x: Tensor) -> Tensor:
        return gaussian_blur(inside * x, TEXTURE) / share.clamp_min(1e-3)

    a, b = (x - mean(x) for x in map(luminance, (original, guide)))
    variance = mean(b * b)
    correlation = mean(a * b) / (mean(a * a) * variance).sqrt().clamp_min(1e-9)
    textured = variance / (variance + TEXTURE_QUIET**2)
    # Of tints 95 % of places lie above 0.93, of rough flat paint in the likeness of the photo 95 % below 0.72.
    return ((correlation - 0.7) / 0.2).clamp(0, 1) * textured * (share > 0.02)


def changed(result: Tensor, guide: Tensor) -> Tensor:
    """Where the result is no longer the guide: (B, 1, H, W), 0 up to a difference of ``SAME``, 1 from ``OTHER``.

    The largest difference of a channel in 3x3 pixels counts. It sees what ``detail_weight`` with its wide windows
    overlooks: a scratch that is gone.
    """
    difference = F.max_pool2d((result - guide).abs().amax(dim=1, keepdim=True), 3, stride=1, padding=1)
    return ((difference - SAME) / (OTHER - SAME)).clamp(0, 1)


def full_size(
    result: Tensor, guide: Tensor, restored: Tensor | None, own_texture: Tensor, size: int, least: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Base and weight with which the edited picture is ``base + weight * guide`` at any higher resolution.

    result, guide: (B, 3, h, h). restored: the super-resolved result (B, 3, size, size), or None for the bicubic one.
    own_texture: (B, 1, h, h), 1 where the guide's fine detail is the photograph's own (region fills, plain masks),
    0 where it is flat paint. The guide's detail above the h-pixel band is kept by ``weight``; where it no longer
    fits, the detail is the upscaler's, but for a share ``least`` (B, 1, h, h) of the guide's (None: none).
    Returns base (B, 3, size, size) and weight (B, 1, size, size).
    """

    def enlarge(x: Tensor) -> Tensor:  # upwards, antialias is the cubic of a = -0.5, not -0.75, in a third of the time
        return F.interpolate(x, size=(size, size), mode="bicubic", antialias=True, align_corners=False)

    fitting = detail_weight(result, guide)
    weight = F.interpolate(
        own_texture * (fitting if least is None else torch.maximum(fitting, least)),
        size=(size, size),
        mode="bilinear",
        align_corners=False,
    ).clamp(0, 1)
    if restored is None:
        return enlarge(result) - weight * enlarge(guide), weight
    return restored.lerp(enlarge(result - guide), weight), weight  # what is enlarged is enlarged in every term
