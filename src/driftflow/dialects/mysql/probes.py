"""Whether a statement has happened, asked of information_schema: no DDL takes part in a transaction, so after a crash only the server can say.

A statement happens as a whole (MySQL 8.0, MariaDB 10.6; before, it is the definition that counts, which is swapped at once), so it is done when
everything that it changes is as it should be. What would do no harm a second time, and has nothing to take back, is simply done again.

Source: MySQL 8.4 manual, "INFORMATION_SCHEMA Tables"; MariaDB documentation, "Information Schema Tables".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.model import operations as op
from driftflow.model.catalog import Catalog, Column, Constraint, ForeignKey, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import Operation
from driftflow.model.plan import Probe

AGAIN = "again"
"""Running it once more does no harm, and there is nothing to take back."""


def probe_of_statement(operations: Sequence[Operation], before: Catalog) -> Probe | None:
    """None where only a person can say."""
    if len(operations) > 1 and all(isinstance(one, op.RenameTable | op.MoveTable) for one in operations):
        return _renamed_together(operations, before)
    conditions = [one for one in _conditions(operations, before) if one != AGAIN]
    if None in conditions:
        return None
    if not conditions:
        return Probe(query="SELECT 'again'")
    done = " AND ".join(f"({one})" for one in dict.fromkeys(conditions))
    return Probe(query=f"SELECT CASE WHEN {done} THEN 'done' ELSE 'not_done' END")


def _renamed_together(operations: Sequence[Operation], before: Catalog) -> Probe | None:
    """A list of renames happens as a whole: what bears each name at its end. None where the names are all taken as before (two tables have
    changed places)."""
    start: dict[Name, str] = {}
    end: dict[Name, str] = {}
    for one in operations:
        assert isinstance(one, op.RenameTable | op.MoveTable)
        old, new = one.name, one.renamed
        for name in (old, new):
            start.setdefault(name, _kind(name, before))
            end.setdefault(name, start[name])
        end[old], end[new] = "", end[old] or "table"
    if start == end:
        return None
    kinds = {"table": "TABLE_TYPE <> 'VIEW'", "view": "TABLE_TYPE = 'VIEW'"}
    asked = [_exists("TABLES", name, kinds[kind]) if kind else _gone("TABLES", name) for name, kind in end.items()]
    return Probe(query=f"SELECT CASE WHEN {' AND '.join(asked)} THEN 'done' ELSE 'not_done' END")


def _kind(name: Name, catalog: Catalog) -> str:
    if name.text in catalog.views:
        return "view"
    return "table" if name.text in catalog.tables else ""


def _conditions(operations: Sequence[Operation], catalog: Catalog) -> list[str | None]:
    """The last word on each thing counts: a column that one clause adds and the next changes is asked about as it ends."""
    found: list[str | None] = []
    start = catalog
    for number, operation in enumerate(operations):
        if not any(_takes_its_name(later, operation) for later in operations[number + 1 :]):
            anew = any(_takes_its_name(operation, earlier) for earlier in operations[:number])
            found.append(_made_anew(operation, start) if anew else _condition(operation, catalog))
        with suppress(op.CatalogConflict):
            catalog = catalog.after(operation)
    return found


def _takes_its_name(later: Operation, earlier: Operation) -> bool:
    """Whether what one clause drops is made anew, under the same name, by a later one: neither its presence nor its absence tells anything then."""
    match earlier, later:
        case op.DropConstraint(), op.AddConstraint():
            name = "PRIMARY" if isinstance(later.constraint, PrimaryKey) else later.constraint.name
            return (earlier.table, earlier.name.lower()) == (later.table, name.lower())
        case op.DropIndex(table=Name() as table), op.CreateIndex(index=index):
            return (table, earlier.name.name.lower()) == (index.table, index.name.name.lower())
        case op.DropIndex(table=Name() as table), op.AddConstraint(constraint=Unique() as unique):
            return (table, earlier.name.name.lower()) == (later.table, unique.name.lower())
        case op.DropColumn(), op.AddColumn():
            return (earlier.table, earlier.column.lower()) == (later.table, later.column.name.lower())
        case _:
            return False


def _made_anew(operation: Operation, before: Catalog) -> str | None:
    """A key or an index is known by its columns, where they are others than before. What is dropped and made in one statement may be made once more;
    but not a column: what was written into the new one meanwhile would be lost."""
    match operation:
        case op.AddConstraint(table=table, constraint=PrimaryKey() | Unique() as key):
            name, columns = "PRIMARY" if isinstance(key, PrimaryKey) else key.name, key.columns
        case op.CreateIndex(index=index):
            table, name, columns = index.table, index.name.name, index.columns
        case op.AddColumn():
            return None
        case _:
            return AGAIN
    known = before.table(table)
    return (
        _columns_of_index(table, name, columns)
        if known is not None and columns and columns != _columns_before(known, name)
        else AGAIN
    )


def _columns_before(table: Table, name: str) -> tuple[str, ...]:
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKey) and name == "PRIMARY":
            return constraint.columns
        if isinstance(constraint, Unique) and constraint.name == name:
            return constraint.columns
    return next((index.columns for index in table.indexes if index.name.name == name), ())


def _columns_of_index(table: Name, name: str, columns: Sequence[str]) -> str:
    each = [
        _exists("STATISTICS", table, f"SEQ_IN_INDEX = {number}", INDEX_NAME=name, COLUMN_NAME=column)
        for number, column in enumerate(columns, 1)
    ]
    return " AND ".join([*each, f"NOT {_exists('STATISTICS', table, f'SEQ_IN_INDEX > {len(columns)}', INDEX_NAME=name)}"])


def _condition(operation: Operation, before: Catalog) -> str | None:
    """What is true once it has happened, and was not before; AGAIN; or None."""
    match operation:
        case op.AddColumn(table=table, column=column):
            return _exists("COLUMNS", table, COLUMN_NAME=column.name)
        case op.DropColumn(table=table, column=name):
            return _gone("COLUMNS", table, COLUMN_NAME=name)
        case op.RenameColumn(table=table):
            return _exists("COLUMNS", table, COLUMN_NAME=operation.to)
        case op.ChangeColumn():
            return _changed(operation, before)
        case op.SetDefault(table=table, column=name, default=default):
            return _exists("COLUMNS", table, f"COLUMN_DEFAULT {_default_is(default)}", COLUMN_NAME=name)
        case op.DropDefault(table=table, column=name):
            return _exists("COLUMNS", table, "(COLUMN_DEFAULT IS NULL OR COLUMN_DEFAULT = 'NULL')", COLUMN_NAME=name)
        case op.SetColumnOption(table=table, column=name, option="visible", value=value):
            hidden = "LIKE" if value == "invisible" else "NOT LIKE"
            return _exists("COLUMNS", table, f"EXTRA {hidden} '%INVISIBLE%'", COLUMN_NAME=name)
        case op.CreateIndex(index=index):
            return _exists("STATISTICS", index.table, INDEX_NAME=index.name.name) if index.name.name else None
        case op.DropIndex(table=Name() as table, name=index_name):
            return _gone("STATISTICS", table, INDEX_NAME=index_name.name)
        case op.RenameIndex(table=Name() as table):
            return _exists("STATISTICS", table, INDEX_NAME=operation.to)
        case op.AddConstraint(table=table, constraint=constraint):
            return _constrained(table, constraint)
        case op.DropConstraint(table=table, name=name):
            kind, key = ("STATISTICS", "INDEX_NAME") if name == "PRIMARY" else ("TABLE_CONSTRAINTS", "CONSTRAINT_NAME")
            return _gone(kind, table, **{key: name})
        case op.AlterConstraint(table=table, name=name, enforced=bool() as enforced):
            word = "YES" if enforced else "NO"
            return _exists("TABLE_CONSTRAINTS", table, f"ENFORCED = '{word}'", CONSTRAINT_NAME=name)
        case op.RequestAlgorithm() | op.SetSetting():
            return AGAIN
        case _:
            return _of_object(operation, before)


def _of_object(operation: Operation, before: Catalog) -> str | None:
    """Tables, views and code as a whole."""
    match operation:
        case op.CreateTable(table=table) if not operation.or_replace:
            return _exists("TABLES", table.name)
        case op.CreateTableAs(name=name) if not operation.or_replace:
            return _exists("TABLES", name)
        case op.DropTable(name=name) | op.DropSequence(name=name):
            return _gone("TABLES", name)
        case op.RenameTable(name=name, to=to):
            return f"{_exists('TABLES', Name(schema=name.schema, name=to))} AND {_gone('TABLES', name)}"
        case op.MoveTable(name=name, schema=schema):
            return f"{_exists('TABLES', Name(schema=schema, name=name.name))} AND {_gone('TABLES', name)}"
        case op.CreateSequence(sequence=sequence):
            return _exists("TABLES", sequence.name)
        case op.CreateView(view=view) if view.name.text not in before.views:
            return _exists("TABLES", view.name)
        case op.DropView(name=name):
            return _gone("TABLES", name)
        case op.CreateTrigger(trigger=trigger) if not operation.or_replace:
            return _trigger(trigger.table.schema, trigger.name)
        case op.DropTrigger(name=trigger_name):
            return f"NOT {_trigger(operation.schema or (operation.table.schema if operation.table else ''), trigger_name)}"
        case op.CreateFunction(routine=routine) if not operation.or_replace:
            return _routine(routine.name, routine.kind)
        case op.DropFunction(name=name, kind=kind):
            return f"NOT {_routine(name, kind)}"
        case op.CreateSchema(name=schema) if not operation.or_replace:
            return _schema(schema)
        case op.DropSchema(name=schema):
            return f"NOT {_schema(schema)}"
        case op.AlterPartitions(table=table, action="drop", partitions=partitions):
            return " AND ".join(_gone("PARTITIONS", table, PARTITION_NAME=name) for name in partitions)
        case op.AlterPartitions(action="analyze" | "check" | "optimize" | "repair" | "rebuild"):
            return AGAIN
        case op.Comment(kind="table", relation=Name() as relation):
            return _exists("TABLES", relation, f"TABLE_COMMENT = {quote_string(operation.text or '')}")
        case op.Grant(revoke=True, holder=str() as holder, relations=(relation,)) if holder:
            # What is not held any more cannot be taken again: error 1147.
            return " AND ".join(_gone(view, relation, GRANTEE=holder) for view in ("TABLE_PRIVILEGES", "COLUMN_PRIVILEGES"))
        case op.CreateView() | op.AlterIndex() | op.RewriteTable() | op.AlterTableOption() | op.ConvertCharset() | op.Grant():
            return AGAIN
        case _:
            return None


def _changed(operation: op.ChangeColumn, before: Catalog) -> str:
    """What differs from the column as it was; a definition that changes nothing may be said again."""
    table, new = operation.table, operation.definition
    known = before.table(table)
    old = known.column(operation.column) if known is not None else None
    if new.name != operation.column:
        return _exists("COLUMNS", table, COLUMN_NAME=new.name)
    told = tuple(_told(old, new))
    return _exists("COLUMNS", table, *told, COLUMN_NAME=new.name) if told else AGAIN


def _told(old: Column | None, new: Column) -> list[str]:
    """Conditions over information_schema.COLUMNS."""
    found = []
    if old is None or old.nullable != new.nullable:
        found.append(f"IS_NULLABLE = '{'YES' if new.nullable else 'NO'}'")
    if old is None or old.type != new.type:
        found.append(_type_is(new.type))
    if (old is None or old.default != new.default) and new.default is not None:
        found.append(f"COLUMN_DEFAULT {_default_is(new.default)}")
    if old is not None and old.default is not None and new.default is None:
        found.append("(COLUMN_DEFAULT IS NULL OR COLUMN_DEFAULT = 'NULL')")
    if old is not None and old.collation != new.collation and new.collation:
        found.append(f"COLLATION_NAME = {quote_string(new.collation)}")
    if old is not None and old.comment != new.comment:
        found.append(f"COLUMN_COMMENT = {quote_string(new.comment)}")
    return found


def _type_is(type: str) -> str:
    """Integers have a display width on some servers, which says nothing."""
    word, _, rest = type.lower().partition(" ")
    base = word.partition("(")[0]
    if base in {"tinyint", "smallint", "mediumint", "int", "bigint"}:
        return f"DATA_TYPE = '{base}' AND COLUMN_TYPE {'LIKE' if 'unsigned' in rest else 'NOT LIKE'} '%unsigned%'"
    return f"COLUMN_TYPE = {quote_string(type)}"


def _default_is(default: str) -> str:
    """MySQL shows a literal bare, MariaDB as it would be written; both show an expression in their own spelling."""
    bare = default[1:-1].replace("''", "'") if len(default) > 1 and default[0] == default[-1] == "'" else default
    if re.fullmatch(r"-?\d+(?:\.\d*)?", bare):
        return f"+ 0 = {bare}"  # as a number: 0 is 0.00 in a DECIMAL
    literal = bare != default
    return f"IN ({quote_string(bare)}, {quote_string(default)})" if literal else "IS NOT NULL"


def _constrained(table: Name, constraint: Constraint) -> str | None:
    match constraint:
        case PrimaryKey():
            return _exists("STATISTICS", table, INDEX_NAME="PRIMARY")
        case Unique() if constraint.name:
            return _exists("STATISTICS", table, INDEX_NAME=constraint.name)
        case _ if constraint.name:
            kind = "FOREIGN KEY" if isinstance(constraint, ForeignKey) else "CHECK"
            return _exists("TABLE_CONSTRAINTS", table, f"CONSTRAINT_TYPE = '{kind}'", CONSTRAINT_NAME=constraint.name)
        case _:
            return None


def _exists(view: str, table: Name, *conditions: str, **values: str) -> str:
    schema = quote_string(table.schema) if table.schema else "DATABASE()"
    tests = [f"TABLE_SCHEMA = {schema}", f"TABLE_NAME = {quote_string(table.name)}"]
    tests += [f"{name} = {quote_string(value)}" for name, value in values.items()]
    return f"EXISTS (SELECT 1 FROM information_schema.{view} WHERE {' AND '.join([*tests, *conditions])})"


def _gone(view: str, table: Name, **values: str) -> str:
    return f"NOT {_exists(view, table, **values)}"


def _trigger(schema: str, name: str) -> str:
    where = quote_string(schema) if schema else "DATABASE()"
    return f"EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {where} AND TRIGGER_NAME = {quote_string(name)})"


def _routine(name: Name, kind: str) -> str:
    where = quote_string(name.schema) if name.schema else "DATABASE()"
    return (
        f"EXISTS (SELECT 1 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {where} "
        f"AND ROUTINE_NAME = {quote_string(name.name)} AND ROUTINE_TYPE = {quote_string(kind.upper())})"
    )


def _schema(name: str) -> str:
    return f"EXISTS (SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {quote_string(name)})"
