"""The original migration on a scratch database: its statements as the team's tool runs them, and what its `backfill` directives fill, in one plain
statement each, as is what its `maintained` directives keep true. It is what a plan must equal, so none of the planner's or the engine's code takes part."""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from itertools import islice
from pathlib import Path

from driftflow.dialects.base import Dialect, ErrorKind
from driftflow.drivers.catalogs import catalog_of
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.lab.proof.asked_for import IN_THE_PLACE_OF_A_CHECK, checks_by_trigger
from driftflow.lab.proof.original_dependents import UNDER_VIEWS, dropped, made_again, take_along, views_over
from driftflow.lab.proof.original_quiet import quiet
from driftflow.lab.proof.original_sqlite import rebuilt, unbound
from driftflow.lab.proof.original_values import filled_between, put_aside, said_of, with_cascade, with_equal_nulls, with_values
from driftflow.lab.run_migrations import run_migrations
from driftflow.lab.scratch import Scratch
from driftflow.model.catalog import Catalog, Table
from driftflow.model.migration import Migration, Statement
from driftflow.model.operations import AlterColumnType, TransactionControl
from driftflow.model.record import replace
from driftflow.strategies.columns.said_maintained import maintained_in, over_row
from driftflow.strategies.spoken import BackfillRequest, backfills, input_path


def run_original(
    migrations: Sequence[Migration],
    place: Scratch,
    dialect: Dialect,
    *,
    root: Path,
    tell: Callable[[str], None] = lambda text: None,
) -> str:
    """Why it ended early; empty when all of it ran. `tell` hears of what it has in common with the plan, and so says nothing about it."""
    with closing(place.connector.connect("original")) as connection:
        for migration in migrations:
            said = _run(migration, place, connection, dialect, root, tell)
            if said:
                return said
    return keep_true(migrations, place, dialect)


def keep_true(migrations: Sequence[Migration], place: Scratch, dialect: Dialect) -> str:
    """Every `maintained` column as its expression has it for the row as it is now; why that failed."""
    wanted = [
        (statement, one) for migration in migrations for statement in migration.statements for one in maintained_in(statement)
    ]
    if not wanted:
        return ""
    with closing(place.connector.connect("original")) as connection:
        for statement, request in wanted:
            table = _table_with((request.column,), statement, connection)
            if table is None:
                continue
            name = dialect.quote_name(table.name)
            expression = over_row(request.expression, dialect.quote(table.name.name))
            assigned = ", ".join(
                [f"{dialect.quote(request.column)} = {expression}", *_as_they_are(table, (request.column,), dialect)]
            )
            try:
                connection.execute(f"UPDATE {name} SET {assigned}")
            except DatabaseFault as fault:
                return f"{request.span}: {fault.message}"
    return ""


def _run(
    migration: Migration, place: Scratch, connection: Connection, dialect: Dialect, root: Path, tell: Callable[[str], None]
) -> str:
    """A backfill whose columns are there already comes before its statement (which needs the values), else after it."""
    fillings = [(statement, request) for statement in migration.statements for request in backfills(statement)]
    by_itself = any(map(_by_itself, migration.statements))
    if not fillings and not by_itself and dialect.name != "sqlite":
        return run_migrations([migration], place, connection, dialect, look=lambda *_: None, commit=lambda: None)
    whole = [one for one in migration.statements if one.operations and not (dialect.name == "sqlite" and _of_transactions(one))]
    known = catalog_of(connection)
    for statement in whole:
        pending = [request for holder, request in fillings if holder is statement]
        early = [request for request in pending if _table_with(request.columns, statement, connection) is not None]
        late = [request for request in pending if request not in early]
        first, bound = filled_between(statement, {column for one in late for column in one.columns}, dialect)
        parts: list[BackfillRequest | Statement] = [*early, first, *late, *([bound] if bound is not None else [])]
        for one in parts:
            if isinstance(one, BackfillRequest):
                said = _filled(one, statement, migration, connection, dialect, root, known)
            else:
                said = _alone(one, migration, place, connection, dialect, tell)
            if said:
                return said
    return ""


def _by_itself(statement: Statement) -> bool:
    return any(one.verb in BY_ITSELF for one in statement.directives) or any(
        isinstance(one, AlterColumnType) for one in statement.operations
    )


BY_ITSELF = ("cascade", "convert", "nulls-not-distinct", "too-long", *IN_THE_PLACE_OF_A_CHECK)
"""Directives whose statement is not what it says."""


def _alone(
    statement: Statement,
    migration: Migration,
    place: Scratch,
    connection: Connection,
    dialect: Dialect,
    tell: Callable[[str], None],
) -> str:
    said = said_of(statement, connection, dialect)
    if said is None:
        wanted = with_equal_nulls(with_cascade(statement, dialect), connection, dialect)
        try:
            take_along(statement, connection, dialect)
        except DatabaseFault as fault:
            return f"{statement.span}: {fault.message}"
        return _carried_out(wanted, migration, place, connection, dialect)
    for text in said.told:
        tell(text)
    wanted = with_values(statement, said, dialect)
    try:
        aside = put_aside(statement, said, connection, dialect) if dialect.one_pass and said.values else []
        # The values that the server itself would make are not those that stay.
        settings = (*said.settings, *([("sql_mode", "")] if aside else []))
        with _in_session(settings, connection, dialect):
            why = _carried_out(wanted, migration, place, connection, dialect, values=said.values)
        for sql in aside if not why else ():
            connection.execute(sql)
    except DatabaseFault as fault:
        return f"{statement.span}: {fault.message}"
    return why


@contextmanager
def _in_session(settings: Sequence[tuple[str, str]], connection: Connection, dialect: Dialect) -> Iterator[None]:
    asked, word = ("@@SESSION.{}", "SET SESSION") if dialect.one_pass else ("current_setting('{}')", "SET")
    before = [(name, str(connection.query(f"SELECT {asked.format(name)}")[0][0])) for name, _ in settings]
    for name, value in settings:
        connection.execute(f"{word} {name} = {dialect.literal(value)}")
    try:
        yield
    finally:
        for name, value in before:
            connection.execute(f"{word} {name} = {dialect.literal(value)}")


def _carried_out(
    statement: Statement,
    migration: Migration,
    place: Scratch,
    connection: Connection,
    dialect: Dialect,
    *,
    values: Mapping[tuple[str, str], str] = {},
) -> str:
    """By itself. A CHECK that a trigger is to stand for may be one that the server takes from nobody, or that rows which are kept break."""
    alone = replace(migration, statements=(statement,), transaction="per_statement")
    with unbound(statement, connection) if dialect.name == "sqlite" else nullcontext():
        said = run_migrations([alone], place, connection, dialect, look=lambda *_: None, commit=lambda: None)
    if UNDER_VIEWS in said:
        said = _under_views(alone, statement, place, connection, dialect)
    if said and dialect.name == "sqlite":
        said = rebuilt(statement, connection, dialect, otherwise=said, values=values)
    return "" if said and checks_by_trigger(statement) == len(statement.operations) else said


def _under_views(alone: Migration, statement: Statement, place: Scratch, connection: Connection, dialect: Dialect) -> str:
    """The views that read the column are dropped before, and made again behind it."""
    catalog, views = catalog_of(connection), views_over(statement, connection)
    try:
        for sql in dropped(views, dialect):
            connection.execute(sql)
        said = run_migrations([alone], place, connection, dialect, look=lambda *_: None, commit=lambda: None)
        for sql in made_again(views, catalog, dialect) if not said else ():
            connection.execute(sql)
    except DatabaseFault as fault:
        return f"{statement.span}: {fault.message}"
    return said


def _of_transactions(statement: Statement) -> bool:
    """BEGIN and COMMIT: each statement is carried out by itself, and ends where all of them together would."""
    return all(isinstance(one, TransactionControl) for one in statement.operations)


def _table_with(columns: Sequence[str], statement: Statement, connection: Connection) -> Table | None:
    """The table that the statement changes, once it has the columns that are to be filled."""
    catalog = catalog_of(connection)
    named = [getattr(operation, "table", None) for operation in statement.operations]
    for name in (one for one in named if one is not None):
        for table in catalog.tables.values():
            same = table.name.name == name.name and name.schema in ("", table.name.schema)
            if same and all(table.column(column) is not None for column in columns):
                return table
    return None


def _filled(
    request: BackfillRequest,
    statement: Statement,
    migration: Migration,
    connection: Connection,
    dialect: Dialect,
    root: Path,
    known: Catalog,
) -> str:
    """`known` is what was there before the migration: triggers that it makes itself fire."""
    table = _table_with(request.columns, statement, connection)
    if table is None:
        return f"{request.span}: no table here has the columns {', '.join(request.columns)}"
    if not (request.expression or request.csv or request.function):
        return f"{request.span}: it reads from another database, which is not asked here"
    before = known.table(table.name)
    triggers = before.triggers if before is not None else ()
    try:
        connection.begin()
        with quiet(replace(table, triggers=triggers), request.columns, statement, known, connection, dialect):
            if request.expression:
                connection.execute(_update(request, table, dialect))
            elif request.csv:
                _from_csv(request, table, connection, dialect, root / input_path(migration, request.csv))
            else:
                _by_function(request, table, connection, dialect, root / input_path(migration, request.path))
        connection.commit()
    except DatabaseFault as fault:
        return f"{request.span}: {fault.message}"
    finally:
        connection.rollback()
    return ""


def _update(request: BackfillRequest, table: Table, dialect: Dialect) -> str:
    quote, name = dialect.quote, dialect.quote_name(table.name)
    column = request.columns[0]
    conditions = [f"{name}.{quote(column)} IS NULL", *([f"({request.where})"] if request.where else [])]
    if not request.from_clause:
        assigned = ", ".join([f"{quote(column)} = {request.expression}", *_as_they_are(table, request.columns, dialect)])
        return f"UPDATE {name} SET {assigned} WHERE {' AND '.join(conditions)}"
    joined = [f"({request.join})", *conditions] if request.join else conditions
    if dialect.one_pass:
        assigned = ", ".join([f"{name}.{quote(column)} = {request.expression}", *_as_they_are(table, request.columns, dialect)])
        return f"UPDATE {name}, {request.from_clause} SET {assigned} WHERE {' AND '.join(joined)}"
    return f"UPDATE {name} SET {quote(column)} = {request.expression} FROM {request.from_clause} WHERE {' AND '.join(joined)}"


def _as_they_are(table: Table, columns: Sequence[str], dialect: Dialect) -> list[str]:
    """MySQL and MariaDB: what would take the time of every UPDATE is kept, for nobody has changed the row."""
    name = dialect.quote_name(table.name)
    kept = [column.name for column in table.columns if column.on_update and column.name not in columns]
    return [f"{name}.{dialect.quote(column)} = {name}.{dialect.quote(column)}" for column in kept]


def _from_csv(request: BackfillRequest, table: Table, connection: Connection, dialect: Dialect, file: Path) -> None:
    quote = dialect.quote
    column, match = request.columns[0], request.match or request.key
    with file.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter=request.delimiter))
    value = request.value or column
    pairs = [(None if row[value] == request.null else row[value], row[request.key]) for row in rows]
    typed = next(one.type for one in table.columns if one.name == column)
    matched = next(one.type for one in table.columns if one.name == match)
    where = f" AND ({request.where})" if request.where else ""
    # MySQL and MariaDB cast to a few types only, and read a text as whatever the column is.
    given, sought = ("%s", "%s") if dialect.one_pass else (f"CAST(%s AS {typed})", f"CAST(%s AS {matched})")
    assigned = ", ".join([f"{quote(column)} = {given}", *_as_they_are(table, request.columns, dialect)])
    connection.execute_many(
        f"UPDATE {dialect.quote_name(table.name)} SET {assigned} WHERE {quote(match)} = {sought} AND {quote(column)} IS NULL{where}",
        pairs,
    )


def _by_function(request: BackfillRequest, table: Table, connection: Connection, dialect: Dialect, path: Path) -> None:
    """All rows in one call: what the engine does chunk by chunk must come to the same."""
    quote = dialect.quote
    module_name, _, name = request.function.partition(":")
    file = path if path.is_file() else path / f"{module_name.replace('.', '/')}.py"
    spec = importlib.util.spec_from_file_location(f"driftflow_original_{module_name}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(file.parent))
    keys = table.primary_key.columns if table.primary_key is not None else ("rowid",)
    inputs = tuple(dict.fromkeys((*request.inputs, *keys)))
    empty = " AND ".join(f"{quote(column)} IS NULL" for column in request.columns)
    where = f" AND ({request.where})" if request.where else ""
    listed = ", ".join(quote(column) for column in inputs)
    rows = connection.query(f"SELECT {listed} FROM {dialect.quote_name(table.name)} WHERE {empty}{where} ORDER BY {listed}")
    given = [dict(zip(inputs, row, strict=True)) for row in rows]
    try:
        answers = getattr(module, name)(given)
    except Exception as error:  # the author's code; the values it was given may stand in its words
        raise DatabaseFault(ErrorKind.OTHER, f"{request.function} raised {type(error).__name__} for made-up rows") from error
    assigned = ", ".join(
        [*(f"{quote(column)} = %s" for column in request.columns), *_as_they_are(table, request.columns, dialect)]
    )
    found = " AND ".join(f"{quote(column)} = %s" for column in keys)
    changes = [
        (*(answer[column] for column in request.columns), *(row[key] for key in keys))
        for row, answer in zip(given, answers, strict=True)
    ]
    connection.execute_many(f"UPDATE {dialect.quote_name(table.name)} SET {assigned} WHERE {found}", changes)


KEYS_MAX = 40


def keys_in_files(
    migrations: Sequence[Migration], catalog: Catalog, dialect: Dialect, root: Path
) -> dict[tuple[str, str], tuple[str, ...]]:
    """(table, column) → literals of the first keys in the CSV file that a backfill matches the column with: without such rows it would fill none."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for migration in migrations:
        for statement in migration.statements:
            names = {name.name for one in statement.operations if (name := getattr(one, "table", None)) is not None}
            for request in backfills(statement):
                if not request.csv:
                    continue
                with (root / input_path(migration, request.csv)).open(encoding="utf-8-sig", newline="") as handle:
                    reader = csv.DictReader(handle, delimiter=request.delimiter)
                    keys = tuple(dialect.literal(row[request.key]) for row in islice(reader, KEYS_MAX))
                for name, table in catalog.tables.items():
                    if table.name.name in names:
                        found[name, request.match or request.key] = keys
    return found
