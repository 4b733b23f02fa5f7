"""Tables as wholes: CREATE, DROP, RENAME, options, character sets, rebuilds."""

from __future__ import annotations

from driftflow.dialects.mariadb.capabilities import OLDEST, ONLINE_COPY
from driftflow.dialects.mysql.effects import refused
from driftflow.dialects.mysql.effects.change import change_grade, metadata, option
from driftflow.dialects.mysql.effects.grade import COPY, IN_PLACE, INSTANT, REBUILD, SHARED_REBUILD, Grade, because, weakest
from driftflow.dialects.mysql.effects.partners import beside_gone, in_dictionary
from driftflow.dialects.mysql.effects.prediction import (
    EXCLUSIVE,
    SHARED_READ,
    Prediction,
    quoted,
)
from driftflow.dialects.mysql.keywords import quote
from driftflow.dialects.mysql.types import LONG_TYPES, TEXTS, base_word
from driftflow.model.catalog import ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    AlterTableOption,
    Comment,
    ConvertCharset,
    CreateTable,
    CreateTableAs,
    DropTable,
    MoveTable,
    RenameTable,
    RewriteTable,
    Truncate,
)
from driftflow.model.operations.table import VERSIONED
from driftflow.model.record import replace


def create_table(p: Prediction, operation: CreateTable) -> None:
    table = operation.table
    if operation.or_replace:
        p.needs(None, OLDEST, "CREATE OR REPLACE TABLE")
    if p.catalog.table(table.name) is not None:
        if not operation.if_not_exists:
            p.fails("exists", f"table {table.name} exists already", relation=table.name, certain=True)
        return
    p.lock(table.name, EXCLUSIVE)
    for key in table.constraints:
        if isinstance(key, ForeignKey) and key.referenced != table.name:
            if in_dictionary(p):
                p.lock(key.referenced, EXCLUSIVE, why=f"referenced by {table.name.name}")
            if p.checks_foreign_keys:
                p.table(key.referenced)
        if isinstance(key, ForeignKey):
            referenced = table if key.referenced == table.name else p.catalog.table(key.referenced)
            if referenced is not None:
                refused.by_types_of_key(p, table, referenced, key)
    for column in table.columns:
        refused.by_definition(p, table.name, column)
    for source in (*(source for source, _ in operation.like), *operation.copied_from):
        p.lock(source, SHARED_READ, why="its definition is copied")
        p.table(source)
    required = p.catalog.settings.get("sql_require_primary_key", "OFF").upper() in {"1", "ON"}
    if required and table.kind != "temporary" and table.primary_key is None and not operation.like:
        p.fails("unsupported", "the server requires a primary key (sql_require_primary_key)", relation=table.name, certain=True)


def create_table_as(p: Prediction, operation: CreateTableAs) -> None:
    if operation.or_replace:
        p.needs(None, OLDEST, "CREATE OR REPLACE TABLE")
    if p.catalog.table(operation.name) is not None and not operation.if_not_exists:
        p.fails("exists", f"table {operation.name} exists already", relation=operation.name, certain=True)
    p.lock(operation.name, EXCLUSIVE)
    for source in operation.reads:
        p.lock(source, SHARED_READ, held="statement", why="read for the new table; in REPEATABLE READ its rows are locked too")
        p.does("rows", source, "read for the new table")
        p.table(source)


def drop_table(p: Prediction, operation: DropTable) -> None:
    table = p.catalog.table(operation.name)
    if table is None:
        if not operation.if_exists and p.catalog.complete:
            p.fails("missing", f"table {operation.name} does not exist", relation=operation.name, certain=True)
        if p.catalog.complete:
            return
    p.lock(operation.name, EXCLUSIVE)
    p.loses(f"the rows of {operation.name.name}", operation.name)
    p.breaks("every statement that names it", operation.name)
    for holder, key in p.catalog.referencing(operation.name):
        if holder.name != operation.name and p.checks_foreign_keys:
            p.fails("dependency", f"foreign key {key.name} of {holder.name} points at it", relation=operation.name, certain=True)
    beside_gone(p, operation.name, why="which goes")


def truncate(p: Prediction, operation: Truncate) -> None:
    for name in operation.tables:
        p.table(name)
        p.lock(name, EXCLUSIVE)
        p.loses(f"every row of {name.name}", name)
        for holder, key in p.catalog.referencing(name):
            if holder.name != name and p.checks_foreign_keys:
                p.fails("dependency", f"foreign key {key.name} of {holder.name} points at it", relation=name, certain=True)


def rename_table(p: Prediction, operation: RenameTable | MoveTable) -> None:
    """One moment under the exclusive lock, on MySQL on both ends of its foreign keys too."""
    p.grade = Grade(instant=True, inplace="NONE", copy="SHARED", instant_only=True)
    known = p.catalog.table(operation.name) is not None or operation.name.text in p.catalog.views
    if not known and not operation.if_exists and p.catalog.complete:
        p.fails("missing", f"table {operation.name} does not exist", relation=operation.name, certain=True)
    table = p.catalog.table(operation.name)
    if isinstance(operation, MoveTable) and table is not None and table.triggers:
        p.fails(
            "dependency",
            f"trigger {table.triggers[0].name} belongs to the database {operation.name.schema} (error 1435)",
            relation=operation.name,
            certain=True,
        )
    p.lock(operation.name, EXCLUSIVE)
    p.breaks("every statement that names it by the old name", operation.name)
    beside_gone(p, operation.name, why="which is called otherwise then")


def comment(p: Prediction, operation: Comment) -> None:
    """COMMENT=: in place on MySQL (it has no INSTANT for table options), instant on MariaDB."""
    p.grade = INSTANT if p.mariadb else IN_PLACE
    if operation.relation is not None:
        p.table(operation.relation)


def alter_table_option(p: Prediction, operation: AlterTableOption) -> None:
    p.table(operation.table)
    word = operation.value.partition("=")[0].upper()
    p.grade = INSTANT if p.mariadb else IN_PLACE
    if operation.option == "add_period":
        p.grade = because(COPY, "every row is looked at: it must begin before it ends")
        begin, end = (f"{quoted(operation.table)}.{quote(one)}" for one in operation.columns)
        p.fails(
            "check_violations",
            f"{operation.table.name} holds rows that do not begin before they end",
            relation=operation.table,
            probe=f"SELECT count(*) FROM {quoted(operation.table)} WHERE {begin} >= {end} OR {begin} IS NULL OR {end} IS NULL",
        )
    elif operation.option == "drop_period":
        p.breaks(f"FOR PORTION OF {operation.value} fails", operation.table)
    elif word in {"DISABLE KEYS", "ENABLE KEYS"}:
        p.grade = INSTANT if p.mariadb else metadata(p)
    elif "TABLESPACE" in word:
        p.loses(f"the rows of {operation.table.name}, until a tablespace is imported", operation.table)
        _is_pointed_at(p, operation.table)
        p.grade = because(COPY, "the tablespace is exchanged")
    elif word == "PAGE_COMPRESSED" and p.mariadb:
        p.grade = _compressed(p, operation)
    elif word in {"CHECKSUM", "TRANSACTIONAL", "COMPRESSION", "PAGE_COMPRESSION_LEVEL"} and p.mariadb:
        p.grade = INSTANT


def _compressed(p: Prediction, operation: AlterTableOption) -> Grade:
    """Every page is written anew where they were not compressed before, or are no longer."""
    table = p.catalog.table(operation.table)
    on = {"1", "ON", "YES"}
    before = table is not None and option(table, "PAGE_COMPRESSED").strip("'`") in on
    after = operation.value.partition("=")[2].strip(" '").upper() in on
    return INSTANT if before == after else because(REBUILD, "every page is written anew")


def convert_charset(p: Prediction, operation: ConvertCharset) -> None:
    table = p.table(operation.table)
    if not operation.columns:
        p.grade = INSTANT if p.mariadb else IN_PLACE
        return
    if table is None:
        p.grade = because(COPY, "which columns are converted is not known")
        return
    grades = [INSTANT if p.mariadb else IN_PLACE]
    changes = False
    for column in table.columns:
        if base_word(column.type) in TEXTS and column.charset:
            converted = replace(column, charset=operation.charset, collation=operation.collation)
            grades.append(change_grade(p, table, column, converted))
            recoded = (column.charset, column.collation) != (operation.charset, operation.collation)
            changes = changes or (recoded and base_word(column.type) in LONG_TYPES)
            if operation.charset not in {"utf8mb4", column.charset}:
                p.fails(
                    "bad_cast",
                    f"{table.name.name}.{column.name} holds characters that {operation.charset} lacks",
                    relation=table.name,
                )
    p.grade = weakest(grades)
    if p.grade.inplace and not p.mariadb and changes:  # measured on 9.7, and not so for MODIFY of the same columns
        p.grade = because(SHARED_REBUILD, "the table has TEXT columns")


def rewrite_table(p: Prediction, operation: RewriteTable) -> None:
    if operation.table is None:
        return
    table = p.table(operation.table)
    match operation.action:
        case "optimize":
            p.grade = because(REBUILD, "OPTIMIZE writes the table anew")
        case "force" | "row_format" | "key_block_size":
            p.grade = _rebuilt(p, table, operation)
        case "system_versioning":
            p.grade = _versioning(p, table, operation)
        case "engine":
            p.grade = _engine(p, table, operation.value)
        case "order_by":
            p.grade = Grade(reason="the table is copied", unchecked=p.mariadb and p.version < ONLINE_COPY)
        case "encryption":
            same = operation.value.upper() in {"N", "NO"} and (table is None or option(table, "ENCRYPTION") in {"", "N"})
            p.grade = IN_PLACE if same else because(REBUILD if p.mariadb else COPY, "every page is written anew")
        case "tablespace":
            p.grade = because(COPY, "the table moves to another tablespace")
        case "analyze":
            p.lock(operation.table, SHARED_READ, held="instant")
        case "check":
            p.lock(operation.table, SHARED_READ, held="scan")
            p.does("scan", operation.table, "CHECK TABLE reads every row and index")
        case "repair":
            p.lock(operation.table, EXCLUSIVE, held="statement")
            p.does("rewrite", operation.table, "REPAIR TABLE")
        case _:
            p.unknown = f"{operation.action} is no statement of {p.server}"


def _rebuilt(p: Prediction, table: Table | None, operation: RewriteTable) -> Grade:
    if table is not None and operation.action == "key_block_size" and operation.value not in {"", "0"}:
        stated = option(table, "ROW_FORMAT")
        if stated not in {"", "DEFAULT", "COMPRESSED"}:
            p.fails(
                "unsupported",
                f"KEY_BLOCK_SIZE goes only with ROW_FORMAT=COMPRESSED, not {stated}",
                relation=table.name,
                certain=True,
            )
    return because(REBUILD, "the table is written anew")


def _versioning(p: Prediction, table: Table | None, operation: RewriteTable) -> Grade:
    assert operation.table is not None
    adds, versioned = operation.value == "add", table is not None and VERSIONED in table.options
    if table is not None and adds == versioned:
        p.fails(
            "exists" if adds else "missing",
            f"{table.name.name} {'keeps' if adds else 'does not keep'} the history of its rows{' already' if adds else ''}",
            relation=table.name,
            certain=True,
        )
    partitioned = table is not None and table.partitioning is not None
    unchecked = partitioned and p.version < ONLINE_COPY
    if adds:
        return Grade(reason="every row gets the time from which it holds, in two hidden columns", unchecked=unchecked)
    p.loses(f"the history of the rows of {operation.table.name}", operation.table)
    p.breaks("a query FOR SYSTEM_TIME fails", operation.table)
    if partitioned:
        return Grade(reason="the old versions of the rows are left behind", unchecked=unchecked)
    return because(SHARED_REBUILD, "the old versions of the rows are left behind")


def _is_pointed_at(p: Prediction, name: Name) -> None:
    """The rows that keys of other tables point at stay where those keys can see them."""
    for holder, key in p.catalog.referencing(name) if p.checks_foreign_keys or not p.mariadb else ():
        if holder.name != name:
            p.fails("dependency", f"foreign key {key.name} of {holder.name} points at it", relation=name, certain=True)


def _engine(p: Prediction, table: Table | None, engine: str) -> Grade:
    current = option(table, "ENGINE") if table is not None else ""
    if (not current and engine.upper() == "INNODB") or current == engine.upper():
        return _rebuilt(p, table, RewriteTable(table=None, action="engine", value=engine))
    if engine.upper() != "INNODB":
        p.loses("transactions, foreign keys and crash safety", table.name if table is not None else None)
        if engine.upper() == "MEMORY" and table is not None and any(base_word(one.type) in LONG_TYPES for one in table.columns):
            p.fails("unsupported", "MEMORY takes no TEXT, BLOB or JSON", relation=table.name, certain=True)
        for key in table.foreign_keys if table is not None else ():
            p.fails("dependency", f"foreign key {key.name} needs InnoDB", relation=table.name if table else None, certain=True)
        if table is not None:
            _is_pointed_at(p, table.name)
    return Grade(reason=f"the rows move to {engine}", unchecked=p.mariadb and p.version < ONLINE_COPY)
