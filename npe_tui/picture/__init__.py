"""A picture as terminal cells: knows boxes, colours and keys, nothing of what is edited."""

from npe_tui.picture.depth import Depth
from npe_tui.picture.view import PictureView
from npe_tui.picture.viewport import Viewport

__all__ = ["Depth", "PictureView", "Viewport"]
