"""The command group, and what click raises in our own words."""

from __future__ import annotations

import contextlib
import importlib
import os
import shlex
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn

import click

from npe_core import __version__
from npe_core.ending import ended, leave_after
from npe_core.errors import EnvironmentFault, UsageError
from npe_core.filenames import printable, quoted
from npe_core.spelling import hint
from npe_core.streams import stdout_refused, tell

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


class ReaderGone(Exception):
    """A pipe was closed from the other end."""


@contextlib.contextmanager
def telling_of_stdout() -> Iterator[None]:
    """Turns a broken pipe into ReaderGone, which click lets pass: of the other it makes an exit code 1.

    Raises EnvironmentFault for what else the system refuses where the output is written.
    """
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        if _is_of_stdout(error):
            raise EnvironmentFault(stdout_refused(error)) from error
        raise


def _is_of_stdout(error: OSError) -> bool:
    """Whether it was raised where the output was written: the system does not say which file was at fault."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_code is click.echo.__code__ and frame.f_locals["file"] is sys.stdout


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with telling_of_stdout():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with telling_of_stdout():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in COMMANDS:
            opens = f"To open it: npe tui {printable(shlex.quote(args[0]))}"
            then = opens if os.path.lexists(args[0]) else hint(args[0], COMMANDS, "See npe --help.")
            raise UsageError(f"There is no command {quoted(args[0])}. {then}")
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


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    leave_after(call, sys.argv[1:] if arguments is None else arguments)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code; see ``ended``."""
    return ended(call, arguments)


def call(arguments: list[str]) -> object:
    """Run the command line by click, whose errors are raised as ours."""
    if not arguments and sys.stdin.isatty() and sys.stdout.isatty():
        arguments = ["tui"]
    try:
        return npe.main(args=arguments, prog_name="npe", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        tell(error.format_message())
        return 0
    except click.ClickException as error:
        usage = getattr(error, "ctx", None)
        hint = f" See {usage.command_path} --help." if usage is not None else ""
        message = error.format_message()
        raise UsageError(f"{message}{'' if message.endswith(('.', '?')) else '.'}{hint}") from None
    except click.Abort:
        raise KeyboardInterrupt from None
    except ReaderGone:
        raise BrokenPipeError from None
