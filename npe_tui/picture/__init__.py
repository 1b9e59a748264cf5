"""A picture as terminal cells: knows numpy and Textual, nothing of the editor."""

from npe_tui.picture.view import PictureView
from npe_tui.picture.viewport import Viewport

__all__ = ["PictureView", "Viewport"]
