"""The entries of a file of requests, bound to the statements that they name: from there on each is a directive like one in a comment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from driftflow.config import nearest
from driftflow.dialects.walk import relations_of
from driftflow.errors import SourceError
from driftflow.model.migration import Directive, Migration, Statement
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    ChangeColumn,
    CreateFunction,
    CreateIndex,
    CreateSequence,
    CreateTable,
    CreateTrigger,
    CreateView,
    Operation,
)
from driftflow.model.record import replace
from driftflow.readers.files import Faults
from driftflow.readers.plain import MODES
from driftflow.readers.requests import Entry, Requests

OPERATIONS: Mapping[str, type] = {str(kind.__struct_config__.tag).replace("_", "-"): kind for kind in get_args(Operation)}
"""Every operation by the name that `on` gives it: `add-column`, `create-index`, `raw`."""


def with_requests(
    migration: Migration, requests: Requests, parsed: Sequence[Statement | None], faults: Faults
) -> tuple[Migration, tuple[Statement | None, ...]]:
    """The migration and its statements (None: one that the grammar rejects) with the directives that the file asks for.

    To `faults` go DF-E753 for an entry that names no statement, DF-E754 for one that names several, and for what is said twice.
    """
    bound: dict[int, Entry] = {}
    for entry in requests.entries:
        with faults.collect():
            index = _statement_of(entry, parsed)
            if index is None:
                continue  # what it is about may be among what could not be read, and that is an error of its own
            if (other := bound.setdefault(index, entry)) is not entry:
                raise _twice(entry.span, "two entries are about the same statement", other.span)
            _refuse_comments(entry.directives, parsed[index], migration)
    found = tuple(
        replace(one, directives=(*one.directives, *bound[index].directives)) if one is not None and index in bound else one
        for index, one in enumerate(parsed)
    )
    with faults.collect():
        migration = _of_file(migration, requests)
    return replace(migration, requests=requests.path, requests_sha256=requests.sha256), found


def _of_file(migration: Migration, requests: Requests) -> Migration:
    """What `[file]` says. Raises SourceError (DF-E752, DF-E754)."""
    asked = replace(migration, directives=(*migration.directives, *requests.directives))
    if requests.transaction is None:
        return asked
    mode, span = requests.transaction
    if migration.source != "plain" or mode not in MODES:
        raise SourceError(
            "DF-E752",
            f"there is no transaction mode {mode}"
            if mode not in MODES
            else f"how {migration.source} runs a file is not ours to say",
            where=str(span),
            why=f"known modes: {', '.join(MODES)}, of plain SQL files only",
            hint="correct it, or take it out",
        )
    for said in migration.directives:
        if "transaction" in said.options:
            raise _twice(span, "the transaction mode is said twice", said.span)
    return replace(asked, transaction=mode)


def _refuse_comments(directives: Sequence[Directive], statement: Statement | None, migration: Migration) -> None:
    """What a comment says already is not said again: which of the two would hold is nobody's guess."""
    for said in statement.directives if statement is not None else ():
        for asked in directives:
            if asked.verb == said.verb:
                raise _twice(asked.span, f"`{asked.verb}` is said twice of one statement", said.span)


def _statement_of(entry: Entry, parsed: Sequence[Statement | None]) -> int | None:
    """Its index; None where it may be one of those that could not be read."""
    operation = entry.on.get("operation", "")
    if operation and operation not in OPERATIONS:
        near = nearest(operation, sorted(OPERATIONS))
        raise SourceError(
            "DF-E752",
            f"there is no operation `{operation}`",
            where=str(entry.span),
            why="operations are called as in add-column, drop-index, create-view",
            hint=f"did you mean {near}?" if near else "docs/directives.md lists them",
        )
    matching = [index for index, one in enumerate(parsed) if one is not None and _is_meant(entry.on, index, one)]
    if len(matching) > 1:
        raise SourceError(
            "DF-E754",
            f"an entry is about {len(matching)} statements",
            where=str(entry.span),
            why=f"{_spelled(entry)} fits {', '.join(_place(parsed[index]) for index in matching)}",
            hint=f"say which: add number = {matching[0] + 1}",
        )
    if not matching and None not in parsed:
        raise SourceError(
            "DF-E753",
            "an entry is about no statement",
            where=str(entry.span),
            why=f"{_spelled(entry)} fits none of the {len(parsed)} statements of the file",
            hint="the statements, each with its operation and names: driftflow assess --format json",
        )
    return matching[0] if matching else None


def _is_meant(on: Mapping[str, str], index: int, statement: Statement) -> bool:
    if "number" in on and on["number"] != str(index + 1):
        return False
    wanted = {key: value for key, value in on.items() if key != "number"}
    return not wanted or any(_fits(wanted, operation) for operation in statement.operations)


def _fits(wanted: Mapping[str, str], operation: Operation) -> bool:
    """All of it is said of one operation: `ALTER TABLE a ADD x, DROP y` is no `add-column` of y."""
    if "operation" in wanted and not isinstance(operation, OPERATIONS[wanted["operation"]]):
        return False
    if "table" in wanted and not any(_called(name, wanted["table"]) for name in _tables(operation)):
        return False
    return all(
        any(_called(name, wanted[key]) for name in _names(operation, key))
        for key in ("column", "constraint", "index", "name")
        if key in wanted
    )


def _called(name: Name, wanted: str) -> bool:
    """Whether the name is the wanted one; a schema counts where both have one. Capitals do not tell two apart here: what then fits twice is refused."""
    schema, _, bare = wanted.casefold().rpartition(".")
    return name.name.casefold() in (bare, wanted.casefold()) and (not schema or name.schema.casefold() in ("", schema))


def _tables(operation: Operation) -> Iterator[Name]:
    yield from relations_of(operation)
    if isinstance(operation, CreateTable):
        yield operation.table.name


def _names(operation: Operation, key: str) -> Iterator[Name]:
    """What the operation calls by this kind of name. Operations hold it under the kind's own word, under `name`, or within what they make."""
    match operation, key:
        case (AddColumn(column=made), "column"):
            yield Name(name=made.name)
        case (ChangeColumn(column=old, definition=made), "column"):
            yield from (Name(name=one) for one in {old, made.name})
        case (AddConstraint(constraint=constraint), "constraint" | "name"):
            yield Name(name=constraint.name)
        case (CreateIndex(index=index), "index" | "name"):
            yield index.name
        case (
            (CreateView(view=named), "name") | (CreateFunction(routine=named), "name") | (CreateSequence(sequence=named), "name")
        ):
            yield named.name
        case (CreateTrigger(trigger=trigger), "name"):
            yield Name(name=trigger.name)
        case (CreateTable(table=table), "name"):
            yield table.name
        case _:
            held = _held(operation, key)
            if held is not None:
                yield held if isinstance(held, Name) else Name(name=held)


def _held(operation: Operation, key: str) -> Name | str | None:
    """The field that is called so. What drops, renames or validates a constraint or an index has its name in `name`."""
    fields = (key, "name") if key in type(operation).__name__.lower() else (key,)
    held = (getattr(operation, field) for field in fields if field in operation.__struct_fields__)
    return next((one for one in held if isinstance(one, Name | str) and one), None)


def _twice(span: object, summary: str, other: object) -> SourceError:
    return SourceError("DF-E754", summary, where=str(span), why=f"{other} says it too", hint="say it in one place")


def _spelled(entry: Entry) -> str:
    return ", ".join(f"{key} {value}" for key, value in entry.on.items())


def _place(statement: Statement | None) -> str:
    return str(statement.span) if statement is not None else ""
