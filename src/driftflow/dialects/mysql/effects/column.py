"""Clauses on columns: ADD, DROP, RENAME, MODIFY and CHANGE, defaults, visibility."""

from __future__ import annotations

import re
from dataclasses import replace as with_

from driftflow.dialects.mariadb.capabilities import INLINE_REFERENCES as MARIADB_INLINE_REFERENCES
from driftflow.dialects.mariadb.capabilities import RENAME_COLUMN as MARIADB_RENAME_COLUMN
from driftflow.dialects.mysql.capabilities import (
    CHECK_ENFORCED,
    EIGHT,
    EXPRESSION_DEFAULT,
    INLINE_REFERENCES,
    INSTANT_ADD_LAST,
    INSTANT_ANYWHERE,
    INSTANT_RENAME,
    INVISIBLE_COLUMN,
    row_version_limit,
)
from driftflow.dialects.mysql.effects import refused
from driftflow.dialects.mysql.effects.change import (
    change_grade,
    has_fulltext,
    has_functional,
    has_virtual,
    is_compressed,
    is_virtual,
    metadata,
    rename_grade,
)
from driftflow.dialects.mysql.effects.grade import COPY, IN_PLACE, INSTANT, REBUILD, SHARED_REBUILD, Grade, because
from driftflow.dialects.mysql.effects.key import foreign_key_grade
from driftflow.dialects.mysql.effects.prediction import Prediction, quoted
from driftflow.dialects.mysql.functions import is_volatile
from driftflow.dialects.mysql.render.clause import default_text
from driftflow.dialects.mysql.types import LONG_TYPES, base_word
from driftflow.model.catalog import Check, Column, ForeignKey, Table
from driftflow.model.names import Version
from driftflow.model.operations import (
    AddColumn,
    ChangeColumn,
    DropColumn,
    DropDefault,
    RenameColumn,
    SetColumnOption,
    SetDefault,
)
from driftflow.model.operations.identifiers import mentions
from driftflow.model.operations.redefinition import own_checks
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex

MARIADB = Version(major=10, minor=4)
BANNED = Version(major=8, minor=0, patch=29)
"""Withdrawn: INSTANT of this one release damages tables (MySQL 8.0.30 release notes)."""
_CALLS_SEQUENCE = lazy_regex(r"\b(?:nextval|lastval|setval)\s*\(", re.IGNORECASE)
_OF_EACH_ROW = lazy_regex(r"\b(?:uuid\w*|sys_guid|nextval|lastval|setval)\s*\(", re.IGNORECASE)
"""MariaDB takes one value of any other function for all rows, in an instant: of rand() too (measured on 10.11 and 11.8)."""


def calls_sequence(default: str) -> bool:
    return bool(_CALLS_SEQUENCE.search(default))


def add_column(p: Prediction, operation: AddColumn) -> None:
    table = p.table(operation.table)
    column = operation.column
    refused.by_history(p, operation.table, "ADD COLUMN")
    refused.by_definition(p, operation.table, column)
    if table is None:
        p.grade = _plain_add(p, None, column, operation.position)
        return
    if table.column(column.name) is not None:
        if operation.if_not_exists:
            p.grade = INSTANT
        else:
            p.fails("exists", f"column {column.name} of {table.name} exists already", relation=table.name, certain=True)
        return
    _stands_behind(p, table, operation.position)
    p.grade = _add_grade(p, table, operation)
    if (
        not p.mariadb
        and not column.nullable
        and column.default is None
        and base_word(column.type) in {"date", "datetime"}
        and p.strict
    ):
        p.fails(
            "not_empty",
            f"{table.name.name} holds rows, which would get the date '0000-00-00'",
            relation=table.name,
            probe=f"SELECT count(*) FROM (SELECT 1 FROM {quoted(table.name)} LIMIT 1) r",
        )
    if not column.nullable and column.default is None and column.generated is None and not column.autoincrement:
        p.loses(
            f"old rows silently get an implicit {_implicit(column)} in {column.name}, not a value that anybody chose", table.name
        )
        p.breaks(f"an INSERT that does not name {column.name} fails in strict mode", table.name, column.name)
    p.breaks("SELECT * and INSERT without a column list see one more column", table.name)


def _stands_behind(p: Prediction, table: Table, position: str) -> None:
    anchor = position.partition(" ")[2]
    if anchor and not table.partial and not any(one.name.lower() == anchor.lower() for one in table.columns):
        p.fails("missing", f"there is no column {anchor} of {table.name} to stand behind", relation=table.name, certain=True)


def _implicit(column: Column) -> str:
    word = column.type.partition("(")[0].split(" ")[0]
    if word in {"date", "datetime", "timestamp", "time", "year"}:
        return "'0000-00-00'"
    return "''" if word in {"char", "varchar", "text", "blob", "tinytext", "mediumtext", "longtext", "json"} else "0"


def _add_grade(p: Prediction, table: Table, operation: AddColumn) -> Grade:
    column = operation.column
    for constraint in operation.constraints:
        match constraint:
            case Check() if p.mariadb and not column.nullable and _is_json(constraint.expression):
                grade = _plain_add(p, table, column, operation.position)
                return grade if table.new else with_(grade, copy="", reason="a copy checks the implicit '', which is no JSON")
            case Check():
                if not p.mariadb and p.version >= CHECK_ENFORCED:
                    return because(COPY, "the check behind the column is verified for every row")
            case ForeignKey():
                if p.since(INLINE_REFERENCES, MARIADB_INLINE_REFERENCES):
                    return foreign_key_grade(p, table, constraint, added=column)
            case _:
                pass
    return _plain_add(p, table, column, operation.position)


def _plain_add(p: Prediction, table: Table | None, column: Column, position: str) -> Grade:
    if column.generated is not None and column.generated.stored:
        return because(COPY, "a stored generated column is computed for every row")
    if column.generated is not None:
        return _add_virtual(p, table, position)
    if column.autoincrement:
        grade = because(SHARED_REBUILD, "rows get their AUTO_INCREMENT numbers while writers wait")
        return with_(grade, copy="SHARED")
    if column.default is not None and _computed(column.default):
        if not p.needs(EXPRESSION_DEFAULT, MARIADB, "a default that is an expression"):
            return COPY
        if p.mariadb and _OF_EACH_ROW.search(column.default):
            return because(COPY, "every row gets a value of its own")
        if is_volatile(column.default):
            if not p.mariadb:
                p.fails("unsupported", f"MySQL refuses to add a column with the default {column.default}", certain=True)
                return COPY
            return _added(p, table, position)
        if not p.mariadb:
            return because(COPY, "the default is an expression")
        if table is not None and any(mentions(column.default, one.name, any_case=True) for one in table.columns):
            return because(COPY, "the default reads another column")
        return _added(p, table, position)
    return _added(p, table, position)


def _computed(default: str) -> bool:
    """Whether a default is an expression, not a literal or CURRENT_TIMESTAMP."""
    return default.startswith("(") or default_text(default) != default


def _add_virtual(p: Prediction, table: Table | None, position: str) -> Grade:
    if position and not p.mariadb and (table is None or has_virtual(table)):
        return because(COPY, "a virtual column is added at a place of its own")
    if table is not None and has_functional(table):
        return because(COPY, "a virtual column is added before the hidden one of an index over an expression")
    return metadata(p)


def _added(p: Prediction, table: Table | None, position: str) -> Grade:
    """A plain column: what stands around it decides."""
    if p.mariadb:
        if table is not None and is_compressed(table):
            return because(REBUILD, "the table is compressed")
        if table is not None and has_fulltext(table):
            return because(REBUILD, "the table has a FULLTEXT index")
        return Grade(instant=True, inplace="NONE", rebuilds_in_company=True)
    if table is not None and has_fulltext(table):
        return because(REBUILD, "the table has a FULLTEXT index")
    if table is not None and is_compressed(table):
        return because(REBUILD, "the table is compressed")
    instant = p.version >= (INSTANT_ANYWHERE if position else INSTANT_ADD_LAST) and _may_be_instant(p, table)
    reason = "" if instant else "this version cannot add the column by the dictionary alone"
    return Grade(instant=instant, inplace="NONE", rebuilds=True, reason=reason)


def _may_be_instant(p: Prediction, table: Table | None) -> bool:
    if p.version == BANNED:
        p.loses("INSTANT of MySQL 8.0.29 damaged tables: name ALGORITHM=INPLACE, or upgrade first", table.name if table else None)
    versions = _row_versions(table)
    return versions < row_version_limit(p.version) or p.version < INSTANT_ANYWHERE


def _row_versions(table: Table | None) -> int:
    """TOTAL_ROW_VERSIONS of the table, where the catalog has it."""
    return (table.statistics.row_versions or 0) if table is not None else 0


def drop_column(p: Prediction, operation: DropColumn) -> None:
    table = p.table(operation.table)
    refused.by_history(p, operation.table, "DROP COLUMN")
    if table is None:
        p.grade = Grade(instant=p.since(INSTANT_ANYWHERE, MARIADB), inplace="NONE", rebuilds=not p.mariadb)
        p.loses(f"the values of {operation.column}", operation.table)
        p.breaks(f"every statement that names {operation.column}", operation.table, operation.column)
        return
    column = table.column(operation.column)
    if column is None:
        p.grade = INSTANT
        if not operation.if_exists and not table.partial:
            p.fails("missing", f"column {operation.column} of {table.name} does not exist", relation=table.name, certain=True)
        return
    refused.by_dependents(p, table, column)
    p.loses(f"the values of {operation.column}", table.name)
    p.breaks(f"every statement that names {operation.column}", table.name, operation.column)
    for index in table.indexes:
        if operation.column in index.columns and len(index.parts) > 1:
            rest = ", ".join(part.column for part in index.parts if part.column != operation.column)
            if index.unique and p.mariadb:  # whatever the rows: error 1072
                if index.name.name not in p.dropped:
                    p.fails("dependency", f"the unique index {index.name.name} contains it", relation=table.name, certain=True)
                continue
            p.loses(f"{operation.column} out of index {index.name.name}, which silently goes on over ({rest})", table.name)
            if index.unique:
                p.fails(
                    "duplicates",
                    f"({rest}) is not unique by itself, as index {index.name.name} will then demand",
                    relation=table.name,
                )
    p.grade = _drop_grade(p, table, column)


def _drop_grade(p: Prediction, table: Table, column: Column) -> Grade:
    indexed = any(column.name in index.columns for index in table.indexes)
    if table.primary_key is not None and column.name in table.primary_key.columns:
        return because(COPY, "the primary key goes with the column")
    alone = all(index.columns == (column.name,) for index in table.indexes if column.name in index.columns)
    if is_virtual(column):
        return with_(IN_PLACE, drops_index=alone) if indexed or has_functional(table) else metadata(p)
    if p.mariadb:
        if is_compressed(table):
            return because(REBUILD, "the table is compressed")
        if has_fulltext(table) or not alone:
            return because(REBUILD, "the table has a FULLTEXT index" if alone else "an index loses a column")
        return Grade(instant=not indexed, inplace="NONE", rebuilds_in_company=True, drops_index=indexed)
    if is_compressed(table):
        return because(REBUILD, "the table is compressed")
    if has_fulltext(table):
        return because(REBUILD, "the table has a FULLTEXT index")
    instant = p.version >= INSTANT_ANYWHERE and not indexed and _may_be_instant(p, table)
    return Grade(
        instant=instant, inplace="NONE", rebuilds=True, reason="" if instant else "every row is written without the column"
    )


def rename_column(p: Prediction, operation: RenameColumn) -> None:
    p.needs(EIGHT, MARIADB_RENAME_COLUMN, "RENAME COLUMN")
    table = p.table(operation.table)
    p.breaks(f"every statement that names {operation.column}", operation.table, operation.column)
    p.grade = INSTANT if p.since(INSTANT_RENAME, MARIADB_RENAME_COLUMN) else IN_PLACE
    if table is None:
        return
    if table.column(operation.column) is None:
        if not table.partial:
            p.fails("missing", f"column {operation.column} of {table.name} does not exist", relation=table.name, certain=True)
        return
    if table.column(operation.to) is not None and operation.to.lower() != operation.column.lower():
        p.fails("exists", f"column {operation.to} of {table.name} exists already", relation=table.name, certain=True)
    if refused.in_partition_key(table, operation.column) and not p.mariadb:
        p.fails("dependency", f"rows are partitioned by {operation.column}", relation=table.name, certain=True)
    if operation.to == operation.column:
        p.grade = metadata(p)
        return
    refused.by_functional_index(p, table, operation.column)
    refused.by_named_checks(p, table, operation.column)
    p.grade = rename_grade(p, table, operation.column)
    _computed_from(p, table, operation.column, certain=not p.mariadb)


def _computed_from(p: Prediction, table: Table, column: str, *, certain: bool) -> None:
    for one in table.columns:
        if one.generated is not None and mentions(one.generated.expression, column, any_case=True):
            p.fails("dependency", f"generated column {one.name} is computed from it", relation=table.name, certain=certain)


def change_column(p: Prediction, operation: ChangeColumn) -> None:
    table = p.table(operation.table)
    refused.by_history(p, operation.table, "MODIFY COLUMN" if operation.column == operation.definition.name else "CHANGE COLUMN")
    new = operation.definition
    if operation.column != new.name:
        p.breaks(f"every statement that names {operation.column}", operation.table, operation.column)
    if table is None:
        p.grade = because(COPY, "the definition before is not known")
        return
    old = table.column(operation.column)
    if old is None:
        p.grade = INSTANT if operation.if_exists else because(COPY, "the definition before is not known")
        if not operation.if_exists and not table.partial:
            p.fails("missing", f"column {operation.column} of {table.name} does not exist", relation=table.name, certain=True)
        return
    for lost in unrepeated(old, new):
        p.loses(f"{lost} of {old.name}: the new definition does not repeat it", table.name, reversible=True)
    if old.generated is None and new.generated is not None:
        p.loses(f"the values of {old.name}: from now on they are computed", table.name)
    p.grade = change_grade(p, table, old, new, operation.position)
    refused.by_definition(p, table.name, new)
    if p.mariadb:
        _own_check(p, table, operation)
    elif operation.constraints and p.version >= CHECK_ENFORCED:
        p.grade = because(COPY, "the check behind the column is verified for every row")
    if old.name != new.name:
        refused.by_named_checks(p, table, old.name)
        if not p.mariadb and old.name.lower() != new.name.lower():
            _computed_from(p, table, old.name, certain=True)
    if old.type != new.type:
        refused.by_foreign_keys(p, table, old, new)
        refused.by_indexes(p, table, old, new)
    _stands_behind(p, table, operation.position)
    if operation.position.partition(" ")[2] == new.name or operation.position.partition(" ")[2] == old.name:
        p.fails("missing", f"{new.name} cannot stand behind itself", relation=table.name, certain=True)


def _own_check(p: Prediction, table: Table, operation: ChangeColumn) -> None:
    """A check behind a column is an entry in MariaDB's dictionary, which no row is asked about. JSON is a type of its own all the same: it comes and
    goes by a copy (measured on 10.11 and 11.8)."""
    old = [one.expression for one in own_checks(table, operation.column)]
    new = [one.expression for one in operation.constraints if isinstance(one, Check)]
    if any(map(_is_json, old)) != any(map(_is_json, new)):
        p.grade = because(COPY, "JSON is a type of its own")
    elif new and new != old:
        p.loses(f"old rows are never asked whether they keep to {new[0]}", table.name, reversible=True)
    if old and not new:
        p.loses(f"the check {old[0]} of {operation.column}: the new definition does not repeat it", table.name, reversible=True)


def _is_json(check: str) -> bool:
    return check.startswith("json_valid(")


def unrepeated(old: Column, new: Column) -> list[str]:
    """Attributes of the old definition that a MODIFY or CHANGE drops by not saying them."""
    lost = []
    if not old.nullable and new.nullable:
        lost.append("NOT NULL")
    if old.default is not None and new.default is None and new.generated is None:
        lost.append(f"DEFAULT {old.default}")
    if old.autoincrement and not new.autoincrement:
        lost.append("AUTO_INCREMENT")
    if old.on_update and not new.on_update:
        lost.append("ON UPDATE CURRENT_TIMESTAMP")
    if old.comment and not new.comment:
        lost.append("the comment")
    if not old.visible and new.visible:
        lost.append("INVISIBLE")
    return lost


def set_default(p: Prediction, operation: SetDefault | DropDefault) -> None:
    table = p.table(operation.table)
    p.grade = metadata(p)
    if isinstance(operation, SetDefault) and _computed(operation.default):
        p.needs(EXPRESSION_DEFAULT, MARIADB, "a default that is an expression")
    column = table.column(operation.column) if table is not None else None
    if table is not None and column is None and not table.partial:
        p.fails("missing", f"column {operation.column} of {table.name} does not exist", relation=table.name, certain=True)
    if isinstance(operation, SetDefault) and column is not None and base_word(column.type) in LONG_TYPES and not p.mariadb:
        p.fails(
            "unsupported",
            f"MySQL takes no SET DEFAULT for a column of the type {column.type}",
            relation=operation.table,
            certain=True,
        )
    if isinstance(operation, SetDefault) and table is not None and column is not None:
        refused.by_definition(p, table.name, replace(column, default=operation.default))
    if isinstance(operation, DropDefault):
        p.breaks(f"an INSERT that does not name {operation.column} fails, or gets NULL", operation.table, operation.column)


def set_column_option(p: Prediction, operation: SetColumnOption) -> None:
    table = p.table(operation.table)
    p.grade = metadata(p)
    p.needs(INVISIBLE_COLUMN, None, "ALTER COLUMN ... SET INVISIBLE")
    if table is not None and table.column(operation.column) is None and not table.partial:
        p.fails("missing", f"column {operation.column} of {table.name} does not exist", relation=table.name, certain=True)
