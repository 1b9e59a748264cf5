"""The upscaler: the generator of SRGAN (Ledig et al. 2017), x4, as a residual on the bicubic picture.

Batch normalisation is left out (Lim et al. 2017, EDSR): it costs time and shifts colours. Checkpoints that have it are
folded into the convolutions when they are imported.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npe_core.models.shapes import check_above_0
from npe_core.models.surroundings import CHANNELS

SCALE = 4
"""How many times as high and wide the result is."""
TAIL = 3
"""How far the layers behind the trunk look, in pixels of the input: upsampling 1 and a half, head 1, rounded up."""


@dataclass(frozen=True)
class UpscalerConfig:
    """Shape of the generator; stored beside its weights."""

    width: int = 64
    blocks: int = 16
    skip: str = "bicubic"
    """``bicubic``: the network adds to the bicubic picture. ``none``: tanh output, as published."""
    surroundings: bool = False
    """Whether the network also looks at the full-size picture around what is to be restored."""

    def __post_init__(self) -> None:
        """Raises ValueError for a shape that cannot be built."""
        check_above_0(width=self.width, blocks=self.blocks)
        if self.skip not in ("bicubic", "none"):
            raise ValueError(f"skip is {self.skip!r}; expected bicubic or none")

    @property
    def reach(self) -> int:
        """How far a pixel of the result looks, in pixels of the input: stem 4, a block 2, trunk 1, upsampling 1 and
        a half, head 1, rounded up."""
        return 8 + 2 * self.blocks


class ResidualBlock(nn.Module):
    """Conv, PReLU, conv, and the identity around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(width, width, 3, padding=1)
        self.activation = nn.PReLU()
        self.conv_out = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.conv_out(self.activation(self.conv_in(h)))


class GeneratorResNet(nn.Module):
    """(B, 3, H, W) RGB in [-1, 1] -> (B, 3, 4H, 4W) float32, about [-1, 1].

    With ``config.surroundings`` it takes what is already known at full size beside the small picture, see
    ``surroundings_of``: grain and sharpness can then go on across the border of an edit. Without that argument nothing
    is known, and the network is the plain one.
    """

    def __init__(self, config: UpscalerConfig | None = None) -> None:
        super().__init__()
        self.config = config or UpscalerConfig()
        width = self.config.width
        self.stem = nn.Conv2d(3, width, 9, padding=4)
        self.stem_activation = nn.PReLU()
        if self.config.surroundings:  # no bias: knowing nothing adds nothing
            self.surroundings = nn.Conv2d(CHANNELS * SCALE**2, width, 3, padding=1, bias=False)
            nn.init.zeros_(self.surroundings.weight)
        self.blocks = nn.ModuleList(ResidualBlock(width) for _ in range(self.config.blocks))
        self.trunk = nn.Conv2d(width, width, 3, padding=1)
        self.upsample = nn.ModuleList(nn.Conv2d(width, 4 * width, 3, padding=1) for _ in range(2))
        self.upsample_activation = nn.ModuleList(nn.PReLU() for _ in range(2))
        self.head = nn.Conv2d(width, 3, 9, padding=4)
        for block in self.blocks:
            nn.init.zeros_(block.conv_out.weight)  # type: ignore[union-attr, arg-type]
            nn.init.zeros_(block.conv_out.bias)  # type: ignore[union-attr, arg-type]
        if not self.head.weight.is_meta:  # where it would import torch._dynamo, two seconds, and be for nothing
            nn.init.normal_(self.head.weight, std=1e-3)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, known: Tensor | None = None, shown: tuple[slice, slice] | None = None) -> Tensor:
        """``shown``, rows and columns of x, is of what alone there is a result, the same but for ``TAIL`` pixels at its
        borders: the layers behind the trunk, half of the work, do not see the rest."""
        rows, columns = shown or (slice(0, x.shape[2]), slice(0, x.shape[3]))
        dtype = self.stem.weight.dtype
        shallow = self.stem(x.to(dtype))
        if known is not None and self.config.surroundings:
            shallow = shallow + self.surroundings(F.pixel_unshuffle(known.to(dtype), SCALE))
        shallow = self.stem_activation(shallow)
        h = shallow
        for block in self.blocks:
            h = block(h)
        h = (shallow + self.trunk(h))[..., rows, columns]
        first, second = self.upsample
        h = self.upsample_activation[0](F.pixel_shuffle(first(h), 2))
        h = self.upsample_activation[1](second(h))  # (B, 4 * width, 2H, 2W): the shuffle to 4H x 4W is left to the head
        residual = conv_after_shuffle(h, self.head.weight, self.head.bias).float()
        if self.config.skip == "none":
            return torch.tanh(residual)
        bicubic = F.interpolate(x.float(), scale_factor=float(SCALE), mode="bicubic", align_corners=False)
        return bicubic[..., enlarged(rows), enlarged(columns)] + residual


def enlarged(part: slice) -> slice:
    """Rows or columns of the input as those of the result."""
    return slice(SCALE * part.start, SCALE * part.stop)


def conv_after_shuffle(h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``conv2d(pixel_shuffle(h, 2), weight, bias, padding=k // 2)`` without the shuffled picture, a third of the time.

    h (B, 4C, H, W), weight (O, C, k, k) with k = 1, 5, 9, ..., -> (B, O, 2H, 2W). The 2x2 pixels that one position of
    h stands for are computed together, as 4 * O channels of a convolution that is half as wide: with the three colours
    as the only channels most of a processor's vector would be empty.
    """
    out, channels, side = weight.shape[:3]
    moved = [F.pad(weight, (q, 1 - q, p, 1 - p)) for p in range(2) for q in range(2)]  # (O, C, k + 1, k + 1) each
    reach = (side + 1) // 2
    phases = torch.stack(moved, dim=1).reshape(4 * out, channels, reach, 2, reach, 2)
    phases = phases.permute(0, 1, 3, 5, 2, 4).reshape(4 * out, 4 * channels, reach, reach)
    phases = phases.contiguous(memory_format=torch.channels_last)
    biases = None if bias is None else bias.repeat_interleave(4)
    return F.pixel_shuffle(F.conv2d(h, phases, biases, padding=reach // 2), 2)
