"""What a person sees of a widget: its cells as they go to the terminal, their fills and contrasts."""

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, MONOKAI, TerminalTheme
from textual.strip import Strip
from textual.widget import Widget


def cells(widget: Widget, row: int = 0) -> list[Segment]:
    """A line of it as it is on the screen, whatever lies around it."""
    at, compositor = widget.region, widget.app.screen._compositor
    line = at.y + row
    chops = compositor._render_chops(compositor.size.region, line.__eq__)  # as render_strips, which renders all lines
    return [segment for segment in Strip.join(chops[line].values()).crop(at.x, at.right) if segment.text]


def fill(style: Style | None, theme: str = "") -> tuple[int, ...]:
    """RGB of what lies under the text, in a terminal that is as light or dark as the theme's name says."""
    return _rgb(style or Style.null(), theme)[1]


def readable(style: Style | None, theme: str = "") -> float:
    """How well the text is told from what it stands on."""
    return contrast(*_rgb(style or Style.null(), theme))


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """1 to 21, by WCAG 2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _rgb(style: Style, theme: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    terminal: TerminalTheme = DEFAULT_TERMINAL_THEME if theme.endswith("light") else MONOKAI
    front = tuple((style.color or Color.default()).get_truecolor(terminal))
    back = tuple((style.bgcolor or Color.default()).get_truecolor(terminal, foreground=False))
    if style.reverse:
        front, back = back, front
    if style.dim:
        front = tuple((a + b) // 2 for a, b in zip(front, back, strict=True))
    return front, back


def _luminance(rgb: tuple[int, ...]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
