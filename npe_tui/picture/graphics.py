"""A still picture with all its pixels, for terminals that can show one: kitty's protocol and iTerm2's.

Which of them is there is told by the environment alone. Nothing is asked of the terminal, so nothing can hang, and one
that knows neither is sent nothing.
"""

from __future__ import annotations

import io
from base64 import standard_b64encode
from collections.abc import Mapping
from enum import StrEnum

import numpy as np

CHUNK = 4096
"""Base64 characters in one of kitty's pieces."""
LARGEST = 2048
"""Pixels of the longer side that are sent: more than a terminal shows."""
_KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
_KITTY_PROGRAMS = ("ghostty",)
_ITERM_PROGRAMS = ("iTerm.app", "WezTerm")


class Protocol(StrEnum):
    """How a terminal is sent a picture."""

    KITTY = "kitty"
    ITERM = "iterm2"


def protocol_of(environment: Mapping[str, str]) -> Protocol | None:
    """The protocol of the terminal, None if it has none that is known, or if a multiplexer stands between."""
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if {"TMUX", "STY", "ZELLIJ"} & environment.keys() or term.startswith(("screen", "tmux")):
        return None
    if term in _KITTY_TERMS or program in _KITTY_PROGRAMS:
        return Protocol.KITTY
    if program:  # what else is told may be of the terminal that this one was started from
        return Protocol.ITERM if program in _ITERM_PROGRAMS else None
    if "KITTY_WINDOW_ID" in environment:
        return Protocol.KITTY
    return Protocol.ITERM if environment.get("LC_TERMINAL") == "iTerm2" else None  # the one that SSH passes on


def still(image: np.ndarray, protocol: Protocol, columns: int, rows: int) -> str:
    """What shows an (H, W, 3) uint8 picture at the cursor, as large as fits into so many cells, in its own shape."""
    from PIL import Image  # late: the first frame needs none

    picture = Image.fromarray(image)
    picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=3)
    width, height = _cells(picture.size, columns, rows)
    encoded = standard_b64encode(buffer.getvalue()).decode()
    if protocol is Protocol.ITERM:
        keys = f"inline=1;size={buffer.tell()};width={width};height={height};preserveAspectRatio=1"
        return f"\x1b]1337;File={keys}:{encoded}\a"
    chunks = [encoded[start : start + CHUNK] for start in range(0, len(encoded), CHUNK)]
    last = len(chunks) - 1
    # a=T: take and show; f=100: PNG; q=2: no answers, which would be read as keys
    heads = [f"a=T,f=100,q=2,c={width},r={height}," if number == 0 else "" for number in range(len(chunks))]
    pieces = zip(heads, chunks, strict=True)
    return "".join(f"\x1b_G{head}m={int(at < last)};{chunk}\x1b\\" for at, (head, chunk) in enumerate(pieces))


def erased(protocol: Protocol) -> str:
    """What takes the stills from a screen that is the program's own, and from the terminal's memory.

    Those of iTerm2 are in the cells, and go with them.
    """
    return "\x1b_Ga=d,d=A,q=2\x1b\\" if protocol is Protocol.KITTY else ""


def _cells(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """The cells that a picture of this (width, height) takes: a cell is twice as high as wide."""
    scale = min(columns / size[0], 2 * rows / size[1])
    return max(round(size[0] * scale), 1), max(round(size[1] * scale / 2), 1)
