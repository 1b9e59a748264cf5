"""The weights that are measured: those in use, those of a run, or a file."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from npe_core.errors import InputError
from npe_core.files import written
from npe_core.models.weights import MANIFEST, read_manifest, verify, weights_folder, write_manifest
from npe_core.training.release import release


@contextmanager
def weights_with(kind: str, weights: Path | None, ema: str) -> Iterator[Path]:
    """A weights folder to measure ``kind`` with: the one in use, or a passing one in which ``weights`` take its place.

    ``weights`` is a run's folder or exported weights. Raises InputError, WeightsError, EnvironmentFault.
    """
    if weights is None:
        yield weights_folder()
        return
    if not weights.is_dir() and weights.suffix != ".safetensors":
        raise InputError(
            f"{weights} is neither the folder of a run nor exported weights (.safetensors). Name one of the two."
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = read_manifest() if (weights_folder() / MANIFEST).exists() else {}
        others = {other: entry for other, entry in known.items() if other != kind}
        with written(folder):
            for entry in others.values():
                shutil.copyfile(verify(entry), folder / entry.file)
        write_manifest(others, folder)
        release(kind, weights, ema, folder=folder, any_side=True)
        yield folder
