"""How firmly an edit is held to the colours of its paint and the detail of its photo, by its timestep."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from npe_core.blend import gaussian_blur, keep_colour, match_ring
from npe_core.diffusion.masked import masked_edit
from npe_core.diffusion.samplers import Callback, Denoise
from npe_core.editor.engine import Engine
from npe_core.editor.views import Views
from npe_core.strength import Strength

SUBTLE = 300
"""Up to this timestep the light of a fill is its photo's; beyond it the model may repaint more and more."""
QUIET = 2.0
"""Width of the smoothing, in pixels of 128, that tells how much structure a fill has at a place."""
FLAT_EDGE = 1.2
"""Width of the smoothing, in pixels of 128, that finds the edge of flat paint, which the model may draw as it likes."""

BROAD, UNLIKE, UNTIL = 1.2, 0.3, 150
"""On the way what paint shows, smoothed by so many pixels of 128, is kept but for so much, the length of the difference
of two colours in [-1, 1], down to such a timestep (docs/experiments.md)."""


def walk(
    engine: Engine,
    original: Tensor,
    guide: Tensor,
    mask: Tensor,
    painted: Tensor,
    strength: Strength,
    seeds: list[int],
    callback: Callback | None = None,
) -> Tensor:
    """``masked_edit`` by the engine's denoiser, near the paint: x0 (B, 3, H, W).

    painted (B, 1, H, W) in [0, 1]: where the mask has paint. Raises EnvironmentFault if no numbers came out, and what
    ``callback`` raises.
    """
    denoise = near_paint(engine.denoise_within(original, mask), guide, painted * mask)
    return engine.finite(masked_edit(denoise, original, guide, mask, strength, seeds, callback), "denoiser")


def near_paint(denoise: Denoise, guide: Tensor, painted: Tensor) -> Denoise:
    """``denoise`` that does not turn away from the paint: its predictions show what ``guide`` does, but for details.

    What surrounds paint often speaks against it: beside a closed mouth a painted smile is unlikely, and each call of
    the denoiser leaves less of it. Paint is rough, so a prediction may differ up to ``UNLIKE``; what is beyond is taken
    back (ILVR, Choi et al. 2021, takes back all). guide (B, 3, H, W) in [-1, 1]; painted (B, 1, H, W) in [0, 1].
    """
    within = gaussian_blur(painted, BROAD).clamp_min(1e-3)

    def near(xt: Tensor, t: int) -> Tensor:
        x0 = denoise(xt, t).clamp(-1, 1)
        if t <= UNTIL:
            return x0
        apart = gaussian_blur(painted * (guide - x0), BROAD) / within
        length = apart.norm(dim=1, keepdim=True)
        return x0 + painted * apart * (1 - UNLIKE / length.clamp_min(UNLIKE))

    return near


def settle(result: Tensor, views: Views, own: Tensor, timestep: int) -> Tensor:
    """The diffusion model's result in the colours of the paint and, but for fills, without a seam to what is around.

    ``own`` (B, 1, 128, 128): 1 where the fine detail of the canvas is the photo's, as in a fill, 0 where it is flat.
    """
    held = hold_to_paint(result, views, own, timestep)
    return match_ring(held, views.original, views.guide, views.mask, views.mask * (1 - views.painted * own))


def hold_to_paint(result: Tensor, views: Views, own: Tensor, timestep: int) -> Tensor:
    """The result with the colour and the light of the paint.

    A fill carries the photo's own light and shade: up to t = 300 the model may not repaint them, beyond it more and
    more; where a fill is smooth it draws no structure of its own. Flat paint (``own`` 0) has none to go by, and its
    outlines were drawn by hand: only its broad colours are held, less and less as the picture is freer, and at its edge
    nothing is.
    """
    painted = views.painted * views.mask
    held = keep_colour(result, views.guide, painted, colour_hold(timestep), sigma=light_scale(timestep))
    held = held + painted * (quieted(held, views.guide, contrast_hold(timestep)) - held)
    if bool((own < 1).any()):
        inner = painted * away_from_edges(painted)
        broad = keep_colour(result, views.guide, painted, flat_hold(timestep), tint_sigma=3.0)
        flat = result + inner * (broad - result)
        held = flat + own * (held - flat)
    return held


def quieted(result: Tensor, guide: Tensor, most: float) -> Tensor:
    """The result with what it adds to the guide damped where that has more than ``most`` times the guide's contrast.

    Smooth walls otherwise get ripples, several times as strong as their own grain (docs/experiments.md). Contrasts are
    root mean squares over all channels in a window of ``QUIET``.
    """
    added, own = result - guide, guide - gaussian_blur(guide, QUIET)
    drawn, there = (gaussian_blur(x.square().mean(dim=1, keepdim=True), QUIET).sqrt() for x in (added, own))
    return guide + added * (most * there / drawn.clamp_min(1e-6)).clamp(max=1).square()


def away_from_edges(painted: Tensor) -> Tensor:
    """(B, 1, H, W) in [0, 1]: 0 at the edge of paint, 1 in its middle, also of strokes that are nearly all edge."""
    soft, near = gaussian_blur(painted, FLAT_EDGE), 2 * round(2 * FLAT_EDGE) + 1
    ridge = F.max_pool2d(soft, near, stride=1, padding=near // 2)
    return ((soft / ridge.clamp_min(1e-3) - 0.5) / 0.4).clamp(0, 1)


def light_scale(timestep: int) -> float:
    """The finest light, in pixels of 128, that the model may repaint on a fill.

    What it repaints of hair at up to t = 300 are ripples rather than strands, so the photo's own go nearly all the way.
    """
    subtle, dramatic = (min(1.0, max(0.0, (timestep - first) / span)) for first, span in ((150, 150), (325, 150)))
    return 0.7 + 0.3 * subtle + 4.0 * dramatic**1.5


def colour_hold(timestep: int) -> float:
    """How firmly the colour of a fill is kept: wholly up to t = 300, then less, as the picture is freer."""
    return 1.0 - 0.4 * max(0.0, (timestep - SUBTLE) / 200)


def contrast_hold(timestep: int) -> float:
    """How many times the contrast of a fill the model's additions may have: less up to t = 300, then more.

    As much as there is made blotches beside nose and brows of skin that was darkened, whose contrast is that of shapes.
    """
    return 0.4 + 1.6 * max(0.0, (timestep - SUBTLE) / 100)


def flat_hold(timestep: int) -> float:
    """The same for flat paint: wholly up to t = 200, half at 300, not at all from 400."""
    return min(1.0, max(0.0, (400 - timestep) / 200))


def least_detail(timestep: int) -> float:
    """The share of the photo's own fine detail that a fill keeps in any case: much up to t = 250, none from 450.

    Strands finer than the 128-pixel band hardly contradict any shape in it. Where nothing was painted, what was there
    was to go, and its detail is kept only where the result agrees.
    """
    return 0.75 * min(1.0, max(0.0, (450 - timestep) / 200))
