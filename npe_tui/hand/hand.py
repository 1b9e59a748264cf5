"""The hand of the person: the tool that it holds, and what a press, a drag and a release with it do to the canvas."""

from __future__ import annotations

from dataclasses import dataclass

from npe_core.canvas import Canvas

PAINTS = ("brush", "marker", "eraser")
"""The tools that draw strokes."""
PICKS = ("whole", "piece", "several")
"""What a pick takes: a whole region, the connected piece of it, or a region along with those picked just before."""


@dataclass
class Hand:
    """A tool with its settings."""

    tool: str = "pick"
    """pick, brush, marker, eraser or dropper"""
    colour: str = "#8b2500"
    radius: float = 10.0
    """Photo pixels."""
    hardness: float = 0.8
    """0..1"""
    opacity: float = 1.0
    """0..1, of the brush's paint."""
    tint: bool = False
    """Whether the brush's paint takes the photo's light and texture."""
    picks: str = "whole"
    """One of ``PICKS``."""
    drawing: bool = False
    """Whether a stroke is under way."""

    @property
    def paints(self) -> bool:
        """Whether the tool draws strokes."""
        return self.tool in PAINTS

    def press(self, canvas: Canvas, x: float, y: float) -> None:
        """Begin a stroke at a photo point. For tools that paint."""
        if self.tool == "brush":
            canvas.begin_stroke(self.colour, self.radius, self.hardness, self.opacity, tint=self.tint)
        else:
            canvas.begin_stroke(None, self.radius, self.hardness, erase=self.tool == "eraser")
        self.drawing = True
        canvas.extend_stroke([(x, y)])

    def drag(self, canvas: Canvas, x: float, y: float) -> None:
        """Draw on to a photo point; nothing if no stroke is under way."""
        if self.drawing:
            canvas.extend_stroke([(x, y)])

    def release(self, canvas: Canvas) -> bool:
        """End the stroke; returns whether there was one that changed anything."""
        if not self.drawing:
            return False
        self.drawing = False
        return canvas.end_stroke()

    def resize(self, factor: float, most: float) -> None:
        """A larger or smaller brush, between half a pixel and ``most``; in whole pixels where it has some."""
        radius = self.radius * factor
        if radius >= 4:
            radius = float(round(radius))
            if radius == self.radius:
                radius += 1 if factor > 1 else -1
        self.radius = min(max(radius, 0.5), most)
