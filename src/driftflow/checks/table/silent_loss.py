"""DF415: the statement drops something that it does not name, and the server says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterTableOption, EnableTrigger, Insert, RewriteTable

_REMEDIES = {
    "engine": "keep InnoDB; a table of another engine takes no part in transactions and foreign keys",
    "DISCARD TABLESPACE": "keep a backup that was read back, and import the tablespace in the same window",
    "trigger": "switch it on again in the same transaction, and look for rows that came in meanwhile",
    "insert": "say what happens to a row that is there already (ON CONFLICT, ON DUPLICATE KEY UPDATE), and count the rows afterwards",
}


@check(
    "DF415",
    on=(RewriteTable, AlterTableOption, EnableTrigger, Insert),
    page="table/silent-loss",
    title="Something is lost that the statement does not name",
)
def silent_loss(operation: RewriteTable | AlterTableOption | EnableTrigger | Insert, at: Situation) -> Iterator[Finding]:
    """What has a check of its own (UNLOGGED: DF405) is not said twice. Silent where the same file switches the trigger on again."""
    match operation:
        case RewriteTable(action="engine"):
            remedy = _REMEDIES["engine"]
        case AlterTableOption(option="mysql"):
            remedy = _REMEDIES["DISCARD TABLESPACE"]
        case EnableTrigger(state="D") if not _on_again(operation, at):
            remedy = _REMEDIES["trigger"]
        case Insert():
            remedy = _REMEDIES["insert"]
        case _:
            return
    if operation.table is None or is_new(at, operation.table):
        return
    for loss in at.effects.loses:
        yield finding(
            at,
            f"lost without a word: {loss.what}",
            axis="loses",
            severity="warning",
            why="the statement succeeds, and nothing tells that something is missing",
            remedy=Remedy(summary=remedy),
            near=operation.table.name,
        )


def _on_again(operation: EnableTrigger, at: Situation) -> bool:
    own = (one for statement in at.migration.statements for one in statement.operations if isinstance(one, EnableTrigger))
    return any(one.state != "D" and one.name == operation.name and one.table.name == operation.table.name for one in own)
