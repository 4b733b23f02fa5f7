"""DF207: ON DELETE CASCADE makes one DELETE as large as everything that hangs on it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.constraint.foreign_key_without_index import keys_of
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn, AddConstraint, CreateTable


@check(
    "DF207",
    on=(AddConstraint, AddColumn, CreateTable),
    page="constraint/foreign-key-cascades",
    title="ON DELETE CASCADE deletes without limit",
    only=("adds_foreign_key",),
)
def foreign_key_cascades(operation: AddConstraint | AddColumn | CreateTable, at: Situation) -> Iterator[Finding]:
    table, keys = keys_of(operation)
    for key in keys:
        if key.on_delete == "CASCADE":
            yield finding(
                at,
                f"deleting a row of {key.referenced.name} deletes its rows of {table.name}, however many there are",
                axis="loses",
                severity="info",
                why="one small DELETE can lock and remove millions of rows in one transaction, and nobody asked about them",
                remedy=Remedy(
                    summary="keep NO ACTION and delete the children in chunks, unless the number of children is small by nature"
                ),
                known_by="rule",
                near="CASCADE",
            )
