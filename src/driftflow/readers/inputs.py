"""Files that directives name: read once, when a plan is made, and pinned by content."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from driftflow.dialects.verbs import delimiter_of
from driftflow.errors import SourceError
from driftflow.model.migration import Directive, Migration

FILE_OPTIONS = ("csv", "path", "schema")


def external_inputs(migrations: Iterable[Migration], root: Path, errors: list[SourceError] | None = None) -> dict[str, str]:
    """Path (relative to the project, beside the migration that names it) to the SHA-256 of its content; `path#columns` to a CSV file's header,
    `path#text` to the text of a rule in Python or of a JSON Schema.
    A file of requests is one of them.

    Raises SourceError, with the directive's position, for a file that is not there or cannot be read; with `errors` it goes there.
    """
    found: dict[str, str] = {}
    for migration in migrations:
        if migration.requests:
            found[migration.requests] = migration.requests_sha256
        for statement in migration.statements:
            for directive in statement.directives:
                try:
                    found |= _inputs_of(directive, migration, root)
                except SourceError as fault:
                    if errors is None:
                        raise
                    errors.append(fault)
    return found


def names_files(migrations: Iterable[Migration]) -> bool:
    """Whether a directive names a file."""
    return any(
        option in directive.options
        for migration in migrations
        for statement in migration.statements
        for directive in statement.directives
        for option in FILE_OPTIONS
    )


def _inputs_of(directive: Directive, migration: Migration, root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for option in FILE_OPTIONS:
        if option in directive.options:
            path = input_path(migration, directive.options[option])
            content = _content(root / path, path, directive)
            found[path] = hashlib.sha256(content).hexdigest()
            if directive.verb == "rule" or option == "schema":
                found[f"{path}#text"] = content.decode("utf-8-sig", errors="replace")
            if option == "csv":
                found[f"{path}#columns"] = "\n".join(_header(content, directive))
    return found


def input_path(migration: Migration, named: str) -> str:
    """A path in a directive is relative to the file that names it."""
    return (PurePosixPath(migration.path).parent / named).as_posix()


def _header(content: bytes, directive: Directive) -> list[str]:
    """The names in the first line of a CSV file."""
    import csv

    text = content.decode("utf-8-sig", errors="replace").split("\n", 1)[0]
    return next(csv.reader([text.rstrip("\r")], delimiter=delimiter_of(directive)), [])


def _content(file: Path, shown: str, directive: Directive) -> bytes:
    try:
        if file.exists() and not (file.is_file() or file.is_dir()):
            raise OSError(errno.EINVAL, "it is a pipe, a socket or a device, and no file")
        return file.read_bytes()
    except OSError as fault:
        raise SourceError(
            "DF-E214",
            f"the input file {shown} cannot be read",
            where=str(directive.span),
            why=fault.strerror or str(fault),
            hint="a path in a directive is relative to the migration that names it",
        ) from fault
