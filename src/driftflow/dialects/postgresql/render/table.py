"""CREATE TABLE and what else makes, moves or rewrites whole tables."""

from __future__ import annotations

from driftflow.dialects.postgresql.names import quote, quote_name
from driftflow.dialects.postgresql.render.clause import column_text, constraint_text, names, with_options
from driftflow.model.catalog import Check, Constraint, Exclusion, ForeignKey, NotNull, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, CreateTableAs, MoveTable, RenameTable, RewriteTable

RELATION_WORDS = {
    "table": "TABLE",
    "view": "VIEW",
    "materialized_view": "MATERIALIZED VIEW",
    "foreign_table": "FOREIGN TABLE",
    "sequence": "SEQUENCE",
    "index": "INDEX",
    "type": "TYPE",
}


def create_table(operation: CreateTable) -> str:
    table = operation.table
    if table.kind in {"foreign", "virtual"}:
        raise ValueError(f"a {table.kind} table has no CREATE TABLE")
    exists = "IF NOT EXISTS " if operation.if_not_exists else ""
    text = f"CREATE {_persistence(temporary=table.kind == 'temporary', unlogged=table.unlogged)}TABLE {exists}{quote_name(table.name)}"
    elements = _elements(operation)
    if table.partition_of is not None:
        text += f" PARTITION OF {quote_name(table.partition_of)}"
    elif table.of_type:
        text += f" OF {table.of_type}"
    if elements or not (table.partition_of is not None or table.of_type):
        text += f" ({', '.join(elements)})"
    text += f" {table.partition_bound}" if table.partition_of is not None else ""
    if table.inherits:
        text += f" INHERITS ({', '.join(map(quote_name, table.inherits))})"
    return text + _storage(table) + (f" ON COMMIT {operation.on_commit}" if operation.on_commit else "") + _tablespace(table)


def _persistence(*, temporary: bool, unlogged: bool) -> str:
    return "TEMPORARY " if temporary else "UNLOGGED " if unlogged else ""


def _storage(table: Table) -> str:
    text = ""
    if table.partitioning is not None:
        text += f" PARTITION BY {table.partitioning.strategy} ({', '.join(table.partitioning.key)})"
    text += f" USING {quote(table.access_method)}" if table.access_method else ""
    return text + with_options(table.options)


def _tablespace(table: Table) -> str:
    return f" TABLESPACE {quote(table.tablespace)}" if table.tablespace else ""


def _elements(operation: CreateTable) -> list[str]:
    """Columns, LIKE at its place, and constraints in their own order: behind their column where they fit, else before the next that does."""
    table = operation.table
    behind, before = _place(table)
    positions = operation.like_positions or (0,) * len(operation.like)
    elements: list[str] = []
    for place in range(len(table.columns) + 1):
        elements += [_like(name, options) for (name, options), at in zip(operation.like, positions, strict=True) if at == place]
        elements += [constraint_text(item) for item in before[place]]
        if place < len(table.columns):
            elements.append(column_text(table.columns[place], tuple(behind[place])))
    return elements


def _like(name: Name, options: tuple[str, ...]) -> str:
    return f"LIKE {quote_name(name)}" + "".join(f" INCLUDING {option}" for option in options)


def _place(table: Table) -> tuple[list[list[Constraint]], list[list[Constraint]]]:
    """Constraints behind each column, and before each column (the last list: behind them all)."""
    places = {column.name: place for place, column in enumerate(table.columns)}
    behind: list[list[Constraint]] = [[] for _ in table.columns]
    before: list[list[Constraint]] = [[] for _ in range(len(table.columns) + 1)]
    at, waiting = 0, list[Constraint]()
    for constraint in table.constraints:
        column, must = _column_of(constraint)
        place = places.get(column, -1)
        if place < 0 or (not must and (place < at or waiting)):
            waiting.append(constraint)
            continue
        if place > at:
            before[place] += waiting
            waiting = []
        at = max(at, place)
        behind[place].append(constraint)
    before[-1] += waiting
    return behind, before


def _column_of(constraint: Constraint) -> tuple[str, bool]:
    """The column that the constraint can stand behind, and whether it must: a check remembers that it was written there."""
    match constraint:
        case Check():
            return (constraint.column, True) if constraint.validated is constraint.enforced else ("", False)
        case NotNull():
            # Behind its column since ever; as a table constraint only since PostgreSQL 18.
            return (constraint.column, True) if constraint.validated else ("", False)
        case ForeignKey():
            alone = len(constraint.columns) == 1 and constraint.validated is constraint.enforced
            return (constraint.columns[0] if alone else "", False)
        case PrimaryKey() | Unique():
            return (constraint.columns[0] if len(constraint.columns) == 1 and not constraint.include else "", False)
        case Exclusion():
            return "", False


def create_table_as(operation: CreateTableAs) -> str:
    exists = "IF NOT EXISTS " if operation.if_not_exists else ""
    kind = _persistence(temporary=operation.temporary, unlogged=operation.unlogged)
    columns = f" {names(operation.columns)}" if operation.columns else ""
    data = "" if operation.with_data else " WITH NO DATA"
    options = with_options(operation.options)
    return f"CREATE {kind}TABLE {exists}{quote_name(operation.name)}{columns}{options} AS {operation.query}{data}"


def rename(operation: RenameTable) -> str:
    return f"ALTER {_relation(operation.relation_kind, operation.name, if_exists=operation.if_exists)} RENAME TO {quote(operation.to)}"


def move(operation: MoveTable) -> str:
    return f"ALTER {_relation(operation.relation_kind, operation.name, if_exists=operation.if_exists)} SET SCHEMA {quote(operation.schema)}"


def _relation(kind: str, name: Name, *, if_exists: bool) -> str:
    return f"{RELATION_WORDS[kind]} {'IF EXISTS ' if if_exists else ''}{quote_name(name)}"


def maintain(operation: RewriteTable) -> str:
    """CLUSTER, VACUUM, ANALYZE: the actions of RewriteTable that are no ALTER TABLE."""
    table = f" {quote_name(operation.table)}" if operation.table is not None else ""
    if operation.action == "cluster":
        return f"CLUSTER{table}" + (f" USING {quote(operation.value)}" if operation.value else "")
    options, bracket, columns = operation.value.removeprefix("(").partition(")")
    given = [word for word in options.split(", ") if word]
    if operation.action == "vacuum_full":
        given.insert(0, "FULL")
    word = "ANALYZE" if operation.action == "analyze" else "VACUUM"
    if operation.action not in {"analyze", "vacuum", "vacuum_full"}:
        raise ValueError(f"{operation.action} has no form on PostgreSQL")
    del bracket
    return word + (f" ({', '.join(given)})" if given else "") + table + columns
