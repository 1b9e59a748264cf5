"""Paint and mask of one moment, as they go into a file of their own."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from npe_core.canvas import Canvas
from npe_core.errors import InputError

NOTHING_MARKED = "Nothing is marked yet: pick a region, or paint."
"""What a person is told who wants to enhance or save what is not there."""


@dataclass(frozen=True)
class Paint:
    """What was on a canvas; that goes on changing meanwhile."""

    canvas: Canvas
    """A copy that nobody changes."""
    revision: int
    """Of the canvas that it was copied from."""

    def write(self, path: Path, force: bool, source: Path | None) -> tuple[str, ...]:
        """Writes an RGBA PNG, as ``npe edit --paint`` reads it, or a mask alone in grey, for ``--mask``.

        ``source``: the photo, which is never written to. Returns notes on what the file cannot say. Raises InputError
        for another suffix, and where nothing is marked, UsageError and EnvironmentFault as ``EditResult.save`` does.
        """
        from PIL import Image

        from npe_core.photo import check_output, write_atomically

        if check_output(path, force, [source]) != "PNG":
            raise InputError(f"Paint is saved as PNG; {path.name} has another suffix. Use {path.stem}.png.")
        painted, marked = self.canvas.painted, self.canvas.levels > 0
        if not marked.any():
            raise InputError(NOTHING_MARKED)
        has_paint, has_bare = bool(painted.any()), bool((marked & ~painted).any())
        content = io.BytesIO()
        Image.fromarray(self.canvas.as_paint() if has_paint else self.canvas.levels).save(content, "PNG")
        write_atomically(path, content.getvalue(), force, [source])
        if has_paint and has_bare:
            return ("What is marked without paint has the photo's own colours in the file, which are taken for paint.",)
        return () if has_paint else ("Nothing is painted: the file is a mask, for npe edit --mask.",)
