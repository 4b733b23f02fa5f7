"""The entry: finds the command, runs it, and turns whatever comes out of it into one shape of output and an exit code."""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

import click

from driftflow.cli import ReaderGone
from driftflow.cli.commands import CHAPTERS, COMMANDS


class Commands(click.Group):
    """The lazy table of commands. Help lists it by chapter without importing one of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = importlib.import_module(f"driftflow.cli.{entry.module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for chapter in CHAPTERS:
            with formatter.section(chapter):
                formatter.write_dl(
                    [(name, entry.help) for name, entry in COMMANDS.items() if entry.chapter == chapter], col_max=12
                )

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from driftflow.config import nearest
            from driftflow.errors import UsageError

            near = next((name for name in COMMANDS if sorted(name) == sorted(args[0])), "") or nearest(args[0], list(COMMANDS))
            raise UsageError(
                "DF-E100",
                f"there is no command called {args[0]}",
                hint=f"driftflow {near}" if near else "driftflow --help",
            )
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    name="driftflow",
    epilog="Start here: driftflow lint FOLDER. Nothing is written to a database before `apply`.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
def cli() -> None:
    """Safe database migrations: what each statement does to the live database, a plan of small safe steps, and a run that
    survives kill -9 and can be taken back."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line. Returns the exit code; prints every error in one shape, and never a traceback unless it was asked for."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file name may hold bytes that are no text, and a terminal may know few letters: neither is worth a failure.
            stream.reconfigure(errors="backslashreplace")
    secrets: list[str] = []
    try:
        code = cli.main(args=given, prog_name="driftflow", standalone_mode=False, obj=secrets)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted()
    except click.exceptions.NoArgsIsHelpError as fault:
        print(fault.format_message())
        return 0 if fault.ctx is not None and fault.ctx.parent is None else 2
    except ReaderGone:
        # Nothing more can be said there, and the interpreter must not try at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BaseException as fault:
        if isinstance(fault, SystemExit | GeneratorExit) or os.environ.get("DRIFTFLOW_TRACEBACK") == "1":
            raise
        from driftflow.cli.failure import fail

        return fail(fault, given, secrets)
    return code if isinstance(code, int) else 0


def _interrupted() -> int:
    print("\ninterrupted; nothing was left half done", file=sys.stderr)
    return 4
