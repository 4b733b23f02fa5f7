"""The way back from an archive: the columns are added again, filled in chunks by their key, and promise again what they promised before."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.model.catalog import Catalog, Column, NotNull, Table
from driftflow.model.operations import AddColumn, CreateIndex, DropIndex, Operation, SetDefault, SetNotNull
from driftflow.model.operations.dependents import heirs_of
from driftflow.model.plan import Guard, Phase, RebuildTable, Step
from driftflow.model.record import replace
from driftflow.strategies import said_again
from driftflow.strategies.columns.column_parts import not_null
from driftflow.strategies.columns.filling import backfill
from driftflow.strategies.columns.quiet_triggers import all_quiet
from driftflow.strategies.drops.column_archive import Archive
from driftflow.strategies.inverses.inverse_alter import default_again
from driftflow.strategies.rebuild import rebuilding
from driftflow.strategies.recipe import Recipe, as_undo, bounded_count


def restored(archive: Archive, catalog: Catalog, phase: Phase) -> Iterator[Step]:
    """The steps of an undo on the table without the columns (`catalog`)."""
    recipe = Recipe(archive.at, "undo")
    recipe.catalog = catalog
    yield from map(as_undo, _restored(recipe, archive, phase))


def _restored(recipe: Recipe, archive: Archive, phase: Phase) -> Iterator[Step]:
    quote = archive.at.dialect.quote
    table = archive.table
    own = quote(table.name.name)
    names = ", ".join(column.name for column in archive.columns)
    yield from _columns_again(recipe, archive, names, phase)
    filled = tuple(column.name for column in archive.columns)
    lacking = [f"({own}.{quote(one.name)} IS NULL AND a.{quote(one.name)} IS NOT NULL)" for one in archive.columns]
    # What the application has written since the column is back is newer than the archive, and stays.
    yield backfill(
        recipe,
        table,
        assignments=tuple((one.name, f"COALESCE({own}.{quote(one.name)}, a.{quote(one.name)})") for one in archive.columns),
        from_clause=f"FROM {archive.target} AS a",
        join=archive.join("a"),
        predicate=" OR ".join(lacking),
        phase=phase,
        purpose=f"Take back: fill {table.name.name} ({names}) from the archive, in chunks",
        own=filled if all_quiet(recipe.at, table, filled) else (),
    )
    yield from _defaults(recipe, archive, phase)
    if not recipe.at.can(Capability.TRANSACTIONAL_DDL):
        yield from _indexes_again(recipe, archive, phase)
    for column in archive.columns:
        if not column.nullable:
            name = next((one.name for one in table.constraints if isinstance(one, NotNull) and one.column == column.name), "")
            yield from not_null(recipe, SetNotNull(table=table.name, column=column.name, constraint_name=name), phase=phase)


def _columns_again(recipe: Recipe, archive: Archive, names: str, phase: Phase) -> Iterator[Step]:
    """In one transaction; where there is none the columns first, and then what new rows get: those in between are given it at the end."""
    purpose = f"Take back: add {archive.table.name.name} ({names}) again"
    if recipe.at.can(Capability.TRANSACTIONAL_DDL):
        yield recipe.change(*_added(archive), purpose=purpose, phase=phase)
        return
    bare = [replace(column, nullable=True, default=None) for column in archive.columns]
    yield recipe.change(*(AddColumn(table=archive.table.name, column=column) for column in bare), purpose=purpose, phase=phase)
    for column in archive.columns:
        if column.default is not None and column.default.upper() != "NULL":
            purpose = f"Take back: the default of {archive.table.name.name}.{column.name}"
            again = default_again(archive.table.name, replace(column, nullable=True), recipe.at.catalog)
            yield recipe.change(again, purpose=purpose, phase=phase)


def _indexes_again(recipe: Recipe, archive: Archive, phase: Phase) -> Iterator[Step]:
    """MySQL and MariaDB: an index loses a column that goes, and is gone with its last one."""
    now, names = recipe.catalog.table(archive.table.name), {column.name for column in archive.columns}
    for index in archive.table.indexes:
        if not names & set(index.columns):
            continue
        left = now.index(index.name.name) if now is not None else None
        gone = (DropIndex(name=index.name, table=index.table),) if left is not None else ()
        purpose = f"Take back: the index {index.name.name} over all its columns again"
        yield recipe.change(*gone, CreateIndex(index=replace(index, constraint="")), purpose=purpose, phase=phase)


def _added(archive: Archive) -> Iterator[Operation]:
    """Nullable and empty; the default for new rows in the same transaction, so that none slips in between without it."""
    table = archive.table.name
    for column in archive.columns:
        yield AddColumn(table=table, column=replace(column, nullable=True, default=None, comment=""))
    for column in archive.columns:
        if column.default is not None:
            yield SetDefault(table=table, column=column.name, default=column.default)
        yield from said_again.of_column(column, archive.table, archive.at.dialect)
        for heir in heirs_of(archive.at.catalog, table):
            if (one := heir.column(column.name)) is not None:
                yield from said_again.of_column(one, heir, archive.at.dialect)


def _defaults(recipe: Recipe, archive: Archive, phase: Phase) -> Iterator[Step]:
    """Rows that came after the drop are in no archive: they get the default, as they would have."""
    quote, own = archive.at.dialect.quote, archive.at.dialect.quote(archive.table.name.name)
    known = f"EXISTS (SELECT 1 FROM {archive.target} AS a WHERE {archive.join('a')})"
    for column in archive.columns:
        if column.default is None or column.default.upper() == "NULL":
            continue
        yield backfill(
            recipe,
            archive.table,
            assignments=((column.name, column.default),),
            predicate=f"{own}.{quote(column.name)} IS NULL AND NOT {known}",
            phase=phase,
            purpose=f"Take back: give rows that came since {archive.table.name.name}.{column.name} was dropped its default",
        )


def rebuilt_back(archive: Archive, after: Catalog, before: Catalog, phase: Phase) -> RebuildTable:
    """SQLite: one rebuild that makes the table as it was, each row with what the archive holds for it."""
    step = rebuilding.rebuild_as_it_was(
        archive.at,
        after,
        before,
        archive.table.name,
        phase=phase,
        expressions={column.name: _value(archive, column) for column in archive.columns},
    )
    needed = [column for column in archive.columns if not column.nullable and column.default is None]
    return replace(step, guards=(_guard_new_rows(archive, archive.table, needed),) if needed else ())


def _value(archive: Archive, column: Column) -> str:
    quote = archive.at.dialect.quote
    where = f"FROM {archive.target} AS a WHERE {archive.join('a')}"
    kept = f"(SELECT a.{quote(column.name)} {where})"
    if column.default is None:
        return kept
    return f"CASE WHEN EXISTS (SELECT 1 {where}) THEN {kept} ELSE ({column.default}) END"


def _guard_new_rows(archive: Archive, table: Table, needed: list[Column]) -> Guard:
    target = archive.at.dialect.quote_name(table.name)
    names = ", ".join(column.name for column in needed)
    rows = f"SELECT 1 FROM {target} WHERE NOT EXISTS (SELECT 1 FROM {archive.target} AS a WHERE {archive.join('a')})"
    return Guard(
        query=bounded_count(rows),
        summary=f"{{count}} rows of {table.name.name} came since {names} was dropped, and nothing says what it is for them",
        hint=f"add these rows to {archive.name} with a value, then resume the rollback",
    )
