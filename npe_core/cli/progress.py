"""A progress bar with the time left, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Gives ``advance(done, total)``; quiet when stderr is not a terminal.

    When all is done that is counted, the bar says that what comes after, super-resolution or saving, is under way, and
    no time left.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bar.update(row, completed=done, total=total, description=f"{title} {done}/{total}", visible=done < total)
            if done == total:
                bar.add_task(f"{title}: finishing", total=None)

        yield advance
