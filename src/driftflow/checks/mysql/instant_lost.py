"""DF663: a combined ALTER writes the table anew although none of its clauses does so alone."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import severity_of_block
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import BaseOperation, RequestAlgorithm


@check(
    "DF663",
    on=BaseOperation,
    page="mysql/instant-lost",
    title="Clauses in one ALTER cost more than alone",
    dialects=("mysql", "mariadb"),
)
def instant_lost(operation: BaseOperation, at: Situation) -> Iterator[Finding]:
    """The weakest algorithm counts for all clauses: beside an index build, an instant ADD COLUMN writes the table anew."""
    if at.index or len(at.statement.operations) < 2 or not at.effects.algorithms:
        return
    together = at.effects.algorithms[0]
    if together.algorithm == "INSTANT":
        return
    clauses = [one for one in at.statement.operations if not isinstance(one, RequestAlgorithm)]
    instant, rebuilds, catalog = 0, False, at.catalog
    for clause in clauses:
        resolved = at.dialect.resolve(clause, catalog)
        alone = at.dialect.effects(resolved, catalog).algorithms
        if not alone:
            return  # it fails alone, and a check of its own says so
        instant += alone[0].algorithm == "INSTANT"
        rebuilds = rebuilds or alone[0].rebuilds
    table = next((claim.relation for claim in at.effects.locks), None)
    severity = severity_of_block(at, table) if table is not None else None
    if severity is None or not instant or rebuilds or not together.rebuilds:
        return
    yield finding(
        at,
        f"{instant} of {len(clauses)} clauses would be instant alone, and none writes the table anew; together they do",
        axis="blocks",
        severity="warning" if severity == "error" else "info",
        why="one ALTER takes one algorithm, the weakest that any clause needs",
        remedy=Remedy(
            summary="one statement for what is instant, another for the rest",
            sql="ALTER TABLE … ADD COLUMN …, ALGORITHM=INSTANT;\nALTER TABLE … ADD INDEX …, ALGORITHM=INPLACE, LOCK=NONE;",
        ),
    )
