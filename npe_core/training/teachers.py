"""Optional helpers that live outside the project: a folder with ``teachers.py`` (LPIPS, VGG features).

Only training and evaluation use them, and only when ``--teachers DIR`` names the folder.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from npe_core.errors import InputError


def load_teachers(folder: Path) -> ModuleType:
    """The module ``teachers.py`` of that folder."""
    path = folder / "teachers.py"
    if not path.exists():
        raise InputError(f"{folder} holds no teachers.py; LPIPS and VGG-FD need it.")
    if "teachers" in sys.modules:
        return sys.modules["teachers"]
    spec = importlib.util.spec_from_file_location("teachers", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["teachers"] = module
    spec.loader.exec_module(module)
    return module
