"""A picture as terminal cells: knows numpy and Textual, nothing of the editor."""

from npe_tui.picture.depth import Depth
from npe_tui.picture.view import PictureView
from npe_tui.picture.viewport import Viewport

__all__ = ["Depth", "PictureView", "Viewport"]
