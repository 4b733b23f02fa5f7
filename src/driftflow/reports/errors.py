"""Errors in one shape, as text or JSON: what, where, because, and the next command to type."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from traceback import extract_tb

from driftflow.errors import DriftflowError
from driftflow.model.finding import FileError
from driftflow.patterns import lazy_regex

BUG = "DF-E900"
COMMAND = lazy_regex(
    r"\b(driftflow [a-z]|psql |GRANT |ls -l|pip install|iconv |export |fuser |sqlite3 |find /?\w|SELECT )|(^|\s)--[a-z]"
)
RED, BOLD, DIM, RESET = "\x1b[31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


def flatten(fault: BaseException) -> tuple[DriftflowError, ...]:
    """Every error in a fault, groups opened; what is none of ours becomes a bug report. Each hint names something to type."""
    return tuple(with_command(error) for error in _flatten(fault))


def with_command(error: DriftflowError) -> DriftflowError:
    """A hint that says what to write in a file, and no command, also says how to read the error's page."""
    if COMMAND.search(error.hint):
        return error
    page = f"driftflow explain {error.code}"
    return type(error)(
        error.code,
        error.summary,
        where=error.where,
        why=error.why,
        hint=f"{error.hint} (more: {page})" if error.hint else page,
    )


def file_errors(errors: Iterable[DriftflowError]) -> tuple[FileError, ...]:
    """What could not be read, for an assessment: in the order of files and lines."""
    return tuple(sorted((FileError.of(with_command(error)) for error in errors), key=lambda one: one.place))


def _flatten(fault: BaseException) -> Iterator[DriftflowError]:
    if isinstance(fault, BaseExceptionGroup):
        for inner in fault.exceptions:
            yield from _flatten(inner)
    elif isinstance(fault, DriftflowError):
        yield fault
    else:
        yield bug(fault)


def bug(fault: BaseException) -> DriftflowError:
    """An error that nobody raised on purpose: ours to mend. Names the innermost line of our code, never its data."""
    frames = [frame for frame in extract_tb(fault.__traceback__) if "driftflow" in Path(frame.filename).parts]
    frame = frames[-1] if frames else None
    parts = Path(frame.filename).parts if frame else ()
    place = "/".join(parts[len(parts) - 1 - parts[::-1].index("driftflow") :]) if parts else ""
    return DriftflowError(
        BUG,
        "driftflow has a bug",
        where=f"{place}:{frame.lineno} in {frame.name}" if frame else "",
        why=f"{type(fault).__name__}: {fault}",
        hint="repeat it with DRIFTFLOW_TRACEBACK=1 and report what it prints, with `driftflow version` and the SQL at hand",
    )


def exit_code(errors: tuple[DriftflowError, ...]) -> int:
    """The gravest one decides: our bug, then an outcome that nobody knows, then the others by their number."""
    codes = {error.exit_code for error in errors}
    return next((code for code in (70, 5, 6, 4, 3, 2) if code in codes), 70)


def render_text(error: DriftflowError | FileError, *, color: bool = False) -> str:
    """`error[CODE] what` / `at where` / `because` / `hint`."""
    if isinstance(error, FileError):
        error = DriftflowError(error.code, error.summary, where=error.where, why=error.why, hint=error.hint)
    if not color:
        return str(error)
    head, *rest = str(error).splitlines()
    code, _, what = head.partition("] ")
    lines = [f"{RED}{BOLD}{code}]{RESET} {BOLD}{what}{RESET}"]
    for line in rest:
        label, _, text = line.strip().partition(" ")
        known = label in {"at", "because", "hint:"} and line.startswith("  ") and not line.startswith("   ")
        lines.append(f"  {DIM}{label}{RESET} {text}" if known else line)
    return "\n".join(lines)


def render_json(errors: tuple[DriftflowError, ...]) -> str:
    return json.dumps({"errors": [error.as_dict() for error in errors]}, indent=2, ensure_ascii=False)
