"""Everything that a statement of MySQL or MariaDB leaves implicit made explicit: the database, names of keys, character sets of columns."""

from __future__ import annotations

from typing import Any

from driftflow.dialects.mysql.capabilities import INLINE_REFERENCES
from driftflow.dialects.mysql.charsets import bytes_per_character, charset_of, default_collation
from driftflow.dialects.mysql.normal import view_options
from driftflow.dialects.mysql.settled import settled_default
from driftflow.dialects.mysql.tokens import name_of, tokenize
from driftflow.dialects.mysql.types import CUT_TYPES, KEY_BYTES_MAX, OLD_COLUMN_BYTES_MAX, TEXTS, base_word
from driftflow.dialects.numbers import whole
from driftflow.dialects.pinned import covers_key, fixed_columns
from driftflow.model import operations as op
from driftflow.model.catalog import Catalog, Check, Column, Constraint, ForeignKey, Index, IndexPart, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations.keys import implied_in
from driftflow.model.record import replace


def resolve(operation: op.Operation, catalog: Catalog, *, mariadb: bool) -> op.Operation:
    """The operation with nothing left to guess. Raises CatalogConflict never: what is missing is the operation's to say."""
    place = _Place(catalog, mariadb=mariadb)
    operation = _placed(operation, place)
    if operation.table_if_exists and mariadb and _is_there(operation, catalog):  # MySQL has no ALTER TABLE IF EXISTS
        operation = replace(operation, table_if_exists=False)
    return operation


class _Place:
    def __init__(self, catalog: Catalog, *, mariadb: bool) -> None:
        self.catalog = catalog
        self.mariadb = mariadb
        self.database = catalog.search_path[0] if catalog.search_path else catalog.database
        self.longest_key = KEY_BYTES_MAX.get(catalog.settings.get("innodb_page_size", ""), 0) if mariadb else 0
        """In bytes, where a column without a key length is cut to it; 0 where it is refused."""
        self.lower = catalog.settings.get("lower_case_table_names", "0") == "1"

    def name(self, name: Name, *, beside: str = "") -> Name:
        """In the database that is named, else in that of the table it stands beside, else in the session's."""
        schema = name.schema or beside or self.database
        return Name(schema=schema.lower(), name=name.name.lower()) if self.lower else Name(schema=schema, name=name.name)

    def names(self, names: tuple[Name, ...]) -> tuple[Name, ...]:
        return tuple(self.name(name) for name in names)

    def on(self, name: Name, table: Name) -> Name:
        """An index of a placed table."""
        return Name(schema=table.schema, name=name.name)


def _is_there(operation: op.Operation, catalog: Catalog) -> bool:
    table = getattr(operation, "table", None)
    if isinstance(operation, op.CreateIndex):
        table = operation.index.table
    return isinstance(table, Name) and catalog.table(table) is not None


def _placed(operation: op.Operation, place: _Place) -> op.Operation:
    match operation:
        case op.CreateTable():
            return _create_table(operation, place)
        case op.AddColumn():
            return _add_column(operation, place)
        case op.ChangeColumn():
            return _change_column(operation, place)
        case op.AddConstraint():
            return _add_constraint(operation, place)
        case op.CreateIndex():
            table = place.name(operation.index.table)
            found = place.catalog.table(table)
            return replace(operation, index=_index(operation.index, table, found, longest=place.longest_key))
        case op.DropConstraint():
            return _drop_constraint(operation, place)
        case op.DropIndex() | op.RenameIndex() | op.AlterIndex():
            if operation.table is None:
                return operation
            table = place.name(operation.table)
            return replace(operation, table=table, name=place.on(_spelled(operation.name, table, place), table))
        case op.ConvertCharset():
            return _convert_charset(operation, place)
        case op.AlterPartitions():
            other = place.name(operation.other) if operation.other is not None else None
            return replace(operation, table=place.name(operation.table), other=other)
        case op.SetDefault():
            return _set_default(operation, place)
        case op.DropColumn() | op.RenameColumn() | op.DropDefault() | op.SetColumnOption():
            table = place.name(operation.table)
            return replace(operation, table=table, column=_column_name(operation.column, table, place))
        case op.AlterConstraint() | op.AlterTableOption() | op.RequestAlgorithm() | op.SetRowSecurity():
            return replace(operation, table=place.name(operation.table))
        case op.RewriteTable() | op.Copy():
            return operation if operation.table is None else replace(operation, table=place.name(operation.table))
        case op.DropTable() | op.RenameTable() | op.MoveTable() | op.DropView() | op.DropSequence() | op.AlterSequence():
            return replace(operation, name=place.name(operation.name))
        case op.DropFunction():
            return replace(operation, name=_routine_name(place.name(operation.name), place))
        case op.CreateTableAs():
            return replace(operation, name=place.name(operation.name), reads=place.names(operation.reads))
        case op.CreateView():
            view = operation.view
            name = place.name(view.name)
            reads = tuple(place.name(one, beside=name.schema) for one in view.depends_on)
            options = view.options or view_options(operation.security, operation.check_option)
            return replace(operation, view=replace(view, name=name, depends_on=reads, options=options))
        case op.CreateTrigger():
            table = place.name(operation.trigger.table)
            touches = tuple(place.name(one, beside=table.schema) for one in operation.touches)
            return replace(operation, trigger=replace(operation.trigger, table=table), touches=touches)
        case op.DropTrigger():
            return _drop_trigger(operation, place)
        case op.CreateFunction():
            routine = operation.routine
            name = _routine_name(place.name(routine.name), place)
            reads = tuple(place.name(one, beside=name.schema) for one in routine.depends_on)
            return replace(operation, routine=replace(routine, name=name, depends_on=reads))
        case op.CreateSequence():
            return replace(operation, sequence=replace(operation.sequence, name=place.name(operation.sequence.name)))
        case op.Comment():
            return operation if operation.relation is None else replace(operation, relation=place.name(operation.relation))
        case op.Grant() | op.AlterObject() | op.DropObject() | op.RawSql():
            return replace(operation, relations=place.names(operation.relations))
        case op.Update() | op.Delete():
            table = place.name(operation.table)
            bounded = operation.bounded or _picks_by_key(operation, place.catalog.table(table))
            return replace(operation, table=table, reads=place.names(operation.reads), bounded=bounded)
        case op.Insert():
            return replace(operation, table=place.name(operation.table), reads=place.names(operation.reads))
        case op.Truncate() | op.LockTable():
            return replace(operation, tables=place.names(operation.tables))
        case op.Select():
            return replace(operation, reads=place.names(operation.reads), writes=place.names(operation.writes))
        case _:
            return operation


def _picks_by_key(operation: op.Update | op.Delete, table: Table | None) -> bool:
    if table is None or not operation.where:
        return False
    return covers_key(fixed_columns(tokenize(operation.where, mariadb=True)[0], name_of), table)


# names


def _column_name(column: str, table: Name, place: _Place) -> str:
    """As the table spells it: column names compare without case."""
    found = place.catalog.table(table)
    if found is None:
        return column
    return next((one.name for one in found.columns if one.name.lower() == column.lower()), column)


def _spelled(index: Name, table: Name, place: _Place) -> Name:
    found = place.catalog.table(table)
    spelled = (
        next((one.name.name for one in found.indexes if one.name.name.lower() == index.name.lower()), index.name)
        if found
        else index.name
    )
    return Name(schema=index.schema, name=spelled)


def _index(index: Index, table: Name, found: Table | None, *, longest: int) -> Index:
    """On the placed table; without a name it is called by its first column, with _2, _3, ... where that is taken."""
    columns = {one.name.lower(): one.name for one in found.columns} if found is not None else {}
    parts = tuple(
        replace(part, column=columns.get(part.column.lower(), part.column)) if part.column else part for part in index.parts
    )
    index = replace(index, method=_method(index.method, found))
    if longest and found is not None and not index.unique and not index.method:
        parts = _cut(parts, found, longest)
    name = index.name.name or _made(parts, _names_held(found, parts) if found is not None else [])
    return replace(index, table=table, name=Name(schema=table.schema, name=name), parts=parts)


def _cut(parts: tuple[IndexPart, ...], table: Table, longest: int) -> tuple[IndexPart, ...]:
    """MariaDB keeps as much of a text without a length as a key takes (measured on 10.11 and 11.8)."""
    column = table.column(parts[0].column) if len(parts) == 1 and parts[0].prefix is None else None
    if column is None or base_word(column.type) not in CUT_TYPES:
        return parts
    if base_word(column.type).startswith("tiny"):
        return (replace(parts[0], prefix=255),)
    most = OLD_COLUMN_BYTES_MAX if _table_option(table, "ROW_FORMAT") in {"COMPACT", "REDUNDANT"} else longest
    return (replace(parts[0], prefix=most // (bytes_per_character(column.charset) if column.charset else 1)),)


def _names_held(table: Table, parts: tuple[IndexPart, ...]) -> list[str]:
    """Without those of indexes that go when this one comes."""
    gone = implied_in(table, parts)
    return [one.name.name for one in table.indexes if one not in gone]


def _method(said: str, table: Table | None) -> str:
    """MEMORY alone has a choice: a hash where nothing is said. The others take USING HASH and build a tree."""
    if said not in {"", "btree", "hash"}:
        return said
    return (said or "hash") if _table_option(table, "ENGINE") == "MEMORY" else ""


def _made(parts: tuple[IndexPart, ...], taken: list[str]) -> str:
    wanted = parts[0].column or "functional_index"
    names = {one.lower() for one in taken}
    if wanted.lower() not in names and wanted.upper() != "PRIMARY":
        return wanted
    number = 2
    while f"{wanted}_{number}".lower() in names:
        number += 1
    return f"{wanted}_{number}"


def _numbered(table: Name, label: str, taken: set[str]) -> str:
    """`t_ibfk_1`: the first number behind the highest that is there."""
    prefix = f"{table.name}_{label}_"
    numbers = [number for one in taken if one.startswith(prefix) and (number := whole(one[len(prefix) :])) is not None]
    return f"{prefix}{max(numbers, default=0) + 1}"


def _routine_name(name: Name, place: _Place) -> Name:
    """As it was made: routines are found in whatever letters."""
    wanted = (name.schema, name.name.lower())
    known = (one.name for one in place.catalog.routines.values())
    return next((one for one in known if (one.schema, one.name.lower()) == wanted), name)


# columns


def _settled(column: Column, table: Table | None, place: _Place) -> Column:
    """Text columns carry the character set and collation that they get from the table."""
    if column.default is not None:
        column = replace(column, default=settled_default(column.default, column.type))
    if base_word(column.type) not in TEXTS:
        return replace(column, charset="", collation="") if column.charset or column.collation else column
    charset, collation = column.charset, column.collation
    if collation and not charset:
        charset = charset_of(collation)
    if not charset:
        charset = _table_option(table, "CHARSET") or (charset_of(_table_option(table, "COLLATE")) if table is not None else "")
        charset = charset or place.catalog.settings.get("character_set_database", "")
        inherited = _table_option(table, "COLLATE") or (
            "" if _table_option(table, "CHARSET") else place.catalog.settings.get("collation_database", "")
        )
        collation = collation or (inherited if inherited and charset_of(inherited) == charset else "")
    if charset and not collation:
        collation = default_collation(charset, mariadb=place.mariadb, version=place.catalog.version)
    return replace(column, charset=charset, collation=collation)


def _table_option(table: Table | None, name: str) -> str:
    if table is None:
        return ""
    return next((one.partition("=")[2] for one in table.options if one.partition("=")[0] == name), "")


def _named(constraint: Constraint, table: Name, place: _Place, taken: set[str]) -> Constraint:
    """With the name that the server makes up, and the referenced table placed."""
    match constraint:
        case ForeignKey():
            name = constraint.name or _numbered(table, "ibfk", taken)
            referenced = place.name(constraint.referenced, beside=table.schema)
            return replace(constraint, name=name, **_ends(constraint, table, referenced, place))
        case Check() if constraint.name and not place.mariadb:
            return replace(constraint, column="")
        case Check() if not constraint.name:
            if not place.mariadb:
                return replace(constraint, name=_numbered(table, "chk", taken), column="")
            if constraint.column:
                return replace(constraint, name=constraint.column)
            number = 1
            while f"CONSTRAINT_{number}" in taken:
                number += 1
            return replace(constraint, name=f"CONSTRAINT_{number}")
        case _:
            return constraint


def _ends(key: ForeignKey, table: Name, referenced: Name, place: _Place) -> dict[str, Any]:
    """Columns are spelled as the tables have them. Where none are named MariaDB takes those of the same name, MySQL 9 the primary key; before there is no such
    key (error 1239)."""
    version, parent = place.catalog.version, place.catalog.table(referenced)
    there = key.referenced_columns
    if not there and place.mariadb:
        there = key.columns
    elif not there and parent is not None and parent.primary_key is not None and not (version and version < INLINE_REFERENCES):
        there = parent.primary_key.columns
    return {
        "columns": tuple(_column_name(one, table, place) for one in key.columns),
        "referenced": referenced,
        "referenced_columns": tuple(_column_name(one, referenced, place) for one in there),
    }


def _taken(table: Table | None) -> set[str]:
    return {one.name for one in table.constraints} if table is not None else set()


def _create_table(operation: op.CreateTable, place: _Place) -> op.CreateTable:
    if operation.like:
        return _like(operation, place)
    table = operation.table
    name = place.name(table.name)
    taken = {one.name for one in table.constraints if one.name}
    constraints: list[Constraint] = []
    for one in table.constraints:
        named = _named(one, name, place, taken)
        taken.add(named.name)
        constraints.append(named)
    found = replace(table, name=name, indexes=(), options=_table_options(table, place))
    for index in table.indexes:
        found = replace(found, indexes=(*found.indexes, _index(index, name, found, longest=place.longest_key)))
    found = replace(found, constraints=tuple(_key_method(one, found) for one in constraints))
    columns = tuple(_settled(column, found, place) for column in table.columns)
    return replace(operation, table=replace(found, columns=columns))


def _key_method(constraint: Constraint, table: Table | None) -> Constraint:
    return replace(constraint, method=_method(constraint.method, table)) if isinstance(constraint, PrimaryKey) else constraint


def _table_options(table: Table, place: _Place) -> tuple[str, ...]:
    """With the engine and the character set that the table gets where nothing is said. Where AUTO_INCREMENT begins is no structure."""
    kept = [one for one in table.options if not one.startswith("AUTO_INCREMENT=")]
    settings = place.catalog.settings
    if not _table_option(table, "ENGINE"):
        kept.append(f"ENGINE={settings.get('default_storage_engine', 'InnoDB')}")
    charset, collation = _table_option(table, "CHARSET"), _table_option(table, "COLLATE")
    if not charset and not collation:
        charset, collation = settings.get("character_set_database", ""), settings.get("collation_database", "")
    charset = charset or charset_of(collation)
    collation = collation or default_collation(charset, mariadb=place.mariadb, version=place.catalog.version)
    kept = [one for one in kept if one.partition("=")[0] not in {"CHARSET", "COLLATE"}]
    kept += [f"CHARSET={charset}"] if charset else []
    kept += [f"COLLATE={collation}"] if collation else []
    return tuple(sorted(kept))


def _like(operation: op.CreateTable, place: _Place) -> op.CreateTable:
    """LIKE copies columns and indexes, and no foreign keys."""
    source = place.name(operation.like[0][0])
    name = place.name(operation.table.name)
    found = place.catalog.table(source)
    if found is None:
        return replace(operation, table=replace(operation.table, name=name), like=((source, ()),))
    copied = replace(
        found,
        name=name,
        kind=operation.table.kind,
        constraints=tuple(one for one in found.constraints if not isinstance(one, ForeignKey)),
        indexes=tuple(replace(one, table=name, name=Name(schema=name.schema, name=one.name.name)) for one in found.indexes),
        triggers=(),
        definition="",
    )
    return replace(operation, table=copied, like=(), copied_from=(source,))


def _add_column(operation: op.AddColumn, place: _Place) -> op.AddColumn:
    name = place.name(operation.table)
    table = place.catalog.table(name)
    column = _settled(operation.column, table, place)
    taken = _taken(table)
    constraints = tuple(_named(one, name, place, taken) for one in operation.constraints)
    return replace(operation, table=name, column=column, constraints=constraints)


def _change_column(operation: op.ChangeColumn, place: _Place) -> op.ChangeColumn:
    name = place.name(operation.table)
    table = place.catalog.table(name)
    column = _column_name(operation.column, name, place)
    definition = _settled(operation.definition, table, place)
    if definition.name.lower() == column.lower():
        definition = replace(definition, name=column)
    primary = table.primary_key if table is not None else None
    if primary is not None and column in primary.columns:
        said = operation.definition.default
        definition = replace(definition, nullable=False, default=said if said == "NULL" else definition.default)
    taken = _taken(table)
    constraints = tuple(_named(one, name, place, taken) for one in operation.constraints)
    return replace(operation, table=name, column=column, definition=definition, constraints=constraints)


def _set_default(operation: op.SetDefault, place: _Place) -> op.SetDefault | op.DropDefault:
    """SET DEFAULT NULL leaves none."""
    name = place.name(operation.table)
    column = _column_name(operation.column, name, place)
    table = place.catalog.table(name)
    found = table.column(column) if table is not None else None
    default = settled_default(operation.default, found.type if found is not None else "")
    if default is None:
        return op.DropDefault(table=name, column=column)
    return replace(operation, table=name, column=column, default=default)


def _add_constraint(operation: op.AddConstraint, place: _Place) -> op.Operation:
    name = place.name(operation.table)
    table = place.catalog.table(name)
    constraint = operation.constraint
    if isinstance(constraint, Unique):
        parts = constraint.parts or tuple(IndexPart(column=column) for column in constraint.columns)
        index = Index(name=Name(schema=name.schema, name=constraint.name), table=name, parts=parts, unique=True)
        return op.CreateIndex(index=_index(index, name, table, longest=place.longest_key))
    return replace(operation, table=name, constraint=_key_method(_named(constraint, name, place, _taken(table)), table))


def _drop_constraint(operation: op.DropConstraint, place: _Place) -> op.Operation:
    """A unique key is an index, whichever word drops it."""
    name = place.name(operation.table)
    table = place.catalog.table(name)
    if table is not None and table.constraint(operation.name) is None and table.index(operation.name) is not None:
        return op.DropIndex(name=Name(schema=name.schema, name=operation.name), table=name, if_exists=operation.if_exists)
    return replace(operation, table=name)


def _convert_charset(operation: op.ConvertCharset, place: _Place) -> op.ConvertCharset:
    charset = operation.charset or charset_of(operation.collation)
    charset = charset or place.catalog.settings.get("character_set_database", "")
    collation = operation.collation or default_collation(charset, mariadb=place.mariadb, version=place.catalog.version)
    return replace(operation, table=place.name(operation.table), charset=charset, collation=collation)


def _drop_trigger(operation: op.DropTrigger, place: _Place) -> op.DropTrigger:
    schema = operation.schema or place.database
    for table in place.catalog.tables.values():
        if table.name.schema == schema and any(one.name == operation.name for one in table.triggers):
            return replace(operation, table=table.name, schema=schema)
    return replace(operation, schema=schema)
