"""Sequences. Since 10 a change is transactional: nextval() of every writer waits for the commit."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects.locks import ACCESS_EXCLUSIVE, ACCESS_SHARE, ROW_EXCLUSIVE, SHARE_ROW_EXCLUSIVE
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.model.catalog import SequenceOptions
from driftflow.model.names import Name
from driftflow.model.operations import AlterSequence, CreateSequence, DropSequence


def create_sequence(p: Prediction, operation: CreateSequence) -> None:
    name = operation.sequence.name
    if name.text in p.catalog.sequences or name.text in p.catalog.tables:
        if not operation.if_not_exists:
            p.fails("exists", f'relation "{name.text}" exists already', relation=name, certain=True)
        return
    p.created.add(name)
    p.lock(name, ACCESS_EXCLUSIVE, why="the new sequence")
    _owner(p, operation.sequence.owned_by)


def alter_sequence(p: Prediction, operation: AlterSequence) -> None:
    """Any option but OWNED BY writes the sequence's one row to a new file."""
    known = operation.name.text in p.catalog.sequences
    if not known and p.catalog.complete:
        if not operation.if_exists:
            p.fails("missing", f'sequence "{operation.name.text}" does not exist', relation=operation.name, certain=True)
        return
    sequence = p.catalog.sequences.get(operation.name.text)
    if sequence is not None and sequence.identity and operation.owned_by is not None:
        p.fails(
            "unsupported", f"{operation.name.name} belongs to an identity column for good", relation=operation.name, certain=True
        )
    p.lock(operation.name, SHARE_ROW_EXCLUSIVE, ROW_EXCLUSIVE)
    if operation.options != SequenceOptions() or operation.restarts or operation.restart is not None:
        p.does("rewrite", operation.name, "the sequence's one row")
    _owner(p, operation.owned_by or "")
    if operation.restarts or operation.restart is not None:
        p.fails(
            "duplicates",
            f"{operation.name.name} restarts below numbers that are in use: later inserts collide",
            relation=operation.name,
        )


def _owner(p: Prediction, column: str) -> None:
    if column:
        schema, table = column.split(".")[:2]
        p.lock(Name(schema=schema, name=table), ACCESS_SHARE, why="owns it from now on")


def drop_sequence(p: Prediction, operation: DropSequence) -> None:
    known = p.catalog.sequences.get(operation.name.text)
    if known is None and p.catalog.complete:
        if not operation.if_exists:
            p.fails("missing", f'sequence "{operation.name.text}" does not exist', relation=operation.name, certain=True)
        return
    p.lock(operation.name, ACCESS_EXCLUSIVE)
    p.loses(f"sequence {operation.name.name} and where it stood", operation.name)
    for table in p.catalog.tables.values():
        for column in table.columns:
            if column.default and f"nextval('{operation.name.name}'" in column.default.replace(f"{operation.name.schema}.", ""):
                _default_leans(p, table.name, column.name, cascade=operation.cascade)


def _default_leans(p: Prediction, table: Name, column: str, *, cascade: bool) -> None:
    if cascade:
        p.lock(table, ACCESS_EXCLUSIVE, why=f"the default of {column} goes with CASCADE")
        p.loses(f"the default of {table.name}.{column}", table)
    else:
        p.fails("dependency", f"the default of {table.name}.{column} uses the sequence", relation=table, certain=True)
