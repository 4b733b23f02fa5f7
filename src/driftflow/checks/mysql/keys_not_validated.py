"""DF668: foreign_key_checks is off while a foreign key is added: old rows are never looked at."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddConstraint


@check(
    "DF668",
    on=AddConstraint,
    page="mysql/keys-not-validated",
    title="A foreign key that is never validated",
    dialects=("mysql", "mariadb"),
)
def keys_not_validated(operation: AddConstraint, at: Situation) -> Iterator[Finding]:
    """With foreign_key_checks=0 the key is made in place, and nothing ever looks at the old rows."""
    key = operation.constraint
    if not isinstance(key, ForeignKey) or at.catalog.settings.get("foreign_key_checks", "1").lower() not in {"0", "off", "false"}:
        return
    table, parent = at.dialect.quote_name(operation.table), at.dialect.quote_name(key.referenced)
    pairs = " AND ".join(
        f"p.{at.dialect.quote(there)} = c.{at.dialect.quote(here)}"
        for here, there in zip(key.columns, key.referenced_columns, strict=False)
    )
    yield finding(
        at,
        f"{key.name or 'the foreign key'} does not check the rows that are there",
        axis="breaks",
        severity="info",
        why="foreign_key_checks is off: the key is made in place beside writers, and orphans of before stay for good",
        remedy=Remedy(
            summary="look for orphans yourself, before and after",
            sql=f"SELECT count(*) FROM {table} c WHERE NOT EXISTS (SELECT 1 FROM {parent} p WHERE {pairs or '…'});",
        ),
    )
