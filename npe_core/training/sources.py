"""Where training pictures come from: the image files of a folder, a tar or a zip, by name."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

from npe_core.errors import InputError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
PAIR_FOLDERS = ("images", "masks")
"""Where pairs lie: what is above these folders says nothing."""
DAMAGED = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
)
"""What the readers of archives raise on damaged ones; RuntimeError: encrypted, or compressed in an unknown way."""


@dataclass(frozen=True)
class Source:
    """An open source."""

    path: Path
    members: dict[str, str]
    """Its image files in a stable order: what each is called below what all lie in, and its name in the source."""
    content: Callable[[str], bytes]

    @property
    def names(self) -> list[str]:
        """Of its image files, without ``./`` and without a folder that all of them lie in."""
        return list(self.members)

    def read(self, name: str) -> bytes:
        """The bytes of one file. Raises InputError."""
        with _readable(self.path):
            return self.content(self.members[name])

    def shown(self, name: str) -> str:
        """One file as messages name it: where it lies."""
        return f"{self.path}/{self.members[name]}"


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The image files of a folder, a tar or a zip. Raises InputError when there is none, or none that can be read."""
    if not path.exists():
        raise InputError(
            f"{path} does not exist; expected a folder, a .tar, a .zip or an .npz of images. Check the path."
        )
    if path.is_dir():
        with _readable(path):
            files = sorted(file for file in path.rglob("*") if is_image(file.name) and not file.is_dir())
        members = named(file.relative_to(path).as_posix() for file in files)
        yield Source(path, members, lambda member: (path / member).read_bytes())
    elif path.suffix.lower() == ".zip":
        with ExitStack() as stack:
            with _readable(path):
                archive = stack.enter_context(zipfile.ZipFile(path))
            members = named(i.filename for i in archive.infolist() if is_image(i.filename) and not i.is_dir())
            yield Source(path, members, archive.read)
    elif path.suffix.lower() == ".tar":
        with ExitStack() as stack:
            with _readable(path):
                shard = stack.enter_context(tarfile.open(path))
                files_of = {m.name: m for m in shard if is_image(m.name) and not m.isdir()}
            yield Source(path, named(files_of), lambda member: _content(shard, files_of[member]))
    else:
        raise InputError(f"{path} is not a folder, a .tar, a .zip or an .npz of images. Pack them as one of these.")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        reason = str(error).partition("\n")[0].rstrip(":")  # tarfile adds a line for each of its ways to read
        raise InputError(f"{path} cannot be read: {reason}. Copy it again, or pack it anew.") from None


def _content(shard: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    try:
        file = shard.extractfile(member)
    except KeyError:
        raise tarfile.TarError(f"{member.name} is a link to {member.linkname}, which is not in it") from None
    return b"" if file is None else file.read()


def named(members: Iterable[str]) -> dict[str, str]:
    """Members by their names below the folders that all of them lie in, those of pairs excepted."""
    paths = {member: PurePosixPath(member.lstrip("/")).parts for member in members}
    levels = zip(*(parts[:-1] for parts in paths.values()), strict=False)
    shared = takewhile(lambda level: len(set(level)) == 1 and level[0] not in PAIR_FOLDERS, levels)
    depth = len(list(shared))
    return {"/".join(parts[depth:]): member for member, parts in paths.items()}


def is_image(name: str) -> bool:
    """Whether a file's name says that it is a picture; what begins with a dot is not."""
    pure = PurePosixPath(name)
    return pure.suffix.lower() in IMAGE_SUFFIXES and not pure.name.startswith(".")
