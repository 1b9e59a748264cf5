"""The public API is pinned: the README's five lines, the names, and who may import whom."""

import subprocess
import sys

import pytest

import npe_core.canvas
import npe_core.editor
import npe_core.faces
import npe_core.photo


def test_the_five_lines_of_the_readme(portrait, tmp_path):
    from npe_core.canvas import Canvas
    from npe_core.editor import Editor
    from npe_core.photo import Photo

    photo = Photo.open(portrait)
    editor = Editor(device="auto")
    canvas = Canvas(photo.image, editor.segment(photo))
    canvas.fill("hair", "#8b2500")
    editor.edit(photo, canvas, timestep=300, seed=1).save(tmp_path / "edited.png")

    again = Photo.open(tmp_path / "edited.png")
    assert again.size == photo.size
    assert again.parameters["regions"] == {"hair": "#8b2500"} and again.parameters["seed"] == 1


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (npe_core.editor, {"EditResult", "Editor", "FaceChoice", "Preview", "RegionMap"}),
        (npe_core.canvas, {"Brush", "Canvas", "Fill", "guided_filter"}),
        (npe_core.faces, {"Face", "FaceCrop", "choose_faces", "draw_faces", "find_faces"}),
    ],
)
def test_public_names(module, names):
    assert names <= set(module.__all__)


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("npe_core.canvas", {"torch", "cv2", "textual", "watchdog"}),
        ("npe_core.photo", {"torch", "cv2", "textual", "watchdog"}),
        ("npe_core.faces", {"torch", "cv2", "textual", "watchdog"}),
        ("npe_core.diffusion.samplers", {"npe_core.models", "PIL", "cv2"}),
        ("npe_core.models.denoiser", {"PIL", "cv2", "npe_core.canvas", "npe_core.photo"}),
        ("npe_core.editor", {"textual", "watchdog", "torchvision", "npe_core.training"}),
        ("npe_core.daemon.service", {"torch", "PIL", "cv2", "watchdog", "rich", "textual"}),
        ("npe_core.cli", {"torch", "numpy", "PIL", "rich", "cv2", "textual"}),
    ],
)
def test_rooms_import_only_what_they_may(module, forbidden):
    program = f"import sys, {module}; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not forbidden & set(loaded)
