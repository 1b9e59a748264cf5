"""Where training pictures come from: the image files of a folder, a tar or a zip, by name."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from npe_core.errors import InputError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
DAMAGED = (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error, tarfile.TarError)
"""What the readers of archives raise on damaged ones; RuntimeError: encrypted, or compressed in an unknown way."""


@dataclass(frozen=True)
class Source:
    """An open source."""

    path: Path
    names: list[str]
    """Of its image files, in a stable order."""
    content: Callable[[str], bytes]

    def read(self, name: str) -> bytes:
        """The bytes of one file. Raises InputError."""
        with _readable(self.path):
            return self.content(name)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The image files of a folder, a tar or a zip. Raises InputError when there is none, or none that can be read."""
    if not path.exists():
        raise InputError(f"{path} does not exist; expected a folder, a .tar, a .zip or an .npz of images.")
    if path.is_dir():
        with _readable(path):
            files = sorted(file for file in path.rglob("*") if is_image(file.name))
        yield Source(path, [f.relative_to(path).as_posix() for f in files], lambda name: (path / name).read_bytes())
    elif path.suffix == ".zip":
        with ExitStack() as stack:
            with _readable(path):
                archive = stack.enter_context(zipfile.ZipFile(path))
            yield Source(path, list(filter(is_image, archive.namelist())), archive.read)
    elif path.suffix == ".tar":
        with ExitStack() as stack:
            with _readable(path):
                shard = stack.enter_context(tarfile.open(path))
                members = {m.name: m for m in shard if is_image(m.name) and not m.isdir()}
            yield Source(path, list(members), lambda name: _content(shard, members[name]))
    else:
        raise InputError(f"{path} is not a folder, a .tar, a .zip or an .npz of images.")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise InputError(f"{path} cannot be read: {error}.") from None


def _content(shard: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = shard.extractfile(member)
    return b"" if file is None else file.read()


def is_image(name: str) -> bool:
    """Whether a file's name says that it is a picture; what begins with a dot is not."""
    pure = PurePosixPath(name)
    return pure.suffix.lower() in IMAGE_SUFFIXES and not pure.name.startswith(".")
