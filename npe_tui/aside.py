"""Work in a thread that the program does not wait for when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Outcome = TypeVar("Outcome")


async def aside(work: Callable[[], Outcome]) -> Outcome:
    """What ``work`` returns, as ``asyncio.to_thread``, whose threads would hold up the end: a file may never answer."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Outcome] = loop.create_future()

    def tell(set_: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(lambda: None if done.done() else set_())

    def run() -> None:
        try:
            outcome = work()
        except Exception as error:
            problem = error
            tell(lambda: done.set_exception(problem))
        else:
            tell(lambda: done.set_result(outcome))

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await done
