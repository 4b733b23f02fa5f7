"""Statements about the session, and what nobody understands."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import existing, tree
from driftflow.model.operations import LockTable, RawSql


def lock_table(p: Prediction, operation: LockTable) -> None:
    """The named mode on each table, its partitions and children."""
    for name in operation.tables:
        existing(p, name)
        view = p.catalog.views.get(name.text)
        if view is not None and view.materialized:
            p.fails("unsupported", f"{name.text} is a materialized view: LOCK TABLE is refused", relation=name, certain=True)
        p.lock(name, operation.mode)
        for part in tree(p, name)[1:]:
            p.lock(part.name, operation.mode, why=f"below {name.name}")


def raw_sql(p: Prediction, operation: RawSql) -> None:
    """Nothing is guessed."""
    p.unknown = operation.reason
    p.transactional = operation.transactional is not False
