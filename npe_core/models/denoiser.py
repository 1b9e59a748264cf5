"""The denoiser: a U-Net with self-attention and timestep conditioning that predicts x0 from x_t.

The network F is wrapped in the preconditioning of Karras et al. 2022 ("Elucidating the Design Space of
Diffusion-Based Generative Models", table 1), written for the variance-preserving x_t of DDPM: with
sigma = sqrt((1 - alpha_bar) / alpha_bar) and x = x_t / sqrt(alpha_bar),
D(x; sigma) = c_skip * x + c_out * F(c_in * x; t).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from npe_core.diffusion.prior import CoarseFaces
from npe_core.diffusion.schedule import TIMESTEPS, alpha_bars, draw_noise, q_sample
from npe_core.models.shapes import check_above_0, check_groups, check_levels
from npe_core.models.surroundings import CHANNELS

GROUPS = 32
"""Most groups of a normalisation."""
MOST_PRIOR = 32
"""Finer pictures are lost in the noise in which samples begin."""


@dataclass(frozen=True)
class DenoiserConfig:
    """Shape of the U-Net; stored beside its weights."""

    image_size: int = 128
    patch: int = 2
    """Pixel-unshuffle factor of the stem: the first level works at image_size / patch."""
    base: int = 64
    mults: tuple[int, ...] = (1, 2, 4, 4)
    blocks: int = 1
    """Residual blocks a level, on the way down and on the way up."""
    attention: tuple[int, ...] = (16, 8)
    """Self-attention at the levels of these heights."""
    head_width: int = 64
    sigma_data: float = 0.5
    """Standard deviation of the training images in [-1, 1]."""
    surroundings: bool = False
    """Whether the network is also shown the clean picture around what is edited."""
    prior: int = 0
    """Side of the coarse pictures that samples begin with, see ``diffusion/prior.py``; 0: none."""

    def __post_init__(self) -> None:
        """Raises ValueError for a shape that cannot be built."""
        check_above_0(image_size=self.image_size, patch=self.patch, base=self.base, blocks=self.blocks)
        check_above_0(head_width=self.head_width, sigma_data=self.sigma_data)
        check_levels(self.image_size, self.patch, self.mults)
        if self.base % 2:
            raise ValueError(f"base is {self.base}; expected an even number: timesteps become as many sines as cosines")
        if not 0 <= self.prior <= MOST_PRIOR:
            raise ValueError(f"prior is {self.prior}; expected 0, or the side of a coarse picture up to {MOST_PRIOR}")
        channels = [self.base * mult for mult in self.mults]
        check_groups([self.base, *channels, *(2 * count for count in channels)], GROUPS)
        for level, count in enumerate(channels):
            heads = max(1, count // self.head_width)
            if self.image_size // self.patch // 2**level in self.attention and count % heads:
                raise ValueError(f"{count} channels do not divide among {heads} heads of attention")


def group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(num_groups=min(GROUPS, channels // 4), num_channels=channels, eps=1e-5)


def timestep_embedding(t: Tensor, width: int) -> Tensor:
    """(B,) timesteps -> (B, width) sinusoids (Vaswani et al. 2017; frequencies from 1 to 1/10000)."""
    half = width // 2
    frequencies = torch.exp(-math.log(10000.0) * torch.arange(half, device=t.device, dtype=torch.float32) / half)
    phase = t.float()[:, None] * frequencies[None]
    return torch.cat([phase.cos(), phase.sin()], dim=1)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions; the timestep scales and shifts between them (Dhariwal & Nichol 2021, AdaGN)."""

    def __init__(self, channels_in: int, channels_out: int, width: int) -> None:
        super().__init__()
        self.norm_in = group_norm(channels_in)
        self.conv_in = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.modulation = nn.Linear(width, 2 * channels_out)
        self.norm_out = group_norm(channels_out)
        self.conv_out = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.skip = nn.Conv2d(channels_in, channels_out, 1) if channels_in != channels_out else nn.Identity()
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, dim=1)
        residual = self.conv_in(F.silu(self.norm_in(h)))
        residual = self.norm_out(residual) * (1 + scale) + shift
        return self.skip(h) + self.conv_out(F.silu(residual))


class SelfAttention(nn.Module):
    """Multi-head self-attention over all positions of a feature map."""

    def __init__(self, channels: int, head_width: int) -> None:
        super().__init__()
        self.heads = max(1, channels // head_width)
        self.norm = group_norm(channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, h: Tensor) -> Tensor:
        batch, channels, height, width = h.shape
        qkv = self.qkv(self.norm(h)).flatten(2).reshape(batch, 3, self.heads, channels // self.heads, -1)
        q, k, v = qkv.transpose(3, 4).unbind(1)  # each (B, heads, H*W, C/heads)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return h + self.out(mixed.transpose(2, 3).reshape(batch, channels, height, width))


class Level(nn.Module):
    """One residual block, with attention behind it where the level has it."""

    def __init__(self, channels_in: int, channels_out: int, width: int, attention: bool, head_width: int) -> None:
        super().__init__()
        self.block = ResidualBlock(channels_in, channels_out, width)
        self.attention = SelfAttention(channels_out, head_width) if attention else nn.Identity()

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        return self.attention(self.block(h, embedding))


class UNet(nn.Module):
    """F of the preconditioning: (B, 3, H, W) and timesteps (B,) -> (B, 3, H, W).

    With ``config.surroundings`` it takes beside them what of the clean picture is known, see ``surroundings_of``, as
    inpainting models do (Saharia et al. 2022, Palette): light and texture go on from there, even where x_t is nearly
    all noise. Without that argument nothing is known, and the network is the plain one.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        width = 4 * config.base
        channels = [config.base * mult for mult in config.mults]
        heights = [config.image_size // config.patch // 2**level for level in range(len(channels))]

        def level(channels_in: int, channels_out: int, height: int) -> Level:
            return Level(channels_in, channels_out, width, height in config.attention, config.head_width)

        self.embed = nn.Sequential(nn.Linear(config.base, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.stem = nn.Conv2d(3 * config.patch**2, config.base, 3, padding=1)
        if config.surroundings:  # no bias: knowing nothing adds nothing
            self.surroundings = nn.Conv2d(CHANNELS * config.patch**2, config.base, 3, padding=1, bias=False)
            nn.init.zeros_(self.surroundings.weight)

        self.down = nn.ModuleList()
        self.downsample = nn.ModuleList()
        current = config.base
        for depth, (wide, height) in enumerate(zip(channels, heights, strict=True)):
            self.down.append(
                nn.ModuleList(level(current if i == 0 else wide, wide, height) for i in range(config.blocks))
            )
            current = wide
            if depth < len(channels) - 1:
                self.downsample.append(nn.Conv2d(current, current, 3, stride=2, padding=1))

        self.middle = nn.ModuleList([level(current, current, heights[-1]), level(current, current, 0)])

        self.up = nn.ModuleList()
        self.upsample = nn.ModuleList()
        for depth in reversed(range(len(channels))):
            wide, height = channels[depth], heights[depth]
            self.up.append(
                nn.ModuleList(level(current + wide if i == 0 else wide, wide, height) for i in range(config.blocks))
            )
            current = wide
            if depth > 0:
                self.upsample.append(nn.Conv2d(current, channels[depth - 1], 3, padding=1))
                current = channels[depth - 1]

        self.norm = group_norm(current)
        self.head = nn.Conv2d(current, 3 * config.patch**2, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, t: Tensor, known: Tensor | None = None) -> Tensor:
        x = x.to(self.stem.weight.dtype)
        embedding = self.embed(timestep_embedding(t, self.config.base).to(x.dtype))
        h = self.stem(F.pixel_unshuffle(x, self.config.patch))
        if known is not None and self.config.surroundings:
            h = h + self.surroundings(F.pixel_unshuffle(known.to(x.dtype), self.config.patch))
        skips = []
        for depth, levels in enumerate(self.down):
            for level in levels:  # type: ignore[attr-defined]
                h = level(h, embedding)
            skips.append(h)
            if depth < len(self.downsample):
                h = self.downsample[depth](h)
        for level in self.middle:
            h = level(h, embedding)
        for depth, levels in enumerate(self.up):
            h = torch.cat([h, skips.pop()], dim=1)
            for level in levels:  # type: ignore[attr-defined]
                h = level(h, embedding)
            if depth < len(self.upsample):
                h = self.upsample[depth](F.interpolate(h, scale_factor=2.0, mode="nearest"))
        return F.pixel_shuffle(self.head(F.silu(self.norm(h))), self.config.patch)


class Denoiser(nn.Module):
    """D(x_t, t) -> x0: the U-Net inside its preconditioning. Call it with x_t of the DDPM forward process."""

    alpha_bar: Tensor

    def __init__(self, config: DenoiserConfig | None = None) -> None:
        super().__init__()
        self.config = config or DenoiserConfig()
        self.unet = UNet(self.config)
        alpha_bar = torch.tensor(alpha_bars(), dtype=torch.float32, device="cpu")  # no weights file has it
        self.register_buffer("alpha_bar", alpha_bar, persistent=False)
        self.prior = CoarseFaces(self.config.prior) if self.config.prior else None

    def begin(self, seeds: list[int]) -> tuple[Tensor, int]:
        """x_t (B, 3, S, S) on the CPU of pictures of which nothing is known, and t, the last that an edit may have.

        seeds (B). Weights without a prior begin with noise alone.
        """
        side, t = self.config.image_size, TIMESTEPS - 1
        eps = draw_noise((3, side, side), seeds)
        return (eps if self.prior is None else q_sample(self.prior.draw(seeds, side), t, eps)), t

    def preconditioning(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B,) timesteps -> c_skip, c_out, c_in, each (B, 1, 1, 1), applied to x_t (not to x_t / sqrt(alpha_bar))."""
        alpha_bar = self.alpha_bar[t][:, None, None, None]
        variance, data = (1 - alpha_bar) / alpha_bar, self.config.sigma_data**2
        c_skip = data / (variance + data) * alpha_bar.rsqrt()
        c_out = variance.sqrt() * self.config.sigma_data * (variance + data).rsqrt()
        c_in = (variance + data).rsqrt() * alpha_bar.rsqrt()
        return c_skip, c_out, c_in

    def forward(self, xt: Tensor, t: Tensor, known: Tensor | None = None) -> Tensor:
        """xt (B, 3, 128, 128), t (B,) int64 in 1..500 -> x0 (B, 3, 128, 128) float32, about [-1, 1].

        known (B, 4, 128, 128): see ``surroundings_of``; None where nothing is known. t is not checked: a look at it
        would wait for a GPU.
        """
        c_skip, c_out, c_in = self.preconditioning(t)
        inputs = [c_in * xt, t]
        if self.config.surroundings:  # always given, so that a compiled network has one form
            batch, _, height, width = xt.shape
            inputs.append(xt.new_zeros((batch, CHANNELS, height, width)) if known is None else known)
        return c_skip * xt + c_out * self.unet(*inputs).float()
