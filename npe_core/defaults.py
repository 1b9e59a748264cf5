"""How an edit goes when nobody says: one place for commands, editor, watch folder and terminal. Imports nothing."""

from __future__ import annotations

MAX_MEGAPIXELS = 64
"""Of a photo: one of so many takes 192 MB as uint8 RGB, and an edit holds a few copies of it."""
TIMESTEP = 250
"""Of 500: how much noise an edit starts from (200-300 subtle, 350-475 dramatic)."""
STEPS = 4
"""Calls of the diffusion model."""
SAMPLERS = ("lcm", "dpmpp", "ddim", "ddpm")
"""How the noise is taken away; the first is the default."""
SAMPLER = SAMPLERS[0]
SAMPLERS_FROM_NOISE = ("restart", *SAMPLERS)
"""The same of faces out of nothing but noise, which take more calls."""
