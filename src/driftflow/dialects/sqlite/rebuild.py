"""What a rebuild of a table needs: SQLite's answer to everything that its ALTER TABLE cannot do.

The order of a rebuild (the engine's): foreign keys off, one transaction, `drop_views`, `create_sql`, copy, DROP TABLE, rename, `restore`, checks.
The traps, all measured (tests/databases/test_sqlite_rebuild.py runs them again):
  - indexes and triggers go with the old table; views and other tables' triggers that mention it make the final RENAME fail
    unless legacy_alter_table is on, so they are dropped and made again: it works either way
  - rowids that no column holds would be numbered anew, and full-text tables with external content point at them
  - generated columns take no values
  - a CHECK that names its own table (`CHECK (t.a > 0)`) does not fit under the temporary name
  - AUTOINCREMENT's counter starts from the highest id that is left, and gives ids twice
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftflow.dialects.sqlite import mentions, probes
from driftflow.dialects.sqlite.keys import STRICT, WITHOUT_ROWID, column_named, has_rowid, rowid_alias
from driftflow.dialects.sqlite.keywords import quote
from driftflow.dialects.sqlite.normal import normal
from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.sqlite.render import create_index, create_view
from driftflow.dialects.sqlite.render.table import create_table, quote_name
from driftflow.dialects.sqlite.resolve import resolve_table
from driftflow.dialects.sqlite.tokens import Token, TokenFault, name_of, tokenize
from driftflow.errors import RefusedError
from driftflow.model.catalog import (
    Catalog,
    Check,
    Constraint,
    ForeignKey,
    IndexPart,
    PrimaryKey,
    Table,
    Trigger,
    Unique,
    View,
    structure,
)
from driftflow.model.effects import Condition
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable
from driftflow.model.record import Record, replace


class RebuildParts(Record, frozen=True, kw_only=True):
    """The part of `model.plan.RebuildTable` that only this dialect can say; the meaning of the fields is told there."""

    create_sql: str
    temporary_name: str
    copy: tuple[tuple[str, str], ...]
    drop_views: tuple[str, ...] = ()
    """DROP VIEW and DROP TRIGGER, in order."""
    restore: tuple[str, ...] = ()
    autoincrement: bool = False
    expected_sql: str = ""


def rebuild_step_parts(
    before: Table, after: Table, catalog: Catalog, *, expressions: Mapping[str, str] | None = None
) -> RebuildParts:
    """Everything that turns `before` (as `catalog` holds it) into `after`. `expressions` gives a new column its value from the old row.

    A column that is neither in the old table nor in `expressions` gets its default. Raises RefusedError (DF-E330) for what cannot be rebuilt.
    """
    _refuse(before, after)
    temporary_name = _free_name(before.name, catalog)
    views, triggers = _mentioning(before.name, catalog)
    new = _under_another_name(after)
    return RebuildParts(
        create_sql=create_table(new, name=Name(schema=before.name.schema, name=temporary_name)),
        temporary_name=temporary_name,
        copy=copied_columns(before, after, expressions or {}),
        drop_views=tuple(_dropped(views, triggers)),
        restore=tuple(_restored(after, views, triggers)),
        autoincrement=any(column.autoincrement for column in after.columns),
        expected_sql=_expected(before, catalog),
    )


# what cannot be rebuilt


def _refuse(before: Table, after: Table) -> None:
    why = ""
    if before.kind != "table" or after.kind != "table":
        why = f"it is a {before.kind} table"
    elif before.definition and not _read_back(before.definition):
        why = "driftflow does not read its CREATE TABLE statement, and could lose what it says"
    elif not after.columns:
        why = "no column would be left"
    elif WITHOUT_ROWID in after.options and after.primary_key is None:
        why = "a table WITHOUT ROWID needs a primary key"
    if why:
        raise RefusedError(
            "DF-E330",
            f"the table {before.name.name} cannot be rebuilt",
            why=why,
            hint="make the new table and copy the rows in a migration of your own",
        )


def _read_back(definition: str) -> CreateTable | None:
    try:
        operations = parse_sql(definition)
    except TokenFault:
        return None
    match operations:
        case (CreateTable() as created,):
            return created
        case _:
            return None


def _expected(before: Table, catalog: Catalog) -> str:
    """The text that sqlite_schema must hold, when the record still says the same: earlier steps of the plan may have changed the table since
    the text was read."""
    created = _read_back(before.definition) if before.definition and not before.new else None
    if created is None:
        return ""
    said = resolve_table(replace(created.table, name=before.name), catalog)
    same = replace(before, indexes=(), triggers=())
    return before.definition if structure(said) == structure(same) else ""


# the new table


def _free_name(name: Name, catalog: Catalog) -> str:
    taken = {key.lower() for key in (*catalog.tables, *catalog.views)}
    wanted = f"_driftflow_new_{name.name}"
    while f"{name.schema}.{wanted}".lower() in taken:
        wanted += "_"
    return wanted


def _under_another_name(table: Table) -> Table:
    """The table so that its definition fits under another name: its own expressions name no table. A foreign key to itself still names
    the final one, because RENAME follows references to the temporary name alone."""
    own = table.name.name
    columns = tuple(
        replace(column, generated=replace(column.generated, expression=_unqualified(column.generated.expression, own)))
        if column.generated is not None
        else column
        for column in table.columns
    )
    constraints: tuple[Constraint, ...] = tuple(
        replace(constraint, expression=_unqualified(constraint.expression, own)) if isinstance(constraint, Check) else constraint
        for constraint in table.constraints
    )
    return replace(table, columns=columns, constraints=constraints)


def _unqualified(expression: str, table: str) -> str:
    """Without `table.` in front of columns."""
    tokens, _ = tokenize(expression)
    kept: list[Token] = []
    for token in tokens:
        if token.key == "." and kept and kept[-1].kind in {"word", "quoted"} and name_of(kept[-1]).lower() == table.lower():
            kept.pop()
            continue
        kept.append(token)
    return normal(kept) if len(kept) != len(tokens) else expression


def copied_columns(before: Table, after: Table, expressions: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(column of the new table, expression over the old one)."""
    pairs: list[tuple[str, str]] = []
    if (rowid := _kept_rowid(before, after)) != "":
        pairs.append((rowid, rowid))
    for column in after.columns:
        if column.generated is not None:
            continue
        given = expressions.get(column.name)
        old = column_named(before, column.name)
        if given is not None:
            pairs.append((column.name, given))
        elif old is not None:
            pairs.append((column.name, quote(old.name)))
    if not pairs:
        # Rows must be there all the same, each with its defaults.
        pairs.append((after.columns[0].name, "NULL"))
    return tuple(pairs)


def _kept_rowid(before: Table, after: Table) -> str:
    """The name by which rowids that no column holds are copied; empty where there is nothing to copy, or columns took all three names."""
    if not has_rowid(before) or not has_rowid(after) or rowid_alias(after):
        return ""
    taken = {column.name.lower() for column in (*before.columns, *after.columns)}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), "")


# what hangs on the old one


def _mentioning(name: Name, catalog: Catalog) -> tuple[tuple[View, ...], tuple[tuple[Table | View, Trigger], ...]]:
    """Views that read the table, directly or not, and triggers of others that name it or one of those views."""
    views = catalog.dependents(name)
    gone = (name, *(view.name for view in views))
    triggers = tuple(
        (holder, trigger)
        for holder, trigger in mentions.triggers(catalog)
        if holder.name not in gone and any(mentions.trigger_mentions(trigger, relation) for relation in gone)
    )
    return views, triggers


def _dropped(views: Sequence[View], triggers: Sequence[tuple[Table | View, Trigger]]) -> list[str]:
    """Triggers first, then views from the outermost inwards; a view takes its own triggers along."""
    drops = [f"DROP TRIGGER {quote(trigger.name)}" for _, trigger in triggers]
    return drops + [f"DROP VIEW {quote_name(view.name)}" for view in reversed(views)]


def _restored(after: Table, views: Sequence[View], triggers: Sequence[tuple[Table | View, Trigger]]) -> list[str]:
    made = [create_index(index) for index in after.indexes if not index.constraint]
    made += [create_view(view) for view in views]
    made += [trigger.definition for trigger in after.triggers]
    made += [trigger.definition for view in views for trigger in view.triggers]
    return made + [trigger.definition for _, trigger in triggers]


# what could make the copy fail


def rebuild_conditions(before: Table, after: Table) -> tuple[Condition, ...]:
    """What about the rows would make the copy fail: all that `after` demands and `before` did not."""
    found: list[Condition] = []
    name = before.name
    for column in after.columns:
        old = column_named(before, column.name)
        if old is None or column.generated is not None:
            continue
        if not column.nullable and old.nullable:
            found.append(_condition("nulls", f"rows where {column.name} is NULL", name, probes.nulls(name, old.name)))
        if STRICT in after.options and (STRICT not in before.options or column.type.upper() != old.type.upper()):
            probe = probes.wrongly_typed(name, old.name, column.type)
            found.append(_condition("bad_cast", f"values of {column.name} that are no {column.type.upper()}", name, probe))
    for constraint in after.constraints:
        if constraint not in before.constraints and all(column_named(before, one) for one in _columns(constraint)):
            found += _new_constraint(constraint, before)
    return tuple(found)


def _columns(constraint: Constraint) -> tuple[str, ...]:
    return constraint.columns if isinstance(constraint, (PrimaryKey, Unique, ForeignKey)) else ()


def _new_constraint(constraint: Constraint, before: Table) -> list[Condition]:
    name = before.name
    match constraint:
        case PrimaryKey() | Unique():
            parts = constraint.parts or tuple(IndexPart(column=column) for column in constraint.columns)
            summary = f"rows that share {', '.join(constraint.columns)}"
            return [_condition("duplicates", summary, name, probes.duplicates(name, probes.key_of(parts)))]
        case ForeignKey():
            summary = f"rows whose {', '.join(constraint.columns)} points at nothing"
            return [_condition("orphans", summary, name, probes.orphans(name, constraint))]
        case Check():
            known = {column.name.lower() for column in before.columns}
            if not mentions.words(constraint.expression) & known:  # it speaks of columns that no old row has
                return []
            summary = f"rows for which {constraint.expression} is false"
            return [_condition("check_violations", summary, name, probes.violations(name, constraint.expression))]
        case _:
            return []


def _condition(kind: str, summary: str, relation: Name, probe: str) -> Condition:
    return Condition(kind=kind, summary=summary, relation=relation, probe=probe)
