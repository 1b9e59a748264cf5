"""Faces of a whole photo: find them, cut them out as the models know them, bring maps of them back.

The detector and OpenCV are imported when they are first needed.
"""

from npe_core.faces.crop import FaceCrop
from npe_core.faces.detection import find_faces
from npe_core.faces.drawing import draw_faces
from npe_core.faces.face import Face, choose_faces

__all__ = ["Face", "FaceCrop", "choose_faces", "draw_faces", "find_faces"]
