"""The edit document: paint and a soft mask over a picture, with undo. numpy, and OpenCV for soft edges when the
first is needed; nothing here imports torch."""

from npe_core.canvas.document import Fill
from npe_core.canvas.guided import guided_filter
from npe_core.canvas.stroke import Brush
from npe_core.canvas.tools import Canvas

__all__ = ["Brush", "Canvas", "Fill", "guided_filter"]
