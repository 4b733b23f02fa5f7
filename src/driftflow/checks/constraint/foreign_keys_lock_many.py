"""DF206: several foreign keys in one transaction lock several other tables, one after the other, and keep them all."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey
from driftflow.model.finding import Finding, Remedy
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, AddConstraint, BaseOperation, CreateTable


@check(
    "DF206",
    on=(AddConstraint, AddColumn, CreateTable),
    page="constraint/foreign-keys-lock-many",
    title="Several foreign keys in one transaction lock several tables",
    dialects=("postgresql",),
    only=("adds_foreign_key",),
)
def foreign_keys_lock_many(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """Said once, at the key that points at a second table in use. One statement with several keys counts too."""
    referenced = _referenced(operation, at)
    if not referenced:
        return
    earlier = at.earlier_of(AddConstraint, AddColumn, CreateTable) if at.in_transaction else []
    before = list(dict.fromkeys(name for one in earlier for name in _referenced(one, at)))
    now = [name for name in referenced if name not in before]
    together = [*before, *now]
    if len(before) > 1 or not now or len(together) < 2 or all(at.is_small(name) for name in together):
        return
    yield finding(
        at,
        f"writers of {', '.join(name.name for name in together)} are kept out together until this transaction commits",
        axis="blocks",
        severity="warning",
        why="each foreign key takes SHARE ROW EXCLUSIVE on the table that it references; while the next one is waited for, those before stay locked",
        remedy=Remedy(
            summary="one foreign key per transaction, NOT VALID first, each under a short lock timeout (add_foreign_key)"
        ),
        known_by="catalog" if at.catalog.complete else "rule",
        near="REFERENCES",
    )


def _referenced(operation: object, at: Situation) -> list[Name]:
    """Tables in use that foreign keys of the operation point at."""
    match operation:
        case AddConstraint(constraint=ForeignKey() as key):
            keys: tuple[ForeignKey, ...] = (key,)
            own = operation.table
        case AddColumn():
            keys = tuple(item for item in operation.constraints if isinstance(item, ForeignKey))
            own = operation.table
        case CreateTable():
            keys, own = operation.table.foreign_keys, operation.table.name
        case _:
            return []
    return list(dict.fromkeys(key.referenced for key in keys if key.referenced != own and not is_new(at, key.referenced)))
