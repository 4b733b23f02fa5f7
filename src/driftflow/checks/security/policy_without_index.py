"""DF614: the policy's column leads no index: every query of the table reads all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import build_online
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Index, IndexPart
from driftflow.model.finding import Finding
from driftflow.model.names import Name
from driftflow.model.operations import CreatePolicy


@check(
    "DF614",
    on=CreatePolicy,
    page="security/policy-without-index",
    title="A policy column without an index",
    dialects=("postgresql",),
)
def policy_without_index(operation: CreatePolicy, at: Situation) -> Iterator[Finding]:
    """Looks at the end of the release: an index that a later pending migration builds counts. Columns compared with = only."""
    name = operation.policy.table
    table = (at.final or at.catalog).table(name)
    if table is None:
        return
    text = f"{operation.policy.using} {operation.policy.check}"
    for column in table.columns:
        compared = re.search(rf'(?<![\w.])"?{re.escape(column.name)}"?\s*=', text) is not None
        leads = any(index.columns[:1] == (column.name,) and not index.predicate for index in table.indexes)
        if not compared or leads or (table.primary_key is not None and table.primary_key.columns[0] == column.name):
            continue
        index = Index(
            name=Name(schema=name.schema, name=f"{name.name}_{column.name}_idx"),
            table=name,
            parts=(IndexPart(column=column.name),),
        )
        yield finding(
            at,
            f"the policy compares {name.name}.{column.name}, and no index begins with it",
            axis="blocks",
            severity="info" if at.is_small(name) else "warning",
            why="the policy is added to every query of the table: without an index each of them reads it whole",
            remedy=build_online(at, index),
            near=column.name,
        )
