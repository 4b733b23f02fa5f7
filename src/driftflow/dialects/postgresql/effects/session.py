"""Statements about the session, and what nobody understands."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.relations import existing, tree
from driftflow.model.catalog import View
from driftflow.model.operations import LockTable, RawSql


def lock_table(p: Prediction, operation: LockTable) -> None:
    """The named mode on each table, its partitions and children, and on all that a view reads."""
    for name in operation.tables:
        existing(p, name)
        view = p.catalog.views.get(name.text)
        if view is not None and view.materialized:
            p.fails("unsupported", f"{name.text} is a materialized view: LOCK TABLE is refused", relation=name, certain=True)
        p.lock(name, operation.mode)
        for part in tree(p, name)[1:]:
            p.lock(part.name, operation.mode, why=f"below {name.name}")
        if view is not None:
            _lock_beneath(p, view, operation.mode)


def _lock_beneath(p: Prediction, view: View, mode: str) -> None:
    for name in view.depends_on:
        read = p.catalog.views.get(name.text)
        if read is not None and not read.materialized:
            p.lock(name, mode, why=f"{view.name.name} reads it")
            _lock_beneath(p, read, mode)
        elif read is None and p.catalog.table(name) is not None:
            for part in tree(p, name):
                p.lock(part.name, mode, why=f"{view.name.name} reads it")


def raw_sql(p: Prediction, operation: RawSql) -> None:
    """Nothing is guessed."""
    p.unknown = operation.reason
    p.transactional = operation.transactional is not False
