"""The command group, and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import traceback
from typing import Any

import click

from npe_core import __version__
from npe_core.cli import streams
from npe_core.errors import EnvironmentFault, NpeError, UsageError
from npe_core.filenames import quoted
from npe_core.files import stdout_refused
from npe_core.packages import fault_of, is_own
from npe_core.spelling import hint

BUG = 70
STOPPED = 130

COMMANDS: dict[str, str] = {
    "tui": "npe_core.cli.tui",
    "edit": "npe_core.cli.edit",
    "segment": "npe_core.cli.pictures",
    "upscale": "npe_core.cli.pictures",
    "sample": "npe_core.cli.pictures",
    "sweep": "npe_core.cli.sweep",
    "faces": "npe_core.cli.faces",
    "watch": "npe_core.cli.watch",
    "status": "npe_core.cli.watch",
    "retry": "npe_core.cli.watch",
    "doctor": "npe_core.cli.doctor",
    "weights": "npe_core.cli.weights",
    "train": "npe_core.cli.train",
    "evaluate": "npe_core.cli.evaluate",
    "bench": "npe_core.cli.bench",
}
"""Command -> the module that defines it; a module is imported only when its command is asked for."""


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with streams.telling_of_pipes():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with streams.telling_of_pipes():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in COMMANDS:
            raise UsageError(f"There is no command {quoted(args[0])}. {hint(args[0], COMMANDS, 'See npe --help.')}")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="npe")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def npe(debug: bool) -> None:
    """Change one thing in a portrait and nothing else. Without a command: the terminal editor.

    Every pixel that the mask leaves out stays what it was: bit for bit in PNG, TIFF, BMP and lossless WebP; a JPEG is
    encoded anew with the tables of its source.

    \b
    Exit codes: 0 done; 1 some inputs failed, the others are done; 2 bad usage or bad input;
    3 weights missing or corrupt; 4 device or environment; 5 another daemon holds the folder;
    70 a bug; 130 stopped by Ctrl+C (129 its terminal closed, 143 SIGTERM);
    141 nobody reads the output any more.
    """
    from npe_core.process import prepare

    prepare()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    signals = unwind_on_signals()
    code = run(sys.argv[1:] if arguments is None else arguments)
    streams.finish()
    # A signal while a thread was started leaves one that the interpreter would wait for for ever.
    if code == STOPPED or signals:
        os._exit(code)
    gc.freeze()  # or the interpreter's last collections go through all of torch: two seconds of a slow core
    sys.exit(code)


def unwind_on_signals() -> list[int]:
    """SIGTERM and the end of the terminal end what runs as an error does, so that nothing half-written stays behind.

    Returns the list of those that have come. One that is ignored (nohup) stays so, and a second one ends the process
    at once. Commands with an end of their own (watch, tui, train) take the signals over.
    """
    came: list[int] = []

    def end(number: int, _: object) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL)
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # not every system has both
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
    return came


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; every failure is one or two lines on stderr.

    A command whose output nobody reads to its end (``npe status | head -1``) stops there, quietly.
    """
    streams.prepare()
    debug = "--debug" in arguments
    arguments = [word for word in arguments if word != "--debug"] if debug else arguments
    if not arguments and sys.stdin.isatty() and sys.stdout.isatty():
        arguments = ["tui"]
    try:
        outcome = npe.main(args=arguments, prog_name="npe", standalone_mode=False)
        return outcome if isinstance(outcome, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        usage = getattr(error, "ctx", None)
        hint = f" See {usage.command_path} --help." if usage is not None else ""
        message = error.format_message()
        return fail(f"{message}{'' if message.endswith(('.', '?')) else '.'}{hint}", 2, debug)
    except (click.Abort, KeyboardInterrupt):
        return fail("Stopped.", STOPPED, debug)
    except NpeError as error:
        return fail(str(error), error.exit_code, debug)
    except SystemExit as stop:  # argparse, under the train command, or a signal
        return stop.code if isinstance(stop.code, int) else 2
    except streams.ReaderGone:
        return streams.READER_GONE
    except OSError as error:
        told = f"The system refused: {error}."
        if streams.is_of_stdout(error):
            told = stdout_refused(error)
        return fail(told, EnvironmentFault.exit_code, debug)
    except MemoryError:
        return fail("Not enough memory. Close other programs, or use a smaller photo.", 4, debug)
    except Exception as error:
        if isinstance(error, ImportError) and not is_own(error):
            return fail(str(fault_of(error)), EnvironmentFault.exit_code, debug)
        return fail(
            f"This is a bug: {type(error).__name__}: {error}. Run again with --debug and report it.", BUG, debug
        )


def fail(message: str, code: int, debug: bool) -> int:
    """Say what went wrong (with ``--debug``, where) and hand back the exit code."""
    with contextlib.suppress(OSError):  # the exit code has to do, where stderr cannot be written to
        if debug:
            traceback.print_exc()
        click.echo(f"npe: {message}", err=True)
    return code
