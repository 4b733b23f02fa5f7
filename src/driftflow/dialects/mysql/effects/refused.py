"""Why the server refuses a change of a column, whatever the algorithm: what depends on it, and definitions that do not hold together."""

from __future__ import annotations

from driftflow.dialects.mysql.effects.prediction import Prediction
from driftflow.dialects.mysql.settled import NUMBERS
from driftflow.dialects.mysql.types import FULLTEXT_TYPES, LONG_TYPES, base_word, members_of
from driftflow.model import operations as op
from driftflow.model.catalog import Check, Column, ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.operations.identifiers import mentions
from driftflow.model.operations.table import VERSIONED

_OF_MARIADB = frozenset({"uuid", "inet4", "inet6"})
_PARTS = (
    *(
        op.AddColumn,
        op.ChangeColumn,
        op.DropColumn,
        op.DropConstraint,
        op.CreateIndex,
        op.DropIndex,
        op.RenameIndex,
        op.AlterIndex,
    ),
    *(op.AlterPartitions, op.RenameTable, op.MoveTable),
)


def by_conditions(p: Prediction, operation: op.Operation) -> None:
    """MySQL asks for no part of a table whether it is there: only for whole tables, views, routines and triggers (measured on 9.7)."""
    asked = any(getattr(operation, one, False) for one in ("if_exists", "if_not_exists"))
    if operation.table_if_exists or (asked and isinstance(operation, _PARTS)):
        p.fails(
            "foreign_words",
            "MySQL has no IF EXISTS, IF NOT EXISTS or OR REPLACE for columns, indexes, constraints and partitions, nor ALTER TABLE IF EXISTS",
            certain=True,
        )


def by_definition(p: Prediction, table: Name, column: Column) -> None:
    """A type that the other family has, and a default that is no value of the type; MySQL takes none but an expression for TEXT, BLOB and JSON."""
    if base_word(column.type) in _OF_MARIADB and not p.mariadb:
        p.fails("unsupported", f"MySQL has no type {column.type}", relation=table, certain=True)
    if column.default is None or column.default.startswith("("):
        return
    if column.default == "NULL" and not column.nullable and not p.mariadb:
        p.fails(
            "unsupported",
            f"{column.name} is in the primary key, and cannot be NULL by default",
            relation=table,
            certain=True,
        )
    literal = column.default.startswith(("'", "-")) or column.default[:1].isdigit()
    if base_word(column.type) in LONG_TYPES and not p.mariadb and literal:
        p.fails(
            "unsupported",
            f"MySQL takes no literal default for {column.type}: write it in parentheses",
            relation=table,
            certain=True,
        )
    if base_word(column.type) in {"enum", "set"} and literal:
        members = members_of(column.type)
        said = column.default.strip("'").replace("''", "'")
        fits = said in members if column.type.startswith("enum") else not said or set(said.split(",")) <= set(members)
        if not fits:
            p.fails("unsupported", f"{column.default} is no member of {column.type}", relation=table, certain=True)
    if base_word(column.type) in NUMBERS and column.default.startswith("'"):
        p.fails("unsupported", f"{column.default} is no {column.type}", relation=table, certain=True)


def by_history(p: Prediction, table: Name, what: str) -> None:
    """MariaDB keeps the old rows of a versioned table as they were: what changes their shape needs a word of consent (measured on 10.11)."""
    found = (p.start or p.catalog).table(table)
    consent = p.catalog.settings.get("system_versioning_alter_history", "ERROR").upper() == "KEEP"
    if p.mariadb and found is not None and VERSIONED in found.options and not consent:
        p.fails(
            "unsupported",
            f"{what} changes the history of {table.name}: SET system_versioning_alter_history = KEEP allows it",
            relation=table,
            certain=True,
        )


def by_dependents(p: Prediction, table: Table, column: Column) -> None:
    for one in table.columns:
        if (
            one.generated is not None
            and one.name != column.name
            and mentions(one.generated.expression, column.name, any_case=True)
        ):
            p.fails(
                "dependency", f"generated column {one.name} is computed from {column.name}", relation=table.name, certain=True
            )
    by_functional_index(p, table, column.name)
    for constraint in table.constraints:
        match constraint:
            case Check() if mentions(constraint.expression, column.name, any_case=True) and constraint.column != column.name:
                others = [
                    one
                    for one in table.columns
                    if one.name != column.name and mentions(constraint.expression, one.name, any_case=True)
                ]
                if others:
                    p.fails("dependency", f"check {constraint.name} reads {column.name}", relation=table.name, certain=True)
            case ForeignKey() if column.name in constraint.columns:
                p.fails("dependency", f"foreign key {constraint.name} contains {column.name}", relation=table.name, certain=True)
            case _:
                pass
    for holder, key in p.catalog.referencing(table.name):
        if column.name in key.referenced_columns:
            p.fails("dependency", f"foreign key {key.name} of {holder.name} points at it", relation=table.name, certain=True)
    if in_partition_key(table, column.name):
        p.fails("dependency", f"rows are partitioned by {column.name}", relation=table.name, certain=True)
    if len(table.columns) == 1:
        p.fails("dependency", "a table needs a column", relation=table.name, certain=True)


def by_functional_index(p: Prediction, table: Table, column: str) -> None:
    """Its hidden column reads those of the expression (error 3837)."""
    for index in table.indexes:
        read = any(part.expression and mentions(part.expression, column, any_case=True) for part in index.parts)
        if read and index.name.name not in p.dropped:
            p.fails("dependency", f"index {index.name.name} is over an expression of {column}", relation=table.name, certain=True)


def by_named_checks(p: Prediction, table: Table, column: str) -> None:
    """MySQL writes no check anew for another name of its column (error 3959, measured on 9.7); MariaDB does."""
    for one in table.constraints if not p.mariadb else ():
        if isinstance(one, Check) and one.name not in p.dropped and mentions(one.expression, column, any_case=True):
            p.fails("dependency", f"check {one.name} reads {column}: drop it first", relation=table.name, certain=True)


def by_types_of_key(p: Prediction, table: Table, referenced: Table, key: ForeignKey, added: Column | None = None) -> None:
    """Both sides of a foreign key are of one type, but for the length of texts; `added`: the column behind which the key stands."""
    for here, there in zip(key.columns, key.referenced_columns, strict=False):
        mine, theirs = table.column(here) or added, referenced.column(there)
        if theirs is None and not referenced.partial:
            p.fails("missing", f"column {there} of {referenced.name} does not exist", relation=referenced.name, certain=True)
        if (
            mine is not None
            and theirs is not None
            and mine.type != theirs.type
            and not (mine.type.startswith(("varchar", "char")) and theirs.type.startswith(("varchar", "char")))
        ):
            p.fails(
                "bad_cast",
                f"{table.name.name}.{here} is {mine.type} and {referenced.name.name}.{there} is {theirs.type}",
                relation=table.name,
                certain=True,
            )


def by_foreign_keys(p: Prediction, table: Table, old: Column, new: Column) -> None:
    """Both sides of a foreign key must stay alike: the change of one is refused whatever foreign_key_checks says (measured on 9.7, 10.11 and 11.8)."""
    keys = [(table, key) for key in table.foreign_keys if old.name in key.columns]
    keys += [(holder, key) for holder, key in p.catalog.referencing(table.name) if old.name in key.referenced_columns]
    for holder, key in keys:
        p.fails(
            "dependency",
            f"foreign key {key.name} of {holder.name.name} ties {old.name} to a column of the type {old.type}",
            relation=table.name,
            certain=True,
        )


def by_indexes(p: Prediction, table: Table, old: Column, new: Column) -> None:
    """TEXT, BLOB and JSON need a key length; a FULLTEXT index takes text columns only."""
    word = base_word(new.type)
    for index in table.indexes:
        for part in index.parts:
            if part.column != old.name:
                continue
            if index.method == "fulltext" and word not in FULLTEXT_TYPES:
                p.fails(
                    "unsupported", f"{old.name} is in the FULLTEXT index {index.name.name}", relation=table.name, certain=True
                )
            elif p.mariadb and word in LONG_TYPES and len(index.parts) == 1 and not index.unique:
                p.loses(f"index {index.name.name} keeps only the beginning of each value", table.name, reversible=True)
            elif index.method != "fulltext" and part.prefix is None and word in LONG_TYPES:
                p.fails(
                    "unsupported", f"index {index.name.name} needs a key length for {new.type}", relation=table.name, certain=True
                )
    if table.primary_key is not None and old.name in table.primary_key.columns and word in LONG_TYPES:
        p.fails("unsupported", f"the primary key needs a key length for {new.type}", relation=table.name, certain=True)


def in_partition_key(table: Table, column: str) -> bool:
    return table.partitioning is not None and any(mentions(one, column, any_case=True) for one in table.partitioning.key)
