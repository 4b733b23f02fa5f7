"""What goes along when something is dropped, and what stands in the way of dropping it without CASCADE."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from driftflow.model.catalog import Catalog, Check, ForeignKey, Index, PrimaryKey, Routine, Rule, Table, Unique, View
from driftflow.model.names import Name
from driftflow.model.operations.identifiers import mentions
from driftflow.model.operations.lookup import children, put, refuse
from driftflow.model.operations.rules import dependents_block, names_in_any_case
from driftflow.model.record import replace

_Relation = TypeVar("_Relation", Table, View)


def drop_table(catalog: Catalog, name: Name, *, cascade: bool) -> Catalog:
    """The table, its partitions, its sequences; foreign keys that point at it, views that read it and heirs only with CASCADE."""
    doomed = _with_partitions(catalog, name)
    names = {table.name for table in doomed}
    keys = [(table, key) for one in doomed for table, key in catalog.referencing(one.name) if table.name not in names]
    views = _once(view for one in doomed for view in catalog.readers_of(one.name))
    heirs = _once(heir for one in doomed for heir in catalog.children(one.name) if heir.name not in names)
    if dependents_block(catalog):
        blocked = [f"foreign key {key.name} of {table.name}" for table, key in keys]
        blocked += [f"view {view.name}" for view in views]
        blocked += [f"table {heir.name}" for heir in heirs]
        if blocked and not cascade:
            refuse(catalog, f"table {name} cannot be dropped: {', '.join(sorted(blocked))} depends on it")
        catalog = drop_foreign_keys(catalog, keys)
        catalog = drop_views(catalog, (view.name for view in views))
        for heir in heirs:
            catalog = drop_table(catalog, heir.name, cascade=True) if heir.name.text in catalog.tables else catalog
    return drop_sequences_of(catalog.without_tables(names), names)


def _once(relations: Iterable[_Relation]) -> list[_Relation]:
    return list({relation.name: relation for relation in relations}.values())


def _with_partitions(catalog: Catalog, name: Name) -> list[Table]:
    found = [catalog.tables[name.text]] if name.text in catalog.tables else []
    for table in found:
        found += catalog.partitions(table.name)
    return found


def drop_foreign_keys(catalog: Catalog, keys: Iterable[tuple[Table, ForeignKey]]) -> Catalog:
    for table, key in keys:
        now = catalog.tables[table.name.text]
        catalog = put(catalog, replace(now, constraints=tuple(one for one in now.constraints if one != key)))
    return catalog


def drop_views(catalog: Catalog, names: Iterable[Name]) -> Catalog:
    """The views and every view that reads them."""
    doomed: dict[str, None] = {}
    for name in names:
        doomed |= dict.fromkeys((name.text, *(view.name.text for view in catalog.dependents(name))))
    if not doomed:
        return catalog
    return catalog.without_views(doomed)


def drop_sequences_of(catalog: Catalog, tables: set[Name], column: str | None = None) -> Catalog:
    """Sequences that the tables (or one column) own, and defaults elsewhere that used them."""
    gone = []
    for table in tables:
        for one in catalog.sequences_of(table):
            owner, _, name = one.owned_by.rpartition(".")
            if owner == table.text and (column is None or name == column):
                gone.append(one.name.text)
    return catalog.without_sequences(gone) if gone else catalog


def views_on_column(catalog: Catalog, table: Name, column: str) -> list[View]:
    """Views that read the column; by the server's own list where there is one, else by the text."""
    found = []
    for view in catalog.readers_of(table):
        if view.depends_on_columns:
            if f"{table}.{column}" in view.depends_on_columns:
                found.append(view)
        elif mentions(view.definition, column, any_case=names_in_any_case(catalog)):
            found.append(view)
    return found


def keys_on_column(catalog: Catalog, table: Name, column: str) -> list[tuple[Table, ForeignKey]]:
    """Foreign keys of other tables (or of this one, from other columns) that point at the column."""
    return [
        (holder, key)
        for holder, key in catalog.referencing(table)
        if column in key.referenced_columns and not (holder.name == table and column in key.columns)
    ]


def keys_on_key(catalog: Catalog, table: Table, key: PrimaryKey | Unique) -> list[tuple[Table, ForeignKey]]:
    """Foreign keys that stand on this key: they point at exactly its columns, and no earlier key of the table has the same."""
    rivals = [one for one in table.constraints if isinstance(one, PrimaryKey | Unique) and set(one.columns) == set(key.columns)]
    if rivals and rivals[0] != key and not isinstance(key, PrimaryKey):
        return []
    return [(holder, one) for holder, one in catalog.referencing(table.name) if set(one.referenced_columns) == set(key.columns)]


def in_order(catalog: Catalog, views: Iterable[View]) -> tuple[View, ...]:
    """The views and all that read them, directly or through others, each behind what it reads: as they can be made. Dropped, the other way round."""
    found: dict[str, View] = {}
    for view in views:
        for one in (view, *catalog.dependents(view.name)):
            found[one.name.text] = one
    ordered: dict[str, View] = {}
    while len(ordered) < len(found):
        ready = [
            view
            for key, view in found.items()
            if key not in ordered and not any(name.text in found and name.text not in ordered for name in view.depends_on)
        ]
        ordered |= {view.name.text: view for view in ready or [view for key, view in found.items() if key not in ordered]}
    return tuple(ordered.values())


def blocking_a_column(catalog: Catalog, table: Table, column: str) -> list[str]:
    """What else reads the column: other generated columns, policies, triggers, rules, bodies of SQL; and what publications name of it."""
    found = [
        f"generated column {one.name}"
        for one in table.columns
        if one.generated is not None and one.name != column and mentions(one.generated.expression, column)
    ]
    found += [f"policy {one.name}" for one in table.policies if mentions(one.using, column) or mentions(one.check, column)]
    found += [
        f"trigger {one.name}" for one in table.triggers if column in one.update_columns or in_condition(one.definition, column)
    ]
    found += [f"rule {rule.name} of {holder.name}" for holder, rule in rules_on_column(catalog, table.name, column)]
    found += [f"{one.kind} {one.name}({one.arguments})" for one in routines_on_column(catalog, table.name, column)]
    named = f"{table.name}.{column}"
    return [*found, *(f"publication {one.name}" for one in catalog.publications if named in one.columns)]


def rules_on_column(catalog: Catalog, table: Name, column: str) -> list[tuple[Table | View, Rule]]:
    """Rules that name the column, or a view that reads it; but for those of such views, which go, and come again, with them."""
    holding = catalog.rules_on(table, *(view.name for view in views_over(catalog, table, column)))
    if not holding:
        return []
    meant = _meant(catalog, table, column)
    gone = {view.name for view in views_over(catalog, table, column)}
    return [(holder, rule) for holder, rule in holding if holder.name not in gone and any(map(meant, rule.depends_on_columns))]


def routines_on_column(catalog: Catalog, table: Name, column: str) -> list[Routine]:
    """Functions and procedures whose body of SQL names the column, or a view that reads it, as the server says it."""
    held = [one for one in catalog.routines.values() if one.depends_on_columns]
    meant = _meant(catalog, table, column) if held else None
    return [one for one in held if meant is not None and any(map(meant, one.depends_on_columns))]


def views_over(catalog: Catalog, table: Name, column: str) -> tuple[View, ...]:
    """The views that read the column, and those over them, each behind what it reads."""
    return in_order(catalog, views_on_column(catalog, table, column))


def _meant(catalog: Catalog, table: Name, column: str) -> Callable[[str], bool]:
    """Whether `schema.table.column` is the column, or one of a view that goes with it."""
    named = f"{table}.{column}"
    views = tuple(f"{view.name}." for view in views_over(catalog, table, column))
    return lambda name: name == named or name.startswith(views)


def without_triggers_naming(catalog: Catalog, table: Name, column: str) -> Catalog:
    """Where triggers are text: without those on the table, or about it, whose text names the column."""

    def change(holder: Table) -> Table:
        kept = tuple(
            one for one in holder.triggers if not names_in_trigger(one.definition, table.name, column, own=holder.name == table)
        )
        return holder if len(kept) == len(holder.triggers) else replace(holder, triggers=kept)

    return rewrite_tables(catalog, change)


def names_in_trigger(definition: str, table: str, column: str, *, own: bool) -> bool:
    """Whether a trigger's text names the column in any letter case, on the table itself (`own`) or about it."""
    low = definition.lower()
    return mentions(low, column.lower()) and (own or bool(re.search(rf"\b{re.escape(table.lower())}\b", low)))


def in_condition(definition: str, column: str) -> bool:
    _, found, rest = definition.partition(" WHEN (")
    return bool(found) and mentions(rest.rpartition(") EXECUTE ")[0], column)


def computed_from(catalog: Catalog, table: Table, column: str) -> list[str]:
    """The generated columns of the table that read the column."""
    any_case = names_in_any_case(catalog)
    return [
        one.name
        for one in table.columns
        if one.generated is not None and one.name != column and mentions(one.generated.expression, column, any_case=any_case)
    ]


def without_column(table: Table, column: str, *, keep_indexes: bool = False, any_case: bool = False) -> Table:
    """The table without the column and all of its own that contains it: constraints, indexes, and with CASCADE what read it.

    With `keep_indexes` an index over several columns stays, without this one. `any_case`: see `names_in_any_case`.
    """
    from driftflow.model.operations.keys import columns_of

    def holds(expression: str) -> bool:
        return bool(expression) and mentions(expression, column, any_case=any_case)

    constraints = tuple(
        one
        for one in table.constraints
        if column not in columns_of(one)
        and not (isinstance(one, Check) and holds(one.expression))
        and not (hasattr(one, "definition") and holds(one.definition))
    )
    names = {one.name for one in constraints}
    kept = tuple(_shortened(one, column) for one in table.indexes) if keep_indexes else table.indexes
    indexes = tuple(
        one
        for one in kept
        if (not one.constraint or one.constraint in names)
        and column not in one.columns
        and column not in one.include
        and not holds(one.predicate)
        and not any(holds(part.expression) for part in one.parts)
    )
    return replace(
        table,
        columns=tuple(
            one
            for one in table.columns
            if one.name != column and not (one.generated is not None and holds(one.generated.expression))
        ),
        constraints=constraints,
        indexes=indexes,
        policies=tuple(one for one in table.policies if not holds(one.using) and not holds(one.check)),
        extended_statistics=tuple(one for one in table.extended_statistics if column not in one.columns),
        triggers=tuple(
            one for one in table.triggers if column not in one.update_columns and not in_condition(one.definition, column)
        ),
    )


def _shortened(index: Index, column: str) -> Index:
    parts = tuple(part for part in index.parts if part.column != column)
    return replace(index, parts=parts) if parts else index


def rewrite_tables(catalog: Catalog, change: Callable[[Table], Table]) -> Catalog:
    """Apply a change to every table, keeping those that it leaves as they are."""
    return catalog.with_tables([after for table in catalog.tables.values() if (after := change(table)) is not table])


def heirs_of(catalog: Catalog, name: Name) -> list[Table]:
    """All descendants: partitions and inheritance children, nearest first."""
    found = children(catalog, name)
    for table in found:
        found += [one for one in children(catalog, table.name) if one not in found]
    return found
