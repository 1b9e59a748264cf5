"""Where a file may be written, and writing it so that its name shows all of it or nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from npe_core.errors import EnvironmentFault, NoSpace, UsageError
from npe_core.filenames import quoted
from npe_core.files import BEYOND_LIMIT, FULL, answer_of, create, replacing, write_new
from npe_core.formats import OUTPUT_FORMATS

_LONGEST_SIDE = {"JPEG": 65535, "WEBP": 16383}
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


def check_output(
    path: Path | str, force: bool = False, inputs: Iterable[Path | None] = (), size: tuple[int, int] | None = None
) -> str:
    """The format that a save to ``path`` would write; everything that can be refused is refused here, early.

    ``inputs`` are the files that were read (None: no file), which are never written to, not even with ``force``;
    ``size`` (width, height) is checked against what the format can hold. Raises UsageError for an invalid path (suffix,
    existing file without ``force``, an input), EnvironmentFault for a folder that is missing or cannot be written.
    """
    path, name = Path(path), quoted(path)
    if os.path.isdir(path):  # noqa: PTH112  Path.is_dir() raises what lstat() tells of below
        raise UsageError(f"{name} is a folder, not a file. Name a file in it, such as {quoted(path / 'edited.png')}.")
    format = OUTPUT_FORMATS.get(path.suffix.lower())
    if format is None:
        supported = ", ".join(OUTPUT_FORMATS)
        if path.suffix.lower() == ".gif":
            raise UsageError(
                f"{name}: GIF holds only 256 colours and is not written. Use .png (or one of {supported})."
            )
        raise UsageError(f"{name} has no suffix of a supported format. Use one of {supported}.")
    longest = _LONGEST_SIDE.get(format)
    if size is not None and longest is not None and max(size) > longest:
        raise UsageError(
            f"{format} holds at most {longest} pixels a side, the photo has {size[0]}x{size[1]}. Use .png."
        )
    _check_folder(path)
    _check_target(path, force, inputs)
    return format


def write_atomically(path: Path | str, content: bytes, force: bool = False, inputs: Iterable[Path | None] = ()) -> None:
    """Writes the file under a temporary name in the same folder (a dotfile), flushes it to the disk, and renames it.

    ``inputs`` as for ``check_output``. Without ``force`` a file that appears under ``path`` meanwhile is left alone
    (UsageError). Raises NoSpace when the disk is full or a limit reached, EnvironmentFault when the folder cannot be
    written; nothing is left behind then.
    """
    path = Path(path)
    _check_target(path, force, inputs)
    try:
        if not force:
            write_new(path, content)
            return
        with replacing(path) as temporary:
            create(temporary, content)
            with contextlib.suppress(OSError):  # who might read the file before may read the new one, and nobody else
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
    except FileExistsError as error:
        raise _exists(path) from error
    except (OSError, ValueError) as error:
        raise _fault(path, error, len(content)) from error


def _check_folder(path: Path) -> None:
    folder = path.parent
    try:
        mode = folder.stat().st_mode
    except (OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise _fault(path, error) from error
        raise EnvironmentFault(f"There is no folder {quoted(folder)} to write to. Create it first.") from error
    if not stat.S_ISDIR(mode):
        raise EnvironmentFault(f"{quoted(folder)} is not a folder. Choose a folder to write to.")
    if not os.access(folder, os.W_OK | os.X_OK):
        code = errno.EROFS if _is_read_only(folder) else errno.EACCES
        raise _fault(path, OSError(code, os.strerror(code)))


def _is_read_only(folder: Path) -> bool:
    """Whether its file system is, as far as the system tells: ``os.access`` does not say why it refuses."""
    with contextlib.suppress(AttributeError, OSError):  # no such call on this system
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    return False


def _check_target(path: Path, force: bool, inputs: Iterable[Path | None]) -> None:
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"The name {quoted(path)} is too long for a file. Choose a shorter one.") from None
        raise _fault(path, error) from error
    for file in inputs:
        with contextlib.suppress(OSError):  # what cannot be looked at is said where it is opened
            if file is not None and path.samefile(file):
                raise UsageError(f"{quoted(path)} is an input, which is never written to. Choose another name.")
    if path.exists() and not path.is_file():
        raise UsageError(f"{quoted(path)} is a folder or a device, not a file. Choose another name.")
    if not force:
        raise _exists(path)


def _exists(path: Path) -> UsageError:
    return UsageError(f"{quoted(path)} exists already. Choose another name, or overwrite it with --force.")


def _fault(path: Path, error: Exception, size: int = 0) -> EnvironmentFault:
    code = getattr(error, "errno", None)
    why = answer_of(error) if isinstance(error, OSError) else error
    needed = f" ({size / 1e6:.1f} MB needed)" if size else ""
    if code in FULL:
        return NoSpace(
            f"No space to write {quoted(path)}{needed}: disk full or quota reached.\n"
            "Nothing was written. Free some space or choose another folder.",
            size,
        )
    if code == errno.EFBIG:
        return NoSpace(
            f"{quoted(path)} would be too large{needed}: {BEYOND_LIMIT}.\n"
            "Nothing was written. Raise the limit or choose another folder.",
            size,
        )
    if code in _DENIED:
        return EnvironmentFault(f"The folder {quoted(path.parent)} cannot be written to: {why}. Choose another.")
    return EnvironmentFault(f"{quoted(path)} could not be written: {why}. Nothing was written; choose another place.")
