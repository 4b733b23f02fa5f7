"""CREATE TABLE in all its forms, CREATE TABLE AS, SELECT INTO, and the bounds of partitions."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse import NotUnderstood, expression_text, query_text
from driftflow.dialects.postgresql.deparse.expression import names_of, piece, qualified
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.parse.column import column_definition, constraint
from driftflow.dialects.postgresql.parse.node import options, relation
from driftflow.dialects.postgresql.parse.touches import reads_of
from driftflow.dialects.postgresql.types import type_text
from driftflow.model.catalog import Column, Constraint, NotNull, Partitioning, Table
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, CreateTableAs, Operation
from driftflow.model.record import replace

# Bits of TableLikeClause.options, from PostgreSQL's parsenodes.h, in the order in which the documentation lists them.
_LIKE_OPTIONS = (
    (1, "COMMENTS"),
    (2, "COMPRESSION"),
    (4, "CONSTRAINTS"),
    (8, "DEFAULTS"),
    (16, "GENERATED"),
    (32, "IDENTITY"),
    (64, "INDEXES"),
    (128, "STATISTICS"),
    (256, "STORAGE"),
)
_LIKE_ALL = 0x7FFFFFFF


def create_table(body: Node, sql: str) -> tuple[Operation, ...]:
    columns: list[Column] = []
    constraints: list[Constraint] = []
    like: list[tuple[Name, tuple[str, ...]]] = []
    positions: list[int] = []
    for node in body.get("tableElts", ()):
        match node:
            case {"ColumnDef": definition}:
                column, behind = column_definition(definition)
                columns.append(column)
                constraints.extend(behind)
            case {"Constraint": definition}:
                constraints.append(constraint(definition))
            case {"TableLikeClause": clause}:
                like.append((relation(clause["relation"]), _like_options(clause.get("options", 0))))
                positions.append(len(columns))
            case _:
                raise NotUnderstood("a table element of an unexpected kind")
    table = replace(_shell(body), columns=_not_null(columns, constraints), constraints=tuple(constraints))
    return (
        CreateTable(
            table=table,
            if_not_exists=bool(body.get("if_not_exists")),
            like=tuple(like),
            like_positions=tuple(positions) if any(positions) else (),
            on_commit={"ONCOMMIT_DROP": "DROP", "ONCOMMIT_DELETE_ROWS": "DELETE ROWS"}.get(body.get("oncommit", ""), ""),
        ),
    )


def _shell(body: Node) -> Table:
    """The table without its columns: how it is stored and what it hangs on."""
    target, parents = body["relation"], tuple(relation(node["RangeVar"]) for node in body.get("inhRelations", ()))
    bound = body.get("partbound")
    persistence = target.get("relpersistence", "p")
    return Table(
        name=relation(target),
        kind="temporary" if persistence == "t" else "table",
        unlogged=persistence == "u",
        partitioning=partitioning(body["partspec"]) if "partspec" in body else None,
        partition_of=parents[0] if bound is not None else None,
        partition_bound=bound_text(bound) if bound is not None else "",
        inherits=parents if bound is None else (),
        of_type=type_text(body["ofTypename"]) if "ofTypename" in body else "",
        options=options(body.get("options", [])),
        tablespace=body.get("tablespacename", ""),
        access_method=body.get("accessMethod", ""),
    )


def _not_null(columns: list[Column], constraints: list[Constraint]) -> tuple[Column, ...]:
    """A NOT NULL written as a table constraint makes its column not nullable, too."""
    marked = {item.column for item in constraints if isinstance(item, NotNull)}
    return tuple(replace(column, nullable=False) if column.name in marked and column.nullable else column for column in columns)


def _like_options(bits: int) -> tuple[str, ...]:
    if bits == _LIKE_ALL:
        return ("ALL",)
    return tuple(word for bit, word in _LIKE_OPTIONS if bits & bit)


def partitioning(body: Node) -> Partitioning:
    keys = []
    for node in body["partParams"]:
        element = node["PartitionElem"]
        if "name" in element:
            text = quote(element["name"])
        else:
            text = expression_text(element["expr"])
            text = (
                text if "FuncCall" in element["expr"] and piece(element["expr"])[1] >= 14 and text.endswith(")") else f"({text})"
            )
        text += f" COLLATE {qualified(element['collation'])}" if "collation" in element else ""
        text += f" {qualified(element['opclass'])}" if "opclass" in element else ""
        keys.append(text)
    strategy = body["strategy"].removeprefix("PARTITION_STRATEGY_")
    return Partitioning(strategy=strategy, key=tuple(keys))


def bound_text(body: Node) -> str:
    """A partition's bound, as pg_get_expr(relpartbound) prints it."""
    if body.get("is_default"):
        return "DEFAULT"
    match body.get("strategy"):
        case "l":
            return f"FOR VALUES IN ({_datums(body['listdatums'])})"
        case "r":
            return f"FOR VALUES FROM ({_datums(body['lowerdatums'])}) TO ({_datums(body['upperdatums'])})"
        case "h":
            return f"FOR VALUES WITH (modulus {body['modulus']}, remainder {body.get('remainder', 0)})"
        case other:
            raise NotUnderstood(f"a partition bound of kind {other}")


def _datums(nodes: list[Node]) -> str:
    return ", ".join(_datum(node) for node in nodes)


def _datum(node: Node) -> str:
    match node:
        case {"ColumnRef": {"fields": [{"String": {"sval": ("minvalue" | "maxvalue") as word}}]}}:
            return str(word).upper()
        case {"TypeCast": {"arg": {"A_Const": {"sval": _}} as argument}}:
            # The server keeps the constant in the key's type: DATE '2024-01-01' is printed as '2024-01-01'.
            return expression_text(argument)
        case _:
            return expression_text(node)


def create_table_as(body: Node, sql: str) -> tuple[Operation, ...]:
    """CREATE TABLE AS; CREATE MATERIALIZED VIEW shares the node and is a view."""
    if body.get("objtype") == "OBJECT_MATVIEW":
        from driftflow.dialects.postgresql.parse.view import create_materialized_view

        return create_materialized_view(body)
    return (_table_as(body["into"], body["query"], if_not_exists=bool(body.get("if_not_exists"))),)


def select_into(body: Node) -> Operation:
    """SELECT ... INTO: the same as CREATE TABLE AS."""
    query = {key: value for key, value in body.items() if key != "intoClause"}
    return _table_as(body["intoClause"], {"SelectStmt": query}, if_not_exists=False)


def _table_as(into: Node, query: Node, *, if_not_exists: bool) -> CreateTableAs:
    if "accessMethod" in into or "tableSpaceName" in into or into.get("onCommit", "ONCOMMIT_NOOP") != "ONCOMMIT_NOOP":
        raise NotUnderstood("CREATE TABLE AS with a tablespace, an access method or ON COMMIT")
    persistence = into["rel"].get("relpersistence", "p")
    return CreateTableAs(
        name=relation(into["rel"]),
        query=query_text(query),
        reads=reads_of(query),
        if_not_exists=if_not_exists,
        temporary=persistence == "t",
        unlogged=persistence == "u",
        with_data=not into.get("skipData"),
        options=options(into.get("options", [])),
        columns=tuple(names_of(into.get("colNames", []))),
    )
