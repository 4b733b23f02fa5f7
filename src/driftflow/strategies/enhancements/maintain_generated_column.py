"""A stored generated column writes the whole table anew on PostgreSQL; a plain column that a trigger keeps can be filled in chunks.

The end is another one (a plain column, and a trigger that the team owns), so it is offered and never taken by itself.
"""

from __future__ import annotations

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn
from driftflow.strategies.base import enhancement


@enhancement(
    "maintain_generated_column",
    on=AddColumn,
    title="a plain column that a trigger keeps",
    why="GENERATED ... STORED computes every row at once, and nobody reads or writes the table meanwhile",
)
def maintain_generated_column(operation: AddColumn, at: Situation) -> str:
    column = operation.column
    rewrites = column.generated is not None and column.generated.stored and not at.can(Capability.TABLE_REBUILD_ONLY)
    if column.generated is None or not rewrites or at.rows(operation.table) == 0:
        return ""
    quote, target = at.dialect.quote, at.dialect.quote_name(operation.table)
    expression, name = column.generated.expression, f"{operation.table.name}_{column.name}_kept"
    function = at.dialect.quote_name(Name(schema=operation.table.schema, name=name))
    directive = expression.replace("\\", "\\\\").replace('"', '\\"')
    not_null = "" if column.nullable else f";\n\nALTER TABLE {target} ALTER COLUMN {quote(column.name)} SET NOT NULL"
    return (
        f'-- driftflow: backfill column={column.name} set="{directive}"\n'
        f"ALTER TABLE {target} ADD COLUMN {quote(column.name)} {column.type};\n\n"
        f"-- Whoever writes the column by hand is overruled, as with a generated column.\n"
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $kept$\n"
        f"BEGIN\n"
        f"  NEW.{quote(column.name)} := (SELECT {expression} FROM (SELECT (NEW).*) AS written);\n"
        f"  RETURN NEW;\n"
        f"END\n"
        f"$kept$;\n\n"
        f"CREATE TRIGGER {quote(name)} BEFORE INSERT OR UPDATE ON {target} FOR EACH ROW EXECUTE FUNCTION {function}(){not_null}"
    )
