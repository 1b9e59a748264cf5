"""What other rooms may rely on."""

import subprocess
import sys
from pathlib import Path

import npe_core.photo


def test_public_names():
    assert npe_core.photo.__all__ == [
        "MAX_MEGAPIXELS",
        "MIN_SIDE",
        "OUTPUT_FORMATS",
        "Photo",
        "check_output",
        "formats_of",
        "read_mask",
        "read_mask_or_paint",
        "read_paint",
        "write_atomically",
    ]
    assert all(getattr(npe_core.photo, name).__doc__ for name in ("Photo", "check_output", "read_mask", "read_paint"))


def test_the_import_is_light():
    script = (
        "import sys, npe_core.photo; print([m for m in ('torch', 'cv2', 'scipy', 'pillow_heif') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
