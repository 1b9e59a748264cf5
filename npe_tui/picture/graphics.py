"""A still picture with all its pixels, for terminals that can show one: kitty's protocol and iTerm2's.

Which of them is there is told by the environment, or by the settings. Nothing is asked of the terminal, so nothing can
hang, and one that knows neither is sent nothing.
"""

from __future__ import annotations

import io
import struct
import sys
from base64 import standard_b64encode
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum

import numpy as np

CHUNK = 4096
"""Base64 characters in one of kitty's pieces."""
CELL = 10.0, 20.0
"""(width, height) in pixels of a cell, where the terminal does not tell."""
JPEG_QUALITY = 92
_KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
_KITTY_PROGRAMS = ("ghostty",)
_ITERM_PROGRAMS = ("iTerm.app", "WezTerm")


class Protocol(StrEnum):
    """How a terminal is sent a picture."""

    KITTY = "kitty"
    ITERM = "iterm2"


def multiplexer_of(environment: Mapping[str, str]) -> str | None:
    """The name of the multiplexer that stands between, which keeps graphics back; None if there is none."""
    for variable, name in (("TMUX", "tmux"), ("STY", "screen"), ("ZELLIJ", "zellij")):
        if variable in environment:
            return name
    return next((name for name in ("tmux", "screen") if environment.get("TERM", "").startswith(name)), None)


def choose_protocol(asked: str, environment: Mapping[str, str]) -> Protocol | str:
    """The protocol that was asked for, by its name; for ``auto`` that of the terminal. Or a sentence why there is none:
    none is asked for, none is known, or a multiplexer stands between."""
    if asked == "none":
        return 'The settings say graphics = "none".'
    if asked != "auto":
        return Protocol(asked)
    multiplexer = multiplexer_of(environment)
    if multiplexer is not None:
        return f"{multiplexer} keeps a terminal's graphics back: start npe outside it to see all pixels."
    return _protocol_of(environment) or (
        "This terminal has no graphics that are known here: kitty, ghostty, WezTerm and iTerm2 have. "
        "Does it have theirs? NPE_TUI_GRAPHICS=kitty npe, or iterm2, says so."
    )


def _protocol_of(environment: Mapping[str, str]) -> Protocol | None:
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if term in _KITTY_TERMS or program in _KITTY_PROGRAMS:
        return Protocol.KITTY
    if program:  # what else is told may be of the terminal that this one was started from
        return Protocol.ITERM if program in _ITERM_PROGRAMS else None
    if "KITTY_WINDOW_ID" in environment:
        return Protocol.KITTY
    return Protocol.ITERM if environment.get("LC_TERMINAL") == "iTerm2" else None  # the one that SSH passes on


def cell_of(terminal: int = 0) -> tuple[float, float]:
    """(width, height) in pixels of a cell of the terminal with this file descriptor; CELL where it does not tell."""
    if sys.platform != "win32":
        import fcntl
        import termios

        with suppress(OSError):
            size = fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8))
            rows, columns, width, height = struct.unpack("4H", size)
            if rows and columns and width and height:
                return width / columns, height / rows
    return CELL


def still(image: np.ndarray, protocol: Protocol, columns: int, rows: int, cell: tuple[float, float] = CELL) -> str:
    """What shows an (H, W, 3) uint8 picture at the cursor, as large as fits into so many cells, in its own shape.

    No more pixels are sent than are shown in cells of that size: as PNG, or as JPEG where the protocol knows it.
    """
    from PIL import Image  # late: the first frame needs none

    picture = Image.fromarray(image)
    picture.thumbnail((max(columns * cell[0], 1), max(rows * cell[1], 1)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if protocol is Protocol.ITERM:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    else:
        picture.save(buffer, "PNG", compress_level=6)
    width, height = _cells(picture.size, columns, rows, cell)
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


def _cells(size: tuple[int, int], columns: int, rows: int, cell: tuple[float, float]) -> tuple[int, int]:
    """The (columns, rows) that a picture of this (width, height) takes."""
    scale = min(columns * cell[0] / size[0], rows * cell[1] / size[1])
    return max(round(size[0] * scale / cell[0]), 1), max(round(size[1] * scale / cell[1]), 1)
