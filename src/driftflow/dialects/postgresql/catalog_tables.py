"""Tables with their partitioning, triggers, policies and publications, as PostgreSQL's catalogs hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from driftflow.model.catalog import (
    Column,
    Constraint,
    ExtendedStatistics,
    Index,
    Partitioning,
    Policy,
    Publication,
    Rule,
    Table,
    TableStatistics,
    Trigger,
    ViewColumn,
)
from driftflow.model.names import Name

Row = Mapping[str, Any]

PER_ROW, BEFORE, INSTEAD = 1, 2, 64
EVENTS = ((4, "INSERT"), (8, "DELETE"), (16, "UPDATE"), (32, "TRUNCATE"))
COMMANDS: Mapping[str, Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]] = {
    "*": "ALL",
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
}


def table(
    row: Row,
    *,
    columns: tuple[Column, ...],
    constraints: tuple[Constraint, ...],
    indexes: tuple[Index, ...],
    triggers: tuple[Trigger, ...],
    policies: tuple[Policy, ...],
    rules: tuple[Rule, ...],
    publications: tuple[str, ...],
    statistics: TableStatistics,
    extended_statistics: tuple[ExtendedStatistics, ...],
) -> Table:
    """One row of tables.sql with everything that hangs on it."""
    parents = tuple(Name(schema=schema, name=name) for schema, name in row["parents"] or ())
    is_partition = row["partition_bound"] is not None
    method = row["access_method"]
    return Table(
        name=Name(schema=row["schema"], name=row["name"]),
        columns=columns,
        constraints=constraints,
        indexes=indexes,
        triggers=triggers,
        policies=policies,
        rules=rules,
        row_security=row["row_security"],
        row_security_forced=row["row_security_forced"],
        partitioning=partitioning(row["partition_key"]) if row["partition_key"] else None,
        partition_of=parents[0] if is_partition and parents else None,
        partition_bound=row["partition_bound"] or "",
        inherits=() if is_partition else parents,
        kind="foreign" if row["kind"] == "f" else "table",
        unlogged=row["persistence"] == "u",
        owner=row["owner"],
        comment=row["comment"] or "",
        options=(*(row["options"] or ()), *(f"toast.{option}" for option in row["toast_options"] or ())),
        tablespace=row["tablespace"],
        access_method="" if method == "heap" else method,
        replica_identity=row["replica_identity"],
        of_type=row["of_type"],
        grants=tuple(sorted(row["acl"] or ())),
        publications=publications,
        statistics=statistics,
        extended_statistics=extended_statistics,
    )


def partitioning(key: str) -> Partitioning:
    """`RANGE (created_at, lower(name))` as strategy and parts."""
    strategy, _, rest = key.partition(" ")
    return Partitioning(strategy=strategy.upper(), key=tuple(split_list(rest.strip()[1:-1])))  # type: ignore[arg-type]


def split_list(text: str) -> list[str]:
    """`a, f(b, c)` cut at the commas that stand in no parenthesis and no quotes."""
    parts, depth, quote, current = [], 0, "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "," and depth == 0:
            parts.append(current.strip())
            current = ""
            continue
        else:
            depth += (character == "(") - (character == ")")
        current += character
    return [*parts, current.strip()] if current.strip() else parts


def trigger(row: Row) -> Trigger:
    """One row of triggers.sql."""
    bits = row["bits"]
    return Trigger(
        name=row["name"],
        table=Name(schema=row["schema"], name=row["relation"]),
        definition=row["definition"],
        function=Name(schema=row["function_schema"], name=row["function_name"]),
        timing="INSTEAD OF" if bits & INSTEAD else "BEFORE" if bits & BEFORE else "AFTER",
        events=tuple(name for bit, name in EVENTS if bits & bit),
        update_columns=tuple(row["update_columns"] or ()),
        per_row=bool(bits & PER_ROW),
        constraint=row["is_constraint"],
        enabled=row["enabled"],
        comment=row["comment"] or "",
    )


def rule(row: Row) -> Rule:
    """One row of rules.sql."""
    return Rule(
        name=row["name"],
        target=row["target"],
        definition=row["definition"].strip().removesuffix(";"),
        enabled=row["enabled"],
        comment=row["comment"] or "",
        depends_on_columns=spelled(row["columns"]),
    )


def spelled(columns: Sequence[Sequence[str]] | None) -> tuple[str, ...]:
    """`schema.table.column` of each."""
    return tuple(f"{Name(schema=schema, name=name).text}.{column}" for schema, name, column in columns or ())


def view_columns(rows: Iterable[Row], *, normal: Callable[[str], str]) -> Iterator[ViewColumn]:
    """Of the rows of columns.sql those of a view's columns of which something is said beside the query."""
    for row in rows:
        found = ViewColumn(
            name=row["name"],
            comment=row["comment"] or "",
            default=normal(row["expression"]) if row["expression"] is not None else None,
            statistics=row.get("statistics"),
            options=tuple(row.get("options") or ()),
            grants=tuple(sorted(row.get("acl") or ())),
        )
        if found != ViewColumn(name=row["name"]):
            yield found


def extended_statistics(row: Row) -> ExtendedStatistics:
    """One row of extended_statistics.sql."""
    return ExtendedStatistics(
        name=Name(schema=row["statistics_schema"], name=row["name"]),
        columns=tuple(row["columns"] or ()),
        definition=row.get("definition") or "",
        spelled=row.get("spelled") or "",
        target=row.get("target"),
        owner=row.get("owner") or "",
        comment=row.get("comment") or "",
    )


def policy(row: Row, *, normal: Callable[[str], str]) -> Policy:
    """One row of policies.sql."""
    return Policy(
        name=row["name"],
        table=Name(schema=row["schema"], name=row["relation"]),
        permissive=row["permissive"],
        command=COMMANDS[row["command"]],
        roles=tuple(row["roles"] or ("public",)),
        using=normal(row["using_expression"]) if row["using_expression"] else "",
        check=normal(row["check_expression"]) if row["check_expression"] else "",
        comment=row.get("comment") or "",
    )


def publications_of(row: Row, publications: Sequence[Publication], parents: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the publications that carry the table: by itself, by its schema, by a partitioned ancestor, or because they carry everything.
    Unlogged and foreign tables are never carried."""
    if row["persistence"] != "p" or row["kind"] == "f":
        return ()
    line = [Name(schema=row["schema"], name=row["name"]), *_ancestors(row, parents)]
    return tuple(one.name for one in publications if one.all_tables or _carries(one, line))


def _carries(publication: Publication, line: Iterable[Name]) -> bool:
    return any(name in publication.tables or name.schema in publication.schemas for name in line)


def _ancestors(row: Row, parents: Mapping[str, Any]) -> list[Name]:
    found: list[Name] = []
    above = row["parents"] if row["partition_bound"] is not None else None
    while above:
        name = Name(schema=above[0][0], name=above[0][1])
        found.append(name)
        above = parents.get(name.text)
    return found
