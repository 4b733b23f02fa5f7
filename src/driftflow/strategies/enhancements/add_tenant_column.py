"""A new reference that another table already knows: filled by a join for old rows, by a trigger for the old application's rows."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import ForeignKey, Table
from driftflow.model.operations import AddColumn
from driftflow.strategies.base import enhancement
from driftflow.strategies.size import is_new


@enhancement(
    "add_tenant_column",
    on=AddColumn,
    title="dual write and chunked backfill",
    why="the value is known through another table, so old rows and the old application's rows need not be NULL",
)
def add_tenant_column(operation: AddColumn, at: Situation) -> str:
    table = at.table(operation.table)
    if table is None or is_new(at, operation.table) or at.directives("backfill"):
        return ""
    path = known_through(operation, table, at)
    if path is None:
        return ""
    key, through = path
    quote, own = at.dialect.quote, at.dialect.quote(operation.table.name)
    here, there, name = quote(key.columns[0]), quote(key.referenced_columns[0]), quote(operation.column.name)
    source = at.dialect.quote(through.name.name)
    return (
        f'-- driftflow: dual-write column={operation.column.name} set="(SELECT s.{name} FROM {source} s WHERE s.{there} = NEW.{here})"\n'
        f'-- driftflow: backfill column={operation.column.name} from="{source} s" on="s.{there} = {own}.{here}" set="s.{name}"\n'
        f"{at.statement.sql.strip()};"
    )


def known_through(operation: AddColumn, table: Table, at: Situation) -> tuple[ForeignKey, Table] | None:
    """A foreign key of the table to one that has the same column, pointing at the same table."""
    wanted = next((one.referenced for one in operation.constraints if isinstance(one, ForeignKey)), None)
    if wanted is None or len(at.statement.operations) != 1:
        return None
    for key in table.foreign_keys:
        through = at.table(key.referenced)
        if through is None or len(key.columns) != 1 or len(key.referenced_columns) != 1:
            continue
        same = through.column(operation.column.name)
        if same is not None and any(
            other.columns == (same.name,) and other.referenced == wanted for other in through.foreign_keys
        ):
            return key, through
    return None
