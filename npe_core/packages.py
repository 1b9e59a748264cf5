"""Packages that are missing or broken: the environment is at fault, neither this program nor anybody's input."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from npe_core.errors import EnvironmentFault

REPAIR = "Install npe and its packages again, in the folder of its source: pip install --force-reinstall ."

_OWN = ("npe_core", "npe_tui")


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Around imports: raises EnvironmentFault for a package that is missing or broken."""
    try:
        yield
    except ImportError as error:
        if is_own(error):
            raise
        raise fault_of(error) from error
    except OSError as error:  # so ctypes says that a library of torch is missing or does not fit
        raise fault_of(error) from error


def is_own(error: ImportError) -> bool:
    """Whether it is a module of this program that cannot be imported, which is a bug."""
    return (error.name or "").partition(".")[0] in _OWN


def fault_of(error: Exception) -> EnvironmentFault:
    """What a person is told of a package that cannot be imported."""
    return EnvironmentFault(f"A package cannot be imported ({error}). {REPAIR}")
