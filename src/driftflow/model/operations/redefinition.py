"""Operations that state a column or a table's character set anew (MySQL, MariaDB)."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, Check, Column, Constraint, IndexPart, Table
from driftflow.model.names import Name
from driftflow.model.operations import renaming
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.constraint import AddConstraint
from driftflow.model.operations.lookup import find_column, find_table, placed, put, refuse, replace_column
from driftflow.model.operations.rules import longest_prefix
from driftflow.model.record import replace


class ChangeColumn(BaseOperation, frozen=True, kw_only=True, tag="change_column"):
    """MODIFY COLUMN and CHANGE COLUMN: the column as it will be, whole. What the definition does not repeat (NOT NULL, DEFAULT, COMMENT,
    AUTO_INCREMENT, ON UPDATE) is lost. `definition.name` differs from `column` where CHANGE renames it.

    Source: MySQL 8.4 manual, ALTER TABLE, "Renaming, Redefining, and Reordering Columns".
    """

    table: Name
    column: str
    definition: Column
    constraints: tuple[Constraint, ...] = ()
    """Written behind it: CHECK, UNIQUE, PRIMARY KEY."""
    position: str = ""
    """FIRST or AFTER column; empty: it stays where it is."""
    if_exists: bool = False
    """MariaDB."""

    def after(self, catalog: Catalog) -> Catalog:
        """The new definition in the column's place, or where FIRST or AFTER says; a new name is followed by keys, indexes and expressions."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None or (self.if_exists and table.column(self.column) is None):
            return catalog
        if find_column(catalog, table, self.column) is None:
            return catalog
        to = self.definition.name
        if to != self.column:
            if table.column(to) is not None:
                refuse(catalog, f"column {to} of table {self.table} exists already")
                return catalog
            catalog = put(catalog, renaming.column_in_table(table, self.column, to, any_case=True, triggers_follow=False))
            catalog = renaming.column_elsewhere(catalog, self.table, self.column, to)
            table = catalog.tables[self.table.text]
        if catalog.vendor == "mariadb":
            table = _without_own_checks(table, {self.column, to})
        table = _shortened(catalog, replace_column(table, self.definition), self.definition)
        if self.position:
            others = tuple(one for one in table.columns if one.name != to)
            table = replace(table, columns=placed(others, self.definition, self.position))
        catalog = put(catalog, table)
        for constraint in self.constraints:
            catalog = AddConstraint(table=self.table, constraint=constraint).after(catalog)
        return catalog


def own_checks(table: Table, column: str) -> tuple[Check, ...]:
    """MariaDB: those that stand behind the column's definition, and go where another says none (measured on 10.11 and 11.8)."""
    return tuple(one for one in table.constraints if isinstance(one, Check) and one.column == column)


def _without_own_checks(table: Table, names: set[str]) -> Table:
    own = [check for name in names for check in own_checks(table, name)]
    return replace(table, constraints=tuple(one for one in table.constraints if one not in own)) if own else table


LIMITED = ("char", "varchar", "binary", "varbinary")
LONG = ("tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json")


def _shortened(catalog: Catalog, table: Table, column: Column) -> Table:
    """Indexes over a column whose type now needs a key length, or is no longer than it."""
    length = longest_prefix(catalog, column)
    indexes = []
    for index in table.indexes:
        parts = tuple(_of_length(part, column, length) if part.column == column.name else part for part in index.parts)
        indexes.append(index if index.method == "fulltext" else replace(index, parts=parts))
    return replace(table, indexes=tuple(indexes))


def _of_length(part: IndexPart, column: Column, needed: int | None) -> IndexPart:
    if part.prefix is None:
        return replace(part, prefix=needed)
    base, _, rest = column.type.partition("(")
    if base in LONG:
        return part
    length = rest.partition(")")[0]
    longer = base in LIMITED and length.isdecimal() and int(length) > part.prefix
    return part if longer else replace(part, prefix=None)


class ConvertCharset(BaseOperation, frozen=True, kw_only=True, tag="convert_charset"):
    """CONVERT TO CHARACTER SET (every text column and the default), or with `columns=False` DEFAULT CHARACTER SET (the default alone)."""

    table: Name
    charset: str
    """Empty where only COLLATE was given (or the database's default is meant)."""
    collation: str = ""
    columns: bool = True

    def after(self, catalog: Catalog) -> Catalog:
        """Columns that carry a character set get the new one; the table's default is one of its options (`CHARSET=…`, `COLLATE=…`)."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        kept = tuple(option for option in table.options if option.partition("=")[0] not in {"CHARSET", "COLLATE"})
        stated = [f"CHARSET={self.charset}"] if self.charset else []
        stated += [f"COLLATE={self.collation}"] if self.collation else []
        columns = tuple(
            replace(column, charset=self.charset, collation=self.collation) if self.columns and column.charset else column
            for column in table.columns
        )
        return put(catalog, replace(table, columns=columns, options=tuple(sorted((*kept, *stated)))))
