"""Clauses on keys, constraints and indexes."""

from __future__ import annotations

from driftflow.dialects.mariadb.capabilities import IGNORED_INDEX, ONLINE_COPY
from driftflow.dialects.mysql.capabilities import CHECK_ENFORCED, EIGHT, EXPRESSION_DEFAULT
from driftflow.dialects.mysql.effects import refused
from driftflow.dialects.mysql.effects.change import has_fulltext, has_stored, metadata
from driftflow.dialects.mysql.effects.grade import (
    COPY,
    IN_PLACE,
    INDEX_GOES,
    INSTANT,
    REBUILD,
    SHARED,
    SHARED_REBUILD,
    Grade,
    because,
)
from driftflow.dialects.mysql.effects.partners import beside_added_key, in_dictionary
from driftflow.dialects.mysql.effects.prediction import EXCLUSIVE, Prediction, quoted
from driftflow.dialects.mysql.effects.referring import NEVER, ends_fit, stored_over
from driftflow.dialects.mysql.effects.sizes import kept_as_hash
from driftflow.dialects.mysql.keywords import quote
from driftflow.dialects.mysql.types import FULLTEXT_TYPES, LONG_TYPES, SPATIAL_TYPES, base_word
from driftflow.model.catalog import Check, Column, ForeignKey, IndexPart, PrimaryKey, Table
from driftflow.model.effects import LOOKS_UP
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddConstraint,
    AlterConstraint,
    AlterIndex,
    CreateIndex,
    DropConstraint,
    DropIndex,
    RenameIndex,
)
from driftflow.model.operations.identifiers import mentions


def create_index(p: Prediction, operation: CreateIndex) -> None:
    index = operation.index
    table = p.table(index.table)
    if index.unique:
        refused.by_history(p, index.table, "ADD UNIQUE")
    if table is not None and index.name.name and table.index(index.name.name) is not None:
        if operation.if_not_exists:
            p.grade = INSTANT
        else:
            p.fails("exists", f"index {index.name.name} of {table.name} exists already", relation=table.name, certain=True)
        return
    hashed = p.mariadb and index.unique and not index.method
    if table is not None and not table.partial:
        for part in index.parts:
            column = table.column(part.column) if part.column else None
            if part.column and column is None:
                p.fails("missing", f"column {part.column} of {table.name} does not exist", relation=table.name, certain=True)
            elif column is not None:
                _may_be_indexed(p, table, column, part, index.method, hashed=hashed)
    if any(part.expression for part in index.parts):
        p.needs(EXPRESSION_DEFAULT, None, "an index over an expression")
    if index.unique:
        _duplicates(p, operation)
        if table is not None:
            _holds_partition_key(p, table, index.columns)
    p.does("index_build", index.table, index.name.name or "a new index")
    p.does("scan", index.table, "every row is read for the index")
    match index.method:
        case "fulltext":
            first = table is None or not has_fulltext(table)
            grade = SHARED_REBUILD if first and (table is None or table.column("FTS_DOC_ID") is None) else SHARED
            p.grade = because(grade, "a FULLTEXT index is built while writers wait")
        case "spatial":
            p.grade = because(SHARED, "a SPATIAL index is built while writers wait")
        case _ if index.unique and any(part.expression for part in index.parts):
            # Error 1846: the hidden column and its unique index are not added in one go (MySQL 9.7; an index that is not unique is).
            p.grade = because(COPY, "a unique index over an expression is built by copying the table")
        case _ if hashed and table is not None and kept_as_hash(p, table, index.parts):
            p.grade = because(COPY, "a unique index longer than a key is kept as a hash, in a column that the copy adds")
        case _ if any(part.expression for part in index.parts):
            p.grade = because(SHARED, "an index over an expression is built while writers wait")
        case _:
            p.grade = because(IN_PLACE, "the index is built while writers go on")


def _holds_partition_key(p: Prediction, table: Table, columns: tuple[str, ...]) -> None:
    """Every unique key of a partitioned table contains all columns that rows are partitioned by."""
    for part in table.partitioning.key if table.partitioning is not None else ():
        missing = [one.name for one in table.columns if mentions(part, one.name, any_case=True) and one.name not in columns]
        if missing:
            p.fails(
                "unsupported", f"a unique key of a partitioned table must contain {missing[0]}", relation=table.name, certain=True
            )


def _may_be_indexed(p: Prediction, table: Table, column: Column, part: IndexPart, method: str, *, hashed: bool) -> None:
    """`hashed`: a key that is longer than an index takes is kept as a hash."""
    word = base_word(column.type)
    if method == "fulltext":
        if word not in FULLTEXT_TYPES:
            p.fails("unsupported", f"a FULLTEXT index takes no {column.type}", relation=table.name, certain=True)
    elif method == "spatial":
        if word not in SPATIAL_TYPES:
            p.fails("unsupported", f"a SPATIAL index takes no {column.type}", relation=table.name, certain=True)
    elif word in LONG_TYPES and part.prefix is None and not hashed:
        p.fails("unsupported", f"{column.name} is {column.type}: the index needs a key length", relation=table.name, certain=True)


def _duplicates(p: Prediction, operation: CreateIndex) -> None:
    index = operation.index
    table = p.catalog.table(index.table)
    if table is not None and table.new and table.statistics.rows == 0:
        return
    columns = [quote(part.column) if part.column else f"({part.expression})" for part in index.parts]
    if not columns:
        return
    new = [part.column for part in index.parts if part.column and p.is_new(index.table, part.column)]
    if new:
        column = table.column(new[0]) if table is not None else None
        if len(new) == len(index.parts) and column is not None:
            _one_value(p, index.table, column)
        return
    present = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    listed = ", ".join(columns)
    p.fails(
        "duplicates",
        f"{index.table.name} holds rows with the same ({listed})",
        relation=index.table,
        probe=f"SELECT count(*) FROM (SELECT 1 FROM {quoted(index.table)} WHERE {present} GROUP BY {listed} HAVING count(*) > 1) d",
    )


def _one_value(p: Prediction, table: Name, column: Column) -> None:
    """A unique key over a column that comes with it: rows that are there get the default, or where the column is NOT NULL what its type begins with."""
    said = column.default is not None and column.default != "NULL"
    if said or (column.default is None and not (column.nullable or column.autoincrement or column.generated)):
        summary = f"every row of {table.name} gets the same {column.name}"
        probe = f"SELECT count(*) > 1 FROM (SELECT 1 FROM {quoted(table)} LIMIT 2) r"
        p.fails("duplicates", summary, relation=table, probe=probe)


def drop_index(p: Prediction, operation: DropIndex) -> None:
    p.grade = INDEX_GOES
    if operation.table is None:
        return
    table = p.table(operation.table)
    if table is None:
        return
    index = table.index(operation.name.name)
    if index is None:
        if not operation.if_exists:
            p.fails("missing", f"index {operation.name.name} of {table.name} does not exist", relation=table.name, certain=True)
        else:
            p.grade = INSTANT
        return
    if index.method == "fulltext":  # beside a column that comes or goes MariaDB writes the table anew
        p.grade = IN_PLACE
    if index.unique and any(part.expression for part in index.parts):
        p.grade = because(COPY, "a unique index over an expression is dropped by copying the table")
    if index.unique:
        p.loses(f"nothing keeps ({', '.join(index.columns)}) unique any more", table.name, reversible=True)


def rename_index(p: Prediction, operation: RenameIndex) -> None:
    table = p.table(operation.table) if operation.table is not None else None
    p.grade = INSTANT if p.mariadb else IN_PLACE
    if table is None:
        return
    if table.index(operation.name.name) is None and not operation.if_exists:
        p.fails("missing", f"index {operation.name.name} of {table.name} does not exist", relation=table.name, certain=True)
    if table.index(operation.to) is not None and operation.to != operation.name.name:
        p.fails("exists", f"index {operation.to} of {table.name} exists already", relation=table.name, certain=True)


def alter_index(p: Prediction, operation: AlterIndex) -> None:
    p.needs(EIGHT, IGNORED_INDEX, "an index that the optimizer does not see")
    table = p.table(operation.table) if operation.table is not None else None
    p.grade = INSTANT if p.mariadb else IN_PLACE
    if table is not None and table.index(operation.name.name) is None and not operation.if_exists:
        p.fails("missing", f"index {operation.name.name} of {table.name} does not exist", relation=table.name, certain=True)


def add_constraint(p: Prediction, operation: AddConstraint) -> None:
    table = p.table(operation.table)
    constraint = operation.constraint
    if table is not None and constraint.name and table.constraint(constraint.name) is not None:
        p.fails("exists", f"constraint {constraint.name} of {table.name} exists already", relation=table.name, certain=True)
        return
    match constraint:
        case PrimaryKey():
            refused.by_history(p, operation.table, "ADD PRIMARY KEY")
            p.does("scan", operation.table, "every row is read for the primary key")
            if table is not None and table.primary_key is not None:
                p.fails("exists", f"{table.name} has a primary key already", relation=table.name, certain=True)
            for name in constraint.columns if table is not None else ():
                column = table.column(name) if table is not None else None
                prefix = next((part.prefix for part in constraint.parts if part.column == name), None)
                if column is not None and table is not None:
                    _may_be_indexed(p, table, column, IndexPart(column=name, prefix=prefix), "", hashed=False)
                elif table is not None and not table.partial:
                    p.fails("missing", f"column {name} of {table.name} does not exist", relation=table.name, certain=True)
            p.grade = because(REBUILD, "the table is stored in the order of its primary key")
            _nulls(p, table, constraint)
            if table is not None:
                _key_duplicates(p, table, constraint.columns)
                _holds_partition_key(p, table, constraint.columns)
        case Check():
            _check(p, operation, constraint)
        case ForeignKey():
            p.grade = foreign_key_grade(p, table, constraint, name=operation.table)
        case _:
            p.grade = because(COPY, "not a constraint of this server")


def _nulls(p: Prediction, table: Table | None, key: PrimaryKey) -> None:
    if table is None:
        return
    for name in key.columns:
        column = table.column(name)
        if column is not None and column.nullable and not p.is_new(table.name, name):
            computed = p.mariadb and has_stored(table)
            p.grade = because(
                COPY if computed or not p.strict else REBUILD, "the table is stored in the order of its primary key"
            )
            p.fails(
                "nulls",
                f"{table.name.name}.{name} holds NULL",
                relation=table.name,
                probe=f"SELECT count(*) FROM {quoted(table.name)} WHERE {quote(name)} IS NULL",
            )


def _key_duplicates(p: Prediction, table: Table, columns: tuple[str, ...]) -> None:
    if any(table.column(one) is None or p.is_new(table.name, one) for one in columns) or (
        table.new and table.statistics.rows == 0
    ):
        return
    listed = ", ".join(quote(one) for one in columns)
    p.fails(
        "duplicates",
        f"{table.name.name} holds rows with the same ({listed})",
        relation=table.name,
        probe=f"SELECT count(*) FROM (SELECT 1 FROM {quoted(table.name)} GROUP BY {listed} HAVING count(*) > 1) d",
    )


def _check(p: Prediction, operation: AddConstraint, constraint: Check) -> None:
    if not p.mariadb and p.version < CHECK_ENFORCED:
        p.grade = metadata(p)
        p.loses("the check itself: before 8.0.16 MySQL reads it and forgets it", operation.table)
        return
    if not constraint.enforced:
        p.needs(CHECK_ENFORCED, None, "NOT ENFORCED")
        p.grade = metadata(p)
        return
    if p.mariadb and p.catalog.settings.get("check_constraint_checks", "1").upper() in {"0", "OFF"}:
        # The table is copied all the same (measured on 10.11 and 11.8); only a check behind a column is an entry in the dictionary.
        p.grade = because(COPY, "the table is copied, and old rows are not checked: check_constraint_checks is off")
        return
    p.does("scan", operation.table, "every row is checked")
    p.grade = because(COPY, "the check is verified by copying the table")
    table = p.catalog.table(operation.table)
    new = any(
        mentions(constraint.expression, one.name) and p.is_new(operation.table, one.name)
        for one in (table.columns if table else ())
    )
    p.fails(
        "check_violations",
        f"{operation.table.name} holds rows that break {constraint.expression}",
        relation=operation.table,
        probe="" if new else f"SELECT count(*) FROM {quoted(operation.table)} WHERE NOT ({constraint.expression})",
    )


def foreign_key_grade(
    p: Prediction, table: Table | None, key: ForeignKey, *, name: Name | None = None, added: Column | None = None
) -> Grade:
    """ADD FOREIGN KEY: a copy while foreign_key_checks is on; with it off nothing is validated, and it happens in place. `added`: the column behind
    which it stands."""
    child = table.name if table is not None else name or key.referenced
    beside_added_key(p, key, child)
    # With the checks off a parent may be missing, and come later.
    unseen = bool(key.referenced.schema) and key.referenced.schema not in p.catalog.schemas
    referenced = p.catalog.table(key.referenced) if unseen or not p.checks_foreign_keys else p.table(key.referenced)
    if key.referenced.text in p.catalog.views:
        p.fails(NEVER, f"{key.referenced.name} is a view: no foreign key points at one", relation=key.referenced, certain=True)
    if referenced is not None and table is not None:
        refused.by_types_of_key(p, table, referenced, key, added)
        ends_fit(p, table, referenced, key)
    for one in (table, referenced):
        if one is not None and one.partitioning is not None:
            p.fails(
                "unsupported", f"{one.name.name} is partitioned: it takes part in no foreign key", relation=one.name, certain=True
            )
    if not p.checks_foreign_keys:
        p.loses("old rows are never validated: foreign_key_checks is off", child, reversible=True)
        indexed = table is not None and any(one.columns[: len(key.columns)] == key.columns for one in table.indexes)
        if p.mariadb and key.on_delete == "CASCADE" and table is not None and any(stored_over(table, one) for one in key.columns):
            return because(COPY, "a stored column is computed from what the foreign key is over (error 138 in place)")
        return because(INSTANT if p.mariadb and indexed else IN_PLACE, "foreign_key_checks is off")
    p.does("scan", child, LOOKS_UP)
    columns = ", ".join(key.columns)
    pairs = " AND ".join(
        f"p.{quote(there)} = c.{quote(here)}" for here, there in zip(key.columns, key.referenced_columns, strict=False)
    )
    new = added or _comes_along(p, table, key.columns)
    if new is not None:
        if new.default not in {None, "NULL"} or not new.nullable:
            p.fails("orphans", f"every row of {child.name} gets the same {new.name}, which may point at nothing", relation=child)
    elif pairs and not (referenced is None and p.fails_for_certain):
        present = " AND ".join(f"c.{quote(one)} IS NOT NULL" for one in key.columns)
        p.fails(
            "orphans",
            f"{child.name} holds rows whose ({columns}) points at no row of {key.referenced.name}",
            relation=child,
            probe=f"SELECT count(*) FROM {quoted(child)} c WHERE {present} AND NOT EXISTS (SELECT 1 FROM {quoted(key.referenced)} p WHERE {pairs})",
        )
    return because(COPY, "the foreign key is validated by copying the table")


def _comes_along(p: Prediction, table: Table | None, columns: tuple[str, ...]) -> Column | None:
    """A column among them that the statement adds: rows hold nothing there that could be asked about."""
    found = [table.column(one) for one in columns if p.is_new(table.name, one)] if table is not None else []
    return next((one for one in found if one is not None), None)


def drop_constraint(p: Prediction, operation: DropConstraint) -> None:
    table = p.table(operation.table)
    constraint = table.constraint(operation.name) if table is not None else None
    if table is not None and constraint is None:
        index = table.index(operation.name)
        if index is not None:  # DROP CONSTRAINT of a unique key
            p.grade = IN_PLACE
            return
        p.grade = INSTANT
        if not operation.if_exists:
            p.fails("missing", f"constraint {operation.name} of {table.name} does not exist", relation=table.name, certain=True)
        return
    if operation.name == "PRIMARY":
        partitioned = table is not None and table.partitioning is not None
        unchecked = p.mariadb and p.version < ONLINE_COPY and partitioned
        p.grade = Grade(reason="a table without a primary key is copied", unchecked=unchecked)
        return
    match constraint:
        case ForeignKey():
            if in_dictionary(p):
                p.lock(constraint.referenced, EXCLUSIVE, why=f"referenced by {operation.name}")
            p.grade = INSTANT if p.mariadb else IN_PLACE
        case _:
            p.grade = metadata(p)
    p.loses(f"what {operation.name} guarantees", operation.table, reversible=True)


def alter_constraint(p: Prediction, operation: AlterConstraint) -> None:
    p.needs(CHECK_ENFORCED, None, "ALTER CHECK")
    table = p.table(operation.table)
    constraint = table.constraint(operation.name) if table is not None else None
    if table is not None and constraint is None:
        p.fails("missing", f"check {operation.name} of {table.name} does not exist", relation=table.name, certain=True)
    if operation.enforced and not (isinstance(constraint, Check) and constraint.enforced):
        p.does("scan", operation.table, "every row is checked")
        p.grade = because(COPY, "the check is verified by copying the table")
        if isinstance(constraint, Check):
            p.fails(
                "check_violations",
                f"{operation.table.name} holds rows that break {constraint.expression}",
                relation=operation.table,
                probe=f"SELECT count(*) FROM {quoted(operation.table)} WHERE NOT ({constraint.expression})",
            )
        return
    p.grade = metadata(p)
