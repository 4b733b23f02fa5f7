"""What a failed command prints, and its exit code."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence

import click

from driftflow.cli.output import color_wanted
from driftflow.config import mask
from driftflow.engine.ports import DatabaseFault
from driftflow.errors import DatabaseError, DriftflowError, UsageError
from driftflow.reports import errors


def fail(fault: BaseException, arguments: Sequence[str], secrets: Sequence[str]) -> int:
    """Print the fault (JSON on standard output when JSON was asked for, else text on standard error); the exit code."""
    found = errors.flatten(_ours(fault))
    if wants_json(arguments):
        print(mask(errors.render_json(found), secrets))
    else:
        color = color_wanted(sys.stderr, disabled="--no-color" in arguments)
        print(mask("\n\n".join(errors.render_text(error, color=color) for error in found), secrets), file=sys.stderr)
    return errors.exit_code(found)


def wants_json(arguments: Sequence[str]) -> bool:
    """Read from the raw words: a usage error comes before the options are parsed."""
    return "--format=json" in arguments or ("--format", "json") in itertools.pairwise(arguments)


def _ours(fault: BaseException) -> BaseException:
    match fault:
        case click.MissingParameter() if fault.param and fault.param.human_readable_name == "RUN":
            return UsageError("DF-E100", "which run?", why="this command acts on the run that is named", hint="driftflow status")
        case click.UsageError():
            command = fault.ctx.command_path if fault.ctx else "driftflow"
            return UsageError("DF-E100", fault.format_message().rstrip("."), hint=f"{command} --help")
        case click.ClickException():
            return UsageError("DF-E100", fault.format_message().rstrip("."), hint="driftflow --help")
        case DatabaseFault():
            return database_error(fault)
        case OSError() if fault.filename:
            return UsageError(
                "DF-E105", f"{fault.filename} cannot be used", why=fault.strerror or str(fault), hint="name another file"
            )
        case _:
            return fault


def database_error(fault: DatabaseFault) -> DriftflowError:
    """A server's refusal that no room above the driver had more to say about."""
    where = f"{fault.kind} {fault.code}".strip()
    why = f"{fault.message}: {fault.detail}" if fault.detail else fault.message
    return DatabaseError("DF-E499", "the database said no", where=where, why=why, hint=fault.hint or "driftflow doctor")
