"""MySQL and MariaDB: rows whose value a redefined column does not hold, or that would become equal to another one, counted by key before anything is done.

The server's own answer depends on sql_mode, comes in the middle of the work, and is at worst a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Catalog, Column, IndexPart, Table
from driftflow.model.names import Name
from driftflow.model.operations import AlterColumnType, ChangeColumn, ConvertCharset, Operation
from driftflow.model.plan import Guard, Ranges
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.cleansing.archiving import listed
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.in_ranges import ends_exactly
from driftflow.strategies.recipe import bounded_count
from driftflow.strategies.row_guards import KEYS_MOST, guard_rows

Change = tuple[Column, Column]
"""(as it is, as it will be)"""


def changes_of(operation: Operation, table: Table) -> tuple[Change, ...]:
    """The columns whose type, character set or collation becomes another one."""
    found: list[Change] = []
    match operation:
        case ChangeColumn(column=name, definition=new):
            old = table.column(name)
            found = [(old, new)] if old is not None else []
        case ConvertCharset(columns=True, charset=charset, collation=collation):
            found = [(one, replace(one, charset=charset, collation=collation)) for one in table.columns if one.charset]
        case _:
            pass
    return tuple((old, new) for old, new in found if _values_of(old) != _values_of(new) and old.generated is None)


def _values_of(column: Column) -> tuple[str, str, str]:
    return column.type, column.charset, column.collation


def strictness(at: Situation, operations: Iterable[Operation], catalog: Catalog) -> Mapping[str, str]:
    """Settings under which a value that is written behind the guards, and does not fit, is refused and not changed; empty where none are needed."""
    modes = spoken.sql_mode(at)
    return at.dialect.strict(modes) if modes is not None and _lose(at, operations, catalog) else {}


def _lose(at: Situation, operations: Iterable[Operation], catalog: Catalog) -> bool:
    for operation in operations:
        table = _table(operation, catalog)
        changes = changes_of(operation, table) if table is not None and not table.new else ()
        if any(at.dialect.unfit(old, new, "v") or not at.dialect.keeps(old, new) for old, new in changes):
            return True
    return False


def guards(at: Situation, operation: Operation, catalog: Catalog) -> Iterator[Guard]:
    """What stops the statement as it stands: values that do not fit, text that was stored in a wrong character set, rows that become equal."""
    table = _table(operation, catalog)
    if table is None or table.new:
        return
    changes = changes_of(operation, table)
    for old, new in changes:
        yield from unfit_guards(at, table, old, new)
        if old.charset != new.charset:
            yield from mojibake_guards(at, table, old)
    yield from duplicate_guards(at, table, changes)


def unfit_guards(at: Situation, table: Table, old: Column, new: Column) -> Iterator[Guard]:
    for condition, said in at.dialect.unfit(old, new, at.dialect.quote(old.name)):
        hint = "correct these rows first, or say what becomes of them: docs/directives.md (too-long, convert)"
        yield offending(at, table, condition, f"hold a {old.name} {said}", hint=hint)


def offending(at: Situation, table: Table, condition: str, said: str, *, hint: str) -> Guard:
    """Refuses where a row meets the condition, with the keys of some."""
    return guard_rows(at, table.name, condition, said, hint=hint, key=chunk_key(at, table))


def mojibake_guards(at: Situation, table: Table, old: Column) -> Iterator[Guard]:
    """Characters that are the bytes of UTF-8, each taken for a character of its own: someone wrote UTF-8 over a connection that said latin1."""
    condition = at.dialect.mojibake(old, at.dialect.quote(old.name))
    if condition and not any(one.options.get("mojibake") for one in at.directives("convert")):
        yield offending(
            at,
            table,
            condition,
            f"hold a {old.name} whose characters are the bytes of UTF-8: it was encoded twice, and a conversion would keep that for good",
            hint="`-- driftflow: convert mojibake=repair` decodes them on the way; `mojibake=keep` says that they are meant as they are",
        )


def duplicate_guards(
    at: Situation, table: Table, changes: Sequence[Change], values: Mapping[str, str] | None = None
) -> Iterator[Guard]:
    """One for each unique key of which two values become one. `values` are the expressions that a conversion puts in a column's place."""
    values = values or {}
    stored = {}
    for old, new in changes:
        value = values.get(old.name, at.dialect.quote(old.name))
        if old.name in values or (old.collation != new.collation and new.collation):
            stored[old.name] = at.dialect.as_stored(new, value)
    for name, parts in _unique_keys(table):
        if any(part.column in stored for part in parts):
            yield _duplicates(at, table, name, parts, stored)


def _unique_keys(table: Table) -> Iterator[tuple[str, Sequence[IndexPart]]]:
    primary = table.primary_key
    if primary is not None:
        yield "the primary key", primary.parts or tuple(IndexPart(column=column) for column in primary.columns)
    for index in table.indexes:
        if index.unique:
            yield index.name.name, index.parts


def _duplicates(at: Situation, table: Table, name: str, parts: Sequence[IndexPart], stored: Mapping[str, str]) -> Guard:
    target, key = at.dialect.quote_name(table.name), listed(at, chunk_key(at, table))
    values = []
    for part in parts:
        value = stored.get(part.column) or (at.dialect.quote(part.column) if part.column else f"({part.expression})")
        values.append(f"LEFT({value}, {part.prefix})" if part.prefix is not None else value)
    present = " AND ".join(f"{value} IS NOT NULL" for value in values)
    grouped = ", ".join(values)
    # Where the index's first column stays as it is, rows that become equal lie in one range of it.
    along = parts[0].column if parts[0].column not in stored and ends_exactly(table, parts[0]) else ""
    ranges = Ranges(table=target, key=at.dialect.quote(along), where=present, group=grouped) if along else None
    counted = f"SELECT {key}, count(*) OVER (PARTITION BY {grouped}) AS n FROM {target} WHERE {present}"
    return Guard(
        query=bounded_count(f"SELECT 1 FROM {target} WHERE {present} GROUP BY {grouped} HAVING count(*) > 1"),
        summary=f"{{count}} values of {name} on {table.name.name} that are different now become equal",
        hint="change these rows first, or choose a collation that tells them apart",
        keys=f"SELECT {key} FROM ({counted}) AS counted WHERE n > 1 ORDER BY {key} LIMIT {KEYS_MOST}" if key else "",
        ranges=ranges,
    )


def refuse_unheard(at: Situation) -> None:
    """Raises RefusedError (DF-E734) for a `convert` or `too-long` above a statement that changes no type, character set or collation of what is there."""
    said = [*at.directives("convert"), *at.directives("too-long")]
    operations = at.statement.operations
    if len(operations) == 1 and isinstance(at.operation, ChangeColumn):
        operations = (at.operation,)  # as the catalog knows it: of what the file says the table may not be found
    if not said or any(_retypes(operation, at.catalog) for operation in operations):
        return
    raise RefusedError(
        "DF-E734",
        f"the directive `{said[0].verb}` speaks of no change",
        where=str(said[0].span),
        why="its statement changes the type, character set or collation of no column that is there",
        hint="put it right above the statement that does, or leave it out",
    )


def _retypes(operation: Operation, catalog: Catalog) -> bool:
    """Before `resolve` a statement may leave the schema out: then the table is not found, and it may be such a change."""
    if isinstance(operation, ChangeColumn | ConvertCharset):
        table = _table(operation, catalog)
        return table is None or bool(changes_of(operation, table)) or bool(operation.table.schema == "")
    return isinstance(operation, AlterColumnType)


def _table(operation: Operation, catalog: Catalog) -> Table | None:
    named = getattr(operation, "table", None)
    return catalog.table(named) if isinstance(named, Name) else None
