"""What the migration's author told driftflow about a statement, as typed requests. docs/directives.md describes each verb.

A directive that cannot be understood stops the planning: a backfill that is silently left out would be worse than an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import check_words, delimiter_of, need, options_of
from driftflow.errors import ParseError, RefusedError, SourceError
from driftflow.model.catalog import Table
from driftflow.model.migration import Directive, Migration, Statement
from driftflow.model.names import Name, Span
from driftflow.model.operations import AddColumn, ChangeColumn, Operation, SetNotNull, SetSetting
from driftflow.model.record import Record
from driftflow.strategies.drops import said_columns
from driftflow.strategies.renames import said_rename
from driftflow.strategies.security import said_row_security
from driftflow.strategies.types import said_conversion


class BackfillRequest(Record, frozen=True, kw_only=True):
    """`backfill`: exactly one of `expression` (with or without `from_clause`), `csv`, `query`, `function`."""

    columns: tuple[str, ...]
    expression: str = ""
    from_clause: str = ""
    join: str = ""
    where: str = ""
    csv: str = ""
    query: str = ""
    url_env: str = ""
    key: str = ""
    value: str = ""
    match: str = ""
    delimiter: str = ","
    null: str = ""
    function: str = ""
    inputs: tuple[str, ...] = ()
    path: str = ""
    span: Span

    @property
    def files(self) -> tuple[str, ...]:
        """Paths that the pipeline must read and pin."""
        return tuple(path for path in (self.csv, self.path if self.function else "") if path)


class DualWriteRequest(Record, frozen=True, kw_only=True):
    """`dual-write`: what the column is for a row that the old application writes, as an expression over NEW."""

    column: str
    expression: str
    span: Span


def backfills(statement: Statement) -> tuple[BackfillRequest, ...]:
    return tuple(_backfill(directive) for directive in _of(statement, "backfill"))


def dual_writes(statement: Statement) -> tuple[DualWriteRequest, ...]:
    found = []
    for directive in _of(statement, "dual-write"):
        options_of(directive)
        found.append(DualWriteRequest(column=need(directive, "column"), expression=need(directive, "set"), span=directive.span))
    return tuple(found)


def backfill_of(at: Situation, *columns: str) -> BackfillRequest | None:
    """The backfill that fills one of the columns, bound to this statement."""
    return next((request for request in backfills(at.statement) if set(columns) & set(request.columns)), None)


def dual_write_of(at: Situation, column: str) -> DualWriteRequest | None:
    return next((request for request in dual_writes(at.statement) if request.column == column), None)


def kept_by_trigger(at: Situation, table: Name, column: str) -> bool:
    """Whether a dual-write of this migration fills the column, declared with this statement or an earlier one."""
    return any(
        request.column == column and _touches(statement, table) for statement in until(at) for request in dual_writes(statement)
    )


def filled_in_release(at: Situation, table: Name, column: str) -> BackfillRequest | None:
    """The backfill of this migration that fills the column, up to and with this statement."""
    for statement in until(at):
        for request in backfills(statement):
            if column in request.columns and _touches(statement, table):
                return request
    return None


def until(at: Situation) -> Iterator[Statement]:
    """The statements of the migration up to this one."""
    for statement in at.migration.statements:
        yield statement
        if statement.span == at.statement.span:
            return


def sql_mode(at: Situation) -> str | None:
    """The sql_mode that holds for the statement: the server's, or what the migration has set; None where there is none."""
    said = at.catalog.settings.get("sql_mode")
    for statement in until(at):
        for operation in statement.operations:
            if isinstance(operation, SetSetting) and operation.name.lower() == "sql_mode" and operation.value is not None:
                said = operation.value
    return said


def place_of(at: Situation) -> str:
    """`001#3`: the third statement of migration 001; part of a name that a person accepts, so it must not move with a comment."""
    number = next((index for index, one in enumerate(at.migration.statements, 1) if one.span == at.statement.span), 0)
    return f"{at.migration.id}#{number}"


def as_is(at: Situation) -> bool:
    """`as-is reason=...`: the statement is taken literally."""
    return bool(at.directives("as-is"))


def said_small(at: Situation) -> bool:
    return bool(at.directives("small"))


def input_path(migration: Migration, named: str) -> str:
    """A path in a directive is relative to the file that names it; plans write it relative to the project's folder."""
    return (PurePosixPath(migration.path).parent / named).as_posix()


def wanted_files(migrations: tuple[Migration, ...] | list[Migration]) -> tuple[str, ...]:
    """Every file of requests, and every file that the directives of these migrations name, relative to the project, in order of first mention."""
    return tuple(dict.fromkeys(path for migration in migrations for path in _files(migration)))


def _files(migration: Migration) -> Iterator[str]:
    if migration.requests:
        yield migration.requests
    for statement in migration.statements:
        for request in backfills(statement):
            yield from (input_path(migration, path) for path in request.files)
        for directive in _of(statement, "rule"):
            if path := directive.options.get("path", ""):
                yield input_path(migration, path)
        yield from (input_path(migration, path) for path in said_conversion.schemas(statement))


def check_all(statement: Statement) -> None:
    """Raise ParseError (DF-E212, DF-E213, DF-E216, DF-E217) for a directive of ours that is incomplete or names what is not there; RefusedError (DF-E640) for one
    that speaks of a DROP COLUMN before a statement that drops none, DF-E722 for one of a rename before a statement that renames no column, DF-E786 for one of row-level security
    before a statement that enables none."""
    for directive in statement.directives:
        check_words(directive)
    _check_columns(statement)
    said_columns.check(statement)
    said_rename.check(statement)
    said_row_security.check(statement)


def pinned(at: Situation, path: str, span: Span) -> str:
    """The SHA-256 of a file (as `input_path` gives it) that a directive names. Raises SourceError (DF-E214) when the pipeline did not find it."""
    found = (at.inputs or {}).get(path)
    if not found:
        raise SourceError(
            "DF-E214",
            f"the file {path} that a directive names was not found",
            where=str(span),
            why="a path in a directive is relative to the migration that names it",
            hint="put the file there, or correct the path",
        )
    return found


def refuse_unknown(table: Table, columns: Iterable[str], *, verb: str, span: Span) -> None:
    """Raises RefusedError (DF-E653) for a column that a directive names and the table has not."""
    for column in columns:
        if table.column(column) is None:
            raise RefusedError(
                "DF-E653",
                f"{table.name.name} has no column {column}",
                where=str(span),
                why=f"the directive `{verb}` names it",
                hint=f"it has {', '.join(one.name for one in table.columns)}",
            )


def _check_columns(statement: Statement) -> None:
    """A column that the statement does not speak of is a misspelt one: the backfill would be left out without a word."""
    named = {name for operation in statement.operations if (name := _column_of(operation))}
    requests = [(one.columns, one.span) for one in backfills(statement)]
    requests += [((one.column,), one.span) for one in dual_writes(statement)]
    for columns, span in requests:
        if named and not named & set(columns):
            raise ParseError(
                "DF-E217",
                f"the directive names {', '.join(columns)}, and the statement does not",
                where=str(span),
                why=f"the statement that follows speaks of {', '.join(sorted(named))}",
                hint="correct the name, or put the directive above the statement that it is about",
            )


def _column_of(operation: Operation) -> str:
    match operation:
        case AddColumn(column=column):
            return column.name
        case SetNotNull(column=name):
            return name
        case ChangeColumn(definition=definition):
            return definition.name
        case _:
            return ""


def _of(statement: Statement, verb: str) -> Iterator[Directive]:
    return (directive for directive in statement.directives if directive.verb == verb)


def _backfill(directive: Directive) -> BackfillRequest:
    options = options_of(directive)
    columns = _listed(options.get("columns", "")) or _listed(need(directive, "column"))
    sources = [name for name in ("set", "csv", "query", "function") if options.get(name)]
    if len(sources) != 1:
        raise ParseError(
            "DF-E213",
            "a backfill takes its values from exactly one of `set`, `csv`, `query` and `function`",
            where=str(directive.span),
            why=f"this one has {', '.join(sources) or 'none of them'}",
            hint="driftflow's directives are described in docs/directives.md",
        )
    if sources[0] in ("csv", "query"):
        for option in ("key", "value", *(("url-env",) if sources[0] == "query" else ())):
            need(directive, option)
    if sources[0] == "function":
        for option in ("inputs", "path"):
            need(directive, option)
    if options.get("from"):
        need(directive, "on")
    if sources[0] != "function" and len(columns) != 1:
        raise ParseError(
            "DF-E213",
            "only a function fills several columns at once",
            where=str(directive.span),
            hint="write one backfill per column",
        )
    return BackfillRequest(
        columns=columns,
        expression=options.get("set", ""),
        from_clause=options.get("from", ""),
        join=options.get("on", ""),
        where=options.get("where", ""),
        csv=options.get("csv", ""),
        query=options.get("query", ""),
        url_env=options.get("url-env", ""),
        key=options.get("key", ""),
        value=options.get("value", ""),
        match=options.get("match", "") or options.get("key", ""),
        delimiter=delimiter_of(directive),
        null=options.get("null", ""),
        function=options.get("function", ""),
        inputs=_listed(options.get("inputs", "")),
        path=options.get("path", ""),
        span=directive.span,
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _touches(statement: Statement, table: Name) -> bool:
    """Before resolve a statement may leave the schema out, so the bare name decides there."""
    for operation in statement.operations:
        named = getattr(operation, "table", None)
        if isinstance(named, Name) and named.name == table.name and named.schema in ("", table.schema):
            return True
    return False
