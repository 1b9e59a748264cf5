"""What is written down about a job inside its folder, so that a new process can go on with it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from npe_core.daemon.files import Files, open_regular, read_small, reading
from npe_core.daemon.names import Group, part_of
from npe_core.filenames import NAME_ROOM, printable, shortened

JOURNAL, RESULT, REASON, REPORT = ".job.json", ".result", "reason.json", "report.json"
LIMIT = 1 << 20
"""Bytes of a JSON file of ours."""
_STORED_REASON = f"{REASON}.input"
"""No input can be called so: ``part_of`` knows no such ending."""


@dataclass(frozen=True)
class Record:
    """A job, as it stands in ``.job.json``."""

    stem: str
    inputs: dict[str, str]
    """File name -> photo, mask or parameters."""
    id: str = ""
    """Empty until the inputs have been read."""
    attempts: int = 0
    digests: dict[str, str] = field(default_factory=dict)
    """File name -> sha256"""
    written: dict[str, list[int]] = field(default_factory=dict)
    """File name -> size in bytes and time of the last change in ns, from before the sha256 was taken"""
    oversize: str = ""
    """The input that is larger than the limit, if one is; it was not read."""
    published: dict[str, str] = field(default_factory=dict)
    """File of the result -> the name that it gets in the outbox; written down before the first appears there."""

    @classmethod
    def of(cls, group: Group) -> Record:
        return cls(group.stem, group.roles)

    @property
    def photo(self) -> str:
        """Name of the photo's file."""
        return next(name for name, role in self.inputs.items() if role == "photo")

    @property
    def parcel(self) -> list[str]:
        """The inputs in the order in which they go back: the photo last, because it makes the job complete."""
        return sorted(self.inputs, key=lambda name: self.inputs[name] == "photo")

    def tried_again(self, more: int) -> Record:
        """With another number of attempts."""
        return replace(self, attempts=max(0, self.attempts + more))


def stored(name: str) -> str:
    """What an input is called inside its job's folder: its own name, but for the one that is taken there."""
    return _STORED_REASON if name == REASON else name


def of_files(folder: Path) -> Record | None:
    """The record of a claim that was cut off before one was written, from the names of its files."""
    found = {}
    for path in folder.iterdir():
        name = REASON if path.name == stored(REASON) else path.name
        part = part_of(name)
        if part is not None:
            found[name] = part
    stem = next((part.stem for part in found.values()), "")
    return Record(stem, {name: part.role for name, part in found.items()}) if found else None


def save(files: Files, folder: Path, record: Record) -> None:
    """Durable when it returns."""
    files.write(folder / JOURNAL, as_json(asdict(record)))


def as_json(content: dict[str, Any]) -> bytes:
    """For a file that people read too. ASCII, because names that are not UTF-8 have lone surrogates."""
    return (json.dumps(content, ensure_ascii=True, indent=1) + "\n").encode("ascii")


def load(folder: Path) -> Record | None:
    """The record of a job's folder; None where there is none that reads as one."""
    try:
        record = Record(**read_object(folder / JOURNAL))
    except TypeError:
        return None
    return record if _is_sound(record) else None


def _is_sound(record: Record) -> bool:
    """Whether a record, which anybody may have changed, is of the types that it says and names nothing elsewhere."""
    texts = (record.stem, record.id, record.oversize)
    tables = (record.inputs, record.digests, record.published)
    if not (
        all(isinstance(one, str) for one in texts) and all(isinstance(one, dict) for one in (*tables, record.written))
    ):
        return False
    names = [record.stem, *record.inputs, *record.published, *record.published.values(), *filter(None, [record.id])]
    return (
        type(record.attempts) is int
        and "photo" in record.inputs.values()
        and all(isinstance(value, str) for table in tables for value in table.values())
        and record.digests.keys() <= record.inputs.keys()
        and all(is_plain(name) for name in names)
    )


def read_object(path: Path) -> dict[str, Any]:
    """An object from a file that anybody may have changed; an empty one where it does not read as one."""
    try:
        content = json.loads(read_small(path, LIMIT))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def seconds_of(folder: Path) -> float:
    """How long the edit took whose report lies in a job's folder."""
    try:
        return float(read_object(folder / RESULT / REPORT)["seconds"]["total"])
    except (ValueError, KeyError, TypeError):
        return 0.0


def is_plain(name: object) -> bool:
    """Whether a name from a file stays inside the folder that it is used in."""
    return isinstance(name, str) and name not in ("", ".", "..") and "/" not in name and "\0" not in name


def identified(record: Record, folder: Path, salt: str, largest: int) -> Record:
    """The record with its id: NAME and 12 hex of the sha256 of all inputs and ``salt``. Raises OSError.

    A NAME that is too long for a folder's counts as a whole among them: others may begin alike. The inputs are flushed
    to the disk. One of more than ``largest`` bytes is not read and noted as oversize.
    """
    digests, written, oversize = {}, {}, ""
    for name in record.inputs:
        path = folder / stored(name)
        status = path.lstat()
        written[name] = [status.st_size, status.st_mtime_ns]
        size, digests[name] = digest_of(path, largest)
        oversize = name if size > largest else oversize
    record = replace(record, digests=digests, written=written, oversize=oversize)
    stem = shortened(record.stem, NAME_ROOM)
    told = [*content_of(record), salt, *([] if stem == record.stem else [record.stem])]
    whole = hashlib.sha256(os.fsencode("\n".join(told))).hexdigest()
    return replace(record, id=f"{stem}-{whole[:12]}")


def content_of(record: Record) -> list[str]:
    """What its files hold, whatever they are called: ``role:sha256`` of each."""
    return sorted(f"{role}:{record.digests[name]}" for name, role in record.inputs.items())


def digest_of(path: Path, largest: int) -> tuple[int, str]:
    """Size and sha256 of a regular file, which is flushed to the disk; of a too large one its size stands for all.

    Raises OSError, with the file's name where that cannot be read.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            return size, hashlib.sha256(f"{size} bytes".encode()).hexdigest()
        with reading(path):
            return size, hashlib.file_digest(file, "sha256").hexdigest()


def seed_of(record: Record) -> int:
    """The seed of a job that names none: drawn from its bytes, so that the same inputs give the same picture.

    Neither its name nor the version has a part in it.
    """
    return int(hashlib.sha256("\n".join(content_of(record)).encode()).hexdigest()[:8], 16) % 2**31


def label(record: Record) -> str:
    """The id for people and logs."""
    return printable(record.id or record.stem)
