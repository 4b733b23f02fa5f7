"""A foreign key without an index behind it makes every DELETE of the referenced row read the whole table."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey, PrimaryKey, Table, Unique
from driftflow.model.operations import AddColumn, AddConstraint
from driftflow.strategies.base import enhancement


@enhancement(
    "index_foreign_key",
    on=(AddColumn, AddConstraint),
    title="an index on the referencing columns",
    why="without it, deleting or renumbering a referenced row reads the whole referencing table",
)
def index_foreign_key(operation: AddColumn | AddConstraint, at: Situation) -> str:
    constraints = operation.constraints if isinstance(operation, AddColumn) else (operation.constraint,)
    key = next((constraint for constraint in constraints if isinstance(constraint, ForeignKey)), None)
    final = (at.final or at.catalog).table(operation.table)
    if key is None or final is None or has_index(final, key.columns):
        return ""
    quote, target = at.dialect.quote, at.dialect.quote_name(operation.table)
    name = "_".join((operation.table.name, *key.columns, "idx"))
    columns = ", ".join(quote(column) for column in key.columns)
    return f"{at.statement.sql.strip()};\n\nCREATE INDEX {quote(name)} ON {target} ({columns});"


def has_index(table: Table, columns: tuple[str, ...]) -> bool:
    """Whether some whole index or key begins with these columns, in any order."""
    keys = [index.columns for index in table.indexes if not index.predicate and index.valid]
    keys += [constraint.columns for constraint in table.constraints if isinstance(constraint, PrimaryKey | Unique)]
    return any(set(found[: len(columns)]) == set(columns) for found in keys)
