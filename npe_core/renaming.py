"""A rename that never replaces, as one system call: Linux' renameat2, which Python does not have."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

_HERE = -100
"""AT_FDCWD: a path is relative to the working directory, if it is relative."""
_NO_REPLACE = 1
"""RENAME_NOREPLACE"""
CANNOT = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)
"""What a system or a file system answers (NFS, for one) that has no such rename."""


_RENAME = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
"""None on systems that are not Linux, or have a libc that is very old."""


def rename_new(source: Path, target: Path) -> None:
    """At no moment are there two names, or none. Raises FileExistsError; OSError with an errno of ``CANNOT``."""
    if _RENAME is None:
        number = errno.ENOSYS
    elif _RENAME(_HERE, os.fsencode(source), _HERE, os.fsencode(target), _NO_REPLACE):
        number = ctypes.get_errno()
    else:
        return
    raise OSError(number, os.strerror(number), str(source), None, str(target))


def try_rename_new(source: Path, target: Path) -> bool:
    """``rename_new``; returns False where the system or the file system has none. Raises OSError for all else."""
    try:
        rename_new(source, target)
    except OSError as error:
        if error.errno not in CANNOT:
            raise
        return False
    return True
