"""npe watch, npe status and npe retry: the watch folder."""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from npe_core.cli.options import Command, Name, Number, device_option, megapixels_option
from npe_core.errors import NpeError, UsageError

if TYPE_CHECKING:
    from npe_core.daemon.folders import Folders
    from npe_core.daemon.settings import Settings
    from npe_core.daemon.status import Status

FOLDER = Name(path_type=Path, readable=False)
"""What is wrong with a folder is told where it is used; `npe status` tells of one that cannot be read."""


def folder_options(command: Command) -> Command:
    """--inbox, --outbox, --failed."""
    for option in reversed(
        [
            click.option("--inbox", type=FOLDER, default="inbox", show_default=True, help="Where inputs are dropped."),
            click.option("--outbox", type=FOLDER, default="outbox", show_default=True, help="Where results appear."),
            click.option("--failed", type=FOLDER, help="Where failed jobs go.  [default: failed beside the outbox]"),
        ]
    ):
        command = option(command)
    return command


@click.command()
@folder_options
@click.option("--once", is_flag=True, help="Do what is there and end; exit code 1 if any failed or may not be read.")
@click.option("--print-unit", is_flag=True, help="Print a systemd unit for these options and end.")
@device_option
@click.option("--batch", type=click.IntRange(1, 256), default=8, show_default=True, metavar="N",
              help="Jobs edited together on a GPU.")  # fmt: skip
@click.option("--settle", type=Number(0, 3600), default=2.0, show_default=True, metavar="SECONDS",
              help="Seconds without changes before a file counts as complete.")  # fmt: skip
@click.option("--interval", type=Number(0.1, 60), default=1.0, show_default=True, metavar="SECONDS",
              help="Between looks into the inbox; changes on local disks are seen at once.")  # fmt: skip
@click.option("--no-events", is_flag=True, help="Only look at intervals: for inboxes on network mounts.")
@megapixels_option()
@click.option("--max-claimed", type=click.IntRange(1, 10_000), default=32, show_default=True,
              metavar="N", help="Jobs taken out of the inbox at a time.")  # fmt: skip
@click.option("--time-limit", type=Number(1), default=600, show_default=True, metavar="SECONDS",
              help="For one edit.")  # fmt: skip
@click.option("--least-free", type=click.IntRange(0), default=512, show_default=True, metavar="MIB",
              help="Take nothing in while the disk has less free.")  # fmt: skip
@click.option("--keep-days", type=Number(0), metavar="DAYS",
              help="Remove the inputs of finished jobs after so long.  [default: keep them]")  # fmt: skip
@click.option("--metrics", type=FOLDER, metavar="FILE.prom", help="Write numbers for Prometheus, once a second.")
@click.option("--allow-world-writable", is_flag=True, help="Accept folders that every user can write to.")
@click.option("--log", "log_as", type=click.Choice(["auto", "json", "text"]), default="auto", show_default=True,
              help="The log on stderr; auto is text on a terminal, else JSON.")  # fmt: skip
def watch(
    inbox: Path,
    outbox: Path,
    failed: Path | None,
    once: bool,
    print_unit: bool,
    device: str,
    batch: int,
    settle: float,
    interval: float,
    no_events: bool,
    max_megapixels: float,
    max_claimed: int,
    time_limit: float,
    least_free: int,
    keep_days: float | None,
    metrics: Path | None,
    allow_world_writable: bool,
    log_as: str,
) -> int:
    """Edit what is dropped into a folder, until stopped.

    \b
    inbox/NAME.jpg + NAME.mask.png   white is re-imagined; RGBA: alpha is the mask, RGB the paint
    inbox/NAME.jpg + NAME.json       {"regions": {"hair": "#993300"}, "timestep": 250, "seed": 7}
      -> outbox/NAME.jpg + NAME.json (what was done)   or   failed/JOB/ (the inputs and reason.json)

    Drop the photo last, or write under NAME.jpg.part and rename. Nothing is deleted: inputs move to outbox/.done.
    `npe status` tells from another shell how things are, `npe retry` sends failed jobs back.
    """
    from npe_core.daemon.folders import Folders
    from npe_core.daemon.settings import Settings

    folders = Folders.of(inbox, outbox, failed)
    metrics = metrics and Path(os.path.abspath(metrics))  # noqa: PTH100  resolve() follows links
    if print_unit:
        click.echo(unit(folders, metrics), nl=False)
        return 0
    settings = Settings(
        settle=settle,
        interval=interval,
        events=not no_events,
        batch=batch,
        most_claimed=max_claimed,
        time_limit=time_limit,
        least_free=least_free << 20,
        keep_days=keep_days,
        metrics=metrics,
        once=once,
    )
    as_json = log_as == "json" or (log_as == "auto" and not sys.stderr.isatty())
    return serve(folders, settings, device, max_megapixels, allow_world_writable, as_json)


def unit(folders: Folders, metrics: Path | None) -> str:
    """The systemd unit for the options of this command line."""
    from npe_core.daemon.unit import unit_text

    named = os.environ.get("NPE_WEIGHTS")
    weights = Path(os.path.abspath(named)) if named else None  # noqa: PTH100  resolve() follows links
    return unit_text(folders, said_options(), metrics, weights)


def serve(
    folders: Folders,
    settings: Settings,
    device: str,
    max_megapixels: float,
    allow_world_writable: bool,
    as_json: bool,
) -> int:
    """Makes and locks the folders and works on what comes into them, until it is stopped; returns the exit code.

    ``as_json`` is how it logs.
    """
    from npe_core.daemon.folders import Lock
    from npe_core.daemon.log import log, set_up
    from npe_core.filenames import printable

    made = folders.prepare(allow_world_writable)
    with stopped_by_signals() as signals, Lock(folders) as lock:
        from npe_core.daemon.service import Service
        from npe_core.daemon.work import EditWorker

        set_up(as_json=as_json)
        for folder in made:
            log("made the folder", folder=printable(str(folder)))
        with display() as show:
            worker = EditWorker(device, max_megapixels)
            renew = functools.partial(lock.renew, allow_world_writable)
            service = Service(folders, worker, settings, show=show, renew=renew)
            signals.call(service.stop)
            return service.run()


class Signals:
    """Passes a signal on to whom it is for, also one that came before that was known."""

    def __init__(self) -> None:
        self._came = False
        self._stop: Callable[[], None] = lambda: None

    def came(self, *_: object) -> None:
        """Is the handler."""
        self._came = True
        self._stop()

    def call(self, stop: Callable[[], None]) -> None:
        """From now on, and at once if one has come. ``stop`` may be called more than once."""
        self._stop = stop
        if self._came:
            stop()


@contextmanager
def stopped_by_signals() -> Iterator[Signals]:
    """SIGTERM and Ctrl-C ask for an orderly end, and so does a terminal that is closed, unless that is ignored."""
    hung_up = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    numbers = (signal.SIGTERM, signal.SIGINT, *hung_up)
    signals = Signals()
    before = [signal.signal(number, signals.came) for number in numbers]
    try:
        yield signals
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def said_options() -> list[str]:
    """The options of this command line besides the paths, as words: those that a unit has to repeat."""
    from click.core import ParameterSource

    context = click.get_current_context()
    words = []
    for option in context.command.params:
        name = option.name or ""
        if name in ("inbox", "outbox", "failed", "metrics", "once", "print_unit"):
            continue
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            value = context.params[name]
            words += [option.opts[0]] if value is True else [option.opts[0], str(value)]
    return words


@contextmanager
def display() -> Iterator[Callable[[Status], None]]:
    """A line of progress under the log on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda status: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    from npe_core.daemon.log import set_up

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        set_up(as_json=False, stream=Lines(console))
        row = bar.add_task("starting", total=None)

        def show(status: Status) -> None:
            done = status.since_start.done + status.since_start.failed
            total = done + status.claimed + status.ready + status.unsettled
            bar.update(row, description=status.line(), completed=done, total=total or None)

        yield show


class Lines:
    """A stream that writes above the line of progress."""

    def __init__(self, console: object) -> None:
        self._print: Callable[..., None] = console.print  # type: ignore[attr-defined]

    def write(self, text: str) -> None:
        if text.strip():
            self._print(text.rstrip("\n"), markup=False, highlight=False, soft_wrap=True)

    def flush(self) -> None:
        """Every line is written at once."""


@click.command()
@folder_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def status(inbox: Path, outbox: Path, failed: Path | None, as_json: bool) -> None:
    """What the daemon does, what waits and why, and what failed and why.

    Name the folders that `npe watch` was given, unless they are the same defaults.
    """
    from npe_core.daemon.status import read_status

    folders = existing(inbox, outbox, failed)
    told = read_status(folders)
    if as_json:
        click.echo(json.dumps(told))
        return
    from npe_core.daemon.status import report_lines

    for line in report_lines(told):
        click.echo(line)


@click.command()
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option("--all", "every", is_flag=True, help="All failed jobs.")
@folder_options
def retry(jobs: tuple[str, ...], every: bool, inbox: Path, outbox: Path, failed: Path | None) -> int:
    """Send failed jobs back to the inbox. JOB is the name of its folder, or of its photo without the suffix.

    What was put beside their files in the meantime goes with them: a mask, a corrected JSON. A job that cannot be sent
    back does not stop the others; the exit code is 1 then.

    Name the folders that `npe watch` was given, unless they are the same defaults.
    """
    from npe_core.daemon.failed import failed_jobs
    from npe_core.daemon.retry import find_failed
    from npe_core.daemon.retry import retry as send_back
    from npe_core.filenames import printable

    if jobs and every:
        raise UsageError("Name the jobs to retry, or say --all, not both: --all sends back every job that failed.")
    if not jobs and not every:
        raise UsageError("Name the jobs to retry, or say --all. `npe status` lists those that failed.")
    folders = existing(inbox, outbox, failed)
    names = list(dict.fromkeys(jobs))
    chosen = failed_jobs(folders) if every else []
    refused: list[NpeError] = []
    for name in names:
        try:
            chosen.append(find_failed(folders, name))
        except NpeError as error:
            refused.append(error)
    for job in dict.fromkeys(chosen):  # the name and the id of one job are it twice
        try:
            other, left = send_back(folders, job)
        except NpeError as error:
            refused.append(error)
        else:
            stays = f"; left in {printable(str(job))}: {', '.join(map(printable, left))}" if left else ""
            renamed = f" as {printable(other)}, beside other files of its name" if other else ""
            click.echo(f"{printable(job.name)} is back in the inbox{renamed}{stays}")
    if refused and len(names or chosen) == 1:
        raise refused[0]
    for fault in refused:
        click.echo(f"npe: {fault}", err=True)
    if every and not chosen:
        click.echo("No job has failed.")
    return 1 if refused else 0


def existing(inbox: Path, outbox: Path, failed: Path | None) -> Folders:
    """The folders of a daemon that has run. Raises UsageError where there was none."""
    from npe_core.daemon.folders import Folders, is_folder_held

    folders = Folders.of(inbox, outbox, failed)
    if not folders.spool.is_dir():
        if any(map(is_folder_held, (folders.inbox, folders.outbox))):
            raise UsageError(
                f"A daemon is at work, but {folders.outbox} has nothing of it: it was emptied, is not mounted, or is "
                "another.\nMount it, restart the daemon, or name its folder with --outbox."
            )
        raise UsageError(f"No daemon has worked on {folders.outbox} yet. Name its folder with --outbox.")
    return folders
