"""Make explicit what a statement leaves to SQLite: the schema, the spelling of names (which compare without case), referenced keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from driftflow.dialects.pinned import covers_key, fixed_columns
from driftflow.dialects.sqlite.keys import column_named, settle
from driftflow.dialects.sqlite.keywords import quote
from driftflow.dialects.sqlite.normal import ROWID_NAMES, normal_expression
from driftflow.dialects.sqlite.tokens import TokenFault, name_of, tokenize
from driftflow.model.catalog import (
    Catalog,
    Check,
    Column,
    Constraint,
    Exclusion,
    ForeignKey,
    Index,
    IndexPart,
    NotNull,
    PrimaryKey,
    Table,
    Trigger,
    Unique,
    View,
)
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    CreateIndex,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateView,
    Delete,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIndex,
    DropNotNull,
    DropTable,
    DropTrigger,
    DropView,
    Insert,
    Operation,
    RawSql,
    Reindex,
    RenameColumn,
    RenameTable,
    RewriteTable,
    Select,
    SetDefault,
    SetNotNull,
    Update,
)
from driftflow.model.record import replace

_OnColumn = TypeVar(
    "_OnColumn", bound=DropColumn | RenameColumn | SetNotNull | DropNotNull | SetDefault | DropDefault | AlterColumnType
)


def resolve(operation: Operation, catalog: Catalog) -> Operation:
    """The operation with nothing left implicit. What the catalog does not know stays as it was said: `after` and effects say that it is missing."""
    match operation:
        case CreateTable():
            return replace(operation, table=resolve_table(operation.table, catalog))
        case CreateTableAs():
            return replace(operation, name=new_name(operation.name), reads=_relations(operation.reads, catalog))
        case AddColumn():
            return _add_column(operation, catalog)
        case AddConstraint():
            table = relation(operation.table, catalog)
            held = catalog.table(table)
            return replace(operation, table=table, constraint=_constraint(operation.constraint, held, catalog))
        case DropConstraint():
            table = relation(operation.table, catalog)
            return replace(operation, table=table, name=_constraint_name(operation.name, catalog.table(table)))
        case DropColumn() | SetNotNull() | DropNotNull() | DropDefault() | RenameColumn():
            return _on_column(operation, catalog)
        case SetDefault():
            return _on_column(replace(operation, default=normal_expression(operation.default, ())), catalog)
        case AlterColumnType():
            return _alter_column_type(operation, catalog)
        case RenameTable() | DropTable() | DropView():
            return replace(operation, name=relation(operation.name, catalog))
        case CreateIndex():
            return replace(operation, index=resolve_index(operation.index, catalog))
        case DropIndex():
            index = _index(operation.name, catalog)
            return (
                replace(operation, name=index.name, table=index.table)
                if index
                else replace(operation, name=new_name(operation.name))
            )
        case Reindex():
            return _reindex(operation, catalog)
        case CreateView():
            return replace(operation, view=resolve_view(operation.view, catalog))
        case CreateTrigger():
            trigger = resolve_trigger(operation.trigger, catalog)
            return replace(operation, trigger=trigger, touches=_relations(operation.touches, catalog))
        case DropTrigger():
            return _drop_trigger(operation, catalog)
        case Insert():
            table = relation(operation.table, catalog)
            columns = _spelled(operation.columns, catalog.table(table))
            return replace(operation, table=table, columns=columns, reads=_relations(operation.reads, catalog))
        case Update() | Delete():
            table = relation(operation.table, catalog)
            bounded = operation.bounded or pins_key(operation.where, catalog.table(table))
            return replace(operation, table=table, bounded=bounded, reads=_relations(operation.reads, catalog))
        case Select():
            return replace(operation, reads=_relations(operation.reads, catalog))
        case RewriteTable(table=Name() as name):
            return replace(operation, table=relation(name, catalog))
        case RawSql():
            return replace(operation, relations=operation.relations or mentioned(operation.sql, catalog))
        case _:
            return operation


# names


def new_name(name: Name) -> Name:
    """The name of something that is being made, or that nobody knows: in `main` unless said otherwise."""
    return Name(schema=name.schema.lower() if name.schema.lower() in {"main", "temp"} else name.schema or "main", name=name.name)


def relation(name: Name, catalog: Catalog) -> Name:
    """The name of a table or view as the catalog spells it. Unqualified names are looked for in `temp` before `main`, as SQLite does."""
    schemas = (name.schema,) if name.schema else ("temp", "main")
    for schema in schemas:
        exact = f"{schema}.{name.name}"
        if exact in catalog.tables or exact in catalog.views:
            return Name(schema=schema, name=name.name)
    for schema in schemas:
        wanted = f"{schema}.{name.name}".lower()
        for known in (*catalog.tables, *catalog.views):
            if known.lower() == wanted:
                found = catalog.tables.get(known) or catalog.views[known]
                return found.name
    return new_name(name)


def _relations(names: Sequence[Name], catalog: Catalog) -> tuple[Name, ...]:
    return tuple(dict.fromkeys(relation(name, catalog) for name in names))


def _spelled(names: Sequence[str], table: Table | None) -> tuple[str, ...]:
    return tuple(_column(name, table) for name in names)


def _column(name: str, table: Table | None) -> str:
    column = column_named(table, name) if table else None
    return column.name if column else name


def _known(table: Table | None) -> frozenset[str] | None:
    return None if table is None else frozenset(column.name.lower() for column in table.columns)


def _constraint_name(name: str, table: Table | None) -> str:
    wanted = name.lower()
    constraints = table.constraints if table else ()
    return next((constraint.name for constraint in constraints if constraint.name.lower() == wanted), name)


def mentioned(sql: str, catalog: Catalog) -> tuple[Name, ...]:
    """Tables and views whose name stands anywhere in the text: all that can be said of a statement that we do not read."""
    try:
        tokens, _ = tokenize(sql)
    except TokenFault:
        return ()
    words = {name_of(token).lower() for token in tokens if token.kind in {"word", "quoted", "string"}}
    return tuple(held.name for held in relations_of(catalog) if held.name.name.lower() in words)


def relations_of(catalog: Catalog) -> Iterator[Table | View]:
    """Tables, then views."""
    yield from catalog.tables.values()
    yield from catalog.views.values()


# tables


def resolve_table(table: Table, catalog: Catalog) -> Table:
    """Spelling and references. Its indexes and triggers stay as they are."""
    named = settle(replace(table, name=new_name(table.name)))
    constraints = tuple(_constraint(constraint, named, catalog) for constraint in named.constraints)
    columns = tuple(resolve_column(column, _known(named)) for column in named.columns)
    return replace(named, columns=columns, constraints=constraints)


def _constraint(constraint: Constraint, table: Table | None, catalog: Catalog) -> Constraint:
    match constraint:
        case PrimaryKey() | Unique():
            parts = tuple(replace(part, column=_column(part.column, table)) for part in constraint.parts)
            return replace(constraint, columns=_spelled(constraint.columns, table), parts=parts)
        case ForeignKey():
            return _foreign_key(constraint, table, catalog)
        case Check():
            expression = normal_expression(constraint.expression, _known(table))
            return replace(constraint, expression=expression, column=_column(constraint.column, table))
        case NotNull():
            return replace(constraint, column=_column(constraint.column, table))
        case Exclusion():
            return constraint


def _foreign_key(key: ForeignKey, table: Table | None, catalog: Catalog) -> ForeignKey:
    """The referenced table as the catalog spells it (it may not exist yet: SQLite allows that), and its key where none is named."""
    own = table is not None and key.referenced.name.lower() == table.name.name.lower()
    referenced = table.name if own and table else relation(Name(schema="main", name=key.referenced.name), catalog)
    parent = table if own else catalog.table(referenced)
    columns = _spelled(key.referenced_columns, parent)
    if not columns and parent is not None and parent.primary_key is not None:
        columns = _spelled(parent.primary_key.columns, parent)
    return replace(key, columns=_spelled(key.columns, table), referenced=referenced, referenced_columns=columns)


def _add_column(operation: AddColumn, catalog: Catalog) -> AddColumn:
    table = relation(operation.table, catalog)
    held = catalog.table(table) or Table(name=table)
    wider = held
    if column_named(held, operation.column.name) is None:
        wider = replace(held, columns=(*held.columns, operation.column))
    constraints = tuple(_constraint(constraint, wider, catalog) for constraint in operation.constraints)
    return replace(operation, table=table, column=resolve_column(operation.column, _known(wider)), constraints=constraints)


def resolve_column(column: Column, known: frozenset[str] | None) -> Column:
    if column.generated is None:
        return column
    expression = normal_expression(column.generated.expression, known)
    return replace(column, generated=replace(column.generated, expression=expression))


def _on_column(operation: _OnColumn, catalog: Catalog) -> _OnColumn:
    table = relation(operation.table, catalog)
    return replace(operation, table=table, column=_column(operation.column, catalog.table(table)))


def _alter_column_type(operation: AlterColumnType, catalog: Catalog) -> AlterColumnType:
    named = _on_column(operation, catalog)
    known = _known(catalog.table(named.table))
    return replace(named, using=normal_expression(named.using, known) if named.using else "")


# what hangs on tables


def resolve_index(index: Index, catalog: Catalog) -> Index:
    table = relation(index.table, catalog)
    held = catalog.table(table)
    known = _known(held)
    parts = tuple(_index_part(part, held, known) for part in index.parts)
    predicate = normal_expression(index.predicate, known) if index.predicate else ""
    return replace(index, name=new_name(index.name), table=table, parts=parts, predicate=predicate)


def _index_part(part: IndexPart, table: Table | None, known: frozenset[str] | None) -> IndexPart:
    if part.column:
        return replace(part, column=_column(part.column, table))
    return replace(part, expression=normal_expression(part.expression, known))


def _index(name: Name, catalog: Catalog) -> Index | None:
    wanted = name.name.lower()
    for table in catalog.tables.values():
        if name.schema and table.name.schema != name.schema.lower():
            continue
        for index in table.indexes:
            if index.name.name.lower() == wanted:
                return index
    return None


def _reindex(operation: Reindex, catalog: Catalog) -> Reindex:
    if operation.name is None:
        return operation
    if (index := _index(operation.name, catalog)) is not None:
        return replace(operation, kind="index", name=index.name)
    table = relation(operation.name, catalog)
    return replace(operation, kind="table" if catalog.table(table) else operation.kind, name=table)


def resolve_view(view: View, catalog: Catalog) -> View:
    return replace(view, name=new_name(view.name), depends_on=_relations(view.depends_on, catalog))


def resolve_trigger(trigger: Trigger, catalog: Catalog) -> Trigger:
    """The definition names the table as the catalog does, so that two spellings of one name compare equal."""
    table = relation(trigger.table, catalog)
    said = f" ON {quote(trigger.table.name)} FOR EACH ROW"
    definition = trigger.definition.replace(said, f" ON {quote(table.name)} FOR EACH ROW", 1)
    return replace(trigger, table=table, definition=definition)


def _drop_trigger(operation: DropTrigger, catalog: Catalog) -> DropTrigger:
    wanted = operation.name.lower()
    schema = operation.schema.lower() or "main"
    for held in relations_of(catalog):
        for trigger in held.triggers:
            if trigger.name.lower() == wanted and (not operation.schema or held.name.schema == schema):
                return replace(operation, name=trigger.name, table=held.name, schema=held.name.schema)
    return replace(operation, schema=schema)


# rows


def pins_key(where: str, table: Table | None) -> bool:
    """Whether the condition fixes every column of the primary key, or of a unique key, to one value (or to a written list of them)."""
    if table is None or not where:
        return False
    fixed = fixed_columns(tokenize(where)[0], name_of)
    if fixed & ROWID_NAMES and not any(column.name.lower() in ROWID_NAMES for column in table.columns):
        return True
    return covers_key(fixed, table)
