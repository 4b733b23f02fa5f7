"""Tables of another engine than InnoDB (MyISAM, MEMORY, Aria): what InnoDB does at once or in place is a copy there, while writers wait.

Measured on MySQL 9.7, MariaDB 10.11 and 11.8.
"""

from __future__ import annotations

from dataclasses import replace

from driftflow.dialects.mysql.effects.change import option, stays
from driftflow.dialects.mysql.effects.company import Graded
from driftflow.dialects.mysql.effects.grade import Grade
from driftflow.dialects.mysql.types import base_word
from driftflow.model.catalog import Check, Table
from driftflow.model.operations import (
    AlterIndex,
    AlterTableOption,
    ChangeColumn,
    Comment,
    DropConstraint,
    DropDefault,
    Operation,
    RenameColumn,
    RenameIndex,
    RenameTable,
    RewriteTable,
    SetColumnOption,
    SetDefault,
)

DICTIONARY = (RenameColumn, SetDefault, DropDefault, SetColumnOption, RenameIndex, AlterIndex, Comment)
"""Clauses that change nothing but how the table is described, with any engine."""
OWN = frozenset({"force", "row_format", "key_block_size", "optimize"})


def with_engine(graded: Graded, table: Table | None, whole: Grade) -> Grade:
    """One clause that is more than a word in the dictionary makes the whole statement a copy."""
    engine = option(table, "ENGINE") if table is not None else ""
    if table is None or engine in {"", "INNODB"}:
        return whole
    if any(_copies(one, table, engine) for one, _ in graded):
        return replace(whole, instant=False, inplace="", unchecked=False, reason=f"{engine} knows no change in place")
    described = all(isinstance(one, DICTIONARY) or _is_estimate(one) for one, _ in graded)
    return replace(whole, instant=True) if described and whole.inplace else whole


def _copies(operation: Operation, table: Table, engine: str) -> bool:
    match operation:
        case (
            RenameColumn()
            | SetDefault()
            | DropDefault()
            | SetColumnOption()
            | RenameIndex()
            | AlterIndex()
            | Comment()
            | RenameTable()
        ):
            return False
        case AlterTableOption(value=value):
            return not _is_estimate(operation) and not value.upper().endswith("ABLE KEYS")
        case ChangeColumn():
            return _is_shaped(operation, table)
        case DropConstraint(name=name):
            return not isinstance(table.constraint(name), Check)
        case RewriteTable(action=action, value=value):
            return action in OWN or (action == "engine" and value.upper() == engine)
        case _:
            return True


def _is_estimate(operation: Operation) -> bool:
    """STATS_PERSISTENT and its relatives, which only InnoDB reads."""
    return isinstance(operation, AlterTableOption) and operation.value.upper().startswith("STATS_")


def _is_shaped(operation: ChangeColumn, table: Table) -> bool:
    """Whether the column gets another place, or another type than one with more members."""
    old, new = table.column(operation.column), operation.definition
    if old is None or (operation.position and not stays(table, old.name, operation.position)):
        return True
    return old.type != new.type and not {base_word(old.type), base_word(new.type)} <= {"enum", "set"}
