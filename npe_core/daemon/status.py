"""What the daemon tells about itself: status.json for people and scripts, a text file for Prometheus."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from npe_core.daemon import journal
from npe_core.daemon.failed import failed_jobs, reason_of
from npe_core.daemon.folders import Folders, free_bytes, is_held
from npe_core.daemon.log import log
from npe_core.daemon.names import Waiting, final_name, is_hidden, is_unfinished, part_of
from npe_core.daemon.settings import Settings
from npe_core.daemon.tracker import ABANDONED
from npe_core.daemon.unit import START
from npe_core.filenames import printable
from npe_core.files import create, replace, replacing

_SILENT = 10.0
"""Seconds after which a daemon that writes status.json once a second has fallen silent."""
_FULL = 64 << 10
"""Bytes free below which status.json finds no room."""
_LISTED = 100
"""Waiting and ignored files that are listed by name; the rest is counted."""
_TOLD = 5
"""Ignored names that a person is told."""


@dataclass
class Counters:
    """Since the daemon started."""

    done: int = 0
    failed: int = 0
    duplicates: int = 0
    edit_seconds: float = 0.0


@dataclass
class Status:
    """How things are with a daemon; one object is kept up to date."""

    state: str = "starting"
    """starting, idle, working, paused, stopping, stopped; who asks is also told silent and died"""
    pid: int = field(default_factory=os.getpid)
    version: str = ""
    device: str = ""
    inbox: str = ""
    outbox: str = ""
    failed_folder: str = ""
    started: float = field(default_factory=time.time)
    updated: float = 0.0
    paused: dict[str, str] = field(default_factory=dict)
    """The kind of each pause (see ``pauses``) -> what is wrong and what to do about it."""
    ready: int = 0
    """Complete jobs in the inbox."""
    unsettled: int = 0
    """Jobs whose files may still be growing."""
    claimed: int = 0
    running: tuple[str, ...] = ()
    waiting: list[dict[str, Any]] = field(default_factory=list)
    waiting_count: int = 0
    since_start: Counters = field(default_factory=Counters)
    last: str = ""
    """The last thing that happened to a job."""
    free_mib: int = 0
    patience: float = ABANDONED * Settings.settle
    """Seconds without a change after which nobody waits for a file under a temporary name any more."""

    def wait_for(self, waiting: list[Waiting]) -> None:
        """Lists the files that cannot become jobs yet."""
        self.waiting_count = len(waiting)
        self.waiting = [
            {"files": [printable(name) for name in one.names], "why": one.why}
            for one in sorted(waiting, key=lambda one: one.names)[:_LISTED]
        ]

    def line(self) -> str:
        """In one line, as `systemctl status` and a terminal show it."""
        if self.paused:
            return f"paused: {'; '.join(self.paused.values())}".replace("\n", " ")
        counts = {"in work": self.claimed, "ready": self.ready, "arriving": self.unsettled}
        told = [f"{number} {what}" for what, number in counts.items() if number]
        told += [f"{self.waiting_count} waiting"] if self.waiting_count else []
        total = f"{self.since_start.done} done, {self.since_start.failed} failed"
        return f"{self.state}: {', '.join([*told, total])}"


class StatusFiles:
    """status.json, and the metrics file where one is wanted; that one cannot be written is no reason to stop."""

    def __init__(self, folders: Folders, metrics: Path | None) -> None:
        self._status, self._metrics = folders.status, metrics
        self._is_told = False

    def write(self, status: Status) -> None:
        """Replaces both. The log tells once that the metrics cannot be written; without status.json it tells enough."""
        status.updated = time.time()
        with contextlib.suppress(OSError):
            replace(self._status, journal.as_json(asdict(status)), durable=False)
        if self._metrics is None:
            return
        try:
            with replacing(self._metrics, durable=False) as temporary:
                create(temporary, metrics_text(status).encode())
                temporary.chmod(0o644)  # under any umask: the node exporter is another user, of no group of ours
            self._is_told = False
        except OSError as error:
            if not self._is_told:
                log("the metrics cannot be written", logging.WARNING, why=str(error))
            self._is_told = True


def metrics_text(status: Status) -> str:
    """The numbers in Prometheus' text format, for the textfile collector of its node exporter."""
    count = status.since_start
    rows = [
        ("npe_jobs_done_total", "counter", "Jobs whose result was published.", count.done),
        ("npe_jobs_failed_total", "counter", "Jobs that went to the failed folder.", count.failed),
        ("npe_jobs_duplicate_total", "counter", "Inputs that were there already.", count.duplicates),
        ("npe_edit_seconds_total", "counter", "Seconds spent on edits that were published.", count.edit_seconds),
        ("npe_jobs_ready", "gauge", "Complete jobs in the inbox.", status.ready),
        ("npe_jobs_claimed", "gauge", "Jobs taken out of the inbox and not finished.", status.claimed),
        ("npe_files_waiting", "gauge", "Groups of files that are not complete.", status.waiting_count),
        ("npe_paused", "gauge", "1 while something keeps the daemon from working.", int(bool(status.paused))),
        ("npe_free_bytes", "gauge", "Free space on the outbox's file system.", status.free_mib << 20),
        ("npe_updated_timestamp_seconds", "gauge", "When the daemon wrote this.", round(status.updated, 3)),
    ]
    return "".join(f"# HELP {n} {text}\n# TYPE {n} {kind}\n{n} {value}\n" for n, kind, text, value in rows)


def read_status(folders: Folders) -> dict[str, Any]:
    """status.json with what only the folders tell: whether a daemon runs, and the failed jobs with their reasons."""
    running = is_held(folders)  # first: what a daemon writes last, it writes before it lets go
    status = _read_own(folders.status)
    status["daemon"] = "running" if running else "not running"
    if not running:
        status["state"] = "stopped" if status.get("state", "stopped") == "stopped" else "died"
    elif abs(_age(status)) > _patience(status):  # what is of the future was written before the clock was set back
        status["state"] = "silent"
        if (free := free_bytes(folders.outbox)) is not None and free < _FULL:
            why = "The disk of the outbox is full, and what the daemon tells of itself finds no room either. Free some."
            status["paused"] = status.get("paused", {}) | {"disk": why}
        if not os.access(folders.spool, os.W_OK):
            why = "The outbox cannot be written to, and neither can what the daemon tells of itself."
            status["paused"] = status.get("paused", {}) | {"outbox": why}
    status["failed"] = [reason_of(folder) for folder in failed_jobs(folders)]
    ignored = ignored_names(folders.inbox, status.get("patience", Status.patience))
    status["ignored"], status["ignored_count"] = ignored[:_LISTED], len(ignored)
    return status


def ignored_names(inbox: Path, patience: float) -> list[str]:
    """What lies in the inbox in plain sight and is never taken: other kinds of files, folders, links. No READMEs.

    Temporary names are among them once nothing has been written under them for ``patience`` seconds.
    """
    latest = time.time() - patience
    try:
        with os.scandir(inbox) as entries:
            return sorted(
                printable(entry.name) + "/" * entry.is_dir(follow_symlinks=False)
                for entry in entries
                if _is_ignored(entry, latest)
            )
    except OSError:
        return []


def _is_ignored(entry: os.DirEntry[str], latest: float) -> bool:
    """``latest``: when a temporary file that is not abandoned may have been changed last, as ``time.time()`` counts."""
    if is_unfinished(entry.name):
        final = final_name(entry.name)
        if final is None or (part_of(final) is None and is_hidden(entry.name)):
            return False
        with contextlib.suppress(OSError):  # it went away meanwhile
            return entry.stat(follow_symlinks=False).st_mtime < latest
        return False
    if is_hidden(entry.name):
        return False
    is_meant = part_of(entry.name) is not None or entry.name.lower().startswith("readme")
    return not (is_meant and entry.is_file(follow_symlinks=False))


def _patience(status: dict[str, Any]) -> float:
    """Seconds for which a daemon may write nothing: nothing is written while the models are loaded."""
    is_loading = status.get("state") == "starting" or "models" in status.get("paused", {})
    return START if is_loading else _SILENT


def _age(status: dict[str, Any]) -> float:
    """Seconds since the daemon wrote it."""
    return float(time.time() - status.get("updated", 0.0))


def _read_own(path: Path) -> dict[str, Any]:
    """The fields of status.json that are of the type that the daemon gives them: anybody may have changed it."""
    example = Status(paused={"": ""}, running=("",), waiting=[{"files": [""], "why": ""}])
    like: dict[str, Any] = json.loads(journal.as_json(asdict(example)))
    return {
        name: value for name, value in journal.read_object(path).items() if name in like and _is_like(value, like[name])
    }


def _is_like(value: object, example: object) -> bool:
    """Whether JSON has the types of an example: of lists and tables with the key "" it is that of all their values."""
    if isinstance(example, list):
        return isinstance(value, list) and all(_is_like(one, example[0]) for one in value)
    if isinstance(example, dict):
        if not isinstance(value, dict):
            return False
        if "" in example:
            return all(_is_like(one, example[""]) for one in value.values())
        return all(name in value and _is_like(value[name], one) for name, one in example.items())
    return isinstance(value, (int, float) if isinstance(example, float) else type(example))


def report_lines(told: dict[str, Any]) -> list[str]:
    """What ``read_status`` found, for a person; what goes on for a second line is indented as the first."""
    lines = [f"daemon    {told['daemon']}{_about(told)}"]
    is_running = told["daemon"] == "running"
    paused = "PAUSED    " if is_running else "stopped   while paused by "
    lines += [f"{paused}{kind}: {why}" for kind, why in told.get("paused", {}).items()]
    if is_running:
        counts = f"{told.get('claimed', 0)} in work, {told.get('ready', 0)} ready, {told.get('unsettled', 0)} arriving"
        lines.append(f"now       {told.get('state', 'unknown')}: {counts}")
        lines += [f"          editing {job}" for job in told.get("running", [])]
    elif told.get("claimed"):
        lines.append(f"left over {told['claimed']} in work when it ended; the next start goes on with them")
    since = told.get("since_start", {})
    last = f"; last: {told['last']}" if told.get("last") else ""
    again = f", {since['duplicates']} there already" if since.get("duplicates") else ""
    lines.append(f"so far    {since.get('done', 0)} done, {since.get('failed', 0)} failed{again}{last}")
    lines += [f"waiting   {', '.join(one['files'])}: {one['why']}" for one in told.get("waiting", [])]
    more = told.get("waiting_count", 0) - len(told.get("waiting", []))
    lines += [f"waiting   and {more} more"] if more > 0 else []
    if told["ignored"]:
        more = told["ignored_count"] - _TOLD
        names = ", ".join(told["ignored"][:_TOLD]) + (f" and {more} more" if more > 0 else "")
        lines.append(f"ignored   {names}: no photo, mask or parameters by the name, no plain file, or left behind")
    lines += [f"failed    {one['job']} ({one['code']}): {one['reason']}" for one in told["failed"]]
    return [line.replace("\n", "\n          ") for line in lines]


def _about(told: dict[str, Any]) -> str:
    if told.get("state") == "died":
        return "; the last one died, or could not write down its end"
    if told["daemon"] != "running" or not told.get("pid"):
        return ""
    late = f", but silent for {_age(told):.0f} s" if told.get("state") == "silent" else ""
    return f" (process {told['pid']}, {told.get('device') or 'no device yet'}, {told.get('inbox')}){late}"
