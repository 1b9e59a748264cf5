"""The editor: where photo, faces, canvas, models and diffusion meet.

::

    photo = Photo.open("portrait.jpg")
    editor = Editor(device="auto")
    canvas = Canvas(photo.image, editor.segment(photo))
    canvas.fill("hair", "#8b2500")
    editor.edit(photo, canvas, timestep=200, seed=1).save("edited.png")
"""

from npe_core.editor.editor import Editor
from npe_core.editor.face_choice import FaceChoice
from npe_core.editor.job import EditJob
from npe_core.editor.region_map import RegionMap
from npe_core.editor.result import EditResult, Preview

__all__ = ["EditJob", "EditResult", "Editor", "FaceChoice", "Preview", "RegionMap"]
