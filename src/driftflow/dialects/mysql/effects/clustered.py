"""By which key InnoDB stores the rows when a statement drops the primary key and adds none: the first unique one whose columns are whole and NOT NULL.

Source: MySQL 8.4 manual, "Clustered and Secondary Indexes"; measured on MySQL 9.7, MariaDB 10.11 and 11.8.
"""

from __future__ import annotations

from driftflow.dialects.mysql.effects.grade import INSTANT, REBUILD, Grade, because
from driftflow.model.catalog import Index, Table
from driftflow.model.operations import CreateIndex, DropConstraint, Operation


def without_primary(operation: Operation, start: Table, after: Table, *, mariadb: bool) -> Grade | None:
    """What the DROP of the primary key needs where such a key takes over, so that it is no copy, and what the key needs that does; None of other clauses, and
    where none takes over. MySQL has to find it among the keys that the statement adds."""
    storing = [index for index in after.indexes if _can_store(after, index)]
    if not storing:
        return None
    key, able = storing[0], {index.name for index in storing}
    if not mariadb and any(index.name in able for index in start.indexes):
        return None
    kept = any(_can_store(start, index) and index.name in able for index in start.indexes)
    same = mariadb and start.primary_key is not None and start.primary_key.columns == key.columns and not kept
    match operation:
        case DropConstraint(name="PRIMARY"):
            # The rows stay in their order where only the key's name is another.
            return INSTANT if same else because(REBUILD, f"the rows are stored in the order of {key.name.name}")
        case CreateIndex(index=index) if same and index.name == key.name:
            return INSTANT
        case _:
            return None


def _can_store(table: Table, index: Index) -> bool:
    columns = [table.column(part.column) if part.column and part.prefix is None else None for part in index.parts]
    return index.unique and all(column is not None and not column.nullable for column in columns)
