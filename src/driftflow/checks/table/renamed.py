"""DF402: the old name of the table is gone at once, for every client that still uses it."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new, still_said
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import AlterObject, MoveTable, RenameTable

_CALLED = ("schema", "type", "domain", "function", "procedure", "routine", "aggregate")
"""Objects that statements of the application name."""


@check(
    "DF402", on=(RenameTable, MoveTable, AlterObject), page="table/renamed", title="A renamed or moved table breaks running code"
)
def table_renamed(operation: RenameTable | MoveTable | AlterObject, at: Situation) -> Iterator[Finding]:
    """The second half of a swap in one transaction is silent: the name is there again at the commit."""
    if isinstance(operation, AlterObject):
        yield from _object(operation, at)
        return
    if operation.relation_kind in ("index", "sequence") or is_new(at, operation.name) or _is_back(operation, at):
        return
    old = at.dialect.quote_name(operation.name)
    new = (
        Name(schema=operation.schema, name=operation.name.name)
        if isinstance(operation, MoveTable)
        else Name(schema=operation.name.schema, name=operation.to)
    )
    verb = (
        f"SET SCHEMA {at.dialect.quote(operation.schema)}"
        if isinstance(operation, MoveTable)
        else f"RENAME TO {at.dialect.quote(operation.to)}"
    )
    yield finding(
        at,
        f"code that uses {operation.name.text} fails from this moment",
        axis="breaks",
        severity="error",
        why="a rename has no in-between; functions that hold the name as text break too" + still_said(at),
        remedy=Remedy(
            summary="rename in the contract phase, after code that accepts both names; a view of SQLite cannot be written to"
        )
        if at.can(Capability.SINGLE_WRITER)
        else Remedy(
            summary="leave a view under the old name in the same transaction, drop it after the deploy",
            sql=f"BEGIN;\nALTER TABLE {old} {verb};\nCREATE VIEW {old} AS SELECT * FROM {at.dialect.quote_name(new)};\nCOMMIT;",
        ),
        near=operation.name.name,
    )


def _object(operation: AlterObject, at: Situation) -> Iterator[Finding]:
    if operation.action not in ("rename", "set_schema") or operation.kind not in _CALLED or operation.name is None:
        return
    yield finding(
        at,
        f"code that names the {operation.kind} {operation.name.name} fails from this moment",
        axis="breaks",
        severity="error",
        why="a rename has no in-between; bodies of functions that hold the name as text break too",
        remedy=Remedy(summary="make it again under the new name, move the code over, and drop the old one in the contract phase"),
        known_by="rule",
        near=operation.name.name,
    )


def _is_back(operation: RenameTable | MoveTable, at: Situation) -> bool:
    """Whether something answers to the old name when the transaction commits."""
    after = at.committed
    return after is not None and (operation.name.text in after.tables or operation.name.text in after.views)
