"""Everything that depends on a column, and the operations that take it away in order: outermost first, so that each finds nothing above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from driftflow.model.catalog import (
    Catalog,
    Check,
    Constraint,
    Exclusion,
    ForeignKey,
    Index,
    NotNull,
    PrimaryKey,
    Table,
    Trigger,
    Unique,
)
from driftflow.model.dependency import ColumnDependents, Dependent, Kind
from driftflow.model.names import Name
from driftflow.model.operations import dependents
from driftflow.model.operations.column import DropColumn
from driftflow.model.operations.constraint import DropConstraint
from driftflow.model.operations.function import DropFunction
from driftflow.model.operations.identifiers import mentions
from driftflow.model.operations.index import DropIndex
from driftflow.model.operations.object import DropObject
from driftflow.model.operations.policy import DropPolicy
from driftflow.model.operations.rules import (
    column_takes_keys_along,
    dependents_block,
    index_outlives_column,
    views_outlive_column,
)
from driftflow.model.operations.trigger import DropTrigger
from driftflow.model.operations.view import DropView

Removal = DropView | DropTrigger | DropPolicy | DropConstraint | DropIndex | DropColumn | DropObject | DropFunction


@dataclass(frozen=True, kw_only=True)
class Found:
    """A dependent, and how it is taken away: nothing where it goes, or stays, by itself."""

    dependent: Dependent
    removal: Removal | None = None
    reads_view: bool = False
    """It names a view that goes too, and goes before it."""


def column_dependents(catalog: Catalog, table: Name, *columns: str) -> tuple[Found, ...]:
    """What depends on the columns, in the order in which it is taken away; each once. Empty for a table that is not in the catalog."""
    held = catalog.table(table)
    if held is None:
        return ()
    found: dict[tuple[str, str, str], Found] = {}
    for column in columns:
        for one in _on_column(catalog, held, column):
            found.setdefault((one.dependent.kind, one.dependent.name, one.dependent.on), one)
    inside = {one.name for one in held.columns if one.name in columns}
    return tuple(
        sorted(
            (one for key, one in found.items() if not (key[0] == "generated column" and key[1] in inside)),
            key=lambda one: -1 if one.reads_view else _rank(one.dependent.kind),
        )
    )


def dependency_map(catalog: Catalog, table: Name, column: str) -> ColumnDependents:
    """The same as a record."""
    return ColumnDependents(
        table=table, column=column, dependents=tuple(one.dependent for one in column_dependents(catalog, table, column))
    )


def _rank(kind: Kind) -> int:
    """Views of both kinds are in an order of their own, since each may read the other."""
    return 0 if kind == "materialized view" else _ORDER.index(kind)


_ORDER: tuple[Kind, ...] = (
    "view",
    "trigger",
    "policy",
    "rule",
    "foreign key",
    "index",
    "check",
    "exclusion constraint",
    "unique constraint",
    "primary key",
    "generated column",
    "statistics",
    "sequence",
    "function",
    "publication",
)


def _on_column(catalog: Catalog, table: Table, column: str) -> Iterator[Found]:
    yield from _views(catalog, table, column)
    yield from _triggers(catalog, table, column)
    yield from _policies(table, column)
    yield from _rules(catalog, table, column)
    yield from _generated(catalog, table, column)
    yield from _foreign_keys(catalog, table, column)
    yield from _constraints(catalog, table, column)
    yield from _indexes(catalog, table, column)
    yield from _others(catalog, table, column)


def _views(catalog: Catalog, table: Table, column: str) -> Iterator[Found]:
    """Views that read the column, and the views over them: those that nobody reads come first."""
    direct = dependents.views_on_column(catalog, table.name, column)
    above: dict[Name, str] = {view.name: "" for view in direct}
    for view in direct:
        for other in catalog.dependents(view.name):
            below = next((name for name in other.depends_on if name in above), view.name)
            above.setdefault(other.name, f"view {below}")
    for view in reversed(dependents.in_order(catalog, direct)):
        name, through = view.name, above[view.name]
        kind: Kind = "materialized view" if view.materialized else "view"
        outlives = views_outlive_column(catalog)
        yield Found(
            dependent=Dependent(
                kind=kind,
                name=name.text,
                through=through,
                fate="broken" if outlives else "dropped",
                stops=not outlives,
                by_words=not view.depends_on_columns and not through,
            ),
            removal=DropView(name=name, materialized=view.materialized),
        )


def _triggers(catalog: Catalog, table: Table, column: str) -> Iterator[Found]:
    """Where the server keeps dependencies: those that name the column in their head. Elsewhere: those whose text names it."""
    holders = (table,) if dependents_block(catalog) else tuple(catalog.tables.values())
    for holder in holders:
        for trigger in holder.triggers:
            if _fires_on(catalog, holder, trigger, table, column):
                yield Found(
                    dependent=Dependent(
                        kind="trigger",
                        name=trigger.name,
                        on=holder.name.text,
                        stops=column_takes_keys_along(catalog) is False or dependents_block(catalog),
                        by_words=not dependents_block(catalog),
                        fate="dropped" if dependents_block(catalog) or not column_takes_keys_along(catalog) else "broken",
                    ),
                    removal=DropTrigger(name=trigger.name, table=holder.name, schema=holder.name.schema),
                )


def _fires_on(catalog: Catalog, holder: Table, trigger: Trigger, table: Table, column: str) -> bool:
    if dependents_block(catalog):
        return column in trigger.update_columns or dependents.in_condition(trigger.definition, column)
    return dependents.names_in_trigger(trigger.definition, table.name.name, column, own=holder.name == table.name)


def mentions_anywhere(text: str, column: str) -> bool:
    """Whether the text names the column in any letter case: SQLite and MySQL do not tell them apart."""
    return mentions(text, column) or mentions(text.lower(), column.lower())


def _policies(table: Table, column: str) -> Iterator[Found]:
    for policy in table.policies:
        if mentions(policy.using, column) or mentions(policy.check, column):
            yield Found(
                dependent=Dependent(kind="policy", name=policy.name, on=table.name.text, stops=True),
                removal=DropPolicy(name=policy.name, table=table.name),
            )


def _rules(catalog: Catalog, table: Table, column: str) -> Iterator[Found]:
    for holder, rule in dependents.rules_on_column(catalog, table.name, column):
        yield Found(
            dependent=Dependent(kind="rule", name=rule.name, on=holder.name.text, stops=True),
            removal=DropObject(kind="rule", name=Name(name=rule.name), sql=f"DROP RULE {rule.target}", relations=(holder.name,)),
            reads_view=f"{table.name}.{column}" not in rule.depends_on_columns,
        )


def _generated(catalog: Catalog, table: Table, column: str) -> Iterator[Found]:
    """Generated columns that are computed from it, with all that depends on them in turn."""
    for other in table.columns:
        if other.generated is None or other.name == column or not mentions_anywhere(other.generated.expression, column):
            continue
        yield from _on_column(catalog, table, other.name)
        yield Found(
            dependent=Dependent(kind="generated column", name=other.name, on=table.name.text, stops=True),
            removal=DropColumn(table=table.name, column=other.name, cascade=True),
        )


def _foreign_keys(catalog: Catalog, table: Table, column: str) -> Iterator[Found]:
    for holder, key in catalog.referencing(table.name):
        if column in key.referenced_columns and not (holder.name == table.name and column in key.columns):
            yield Found(
                dependent=Dependent(kind="foreign key", name=_named(key), on=holder.name.text, stops=True),
                removal=DropConstraint(table=holder.name, name=key.name) if key.name else None,
            )


_KINDS: dict[type[Constraint], Kind] = {
    PrimaryKey: "primary key",
    Unique: "unique constraint",
    Check: "check",
    ForeignKey: "foreign key",
    Exclusion: "exclusion constraint",
}


def _constraints(catalog: Catalog, table: Table, column: str) -> Iterator[Found]:
    """Of the table itself. NOT NULL is the column's own."""
    for one in table.constraints:
        if isinstance(one, NotNull) or not _holds(one, column):
            continue
        behind = isinstance(one, Check) and one.column == column
        yield Found(
            dependent=Dependent(
                kind=_KINDS[type(one)],
                name=_named(one),
                on=table.name.text,
                stops=not column_takes_keys_along(catalog) and not behind,
            ),
            removal=DropConstraint(table=table.name, name=one.name) if one.name else None,
        )


def _holds(constraint: Constraint, column: str) -> bool:
    match constraint:
        case Check(expression=expression):
            return mentions_anywhere(expression, column)
        case Exclusion(columns=columns, definition=definition):
            return column in columns or mentions(definition, column)
        case NotNull(column=named):
            return named == column
        case PrimaryKey() | Unique() | ForeignKey():
            return column in constraint.columns


def _named(constraint: Constraint) -> str:
    """Its name, or what it says where it has none (SQLite)."""
    if constraint.name:
        return constraint.name
    match constraint:
        case Check(expression=expression):
            return f"({expression})"
        case NotNull(column=column):
            return f"({column})"
        case Exclusion(definition=definition):
            return definition
        case PrimaryKey() | Unique() | ForeignKey():
            return f"({', '.join(constraint.columns)})"


def _indexes(catalog: Catalog, table: Table, column: str) -> Iterator[Found]:
    for index in table.indexes:
        if index.constraint or not _indexed(index, column):
            continue
        # MySQL drops no column that an expression of an index reads (error 3837).
        read = index_outlives_column(catalog) and any(
            part.expression and mentions_anywhere(part.expression, column) for part in index.parts
        )
        shortened = index_outlives_column(catalog) and len(index.parts) > 1 and not read
        yield Found(
            dependent=Dependent(
                kind="index",
                name=index.name.name,
                on=table.name.text,
                fate="shortened" if shortened else "dropped",
                stops=read or not column_takes_keys_along(catalog),
            ),
            removal=DropIndex(name=index.name, table=table.name),
        )


def _indexed(index: Index, column: str) -> bool:
    texts = (index.predicate, *(part.expression for part in index.parts))
    return column in index.columns or column in index.include or any(text and mentions_anywhere(text, column) for text in texts)


def _others(catalog: Catalog, table: Table, column: str) -> Iterator[Found]:
    """What goes without a word, breaks when it is called, or sends the column to somebody."""
    for known in table.extended_statistics:
        if column in known.columns:
            drop = DropObject(kind="statistics", name=known.name, sql=f"DROP STATISTICS {known.spelled}", relations=(table.name,))
            yield Found(
                dependent=Dependent(kind="statistics", name=known.name.text, on=table.name.text),
                removal=drop if known.spelled else None,
            )
    for sequence in catalog.sequences_of(table.name):
        if sequence.owned_by == f"{table.name}.{column}":
            yield Found(dependent=Dependent(kind="sequence", name=sequence.name.text))
    held = dependents.routines_on_column(catalog, table.name, column)
    for routine in held:
        yield Found(
            dependent=Dependent(kind="function", name=f"{routine.name}({routine.arguments})", stops=True),
            removal=DropFunction(name=routine.name, arguments=routine.arguments, kind=routine.kind),
            reads_view=f"{table.name}.{column}" not in routine.depends_on_columns,
        )
    for routine in catalog.routines.values():
        if routine not in held and all(
            re.search(rf"\b{re.escape(word)}\b", routine.definition, re.IGNORECASE) for word in (column, table.name.name)
        ):
            name = f"{routine.name}({routine.arguments})"
            yield Found(dependent=Dependent(kind="function", name=name, fate="broken", by_words=True))
    naming = {one.name for one in catalog.publications if f"{table.name.text}.{column}" in one.columns}
    for publication in table.publications:
        stops = publication in naming
        yield Found(dependent=Dependent(kind="publication", name=publication, fate="carried", stops=stops))
