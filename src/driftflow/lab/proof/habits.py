"""How the application beside a plan writes, as far as the migration says it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.sqlite.keys import rowid_alias
from driftflow.lab.proof.bench import Bench
from driftflow.lab.proof.operations import Habits
from driftflow.lab.rows.checks import names_in
from driftflow.model.migration import Statement
from driftflow.model.names import Name
from driftflow.model.operations import Insert, RenameTable, Update
from driftflow.strategies.renames.rename_table import NAME as RENAME_TABLE
from driftflow.strategies.spoken import backfills, dual_writes


def habits_of(bench: Bench) -> Habits:
    derived = {}
    read: set[tuple[str, str]] = set()
    for statement in (one for migration in bench.question.migrations for one in migration.statements):
        own = [name for operation in statement.operations if (name := getattr(operation, "table", None)) is not None]
        for request in dual_writes(statement):
            for name, table in bench.final_catalog.tables.items():
                if _among(table.name, own):
                    derived[name, request.column] = request.expression
        read |= set(_read(bench, statement, own))
    return Habits(unwritten=bench.unwritten, derived=derived, read=frozenset(read), said=values_said(bench))


def values_said(bench: Bench) -> frozenset[tuple[str, str]]:
    """(table, column) of a table of SQLite that a view stands in for under its old name. The server could not tell a writer there which key it has chosen,
    and takes a NULL for what the default is for: the recipe demands of an application that it says both."""
    spans = {step.span for step in bench.plan.steps if step.strategy == RENAME_TABLE}
    statements = [one for migration in bench.question.migrations for one in migration.statements if one.span in spans]
    names = [one.name for statement in statements for one in statement.operations if isinstance(one, RenameTable)]
    tables = [table for table in bench.catalog.tables.values() if bench.catalog.vendor == "sqlite" and _among(table.name, names)]
    return frozenset(
        (table.name.text, column.name)
        for table in tables
        for column in table.columns
        if column.name == rowid_alias(table) or column.default is not None
    )


def _read(bench: Bench, statement: Statement, own: list[Name]) -> Iterator[tuple[str, str]]:
    """(table, column) of other tables that the statement, or what is said of it, makes values of."""
    vendor = bench.question.dialect.name
    texts = [text for one in backfills(statement) for text in (one.expression, one.from_clause, one.join, one.where)]
    texts += [one.expression for one in dual_writes(statement)]
    texts += [statement.sql for operation in statement.operations if isinstance(operation, Insert | Update)]
    words = {word for text in texts for word in names_in(text, vendor)}
    for name, table in bench.catalog.tables.items():
        if table.name.name.lower() in words and not _among(table.name, own):
            yield from ((name, column.name) for column in table.columns if column.name.lower() in words)


def _among(table: Name, names: list[Name]) -> bool:
    return any(one.name == table.name and one.schema in ("", table.schema) for one in names)
