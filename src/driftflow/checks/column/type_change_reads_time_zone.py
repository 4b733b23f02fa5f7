"""DF110: what the values mean afterwards depends on the time zone of the session that runs the migration."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.sizes import is_new
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterColumnType, SetSetting


@check(
    "DF110",
    on=AlterColumnType,
    page="column/type-change-reads-time-zone",
    title="A timestamp is read in the session's time zone",
    dialects=("postgresql",),
)
def type_change_reads_time_zone(operation: AlterColumnType, at: Situation) -> Iterator[Finding]:
    """A USING clause with AT TIME ZONE says the zone itself, and so does a SET TIME ZONE of the file: silent then."""
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    to_zone = operation.type.startswith("timestamp") and "with time zone" in operation.type
    from_zone = column is not None and column.type.startswith("timestamp") and "with time zone" in column.type
    was_timestamp = column is None or column.type.startswith("timestamp")
    if is_new(at, operation.table) or to_zone == from_zone or not was_timestamp or not operation.type.startswith("timestamp"):
        return
    if "at time zone" in operation.using.lower() or _said_before(at):
        return
    quoted, name = at.dialect.quote_name(operation.table), at.dialect.quote(operation.column)
    yield finding(
        at,
        f"{operation.table.name}.{operation.column} is converted in the time zone of whoever runs the migration",
        axis="loses",
        severity="warning",
        why="a session in another zone shifts every value by hours, without an error",
        remedy=Remedy(
            summary="say the zone that the old values were written in",
            sql=f"ALTER TABLE {quoted} ALTER COLUMN {name} TYPE {operation.type} USING {name} AT TIME ZONE 'UTC';",
        ),
        near=operation.column,
    )


def _said_before(at: Situation) -> bool:
    """Whether the file sets the time zone before this statement."""
    before = (one for one in at.migration.statements if one.span.start < at.statement.span.start)
    settings = (one for statement in before for one in statement.operations if isinstance(one, SetSetting))
    return any(one.name.lower() == "timezone" and one.value is not None for one in settings)
