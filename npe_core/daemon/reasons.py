"""Why a job failed, in words for the person who sent it: the content of reason.json."""

from __future__ import annotations

import shlex
import time
from typing import Any

from npe_core import __version__
from npe_core.daemon import journal
from npe_core.daemon.blame import Blame, blame_for
from npe_core.daemon.claimed import Claimed
from npe_core.daemon.worker import TimeUp
from npe_core.errors import OutOfMemory
from npe_core.filenames import printable

_WHAT_TO_DO = {
    "bad-input": "Correct the files and drop them into the inbox again.",
    "crashed": "The daemon died each time it worked on this job. Try a smaller photo; then npe retry JOB.",
    "no-memory": "Make the photo smaller, or free the device; then npe retry JOB.",
    "time-limit": "Make the photo smaller or ask for fewer steps, or raise --time-limit; then npe retry JOB.",
    "error": "This is a bug: please report it with these files. npe retry JOB tries again.",
}
"""Code -> the next step."""


class Crashed(Exception):
    """The process ended while it worked on the job, as often as a job is tried."""


def code_of(error: Exception) -> str:
    """bad-input, crashed, no-memory, time-limit or error."""
    if blame_for(error) is Blame.INPUT:
        return "bad-input"
    if isinstance(error, Crashed):
        return "crashed"
    if isinstance(error, TimeUp):
        return "time-limit"
    return "no-memory" if isinstance(error, (OutOfMemory, MemoryError)) else "error"


def named_in_shell(job: Claimed) -> str:
    """The job as an argument of a command that is typed."""
    name = journal.label(job.record)
    return f"-- {shlex.quote(name)}" if name.startswith("-") else shlex.quote(name)


def reason_for(job: Claimed, error: Exception) -> dict[str, Any]:
    """The content of reason.json."""
    code = code_of(error)
    said = str(error) if code != "error" else f"{type(error).__name__}: {error}"
    return {
        "job": journal.label(job.record),
        "code": code,
        "reason": said or type(error).__name__,
        "what_to_do": _WHAT_TO_DO[code].replace("JOB", named_in_shell(job)),
        "inputs": [printable(name) for name in job.record.inputs],
        "attempts": job.record.attempts,
        "version": __version__,
        "failed": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
