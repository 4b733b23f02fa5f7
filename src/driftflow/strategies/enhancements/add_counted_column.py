"""A counted quantity starts unknown (NULL), is filled from where the numbers are, and only then promises not to be negative."""

from __future__ import annotations

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table, Unique
from driftflow.model.operations import AddColumn
from driftflow.patterns import lazy_regex
from driftflow.strategies.base import enhancement
from driftflow.strategies.size import is_new

COUNTS = lazy_regex(r"(^|_)(count|quantity|qty|stock|inventory|on_hand|available|remaining|seats)(_|$)")


@enhancement(
    "add_counted_column",
    on=AddColumn,
    title="nullable, backfill, check, index",
    why="a default of 0 reads as a fact about rows that nobody has counted; NULL says so",
)
def add_counted_column(operation: AddColumn, at: Situation) -> str:
    column, table = operation.column, at.table(operation.table)
    zero = (column.default or "").strip("() '") in ("0", "0.0")
    if table is None or is_new(at, operation.table) or not zero or not COUNTS.search(column.name):
        return ""
    quote, target = at.dialect.quote, at.dialect.quote_name(operation.table)
    name, key = quote(column.name), natural_key(table)
    directive = (
        f"-- driftflow: backfill column={column.name} csv={operation.table.name}.csv key={key} value={column.name} match={key}"
    )
    index = f"CREATE INDEX {quote(f'{operation.table.name}_{column.name}_idx')} ON {target} ({name});"
    check = quote(f"{operation.table.name}_{column.name}_not_negative")
    if at.can(Capability.NOT_VALID_CONSTRAINT):
        add = f"ALTER TABLE {target} ADD COLUMN {name} {column.type};\n\nALTER TABLE {target} ADD CONSTRAINT {check} CHECK ({name} >= 0);"
    else:
        add = f"ALTER TABLE {target} ADD COLUMN {name} {column.type} CHECK ({name} >= 0);"
    return f"{directive}\n{add}\n\n{index}"


def natural_key(table: Table) -> str:
    """What people outside the database call a row: a unique column that is not the key, else the key."""
    for constraint in table.constraints:
        if isinstance(constraint, Unique) and len(constraint.columns) == 1:
            return constraint.columns[0]
    return table.primary_key.columns[0] if table.primary_key is not None else "id"
