"""What the names in an inbox mean: which files belong together, which are not for us, which are not done yet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Set
from dataclasses import dataclass, field

from npe_core.filenames import printable, shortened
from npe_core.formats import INPUT_SUFFIXES

MASK, PARAMETERS = ".mask.png", ".json"
_MASK_STEM = MASK.removesuffix(".png")
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")
_RSYNC = re.compile(r"\.(.+)\.[A-Za-z0-9]{6}")
"""How rsync calls a file on its way: ``.NAME.EXT.Xa81Yz``."""
_ROOM = 246
"""Bytes of NAME in a file name; 255 less the longest ending, .mask.png."""


@dataclass(frozen=True)
class Part:
    """What one file name says."""

    stem: str
    """NAME, which the files of a job share."""
    role: str
    """photo, mask or parameters"""


def part_of(name: str) -> Part | None:
    """What a file is for, by its name alone; None for names that mean nothing here."""
    lower = name.lower()
    if is_hidden(name) or is_unfinished(name):
        return None
    if lower.endswith(MASK):
        return Part(name[: -len(MASK)], "mask")
    if lower.endswith(PARAMETERS):
        return Part(name[: -len(PARAMETERS)], "parameters")
    suffix = next((end for end in INPUT_SUFFIXES if lower.endswith(end)), None)
    return None if suffix is None else Part(name[: -len(suffix)], "photo")


def is_hidden(name: str) -> bool:
    """Dotfiles and editors' backups."""
    return name.startswith((".", "~"))


def is_unfinished(name: str) -> bool:
    """Names under which programs write what they will rename when it is whole."""
    return name.lower().endswith(_UNFINISHED) or name.startswith(".")


def final_name(name: str) -> str | None:
    """What a file on its way will be called, as far as its present name tells."""
    rsync = _RSYNC.fullmatch(name)
    end = next((end for end in _UNFINISHED if name.lower().endswith(end)), None)
    return rsync.group(1) if rsync else name[: -len(end)] if end else None


@dataclass(frozen=True)
class Group:
    """The files of one job, by name."""

    stem: str
    photo: str
    mask: str | None = None
    parameters: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The photo first."""
        return tuple(name for name in (self.photo, self.mask, self.parameters) if name is not None)

    @property
    def roles(self) -> dict[str, str]:
        """Name -> photo, mask or parameters."""
        return {name: role for role, name in vars(self).items() if role != "stem" and name is not None}


@dataclass(frozen=True)
class Waiting:
    """Files that cannot become a job yet."""

    names: tuple[str, ...]
    why: str


@dataclass
class Sorted:
    """An inbox, sorted out."""

    ready: list[Group] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    """Names of jobs that are complete but for files that may still be growing."""
    waiting: list[Waiting] = field(default_factory=list)


def with_ending(stem: str, ending: str) -> str:
    """Another NAME, for where that one is taken: as much of it as there is room for before the ending."""
    return shortened(stem, _ROOM - len(ending)) + ending


def sort_out(names: Iterable[str], settled: set[str], given_up: Set[str] = frozenset()) -> Sorted:
    """Who belongs together. A job waits for all files of its NAME, and for those on their way to a name not yet there.

    ``settled``: the names whose files are whole; ``given_up``: the temporary names that nobody waits for any more.
    """
    by_stem: dict[str, dict[str, list[str]]] = {}
    coming: dict[str, list[str]] = {}
    late: dict[tuple[str, str], list[str]] = {}
    for name in names:
        part = part_of(name)
        if part is not None:
            by_stem.setdefault(part.stem, {}).setdefault(part.role, []).append(name)
            continue
        final = final_name(name)
        if final is None or final in settled or (part := part_of(final)) is None:
            continue
        if name not in given_up:
            coming.setdefault(part.stem, []).append(name)
        late.setdefault((part.stem, part.role), []).append(_how_late(name, final, name in given_up))
    found = Sorted()
    alike: dict[str, list[str]] = {}
    for stem in by_stem:
        alike.setdefault(_looks(stem), []).append(stem)
    for stem, files in by_stem.items():
        every = tuple(sorted(name for role in files.values() for name in role))
        doubled = [role for role, known in files.items() if len(known) > 1]
        if doubled:
            found.waiting.append(Waiting(every, f"more than one {doubled[0]} has this name; rename one"))
        elif "photo" not in files:
            hints = late.get((stem, "photo"), [])
            found.waiting.append(Waiting(every, f"waits for its photo{_but(hints, stem, alike)}"))
        elif len(files) == 1 and stem.lower().endswith(_MASK_STEM):
            found.waiting.append(Waiting(every, f"looks like a mask; name it {printable(stem)}.png, saved as PNG"))
        elif len(files) == 1:
            wanted = f"{printable(stem)}{MASK} or {printable(stem)}{PARAMETERS}"
            hints = late.get((stem, "mask"), []) + late.get((stem, "parameters"), [])
            found.waiting.append(Waiting(every, f"waits for {wanted}{_but(hints, stem, alike)}"))
        elif stem in coming:
            found.unsettled.append(stem)
            parts = ", ".join(map(printable, sorted(coming[stem])))
            found.waiting.append(Waiting(every, f"waits for {parts}, until nobody has written to it for a while"))
        elif not settled.issuperset(every):
            found.unsettled.append(stem)
        else:
            found.ready.append(Group(stem, **{role: known[0] for role, known in files.items()}))
    return found


def _how_late(name: str, final: str, is_given_up: bool) -> str:
    """What is said of a temporary name to those who wait for the final one."""
    if is_given_up:
        return f"{printable(name)} was left behind: rename it to {printable(final)} if it is whole"
    return f"{printable(name)} is on its way"


def _but(hints: list[str], stem: str, alike: dict[str, list[str]]) -> str:
    """The hints, and one where files would belong together if their names were written alike."""
    others = [other for other in sorted(alike[_looks(stem)]) if other != stem]
    spelt = [other for other in others if other.casefold() == stem.casefold()]
    case = [f"{', '.join(map(printable, spelt))} differs from it by capital letters"] if spelt else []
    spelt = [other for other in others if other not in spelt]
    if spelt:
        case.append(f"{', '.join(map(printable, spelt))} is spelt with other Unicode letters that look the same")
    return "".join(f"; {hint}" for hint in [*sorted(hints), *case])


def _looks(stem: str) -> str:
    """The same for names that differ by capital letters, or by how letters with accents are put together."""
    return unicodedata.normalize("NFC", stem).casefold()
