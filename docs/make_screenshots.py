"""Makes docs/images/terminal.png: the terminal editor after an edit of a sample, drawn cell by cell.

python docs/make_screenshots.py
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.style import Style
from rich.terminal_theme import MONOKAI

ROOT = Path(__file__).resolve().parents[1]
CELL = 9, 18
"""Pixels of a terminal cell."""
SIZE = 120, 40


def draw(app) -> Image.Image:
    """The screen as a terminal with square-ish cells would show it; half blocks exactly."""
    width, height = CELL
    picture = Image.new("RGB", (app.size.width * width, app.size.height * height))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.truetype("DejaVuSansMono.ttf", 15)
    for row, strip in enumerate(app.screen._compositor.render_strips()):
        column = 0
        for segment in strip:
            front, back = colours(segment.style or Style.null())
            for character in segment.text:
                x, y = column * width, row * height
                pen.rectangle([x, y, x + width - 1, y + height - 1], fill=back)
                halves = {"▀": (0, 0, width, height // 2), "▌": (0, 0, width // 2, height)}
                if character in halves:
                    left, top, right, bottom = halves[character]
                    pen.rectangle([x + left, y + top, x + right - 1, y + bottom - 1], fill=front)
                elif character != " ":
                    pen.text((x, y), character, fill=front, font=font)
                column += 1
    return picture


def colours(style: Style) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Foreground and background of a style."""
    front = tuple(style.color.get_truecolor(MONOKAI)) if style.color else (216, 214, 210)
    back = tuple(style.bgcolor.get_truecolor(MONOKAI, foreground=False)) if style.bgcolor else (22, 22, 23)
    if style.dim:
        front = tuple((a + b) // 2 for a, b in zip(front, back, strict=True))
    return (back, front) if style.reverse else (front, back)


async def make() -> None:
    from npe_tui.app import NpeApp
    from npe_tui.config import Config

    app = NpeApp(Config(colour="#8b2500", autosave=0.0), ROOT / "samples" / "ana.png")

    async def until(met: Callable[[], object]) -> None:
        while not met():
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)

    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: app.editing and app.editing.document and app.editing.document.regions is not None)
        document = app.editing.document
        await pilot.press("7")
        await until(lambda: document.marked)
        await pilot.press("s", "g")
        await until(lambda: document.result is not None)
        target = ROOT / "docs" / "images" / "terminal.png"
        draw(app).save(target, optimize=True)
        print(target)


if __name__ == "__main__":
    os.environ |= {"COLORTERM": "truecolor", "XDG_STATE_HOME": tempfile.mkdtemp()}
    asyncio.run(make())
