"""Recent photos and colours, kept between sessions. What cannot be read or written is quietly forgotten."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from npe_core import files
from npe_tui.files import places

_MOST = {"photos": 12, "colours": 12}


class Recent:
    """Two lists, newest first, in one JSON file that all sessions share."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "recent.json"
        self._lists: dict[str, list[str]] = {kind: [] for kind in _MOST}
        self._read()

    @property
    def photos(self) -> list[Path]:
        """Those that are still to be found, newest first."""
        return [path for path in map(Path, self._lists["photos"]) if places.is_file(path)]

    @property
    def colours(self) -> list[str]:
        """``#rrggbb``, newest first."""
        return list(self._lists["colours"])

    def add_photo(self, path: Path) -> None:
        """Puts a photo first."""
        self._add("photos", str(path.absolute()))

    def add_colour(self, colour: str) -> None:
        """Puts a colour first."""
        self._add("colours", colour)

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stored = json.loads(self._file.read_text(encoding="utf-8"))
            for kind, most in _MOST.items():
                self._lists[kind] = [word for word in stored.get(kind, []) if isinstance(word, str)][:most]

    def _add(self, kind: str, word: str) -> None:
        if self._lists[kind][:1] == [word]:
            return
        self._read()  # another session may have added to it
        self._lists[kind] = [word, *(other for other in self._lists[kind] if other != word)][: _MOST[kind]]
        # Not durable: a key that picks a colour does not wait for a disk.
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            files.replace(self._file, json.dumps(self._lists, indent=1).encode(), durable=False)
