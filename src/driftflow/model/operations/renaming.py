"""Following a new name of a column or relation to every place that holds the old one."""

from __future__ import annotations

from collections.abc import Callable

from driftflow.model.catalog import (
    Catalog,
    Check,
    Constraint,
    Exclusion,
    ForeignKey,
    Index,
    NotNull,
    PrimaryKey,
    Publication,
    Rule,
    Table,
    Trigger,
    Unique,
    View,
)
from driftflow.model.names import Name
from driftflow.model.operations.dependents import rewrite_tables
from driftflow.model.operations.identifiers import rename_column, rename_relation
from driftflow.model.operations.rules import names_said_alone, texts_read_by_name
from driftflow.model.operations.tables_said import rename_said
from driftflow.model.record import replace


def column_in_table(table: Table, column: str, to: str, *, any_case: bool = False, triggers_follow: bool = True) -> Table:
    """The table with one of its columns renamed, in constraints, indexes, expressions, policies and triggers too. `any_case`: see `names_in_any_case`;
    `triggers_follow`: see `texts_read_by_name`."""

    def text(expression: str) -> str:
        return (
            rename_column(expression, column, to, qualifiers=(table.name.name,), any_case=any_case) if expression else expression
        )

    return replace(
        table,
        columns=tuple(
            replace(
                one,
                name=to if one.name == column else one.name,
                generated=replace(one.generated, expression=text(one.generated.expression)) if one.generated else None,
            )
            for one in table.columns
        ),
        constraints=tuple(_constraint(one, column, to, table.name, any_case=any_case) for one in table.constraints),
        indexes=tuple(_index(one, column, to, any_case=any_case) for one in table.indexes),
        policies=tuple(replace(one, using=text(one.using), check=text(one.check)) for one in table.policies),
        triggers=tuple(_trigger(one, column, to, any_case=any_case) if triggers_follow else one for one in table.triggers),
        partitioning=replace(table.partitioning, key=tuple(text(key) for key in table.partitioning.key))
        if table.partitioning
        else None,
    )


def _names(names: tuple[str, ...], column: str, to: str) -> tuple[str, ...]:
    return tuple(to if name == column else name for name in names)


def _constraint(constraint: Constraint, column: str, to: str, table: Name, *, any_case: bool) -> Constraint:
    match constraint:
        case PrimaryKey() | Unique():
            parts = tuple(replace(part, column=to) if part.column == column else part for part in constraint.parts)
            columns, include = _names(constraint.columns, column, to), _names(constraint.include, column, to)
            return replace(constraint, columns=columns, include=include, parts=parts)
        case ForeignKey():
            key = replace(
                constraint, columns=_names(constraint.columns, column, to), set_columns=_names(constraint.set_columns, column, to)
            )
            return _referenced(key, table, column, to)
        case NotNull():
            return replace(constraint, column=to) if constraint.column == column else constraint
        case Check():
            expression = rename_column(constraint.expression, column, to, qualifiers=(table.name,), any_case=any_case)
            return replace(constraint, expression=expression, column=to if constraint.column == column else constraint.column)
        case Exclusion():
            definition = rename_column(constraint.definition, column, to, qualifiers=(table.name,))
            return replace(constraint, definition=definition, columns=_names(constraint.columns, column, to))


def _referenced(key: ForeignKey, table: Name, column: str, to: str) -> ForeignKey:
    if key.referenced != table or column not in key.referenced_columns:
        return key
    return replace(key, referenced_columns=_names(key.referenced_columns, column, to))


def _index(index: Index, column: str, to: str, *, any_case: bool) -> Index:
    parts = tuple(
        replace(
            part,
            column=to if part.column == column else part.column,
            expression=rename_column(part.expression, column, to, any_case=any_case) if part.expression else "",
        )
        for part in index.parts
    )
    predicate = rename_column(index.predicate, column, to, any_case=any_case) if index.predicate else ""
    return replace(index, parts=parts, include=_names(index.include, column, to), predicate=predicate)


def _trigger(trigger: Trigger, column: str, to: str, *, any_case: bool) -> Trigger:
    definition = rename_column(trigger.definition, column, to, qualifiers=("old", "new"), any_case=any_case)
    return replace(
        trigger,
        update_columns=_names(trigger.update_columns, column, to),
        definition=definition,
        kept=trigger.kept if definition == trigger.definition else None,
    )


def column_elsewhere(catalog: Catalog, table: Name, column: str, to: str) -> Catalog:
    """Foreign keys of other tables, views and owned sequences that know the column."""

    holders = {
        holder.name: holder
        for holder, key in catalog.referencing(table)
        if holder.name != table and column in key.referenced_columns
    }
    old, new = f"{table}.{column}", f"{table}.{to}"
    for view in catalog.views.values():
        if old in view.depends_on_columns:
            columns = _names(view.depends_on_columns, old, new)
            query = _query(catalog, view, table, column, to)
            catalog = catalog.with_view(replace(view, depends_on_columns=columns, definition=query))
    catalog = _held(_narrowed_anew(catalog, table, column, to), lambda name: new if name == old else name)
    for one in catalog.sequences_of(table):
        if one.owned_by == old:
            catalog = catalog.with_sequence(replace(one, owned_by=new))
    for holder in holders.values():
        constraints = [_referenced(one, table, column, to) if isinstance(one, ForeignKey) else one for one in holder.constraints]
        catalog = catalog.with_table(replace(holder, constraints=tuple(constraints)))
    return catalog


def _query(catalog: Catalog, view: View, table: Name, column: str, to: str) -> str:
    """What the view says from then on, under the names that its own columns have (`View.columns`): the server keeps these, and the text with them. As it was
    where another relation that it reads has such a column too, or is called so: only the server can tell then which is meant."""
    others = [catalog.tables.get(name.text) or catalog.views.get(name.text) for name in view.depends_on if name != table]
    known = [name for one in others if one is not None for name in _outputs(one)]
    if not view.columns or {column, to} & {*known, *(name.name for name in view.depends_on)}:
        return view.definition
    return rename_column(view.definition, column, to, qualifiers=None)


def _outputs(relation: Table | View) -> tuple[str, ...]:
    return relation.columns if isinstance(relation, View) else tuple(column.name for column in relation.columns)


def _narrowed_anew(catalog: Catalog, table: Name, column: str, to: str) -> Catalog:
    """Column lists and row filters of publications with the column renamed."""
    if not any(f"{table}.{column}" in one.columns for one in catalog.publications):
        return catalog

    def narrowed(one: Publication) -> tuple[str, ...]:
        texts = zip(one.tables, one.narrowed, strict=False)
        return tuple(rename_column(text, column, to, qualifiers=None) if name == table else text for name, text in texts)

    return replace(catalog, publications=tuple(replace(one, narrowed=narrowed(one)) for one in catalog.publications))


def _held(catalog: Catalog, now: Callable[[str], str], *, text: Callable[[str], str] = str) -> Catalog:
    """Rules, bodies of SQL and publications, which the server holds to columns (`schema.table.column`), whatever these are called."""

    def ruled(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(
            replace(
                one,
                target=text(one.target),
                definition=text(one.definition),
                depends_on_columns=tuple(map(now, one.depends_on_columns)),
            )
            for one in rules
        )

    for table in [one for one in catalog.tables.values() if one.rules]:
        catalog = catalog.with_table(replace(table, rules=ruled(table.rules)))
    for view in [one for one in catalog.views.values() if one.rules]:
        catalog = catalog.with_view(replace(view, rules=ruled(view.rules)))
    routines = {
        key: replace(one, depends_on_columns=tuple(map(now, one.depends_on_columns))) if one.depends_on_columns else one
        for key, one in catalog.routines.items()
    }
    publications = tuple(replace(one, columns=tuple(map(now, one.columns))) for one in catalog.publications)
    return replace(catalog, routines=routines, publications=publications)


def relation(catalog: Catalog, old: Name, new: Name) -> Catalog:
    """A table or view under a new name or in a new schema, and everything that names it."""
    if old.text in catalog.tables:
        moved = _moved(catalog.tables[old.text], old, new)
        catalog = catalog.without_tables((old,)).with_table(moved)
    elif old.text in catalog.views:
        view = catalog.views[old.text]
        indexes = tuple(_moved_index(index, old, new) for index in view.indexes)
        triggers = tuple(_moved_trigger(trigger, old, new) for trigger in view.triggers)
        catalog = catalog.without_views((old.text,)).with_view(
            replace(view, name=new, indexes=indexes, triggers=triggers, kept=None)
        )
    text = _said_alone if names_said_alone(catalog) else _text
    for view in () if texts_read_by_name(catalog) else tuple(catalog.views.values()):
        if (after := _view(view, old, new, text)) is not view:
            catalog = catalog.with_view(after)
    if names_said_alone(catalog):
        catalog = _followed(catalog, lambda said: text(said, old, new))
    for sequence in catalog.sequences_of(old):
        catalog = catalog.with_sequence(replace(sequence, owned_by=_owner(sequence.owned_by, old, new)))
    catalog = _held(catalog, lambda name: _owner(name, old, new), text=lambda text: _text(text, old, new))
    publications = tuple(
        replace(one, tables=tuple(new if name == old else name for name in one.tables)) for one in catalog.publications
    )
    return rewrite_tables(replace(catalog, publications=publications), lambda table: _pointing(table, old, new))


def _moved(table: Table, old: Name, new: Name) -> Table:
    return replace(
        table,
        name=new,
        indexes=tuple(_moved_index(index, old, new) for index in table.indexes),
        triggers=tuple(_moved_trigger(trigger, old, new) for trigger in table.triggers),
        policies=tuple(replace(policy, table=new) for policy in table.policies),
        definition="",
    )


def _moved_index(index: Index, old: Name, new: Name) -> Index:
    return replace(index, table=new, name=replace(index.name, schema=new.schema))


def _moved_trigger(trigger: Trigger, old: Name, new: Name) -> Trigger:
    return replace(trigger, table=new, definition=_text(trigger.definition, old, new), kept=None)


def _text(text: str, old: Name, new: Name) -> str:
    return rename_relation(text, (old.schema, old.name), (new.schema, new.name))


def _said_alone(text: str, old: Name, new: Name) -> str:
    return rename_said(text, old.name, new.name)


def _followed(catalog: Catalog, text: Callable[[str], str]) -> Catalog:
    """What the server keeps as text, whoever it belongs to: triggers, and expressions that say whose column they mean."""

    def triggers(holder: Table | View) -> tuple[Trigger, ...]:
        return tuple(replace(one, definition=text(one.definition)) for one in holder.triggers)

    for view in [one for one in catalog.views.values() if one.triggers]:
        catalog = catalog.with_view(replace(view, triggers=triggers(view)))
    return rewrite_tables(catalog, lambda table: _expressions(replace(table, triggers=triggers(table)), text))


def _expressions(table: Table, text: Callable[[str], str]) -> Table:
    return replace(
        table,
        columns=tuple(
            replace(one, generated=replace(one.generated, expression=text(one.generated.expression))) if one.generated else one
            for one in table.columns
        ),
        constraints=tuple(
            replace(one, expression=text(one.expression)) if isinstance(one, Check) else one for one in table.constraints
        ),
        indexes=tuple(
            replace(
                one,
                predicate=text(one.predicate),
                parts=tuple(replace(part, expression=text(part.expression)) for part in one.parts),
            )
            for one in table.indexes
        ),
    )


def _view(view: View, old: Name, new: Name, text: Callable[[str, Name, Name], str]) -> View:
    if old not in view.depends_on:
        return view
    prefix = f"{old}."
    return replace(
        view,
        depends_on=tuple(new if name == old else name for name in view.depends_on),
        depends_on_columns=tuple(
            f"{new}.{one.removeprefix(prefix)}" if one.startswith(prefix) else one for one in view.depends_on_columns
        ),
        definition=text(view.definition, old, new),
    )


def _owner(owned_by: str, old: Name, new: Name) -> str:
    table, _, column = owned_by.rpartition(".")
    return f"{new}.{column}" if table == old.text else owned_by


def _pointing(table: Table, old: Name, new: Name) -> Table:
    """A table whose foreign keys, parent or policies name the relation."""
    keys = any(key.referenced == old for key in table.foreign_keys)
    heir = table.partition_of == old or old in table.inherits
    policies = tuple(replace(one, using=_text(one.using, old, new), check=_text(one.check, old, new)) for one in table.policies)
    moved_parent = old.schema != new.schema and heir
    if not keys and not heir and policies == table.policies:
        return table
    return replace(
        table,
        constraints=tuple(
            replace(one, referenced=new) if isinstance(one, ForeignKey) and one.referenced == old else one
            for one in table.constraints
        ),
        partition_of=new if table.partition_of == old else table.partition_of,
        inherits=tuple(new if name == old else name for name in table.inherits),
        policies=policies,
        indexes=tuple(
            replace(one, parent=replace(one.parent, schema=new.schema)) if moved_parent and one.parent is not None else one
            for one in table.indexes
        ),
    )


def sequence(catalog: Catalog, old: Name, new: Name) -> Catalog:
    """A sequence under a new name, and the defaults that call it."""
    renamed = replace(catalog.sequences[old.text], name=new)
    catalog = catalog.without_sequences((old.text,)).with_sequence(renamed)

    def defaults(table: Table) -> Table:
        columns = tuple(
            replace(one, default=_text(one.default, old, new)) if one.default and "nextval" in one.default else one
            for one in table.columns
        )
        return table if columns == table.columns else replace(table, columns=columns)

    return rewrite_tables(catalog, defaults)
