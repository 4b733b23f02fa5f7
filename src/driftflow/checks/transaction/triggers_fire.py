"""DF709: the table's own triggers fire for each row that a data change of the migration touches."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import size
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import is_ours
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import Delete, Update


@check("DF709", on=(Update, Delete), page="transaction/triggers-fire", title="Triggers fire for every row of a backfill")
def triggers_fire(operation: Update | Delete, at: Situation) -> Iterator[Finding]:
    table = at.table(operation.table)
    if table is None or table.new or operation.bounded:
        return
    event = "UPDATE" if isinstance(operation, Update) else "DELETE"
    changed = {column for column, _ in operation.assignments} if isinstance(operation, Update) else set()
    firing = [
        trigger.name
        for trigger in table.triggers
        if trigger.per_row
        and trigger.enabled in ("O", "A")
        and not is_ours(trigger.name)
        and (not trigger.events or event in trigger.events)
        and (not trigger.update_columns or set(trigger.update_columns) & changed)
    ]
    if firing:
        yield finding(
            at,
            f"{', '.join(firing)} fires for each of {size(at, operation.table)} that the {event} touches",
            axis="breaks",
            severity="warning",
            why="updated_at moves, audit rows are written, notifications go out: for every row of a backfill",
            remedy=Remedy(
                summary="make sure that this is meant; a chunked backfill (backfill_in_chunks) at least spreads it over time"
            ),
            near=operation.table.name,
        )
