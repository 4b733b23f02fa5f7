"""DF713: INSERT ... SELECT of a whole table in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_old, size
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import CreateTableAs, Insert
from driftflow.patterns import lazy_regex

_BOUND = lazy_regex(r"\b(?:where|limit|fetch)\b", re.IGNORECASE)


@check("DF713", on=(Insert, CreateTableAs), page="transaction/unbounded-copy", title="A table is copied in one transaction")
def unbounded_copy(operation: Insert | CreateTableAs, at: Situation) -> Iterator[Finding]:
    """A query with a WHERE or a LIMIT may be bounded: nothing is said of it. Small and new tables are left alone."""
    if isinstance(operation, Insert):
        target, query, holds_rows = operation.table, operation.sql, operation.rows is None
    else:
        target, query, holds_rows = operation.name, operation.query, operation.with_data
    if not holds_rows or _BOUND.search(query):
        return
    read = [name for name in operation.reads if is_old(at, name, operation.reads) and not at.is_small(name)]
    if not read:
        return
    source = read[0]
    if at.can(Capability.SINGLE_WRITER):
        why = "every other writer of the database waits until it commits"
    elif at.dialect.one_pass:
        why = "the rows that are read stay locked against writers until the commit (REPEATABLE READ), and replicas stand still as long"
    else:
        why = "the open snapshot keeps vacuum from cleaning up anywhere in the database, and replicas lag"
    yield finding(
        at,
        f"every row of {source.name} is copied into {target.name} in one transaction",
        axis="blocks",
        severity="warning",
        why=f"{size(at, source)}: {why}; after a failure all of it begins anew",
        remedy=Remedy(
            summary="copy in chunks by primary key, each in a transaction of its own, with a rule for rows that are there already"
        ),
        near=target.name,
    )
