"""The public API is pinned: the README's five lines, the names, and who may import whom."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import npe_core.canvas
import npe_core.editor
import npe_core.faces
import npe_core.photo

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {folder.name for folder in (ROOT / "npe_core").iterdir() if (folder / "__init__.py").exists()} | {"blend"}
NAMES = {"PIL": "pillow", "cv2": "OpenCV", "opencv": "OpenCV"}


def told() -> dict[tuple[str, ...], tuple[set[str], set[str]]]:
    """The paths of each row of ARCHITECTURE.md's table, and what they import: at once, and late."""
    rows = re.findall(r"^\| (`npe_.*) \|.*\| (.*) \|$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    found = {}
    for first, imports in rows:
        paths = [path if path.startswith("npe_") else f"npe_core/{path}" for path in re.findall("`(.*?)`", first)]
        early, _, late = imports.partition("late: ")
        found[tuple(paths)] = set(re.findall(r"\w+", early)) - {"nothing"}, set(re.findall(r"\w+", late))
    return found


def imports(file: Path) -> tuple[set[str], set[str]]:
    """Rooms and libraries that a file imports, at once and late; not its own room, not what everything shares."""
    own = {"npe_tui"} if file.parts[0] == "npe_tui" else {file.parts[1].removesuffix(".py")}
    early, late = set(), set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        for package, *rest in (module.split(".") for module in modules):
            name = rest[0] if package == "npe_core" else package
            if package in sys.stdlib_module_names or (package == "npe_core" and name not in {*ROOMS, "opencv"}):
                continue
            name = NAMES.get(name, name)
            (early if node.col_offset == 0 and name != "OpenCV" else late).add(name)
    return early - own, late - own


def test_rooms_import_what_the_architecture_says():
    table, arrows = told(), {}
    found = {paths: (set(), set()) for paths in table}
    files = [path.relative_to(ROOT) for top in ("npe_core", "npe_tui") for path in (ROOT / top).rglob("*.py")]
    for file in files:
        if file.parent.name == "npe_core" and file.stem.startswith("__"):
            continue
        fits = [(len(path), paths) for paths in table for path in paths if file.as_posix().startswith(path)]
        assert fits, f"{file} stands in no row of the table"
        early, late = imports(file)
        row = found[max(fits)[1]]
        row[0].update(early)
        row[1].update(late)
        room = "npe_tui" if file.parts[0] == "npe_tui" else file.parts[1]
        arrows.setdefault(room, set()).update((early | late) & {*ROOMS, "npe_tui"})
    assert {paths: (early, late - early) for paths, (early, late) in found.items()} == table
    TopologicalSorter(arrows).prepare()  # raises CycleError where arrows point both ways


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
        (npe_core.editor, {"EditJob", "EditResult", "Editor", "FaceChoice", "Preview", "RegionMap"}),
        (npe_core.canvas, {"Brush", "Canvas", "Fill", "guided_filter"}),
        (npe_core.faces, {"Face", "FaceCrop", "choose_faces", "draw_faces", "find_faces"}),
    ],
)
def test_public_names(module, names):
    assert names == set(module.__all__)


@pytest.mark.parametrize(
    "rooms",
    [
        {
            "npe_core.cli": {"torch", "numpy", "PIL", "rich", "cv2", "textual"},
            "npe_core.daemon.service": {"torch", "PIL", "cv2", "watchdog", "rich", "textual"},
            "npe_core.canvas": {"torch", "cv2", "textual", "watchdog"},
            "npe_core.photo": {"torch", "cv2", "textual", "watchdog"},
            "npe_core.faces": {"torch", "cv2", "textual", "watchdog"},
        },
        {
            "npe_core.diffusion.samplers": {"npe_core.models", "PIL", "cv2"},
            "npe_core.models.denoiser": {"PIL", "cv2", "npe_core.canvas", "npe_core.photo"},
            "npe_core.editor": {"textual", "watchdog", "torchvision", "npe_core.training"},
        },
    ],
    ids=["without torch", "with torch"],
)
def test_rooms_import_only_what_they_may(rooms):
    """One process imports several, in an order in which none needs what a later one may not."""
    imported = "; ".join(f"import {module}; print(*sys.modules)" for module in rooms)
    program = [sys.executable, "-c", f"import sys; {imported}"]
    told = subprocess.run(program, capture_output=True, text=True, check=True).stdout.splitlines()
    for (module, forbidden), loaded in zip(rooms.items(), told, strict=True):
        assert module in loaded.split() and not forbidden & set(loaded.split()), module
