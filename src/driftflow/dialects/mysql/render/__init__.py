"""Operations as SQL of MySQL and MariaDB."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.mysql.keywords import quote
from driftflow.dialects.mysql.normal import CHECK_OPTION, INVOKER
from driftflow.dialects.mysql.render.clause import option_text, quote_name
from driftflow.dialects.mysql.render.table import (
    clause,
    create_table,
    create_table_as,
    is_maintenance,
    maintain,
    request,
    table_of,
    waiting,
    works_on_partitions,
)
from driftflow.model.catalog import KeptText, SequenceOptions
from driftflow.model.names import Name
from driftflow.model.operations import (
    AlterObject,
    AlterSequence,
    Copy,
    CreateFunction,
    CreateSchema,
    CreateSequence,
    CreateTable,
    CreateTableAs,
    CreateTrigger,
    CreateView,
    Delete,
    DropFunction,
    DropObject,
    DropSchema,
    DropSequence,
    DropTable,
    DropTrigger,
    DropView,
    Grant,
    Insert,
    LockTable,
    MoveTable,
    Operation,
    RawSql,
    RenameColumn,
    RenameTable,
    RequestAlgorithm,
    RewriteTable,
    Select,
    SetSetting,
    TransactionControl,
    Truncate,
    Update,
)
from driftflow.model.record import replace

__all__ = ["quote_name", "render"]


def render(*operations: Operation, mariadb: bool = False) -> str:
    """One statement, without terminator; several operations only as clauses of one ALTER TABLE. Raises ValueError otherwise."""
    if not operations:
        raise ValueError("there is nothing to render")
    if (together := _pair(*operations, mariadb=mariadb)) is not None:
        return together
    tables = {table_of(operation) for operation in operations}
    if len(operations) > 1 or None not in tables:
        if None in tables or len(tables) > 1:
            raise ValueError("only clauses of one ALTER TABLE can be combined into a statement")
        return _alter_table(*operations, mariadb=mariadb)
    return _one(operations[0], mariadb=mariadb)


def _pair(*operations: Operation, mariadb: bool) -> str | None:
    """What one statement says in several operations that are no clauses: SET STATEMENT, lists, and CREATE OR REPLACE of a table or a database is the DROP before it, too."""
    match operations:
        case (SetSetting(for_statement=True), *_):
            said = [one for one in operations if isinstance(one, SetSetting) and one.for_statement]
            return f"SET STATEMENT {', '.join(one.sql for one in said)} FOR {render(*operations[len(said) :], mariadb=mariadb)}"
        case (DropTable(name=gone), CreateTable(or_replace=True) as made) if gone == made.table.name:
            return _one(made, mariadb=mariadb)
        case (DropTable(name=gone), CreateTableAs(or_replace=True) as made) if gone == made.name:
            return _one(made, mariadb=mariadb)
        case (DropSchema(name=gone), CreateSchema(or_replace=True) as made) if gone == made.name:
            return _one(made, mariadb=mariadb)
        case (DropTable() | LockTable() as first, *_) if {type(one) for one in operations} == {type(first)}:
            return _several(operations)
        case (RenameTable() | MoveTable(), _, *_) if all(isinstance(one, RenameTable | MoveTable) for one in operations):
            return _renames([one for one in operations if isinstance(one, RenameTable | MoveTable)])
        case _:
            return None


def _several(operations: Sequence[Operation]) -> str:
    """DROP TABLE and LOCK TABLES take a list, and all of it or nothing. Raises ValueError where the elements differ in what is said once."""
    drops = [one for one in operations if isinstance(one, DropTable)]
    locks = [one for one in operations if isinstance(one, LockTable)]
    if len({(one.if_exists, one.wait_seconds) for one in drops} | {one.wait_seconds for one in locks}) > 1:
        raise ValueError("what is said once for all tables differs")
    if drops:
        exists = "IF EXISTS " if drops[0].if_exists else ""
        return f"DROP TABLE {exists}{', '.join(quote_name(one.name) for one in drops)}{waiting(drops[0].wait_seconds)}"
    listed = [
        f"{quote_name(table)}{f' AS {quote(one.alias)}' if one.alias else ''} {one.mode}" for one in locks for table in one.tables
    ]
    return f"LOCK TABLES {', '.join(listed)}{waiting(locks[0].wait_seconds)}"


def _alter_table(*operations: Operation, mariadb: bool) -> str:
    table = table_of(operations[0])
    assert table is not None
    asked = [one for one in operations if isinstance(one, RequestAlgorithm)]
    clauses = [clause(one, mariadb=mariadb) for one in _at_once(operations) if not isinstance(one, RequestAlgorithm)]
    ignore = any(one.ignore for one in asked)
    waits = [one.wait_seconds for one in asked if one.wait_seconds is not None]
    wait = waiting(waits[-1] if waits else None)
    behind = [piece for one in asked for piece in request(one)]
    exists = "IF EXISTS " if any(one.table_if_exists for one in operations) else ""
    partitions = [text for text in clauses if text.startswith(("PARTITION BY", "REMOVE PARTITIONING"))]
    plain = [text for text in clauses if text not in partitions]
    # What is done to single partitions ends the statement: ALGORITHM and LOCK stand before it (measured on MySQL 9.7; MariaDB takes neither).
    single = any(map(works_on_partitions, operations))
    text = ", ".join([*behind, *plain] if single else [*plain, *behind])
    tail = f"{' ' if text else ''}{' '.join(partitions)}"
    return f"ALTER {'IGNORE ' if ignore else ''}TABLE {exists}{quote_name(table)}{wait} {text}{tail}".rstrip()


def _at_once(operations: Sequence[Operation]) -> Sequence[Operation]:
    """All clauses of a statement speak of the columns as it finds them, so that two may change names: what bears a name only in passing is left out."""
    renames = [one for one in operations if isinstance(one, RenameColumn)]
    if len(renames) < 2:
        return operations
    ends: dict[str, str] = {}
    for one in renames:
        found = next((first for first, last in ends.items() if last == one.column), one.column)
        ends[found] = one.to
    others = [one for one in operations if not isinstance(one, RenameColumn)]
    return [replace(renames[0], column=first, to=last) for first, last in ends.items() if first != last] + others


def _one(operation: Operation, *, mariadb: bool) -> str:
    match operation:
        case (
            Insert()
            | Update()
            | Delete()
            | Select()
            | Copy()
            | RawSql()
            | TransactionControl()
            | SetSetting()
            | Grant()
            | AlterObject()
            | DropObject()
        ):
            return operation.sql
        case CreateTable():
            return create_table(operation, mariadb=mariadb)
        case CreateTableAs():
            return create_table_as(operation)
        case DropTable() | LockTable():
            return _several((operation,))
        case RewriteTable() if is_maintenance(operation):
            return maintain(operation)
        case RenameTable() | MoveTable():
            return _renames([operation])
        case DropView() | DropSequence():
            kind = {DropView: "VIEW", DropSequence: "SEQUENCE"}[type(operation)]
            return f"DROP {kind} {'IF EXISTS ' if operation.if_exists else ''}{quote_name(operation.name)}"
        case DropTrigger():
            schema = operation.schema or (operation.table.schema if operation.table is not None else "")
            name = f"{quote(schema)}.{quote(operation.name)}" if schema else quote(operation.name)
            return f"DROP TRIGGER {'IF EXISTS ' if operation.if_exists else ''}{name}"
        case DropFunction():
            return f"DROP {operation.kind.upper()} {'IF EXISTS ' if operation.if_exists else ''}{quote_name(operation.name)}"
        case (
            CreateView(kept=KeptText(statement=text))
            | CreateTrigger(kept=KeptText(statement=text))
            | CreateFunction(kept=KeptText(statement=text))
        ):
            return text.replace("CREATE", "CREATE OR REPLACE", 1) if operation.or_replace else text
        case CreateView():
            return _create_view(operation)
        case CreateTrigger():
            return _create_trigger(operation)
        case CreateFunction():
            return _create_routine(operation)
        case CreateSchema():
            head = f"CREATE {'OR REPLACE ' if operation.or_replace else ''}DATABASE"
            exists = " IF NOT EXISTS" if operation.if_not_exists else ""
            return " ".join([f"{head}{exists}", quote(operation.name), *map(option_text, operation.options)])
        case DropSchema():
            return f"DROP DATABASE {'IF EXISTS ' if operation.if_exists else ''}{quote(operation.name)}"
        case CreateSequence():
            exists = "IF NOT EXISTS " if operation.if_not_exists else ""
            short = "TEMPORARY " if operation.temporary else ""
            return f"CREATE {short}SEQUENCE {exists}{quote_name(operation.sequence.name)}{_options(operation.sequence.options)}"
        case AlterSequence():
            exists = "IF EXISTS " if operation.if_exists else ""
            again = "" if not operation.restarts else " RESTART" if operation.restart is None else f" RESTART {operation.restart}"
            return f"ALTER SEQUENCE {exists}{quote_name(operation.name)}{_options(operation.options)}{again}"
        case Truncate():
            if len(operation.tables) != 1:
                raise ValueError("MySQL truncates one table at a time")
            return f"TRUNCATE TABLE {quote_name(operation.tables[0])}{waiting(operation.wait_seconds)}"
        case _:
            raise ValueError(f"{type(operation).__name__} has no form on MySQL")


def _renames(operations: Sequence[RenameTable | MoveTable]) -> str:
    """RENAME TABLE, which carries out its list from left to right. A move to another database and a new name there are one element of it."""
    found: list[tuple[RenameTable | MoveTable, Name]] = []
    for one in operations:
        if found and isinstance(found[-1][0], MoveTable) and isinstance(one, RenameTable) and one.name == found[-1][1]:
            found[-1] = (found[-1][0], one.renamed)
        else:
            found.append((one, one.renamed))
    return f"RENAME TABLE {', '.join(_rename(one, to) for one, to in found)}"


def _rename(operation: RenameTable | MoveTable, to: Name) -> str:
    exists = "IF EXISTS " if operation.if_exists else ""
    return f"{exists}{quote_name(operation.name)}{waiting(operation.wait_seconds)} TO {quote_name(to)}"


def _create_view(operation: CreateView) -> str:
    view = operation.view
    replace = "OR REPLACE " if operation.or_replace else ""
    exists = "IF NOT EXISTS " if operation.if_not_exists else ""
    columns = f" ({', '.join(quote(column) for column in view.columns)})" if view.columns else ""
    kept = next((f" {one}" for one in view.options if one.endswith(CHECK_OPTION)), "")
    check = f" WITH {operation.check_option} CHECK OPTION" if operation.check_option else kept
    algorithm = f"ALGORITHM={operation.algorithm} " if operation.algorithm else ""
    security = f"SQL SECURITY {operation.security} " if operation.security else f"{INVOKER} " if INVOKER in view.options else ""
    head = f"CREATE {replace}{algorithm}{_definer(operation.definer)}{security}VIEW"
    return f"{head} {exists}{quote_name(view.name)}{columns} AS {view.definition}{check}"


def _create_trigger(operation: CreateTrigger) -> str:
    """The definition holds time, event, order and body; the table stands between them."""
    trigger = operation.trigger
    head = f"{trigger.timing} {trigger.events[0]}"
    body = trigger.definition[len(head) :].strip()  # FOLLOWS or PRECEDES, where it is said, stands first in it
    schema = f"{quote(trigger.table.schema)}." if trigger.table.schema else ""
    replace = "OR REPLACE " if operation.or_replace else ""
    exists = "IF NOT EXISTS " if operation.if_not_exists else ""
    name = f"{schema}{quote(trigger.name)}"
    return f"CREATE {replace}{_definer(operation.definer)}TRIGGER {exists}{name} {head} ON {quote_name(trigger.table)} FOR EACH ROW {body}"


def _definer(user: str) -> str:
    return f"DEFINER={user} " if user else ""


def _create_routine(operation: CreateFunction) -> str:
    routine = operation.routine
    replace = "OR REPLACE " if operation.or_replace else ""
    returns = f" RETURNS {routine.returns}" if routine.returns else ""
    exists = "IF NOT EXISTS " if operation.if_not_exists else ""
    head = f"CREATE {replace}{_definer(operation.definer)}{routine.kind.upper()} {exists}{quote_name(routine.name)}"
    return f"{head}({routine.arguments}){returns} {routine.definition}"


def _options(options: SequenceOptions) -> str:
    pieces = []
    for word, value in (
        ("START WITH", options.start),
        ("INCREMENT BY", options.increment),
        ("MINVALUE", options.minimum),
        ("MAXVALUE", options.maximum),
        ("CACHE", options.cache),
    ):
        if value is not None:
            pieces.append(f" {word} {value}")
    if options.cycle is not None:
        pieces.append(" CYCLE" if options.cycle else " NOCYCLE")
    return "".join(pieces)
