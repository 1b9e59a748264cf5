"""Everything that can go wrong for a person, as one tree.

::

    NpeError                 70  a bug if raised bare
    ├── UsageError            2  an invalid argument: unknown region, bad colour, timestep out of range
    ├── InputError            2  a file that cannot be edited: not an image, truncated, too large, no face
    │   └── NothingMarked     2  what is marked lies on no chosen face
    ├── WeightsError          3  weights missing, truncated, altered or of another architecture
    ├── EnvironmentFault      4  the machine: no such device, disk full, folder read-only, a package missing
    │   ├── NoSpace           4  no room for a file: disk full, quota or limit reached
    │   └── OutOfMemory       4  too little memory, of the machine or of the device, for what was asked
    ├── AlreadyRunning        5  another daemon holds the folder
    └── Cancelled             1  a callback asked to stop; nothing was written

A message is one or two lines: what was got, what was expected, what to do. ``exit_code`` is what the
``npe`` command returns for it.
"""


class NpeError(Exception):
    """Base of all errors that the engine raises on purpose."""

    exit_code = 70


class UsageError(NpeError):
    """An invalid argument."""

    exit_code = 2


class InputError(NpeError):
    """A file that cannot be edited."""

    exit_code = 2


class NothingMarked(InputError):
    """What is marked lies on none of the chosen faces."""


class WeightsError(NpeError):
    """Weights that are missing, truncated, altered or of another architecture."""

    exit_code = 3


class EnvironmentFault(NpeError):
    """The machine does not allow it: device, memory, disk, permissions."""

    exit_code = 4


class NoSpace(EnvironmentFault):
    """No room for a file: the disk is full, or a quota or limit is reached."""

    def __init__(self, message: str, needed: int = 0) -> None:
        """``needed``: bytes of the file; 0 where that is not known."""
        super().__init__(message)
        self.needed = needed


class OutOfMemory(EnvironmentFault):
    """Too little memory for what was asked; a smaller picture may do."""

    def __init__(self, message: str = "Not enough memory. Close other programs, or use a smaller photo.") -> None:
        """``message``: what can be said of a MemoryError anywhere, unless more is known."""
        super().__init__(message)


class AlreadyRunning(NpeError):
    """Another daemon holds the folder."""

    exit_code = 5


class Cancelled(NpeError):
    """A progress callback asked to stop."""

    exit_code = 1
