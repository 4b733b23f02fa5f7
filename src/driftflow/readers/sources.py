"""Migration sources as a project has them: found, read by their own tool's rules, parsed, and asked what is applied."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from driftflow.config import SourceOptions
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.errors import ParseError, RefusedError, SourceError, printable
from driftflow.model.migration import Migration, Statement
from driftflow.model.record import LocalValue, Record, replace
from driftflow.model.tool_lock import ToolLock
from driftflow.plugins import discover
from driftflow.readers.base import Applied, Ledger, Reader
from driftflow.readers.common import names_remembered
from driftflow.readers.each import Ahead, ahead, each
from driftflow.readers.files import Faults, ReadInPart, read_file
from driftflow.readers.ledger import TableLedger
from driftflow.readers.requests import Requests, requests_of

if TYPE_CHECKING:
    from driftflow.dialects.base import Dialect
    from driftflow.engine.ports import Connection

PLAIN = "plain"
FAULTS_MAX = 100
"""Of one file."""


class Source(LocalValue, frozen=True, kw_only=True):
    """One migration source that was found or configured, as its tool sees it."""

    name: str
    reader: Reader
    folder: Path
    options: SourceOptions
    migrations: tuple[Migration, ...]


class SourceStatus(Record, frozen=True, kw_only=True):
    """Which migrations a source has, which are applied, which are pending."""

    name: str
    tool: str
    folder: str
    total: int
    applied: tuple[Applied, ...] = ()
    pending: tuple[str, ...] = ()
    known: bool = False
    """Whether a database was asked."""


def readers() -> dict[str, Reader]:
    """Every reader by name."""
    return {entry.name: entry.value() for entry in discover("reader").of("reader")}


def find(
    paths: Sequence[Path],
    *,
    dialect: Dialect,
    options: Mapping[str, SourceOptions],
    root: Path,
    errors: list[SourceError] | None = None,
) -> tuple[Source, ...]:
    """A source per path. Raises SourceError, or an ExceptionGroup of everything that is wrong in all of them.

    With `errors` everything that is wrong is put there instead, and what could be read all the same comes back.
    """
    found: list[Source] = []
    faults = Faults()
    for path in paths:
        with faults.collect():
            found.append(
                _source_at(path, dialect=dialect, options=options.get(str(path), SourceOptions()), root=root, faults=faults)
            )
    if errors is None:
        faults.settle(", ".join(_shown(path, root) for path in paths))
    else:
        # Two files of one folder are read among the same neighbours, and meet the same faults.
        errors += {str(fault): fault for fault in faults.found}.values()
    return tuple(found)


def _source_at(path: Path, *, dialect: Dialect, options: SourceOptions, root: Path, faults: Faults) -> Source:
    """The source at the path as far as it can be read; what is wrong in its files goes to `faults`."""
    shown = _shown(path, root)
    reader = _reader_for(path, options)
    read: tuple[Migration, ...]
    with ahead(partial(_parsed_ahead, dialect=dialect)) as done:
        try:
            read = reader.read(path, dialect, replace(options, path=shown))
        except ReadInPart as group:
            faults.found += group.faults
            read = group.read
    if not read and path.is_dir() and not faults.found:
        raise SourceError("DF-E221", f"there are no migrations in {shown}", hint="driftflow sources, to see what is found where")
    requests = requests_of(read, folder=path, shown=shown, root=root, faults=faults)
    parsed = _parsed(read, dialect, faults, requests, done)
    return Source(name=_name(shown, reader), reader=reader, folder=path, options=options, migrations=parsed)


def _reader_for(path: Path, options: SourceOptions) -> Reader:
    """The configured tool, or the one that recognises the folder (for a file: the one that holds it); what nobody recognises is plain SQL."""
    known = readers()
    if options.tool:
        if options.tool not in known:
            raise SourceError(
                "DF-E237",
                f"there is no reader for {options.tool!r}",
                why=f"known: {', '.join(sorted(known))}",
                hint="driftflow list readers",
            )
        return known[options.tool]
    with names_remembered():
        detected = [reader for name, reader in sorted(known.items()) if name != PLAIN and reader.detect(path)]
    if len(detected) > 1:
        names = ", ".join(reader.name for reader in detected)
        raise SourceError(
            "DF-E238",
            f"{path} looks like the folder of several tools: {names}",
            hint=f"say which: --tool {detected[0].name}, or [sources.NAME] tool = ...",
        )
    return detected[0] if detected else known[PLAIN]


def parse_all(migrations: Iterable[Migration], dialect: Dialect) -> tuple[Migration, ...]:
    """Every statement with its operations. All that the grammar rejects is collected before anything is raised."""
    faults = Faults()
    parsed = _parsed(migrations, dialect, faults)
    faults.settle("the migrations")
    return parsed


def _parsed(
    migrations: Iterable[Migration],
    dialect: Dialect,
    faults: Faults,
    requests: Mapping[str, Requests] = {},
    done: Ahead | None = None,
) -> tuple[Migration, ...]:
    """The same, without the statements that the grammar rejects; why goes to `faults`. What is `done` was parsed when it was read."""
    several = tuple(migrations)
    if done is not None and done.has_all(several):
        return tuple([_parsed_one(one, dialect, faults, requests.get(one.path), done) for one in several])
    return tuple(each(several, lambda one, own: _parsed_one(one, dialect, own, requests.get(one.path), done), faults))


def _parsed_ahead(migration: Migration, *, dialect: Dialect) -> Migration:
    """The migration with its statements parsed. Raises ParseError where one is rejected."""
    up = tuple([_read(statement, dialect) for statement in migration.statements])
    return replace(migration, statements=up, down=tuple([_read(statement, dialect) for statement in migration.down]))


def _parsed_one(
    migration: Migration, dialect: Dialect, faults: Faults, requests: Requests | None, done: Ahead | None
) -> Migration:
    if requests is None and done is not None and done.has_all((migration,)):
        return migration
    own = Faults()
    read = tuple([_parse(statement, dialect, own, done) for statement in migration.statements])
    if requests is not None:
        from driftflow.readers.bound_requests import with_requests

        migration, read = with_requests(migration, requests, read, own)
    up = tuple([one for one in read if one is not None])
    down = tuple([one for statement in migration.down if (one := _parse(statement, dialect, own, done)) is not None])
    faults.found += _not_too_many(own.found, migration)
    return replace(migration, statements=up, down=down)


def _not_too_many(found: list[SourceError], migration: Migration) -> list[SourceError]:
    """What is wrong in one file, as far as somebody would read it: a file of another database may hold an error in every statement."""
    if len(found) <= FAULTS_MAX:
        return found
    more = ParseError(
        "DF-E201",
        f"{len(found) - FAULTS_MAX + 1} more statements of the file are rejected",
        where=migration.path,
        why=f"only the first {FAULTS_MAX - 1} are shown",
        hint="is it written for this database? --dialect names another; then: driftflow lint",
    )
    return [*found[: FAULTS_MAX - 1], more]


def _parse(statement: Statement, dialect: Dialect, faults: Faults, done: Ahead | None) -> Statement | None:
    if done is not None and done.has(statement):
        return statement
    try:  # Not `faults.collect()`: this runs once for every statement of a project.
        return _read(statement, dialect)
    except ParseError as fault:
        faults.found.append(fault)
        return None


def _read(statement: Statement, dialect: Dialect) -> Statement:
    parsed = dialect.parse(statement)
    if dialect.name == "sqlite":
        # Our reading of SQLite never judges; the library does, without a database.
        from driftflow.drivers.sqlite_syntax import check_syntax

        check_syntax(parsed)
    return parsed


def loose_migration(sql: str, *, dialect: Dialect) -> Migration:
    """SQL from the command line as a migration of its own."""
    digest = hashlib.sha256(sql.encode()).hexdigest()
    bare = Migration(
        id="statement",
        source=PLAIN,
        path="",
        dialect=dialect.name,
        statements=dialect.split(SourceText(sql)),
        transaction="per_statement",
        checksum=digest,
        sha256=digest,
    )
    return parse_all([bare], dialect)[0]


def loose_statements(path: Path, *, dialect: Dialect) -> tuple[Statement, ...]:
    """The statements of a file of SQL, not parsed: only the server has to understand them. Raises SourceError."""
    return dialect.split(read_file(path, str(path)).piece())


def pending_migrations(sources: Sequence[Source], pending: Sequence[str] | None) -> tuple[Migration, ...]:
    """The migrations of all sources in order; only those in `pending` when given."""
    every = tuple(migration for source in sources for migration in source.migrations)
    return every if pending is None else tuple(migration for migration in every if migration.id in set(pending))


def ledger_of(source: Source, dialect: Dialect, *, schema: str = "") -> Ledger:
    return source.reader.ledger(dialect, source.options, schema=schema).fitted(source.migrations)


def written_ledger(source: Source, dialect: Dialect, database: str) -> Ledger:
    """The ledger that a plan writes to. Raises RefusedError where we do not know how the tool writes its own on this vendor."""
    ledger = ledger_of(source, dialect, schema=database if dialect.one_pass else "")
    if dialect.one_pass and not (isinstance(ledger, TableLedger) and ledger.written_on_mysql):
        raise RefusedError(
            "DF-E611",
            f"how {source.reader.name} records a migration on {dialect.name} is not known to this version",
            why="what ran must stand in the tool's own version table, or its next deploy runs it again",
            hint="driftflow assess --url URL; or keep the files in a folder of plain SQL",
        )
    return ledger


def tool_lock(sources: Sequence[Source], dialect: Dialect, database: str) -> ToolLock | None:
    """The lock of the one tool that has one. Two tools with locks in one plan are planned one after the other instead."""
    locks = [lock for source in sources if (lock := ledger_of(source, dialect).lock(database)) is not None]
    return locks[0] if locks else None


def unasked(source: Source) -> SourceStatus:
    """What is known without a database: everything may be pending."""
    return SourceStatus(
        name=source.name,
        tool=source.reader.name,
        folder=source.folder.as_posix(),
        total=len(source.migrations),
        pending=tuple(migration.id for migration in source.migrations),
    )


def ask(source: Source, connection: Connection) -> SourceStatus:
    """What the tool's own version table says. Raises SourceError where the tool itself would refuse to go on."""
    applied = applied_in(source, connection)
    pending = ledger_of(source, dialect_named(connection.dialect)).pending(applied, source.migrations)
    return replace(unasked(source), applied=applied, pending=tuple(migration.id for migration in pending), known=True)


def applied_in(source: Source, connection: Connection) -> tuple[Applied, ...]:
    """What stands in the tool's own version table; nothing where there is none."""
    ledger = ledger_of(source, dialect_named(connection.dialect))
    rows = connection.query_dicts(ledger.applied_query()) if _exists(ledger, connection) else []
    return ledger.applied(rows, source.migrations)


def _exists(ledger: Ledger, connection: Connection) -> bool:
    table = ledger.table
    if connection.dialect == "sqlite":
        return bool(
            connection.query("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = %s", (table.name,))[0][0]
        )
    if connection.dialect in {"mysql", "mariadb"}:
        there = "SELECT count(*) FROM information_schema.TABLES WHERE TABLE_NAME = %s AND TABLE_SCHEMA = coalesce(nullif(%s, ''), DATABASE())"
        return bool(connection.query(there, (table.name, table.schema))[0][0])
    quoted = dialect_named(connection.dialect).quote_name(table)
    return connection.query("SELECT to_regclass(%s) IS NOT NULL", (quoted,))[0][0] is True


def _shown(path: Path, root: Path) -> str:
    """Relative to the project where it is inside it."""
    absolute, base = path.resolve(), root.resolve()
    return printable(absolute.relative_to(base).as_posix() if absolute.is_relative_to(base) else path.as_posix())


def _name(shown: str, reader: Reader) -> str:
    return shown if shown not in {"", "."} else reader.name
