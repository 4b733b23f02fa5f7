"""Operations on columns. SQLite adds, renames and drops them; everything else about a column needs a rebuild, or 3.53."""

from __future__ import annotations

from driftflow.dialects.sqlite import mentions, probes
from driftflow.dialects.sqlite.capabilities import DROP_COLUMN, GENERATED_COLUMN, RENAME_COLUMN
from driftflow.dialects.sqlite.constants import is_constant, not_of_its_own
from driftflow.dialects.sqlite.effects.prediction import Prediction
from driftflow.dialects.sqlite.keys import STRICT, column_named
from driftflow.dialects.sqlite.parse.table import references_behind_columns
from driftflow.dialects.sqlite.types import STRICT_TYPES, affinity
from driftflow.model.catalog import Check, Column, ForeignKey, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AlterColumnType,
    DropColumn,
    DropDefault,
    DropNotNull,
    RenameColumn,
    SetDefault,
    SetNotNull,
)


def is_null(default: str | None) -> bool:
    return default is None or default.upper() == "NULL"


def plain_table(p: Prediction, name: Name, verb: str) -> Table | None:
    """The table, when ALTER TABLE may touch it at all."""
    table = p.table(name)
    if table is not None and table.kind == "virtual":
        p.fails("unsupported", f"{name.name} is a virtual table: SQLite cannot {verb} it", relation=name, certain=True)
    return table


def add_column(p: Prediction, operation: AddColumn) -> None:
    table, column = plain_table(p, operation.table, "alter"), operation.column
    p.writes(operation.table)
    if operation.if_not_exists:
        p.fails("unsupported", "SQLite's ADD COLUMN has no IF NOT EXISTS", certain=True)
    if table is not None and column_named(table, column.name) is not None:
        p.fails("exists", f"{table.name.name} already has a column {column.name}", relation=table.name, certain=True)
    _refused_when_adding(p, operation, table)
    _refuse_default(p, operation.table, table, column.default, beside=column.name)
    _checked_when_adding(p, operation, table)
    _references_when_adding(p, operation, table)
    if not p.is_empty(table):
        p.breaks(
            f"an INSERT into {operation.table.name} without a column list fails, and SELECT * returns one column more",
            operation.table,
            column.name,
        )


def _refused_when_adding(p: Prediction, operation: AddColumn, table: Table | None) -> None:
    column = operation.column
    for constraint in operation.constraints:
        if isinstance(constraint, (PrimaryKey, Unique)):
            what = "PRIMARY KEY" if isinstance(constraint, PrimaryKey) else "UNIQUE"
            p.fails("unsupported", f"SQLite cannot add a {what} column", relation=operation.table, certain=True)
    if (
        table is not None
        and STRICT in table.options
        and (column.default or "").startswith("'")
        and column.type.upper() not in ("TEXT", "ANY")
    ):
        p.fails(
            "bad_cast",
            f"the default {column.default} may be no {column.type}, and {table.name.name} is STRICT",
            relation=table.name,
        )
    if table is not None and STRICT in table.options and column.type.upper() not in STRICT_TYPES:
        p.fails(
            "unsupported",
            f"{table.name.name} is STRICT and takes no type {column.type or '(none)'}",
            relation=table.name,
            certain=True,
        )
    if column.generated is not None:
        p.since(GENERATED_COLUMN, "a generated column")
        if column.generated.stored:
            _only_when_empty(p, operation.table, table, "a STORED column can be added only to an empty table")
        return
    if not column.nullable and is_null(column.default):
        _only_when_empty(
            p,
            operation.table,
            table,
            f"{column.name} is NOT NULL without a default: that works only while {operation.table.name} is empty",
        )
    if column.default is not None and not is_constant(column.default):
        _only_when_empty(
            p,
            operation.table,
            table,
            f"the default of {column.name} is not a constant: that works only while {operation.table.name} is empty",
        )


def _refuse_default(p: Prediction, name: Name, table: Table | None, default: str | None, *, beside: str = "") -> None:
    """SQLite: "default value of column [x] is not constant", in ALTER TABLE and CREATE TABLE alike."""
    columns = {beside.lower(), *(column.name.lower() for column in table.columns)} if table is not None else set()
    if default is not None and (looked_at := not_of_its_own(default, columns)):
        p.fails("expression", f"a default cannot look at {looked_at}", relation=name, certain=True)


def _only_when_empty(p: Prediction, name: Name, table: Table | None, summary: str) -> None:
    if not p.is_empty(table):
        p.fails("not_empty", summary, relation=name, probe=probes.any_row(name), certain=p.has_rows(table))


def _checked_when_adding(p: Prediction, operation: AddColumn, table: Table | None) -> None:
    """A CHECK, and NOT NULL on a generated column, make SQLite read the whole table once."""
    column = operation.column
    checks = [constraint for constraint in operation.constraints if isinstance(constraint, Check)]
    generated_not_null = column.generated is not None and not column.nullable
    if not checks and not generated_not_null:
        return
    p.does("scan", operation.table, "the check is tried on every row")
    if p.is_empty(table):
        return
    value = column.generated.expression if column.generated else column.default or "NULL"
    for check in checks:
        p.fails(
            "check_violations",
            f"rows of {operation.table.name} for which {check.expression} is false",
            relation=operation.table,
            probe=probes.violations_with(operation.table, check.expression, column.name, value),
        )
    if generated_not_null:
        p.fails(
            "nulls",
            f"rows of {operation.table.name} for which {column.name} would be NULL",
            relation=operation.table,
            probe=probes.violations_with(operation.table, f"{column.name} IS NOT NULL", column.name, value),
        )


def _references_when_adding(p: Prediction, operation: AddColumn, table: Table | None) -> None:
    column = operation.column
    if not any(isinstance(constraint, ForeignKey) for constraint in operation.constraints) or is_null(column.default):
        return
    if p.is_empty(table):
        return
    if p.foreign_keys is not False:
        _only_when_empty(
            p, operation.table, table, "with foreign_keys on, a REFERENCES column cannot be added with a default other than NULL"
        )
    if p.foreign_keys is not True:
        p.breaks(
            f"with foreign_keys off, every row gets {column.name} = {column.default} without a check that it points at anything",
            operation.table,
            column.name,
        )


def drop_column(p: Prediction, operation: DropColumn) -> None:
    p.since(DROP_COLUMN, "DROP COLUMN")
    if operation.if_exists:
        p.fails("unsupported", "SQLite's DROP COLUMN has no IF EXISTS", certain=True)
    table = plain_table(p, operation.table, "alter")
    column = p.column(table, operation.column)
    p.writes(operation.table)
    stored = column is None or column.generated is None or column.generated.stored
    if stored:
        p.does("rewrite", operation.table, "every row is written again without the column")
    if table is not None and column is not None:
        _uses_in_table(p, table, column)
        _uses_elsewhere(p, table, column.name)
    broken_objects_stop(p)
    p.loses(f"column {operation.column} and its data", operation.table, reversible=not stored)
    p.breaks(f"code that still reads or writes {operation.table.name}.{operation.column}", operation.table, operation.column)


def _uses_in_table(p: Prediction, table: Table, column: Column) -> None:
    """What the table itself makes of the column. Its own REFERENCES and CHECK go with it (measured); those of others do not."""
    name = column.name

    def stops(summary: str) -> None:
        p.fails("dependency", f"{name} cannot be dropped: {summary}", relation=table.name, certain=True)

    if len(table.columns) == 1:
        stops("the table has no other column")
    for constraint in table.constraints:
        match constraint:
            case PrimaryKey() if name in constraint.columns:
                stops("it is part of the primary key")
            case Unique() if name in constraint.columns:
                stops("it is UNIQUE")
            case ForeignKey() if name in constraint.columns:
                _foreign_key_stops(p, table, name, constraint)
            case Check() if constraint.column != name and mentions.names_column(constraint.expression, name):
                stops(f"CHECK ({constraint.expression}) uses it")
    for index in mentions.indexes_naming(table, name):
        stops(f"index {index.name.name} uses it")
    for other in table.columns:
        if other.generated is not None and other.name != name and mentions.names_column(other.generated.expression, name):
            stops(f"the generated column {other.name} uses it")


def _foreign_key_stops(p: Prediction, table: Table, name: str, key: ForeignKey) -> None:
    """REFERENCES behind the column goes with it; FOREIGN KEY behind all columns stays, and stops the statement (measured)."""
    behind = references_behind_columns(table.definition) if table.definition else None
    if len(key.columns) == 1 and behind is not None and name.lower() in behind:
        return
    p.fails(
        "dependency",
        f"{name} cannot be dropped: FOREIGN KEY ({', '.join(key.columns)}) uses it",
        relation=table.name,
        certain=len(key.columns) > 1 or behind is not None,
    )


def _uses_elsewhere(p: Prediction, table: Table, name: str) -> None:
    """Views and triggers by their words: an alias may be called the same, so nothing is certain."""
    for view in p.catalog.dependents(table.name):
        if table.name in view.depends_on and mentions.names_column(view.definition, name):
            p.fails(
                "dependency", f"view {view.name.name} names {name}, and then the column cannot be dropped", relation=view.name
            )
    for holder, trigger in mentions.triggers(p.catalog):
        concerned = holder.name == table.name or mentions.trigger_mentions(trigger, table.name)
        if concerned and mentions.names_column(trigger.definition, name):
            # Measured on 3.40: NEW.x stops the statement, SET x = ... in the body does not, and fails when the trigger fires.
            p.fails("dependency", f"trigger {trigger.name} names {name}", relation=holder.name)
            p.breaks(
                f"trigger {trigger.name} names {name}: where SQLite does not refuse, it fails when it fires", holder.name, name
            )


def broken_objects_stop(p: Prediction) -> None:
    if p.catalog.settings.get("legacy_alter_table") == "1":
        return
    for kind, name, lacks in mentions.broken_objects(p.catalog):
        p.fails(
            "dependency",
            f"{kind} {name} is broken ({lacks.name} does not exist), and SQLite checks the whole schema",
            certain=True,
        )


def rename_column(p: Prediction, operation: RenameColumn) -> None:
    p.since(RENAME_COLUMN, "RENAME COLUMN")
    table = plain_table(p, operation.table, "rename a column of")
    p.column(table, operation.column)
    taken = column_named(table, operation.to) if table is not None else None
    if taken is not None and taken.name != operation.column:
        p.fails("exists", f"{operation.table.name} already has a column {operation.to}", relation=operation.table, certain=True)
    broken_objects_stop(p)
    _is_read_through_views(p, operation)
    p.writes(operation.table)
    p.breaks(f"code that uses {operation.table.name}.{operation.column}", operation.table, operation.column)


def _is_read_through_views(p: Prediction, operation: RenameColumn) -> None:
    """The view that reads the table follows the new name, and shows it; a view over that one asks for the old name and is not written anew, so the
    rename is refused (measured on 3.40 and 3.54)."""
    for view in p.catalog.readers_of(operation.table):
        if not mentions.names_column(view.definition, operation.column):
            continue
        for over in p.catalog.dependents(view.name):
            if mentions.names_column(over.definition, operation.column):
                why = (
                    f"{over.name.name} may read {operation.column} through {view.name.name}, which shows it by its new name then"
                )
                p.fails("dependency", why, relation=over.name)


def set_not_null(p: Prediction, operation: SetNotNull) -> None:
    table = plain_table(p, operation.table, "alter")
    column = p.column(table, operation.column)
    if p.alters_constraints("ALTER COLUMN ... SET NOT NULL"):
        p.writes(operation.table)
        p.does("scan", operation.table, "every row is looked at for a NULL")
    if not p.is_empty(table) and (column is None or column.nullable):
        probe = probes.nulls(operation.table, operation.column)
        p.fails(
            "nulls", f"rows of {operation.table.name} where {operation.column} is NULL", relation=operation.table, probe=probe
        )
        p.breaks(f"an INSERT or UPDATE that leaves {operation.column} NULL fails", operation.table, operation.column)


def drop_not_null(p: Prediction, operation: DropNotNull) -> None:
    p.column(plain_table(p, operation.table, "alter"), operation.column)
    if p.alters_constraints("ALTER COLUMN ... DROP NOT NULL"):
        p.writes(operation.table)
    p.breaks(f"code that takes {operation.column} for never NULL", operation.table, operation.column)


def set_default(p: Prediction, operation: SetDefault) -> None:
    table = plain_table(p, operation.table, "alter")
    p.column(table, operation.column)
    _refuse_default(p, operation.table, table, operation.default)
    p.never("ALTER COLUMN ... SET DEFAULT")


def drop_default(p: Prediction, operation: DropDefault) -> None:
    table = plain_table(p, operation.table, "alter")
    column = p.column(table, operation.column)
    p.never("ALTER COLUMN ... DROP DEFAULT")
    if column is not None and not column.nullable:
        p.breaks(f"an INSERT that does not name {operation.column} fails", operation.table, operation.column)


def alter_column_type(p: Prediction, operation: AlterColumnType) -> None:
    table = plain_table(p, operation.table, "alter")
    column = p.column(table, operation.column)
    p.never("ALTER COLUMN ... TYPE")
    if table is None or column is None:
        return
    if STRICT in table.options:
        if operation.type.upper() not in STRICT_TYPES:
            p.fails(
                "unsupported",
                f"{table.name.name} is STRICT and takes no type {operation.type}",
                relation=table.name,
                certain=True,
            )
        elif not operation.using and not p.is_empty(table):
            p.fails(
                "bad_cast",
                f"values of {operation.column} that are no {operation.type.upper()}",
                relation=table.name,
                probe=probes.wrongly_typed(table.name, column.name, operation.type),
            )
    elif affinity(operation.type) != affinity(column.type) and not operation.using:
        p.breaks(
            f"values of {operation.column} are converted where they look like {operation.type}, and stay as they are where they do not",
            operation.table,
            operation.column,
        )
    if operation.using:
        p.loses(f"whatever the USING expression does not keep of {operation.column}", operation.table)
