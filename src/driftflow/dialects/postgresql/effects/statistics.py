"""Extended statistics: what touches them locks their table too."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.locks import SHARE_UPDATE_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.model.catalog import Table
from driftflow.model.operations import DropObject


def made_again(p: Prediction, table: Table, column: str = "") -> None:
    """The statistics of the table, or those over the column, are made again or go: their table is locked for it."""
    for one in table.extended_statistics:
        if not column or not one.columns or column in one.columns:
            p.lock(table.name, SHARE_UPDATE_EXCLUSIVE, why=f"the statistics {one.name.name} depend on it")


def drop_statistics(p: Prediction, operation: DropObject) -> None:
    """The table that they are of is not named by the statement."""
    wanted = operation.name
    found = [
        table
        for table in p.catalog.tables.values()
        for one in table.extended_statistics
        if wanted is not None and one.name.name == wanted.name and wanted.schema in ("", one.name.schema)
    ]
    for table in found:
        p.lock(table.name, SHARE_UPDATE_EXCLUSIVE, why="its statistics are dropped")
    if not found and p.catalog.complete and not operation.if_exists:
        p.fails("missing", f"the statistics {wanted.text if wanted is not None else ''} do not exist", certain=True)
