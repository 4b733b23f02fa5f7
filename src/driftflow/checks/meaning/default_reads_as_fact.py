"""DF801: a default of 0 in a column that counts something says "none" about rows that nobody has counted."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import quote
from driftflow.checks.sizes import is_new, size
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn
from driftflow.patterns import lazy_regex

_COUNTS = lazy_regex(
    r"(?:^|_)(count|quantity|qty|stock|inventory|balance|on_hand|available|amount|total|score|rating|remaining|seats)(?:_|$)|_count$|_qty$"
)
_ZERO = lazy_regex(r"'?0(\.0+)?'?(::[a-z ]+)?")


@check("DF801", on=AddColumn, page="meaning/default-reads-as-fact", title="A default of 0 reads as a fact")
def default_reads_as_fact(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    """Nothing is wrong with the lock: the question is what the value means to a reader."""
    column = operation.column
    if is_new(at, operation.table) or not _COUNTS.search(column.name) or not _ZERO.fullmatch((column.default or "").strip("() ")):
        return
    table, name = at.dialect.quote_name(operation.table), quote(at, column.name)
    constraint = quote(at, f"{operation.table.name}_{column.name}_not_negative")
    postgresql = at.dialect.name == "postgresql"
    index = f"CREATE INDEX {'CONCURRENTLY ' if postgresql else ''}{quote(at, f'{operation.table.name}_{column.name}_idx')} ON {table} ({name});"
    check_sql = (
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({name} >= 0) NOT VALID;\nALTER TABLE {table} VALIDATE CONSTRAINT {constraint};\n"
        if postgresql
        else ""
    )
    yield finding(
        at,
        f"0 in {operation.table.name}.{column.name} will read as a fact about {size(at, operation.table)} that nobody has counted",
        axis="note",
        severity="warning",
        why='a shop that reads 0 shows "sold out", a bill that reads 0 says "paid"; NULL says "not known yet"',
        remedy=Remedy(
            summary="add it nullable, fill it from where the numbers are known, then the constraint, then the index (add_counted_column)",
            sql=(
                f"-- driftflow: backfill column={column.name} csv=counts.csv key=id value={column.name} match=id\n"
                f"ALTER TABLE {table} ADD COLUMN {name} {column.type};\n{check_sql}{index}"
            ),
            enhancement="add_counted_column",
        ),
        known_by="rule",
        near=column.name,
    )
