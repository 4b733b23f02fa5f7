"""What clauses of one ALTER TABLE do to each other: combinations that are refused, or that cost more than the weakest of them alone.

Measured on MySQL 9.7, MariaDB 10.11 and 11.8 with statements made by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from driftflow.dialects.mysql.effects.grade import Grade
from driftflow.dialects.mysql.effects.prediction import Prediction
from driftflow.dialects.mysql.effects.referring import only_unique_keys
from driftflow.dialects.mysql.render.table import table_of
from driftflow.dialects.mysql.types import LONG_TYPES, TEXTS, base_word
from driftflow.model.catalog import Catalog, PrimaryKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterTableOption,
    ChangeColumn,
    Comment,
    ConvertCharset,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIndex,
    Operation,
    RenameColumn,
    SetColumnOption,
    SetDefault,
)
from driftflow.model.operations.keys import begins_a_key
from driftflow.model.record import replace as with_fields

Graded = Sequence[tuple[Operation, Prediction]]


def with_fulltext(graded: Graded, table: Table | None, whole: Grade) -> Grade:
    """The hidden column of a FULLTEXT index makes MySQL copy where it would rebuild in place, and MariaDB keep writers waiting."""
    if not whole.rebuilds or table is None or not _keeps_fulltext(graded, table):
        return whole
    mariadb = graded[0][1].mariadb
    return replace(whole, inplace="SHARED" if mariadb and whole.inplace else "", reason="the table has a FULLTEXT index")


def _keeps_fulltext(graded: Graded, table: Table) -> bool:
    """Whether the table has a FULLTEXT index that this statement does not drop."""
    dropped = {one.name.name for one, _ in graded if isinstance(one, DropIndex)}
    columns = {one.column for one, _ in graded if isinstance(one, DropColumn)}
    return any(
        index.method == "fulltext" and index.name.name not in dropped and not set(index.columns) <= columns
        for index in table.indexes
    )


def with_spatial(graded: Graded, table: Table | None, whole: Grade) -> Grade:
    """A SPATIAL index that stays is filled again while writers wait, wherever the table is written anew (measured on 9.7, 10.11 and 11.8)."""
    if not (whole.rebuilds and whole.inplace == "NONE") or table is None:
        return whole
    dropped = {one.name.name for one, _ in graded if isinstance(one, DropIndex)}
    kept = any(one.method == "spatial" and one.name.name not in dropped for one in table.indexes)
    return replace(whole, inplace="SHARED", reason="the table has a SPATIAL index") if kept else whole


def with_option(graded: Graded, table: Table | None, whole: Grade) -> Grade:
    """MariaDB: an option of the table beside a column that gets another name, type or collation is not instant, though each of them is
    (measured on 10.11 and 11.8, which speak of an index that is dropped). MySQL: beside an option, and where rows are written, a text that gets another
    collation has the table written anew while writers wait (measured on 9.7)."""
    options = any(_is_option(one) for one, _ in graded)
    if not graded[0][1].mariadb:
        written = whole.inplace and (options or whole.rebuilds) and any(_recodes_text(one, table) for one, _ in graded)
        reason = "a text gets another collation where the table is written anew"
        return replace(whole, instant=False, inplace="SHARED", rebuilds=True, reason=reason) if written else whole
    if not (whole.instant and options and any(_alters_column(one, table) for one, _ in graded)):
        return whole
    return replace(whole, instant=False, reason="an option of the table is changed together with a column")


def _is_option(operation: Operation) -> bool:
    return isinstance(operation, AlterTableOption | Comment) or (isinstance(operation, ConvertCharset) and not operation.columns)


def _alters_column(operation: Operation, table: Table | None) -> bool:
    if isinstance(operation, RenameColumn):
        return operation.column != operation.to
    if not isinstance(operation, ChangeColumn):
        return False
    old, new = table.column(operation.column) if table is not None else None, operation.definition
    if old is None:
        return True
    members = {base_word(old.type), base_word(new.type)} & {"enum", "set"}  # more of them are the same column to the server
    types = (old.type, new.type) if not members else ("", "")
    return types[0] != types[1] or (old.name, old.charset, old.collation) != (new.name, new.charset, new.collation)


def _recodes_text(operation: Operation, table: Table | None) -> bool:
    if not isinstance(operation, ChangeColumn):
        return False
    old, new = table.column(operation.column) if table is not None else None, operation.definition
    if old is None or base_word(old.type) not in TEXTS or base_word(old.type) not in LONG_TYPES:
        return False
    return old.type == new.type and (old.charset, old.collation) != (new.charset, new.collation)


# refused


def refuse_together(operations: Sequence[Operation], predictions: Sequence[Prediction], after: Catalog | None) -> None:
    """What only the company of other clauses makes an error."""
    renamed = {one.column for one in operations if isinstance(one, RenameColumn) and one.column != one.to}
    dropped = {one.column for one in operations if isinstance(one, DropColumn)}
    touched: list[str] = []
    for operation, p in zip(operations, predictions, strict=True):
        if isinstance(operation, AddColumn) and operation.position.partition(" ")[2] in dropped:
            p.fails(
                "missing", f"{operation.column.name} cannot stand behind a column that the same statement drops", certain=True
            )
        if isinstance(operation, CreateIndex) and renamed & set(operation.index.columns):
            old = ", ".join(sorted(renamed & set(operation.index.columns)))
            p.fails("missing", f"{old} is renamed by the same statement: the index must use the new name", certain=True)
        if isinstance(operation, CreateIndex) and dropped & set(operation.index.columns):
            old = ", ".join(sorted(dropped & set(operation.index.columns)))
            p.fails("missing", f"{old} is dropped by the same statement, and the index names it", certain=True)
        column = _stated(operation)
        if column and column in touched and (p.start is None or not p.start.complete or _is_old(p, operation, column)):
            p.fails("missing", f"{column} is changed twice by one statement", certain=True)
        touched += [column] if column else []
    if after is not None and predictions:
        _one_counter(operations, predictions[-1], after)
        for operation, p in zip(operations, predictions, strict=True):
            if isinstance(operation, DropConstraint) and operation.name == "PRIMARY":
                _still_stands(p, operation, after)
                _still_found(p, operation, operations, after)
    for operation, p in zip(operations, predictions, strict=True):
        if isinstance(operation, DropIndex) and operation.table is not None:
            _is_not_needed(p, operation, operation.table, after)


def _stated(operation: Operation) -> str:
    """The column that a clause takes out of the list of those that are there."""
    match operation:
        case ChangeColumn() | DropColumn() | RenameColumn() | SetDefault() | DropDefault() | SetColumnOption():
            return operation.column
        case _:
            return ""


def _is_old(p: Prediction, operation: Operation, column: str) -> bool:
    name = table_of(operation)
    table = p.start.table(name) if p.start is not None and name is not None else None
    return table is not None and table.column(column) is not None


def _still_stands(p: Prediction, operation: DropConstraint, after: Catalog) -> None:
    """Foreign keys that point at the primary key need a key that begins with its columns afterwards too."""
    start = p.start or p.catalog
    table, before = after.table(operation.table), start.table(operation.table)
    for holder, key in start.referencing(operation.table) if table is not None else ():
        if holder.name == operation.table and key.name in p.dropped:
            continue
        if table is not None and not _serves(p, table, before, key.referenced_columns):
            why = f"foreign key {key.name} of {holder.name.name} stands on it"
            p.fails("dependency", why, relation=operation.table, certain=True)


def _serves(p: Prediction, table: Table, before: Table | None, columns: tuple[str, ...]) -> bool:
    """Whether foreign keys may point at these columns still. Where the standard is kept (MySQL 8.4), a unique key over nothing but them that was there
    gives way to its like alone (measured on 9.7)."""
    if only_unique_keys(p) and before is not None and _is_unique(before, columns):
        return _is_unique(table, columns)
    return begins_a_key(table, columns)


def _is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    primary = table.primary_key.columns if table.primary_key is not None else ()
    return primary == columns or any(one.unique and one.columns == columns for one in table.indexes)


def _still_found(p: Prediction, operation: DropConstraint, operations: Sequence[Operation], after: Catalog) -> None:
    """Foreign keys of the table itself need an index that begins with their columns. MariaDB looks at that only where it copies, which it does
    where no other primary key comes."""
    table = after.table(operation.table)
    replaced = any(isinstance(one, AddConstraint) and isinstance(one.constraint, PrimaryKey) for one in operations)
    for key in table.foreign_keys if table is not None and not (p.mariadb and replaced) else ():
        if table is not None and not begins_a_key(table, key.columns):
            p.fails("dependency", f"foreign key {key.name} of {table.name.name} needs it", relation=table.name, certain=True)


def _is_not_needed(p: Prediction, operation: DropIndex, name: Name, after: Catalog | None) -> None:
    """A foreign key needs an index over its columns, and one over those it points at: this one, or another that is there when the statement ends."""
    table = p.table(name)
    index = table.index(operation.name.name) if table is not None else None
    if table is None or index is None:
        return
    catalog = p.catalog if after is None else after
    left = catalog.table(name) or table
    left = with_fields(left, indexes=tuple(one for one in left.indexes if one != index))
    for key in left.foreign_keys:
        if index.columns[: len(key.columns)] == key.columns and not begins_a_key(left, key.columns):
            p.fails("dependency", f"foreign key {key.name} of {name.name} needs it", relation=name, certain=True)
    for holder, key in catalog.referencing(name):
        wanted = key.referenced_columns
        if index.columns[: len(wanted)] == wanted and not _serves(p, left, table, wanted):
            p.fails("dependency", f"foreign key {key.name} of {holder.name.name} stands on it", relation=name, certain=True)


def _one_counter(operations: Sequence[Operation], p: Prediction, after: Catalog) -> None:
    """There is one AUTO_INCREMENT column at most, and a key begins with it."""
    name = next((named for one in operations if (named := table_of(one)) is not None), None)
    table = after.table(name) if name is not None else None
    if table is None or table.partial:
        return
    counters = [column.name for column in table.columns if column.autoincrement]
    primary = table.primary_key.columns[:1] if table.primary_key is not None else ()
    heads = {*primary, *(index.columns[0] for index in table.indexes if index.columns)}
    if len(counters) > 1 or any(one not in heads for one in counters):
        why = "only one column can be AUTO_INCREMENT, and a key must begin with it"
        p.fails("unsupported", why, relation=table.name, certain=True)
