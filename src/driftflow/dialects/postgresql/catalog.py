"""Rows of PostgreSQL's own catalogs in, one `Catalog` out.

The rows come from the named queries of `drivers/catalog/postgresql/`, read with an empty search_path, so every text in them
(`public.mood`, `nextval('public.orders_id_seq'::regclass)`) means the same in every session.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from driftflow.dialects.base import Rows
from driftflow.dialects.postgresql.catalog_columns import column, sequence_options
from driftflow.dialects.postgresql.catalog_keys import constraint, index
from driftflow.dialects.postgresql.catalog_statistics import table_statistics
from driftflow.dialects.postgresql.catalog_tables import (
    extended_statistics,
    policy,
    publications_of,
    rule,
    spelled,
    table,
    trigger,
    view_columns,
)
from driftflow.model.catalog import (
    Catalog,
    Check,
    Column,
    DefaultRights,
    Extension,
    NotNull,
    Publication,
    Routine,
    Schema,
    Table,
    TypeDefinition,
    View,
    is_ours,
)
from driftflow.model.catalog import Sequence as SequenceObject
from driftflow.model.names import Name, Version
from driftflow.model.record import replace

Row = Mapping[str, Any]
Normal = Callable[[str], str]

ROUTINE_KINDS = {"f": "function", "p": "procedure", "a": "aggregate", "w": "window"}
VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}
DEFAULT_KINDS = {"r": "table", "S": "sequence", "f": "function", "T": "type", "n": "schema", "L": "large_object"}
TYPE_KINDS = {"e": "enum", "d": "domain", "c": "composite", "r": "range", "b": "base", "shell": "shell"}


def catalog(rows: Rows, *, normal: Normal = str, normal_type: Normal = str) -> Catalog:
    """The catalog that the rows describe. `normal` gives every expression its one spelling, `normal_type` every type."""
    database = rows["database"][0]
    publications = tuple(_publication(row) for row in rows["publications"])
    views = _views(rows, normal, normal_type)
    tables = _tables(rows, publications, normal, normal_type)
    schemas = [row for row in rows["schemas"] if not is_ours(row["name"])]
    return Catalog(
        vendor="postgresql",
        version=_version(database["server_version_num"]),
        database=database["database"],
        search_path=tuple(database.get("search_path") or ()),
        schemas=tuple(row["name"] for row in schemas),
        schemas_said=tuple(map(_schema, schemas)),
        tables=tables,
        views=views,
        sequences=_sequences(rows["sequences"]),
        routines=_routines(rows["routines"]),
        types=_types(rows, normal, normal_type),
        extensions=tuple(Extension(**row) for row in rows["extensions"]),
        publications=publications,
        subscriptions=tuple(row["name"] for row in rows["subscriptions"]),
        default_rights=tuple(map(_default_rights, rows.get("default_rights", ()))),
        settings=_settings(database),
        captured_at=database["captured_at"],
        complete=bool(rows.get("scope", ({"complete": True},))[0]["complete"]),
        unseen=tuple(_unseen(schemas, rows["tables"], database["role"])),
    )


def _version(number: int) -> Version:
    return Version(major=number // 10_000, minor=number % 10_000)


def _settings(database: Row) -> dict[str, str]:
    return {
        **(database["settings"] or {}),
        "version": database["version_text"],
        "role": database["role"],
        "in_recovery": "on" if database["in_recovery"] else "off",
        "block_size": str(database["block_size"]),
    }


def _unseen(schemas: Sequence[Row], tables: Sequence[Row], role: str) -> Iterator[str]:
    """The structure is visible to every role; rows are not, and a probe that must read them will say so."""
    hidden = [row["name"] for row in schemas if not row["usable"]]
    if hidden:
        yield f"role {role} may not use {_listed('schema', hidden)}"
    unreadable = [f"{row['schema']}.{row['name']}" for row in tables if not row["readable"] and not is_ours(row["name"])]
    if unreadable:
        yield f"role {role} may not read rows of {_listed('table', unreadable)}"


def _listed(what: str, names: Sequence[str], *, shown: int = 10) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{len(names)} {what}{'s' if len(names) > 1 else ''} ({', '.join(names[:shown])}{more})"


def by_relation(rows: Iterable[Row], key: str = "relation") -> dict[tuple[str, str], list[Row]]:
    """The rows of each relation, in their order."""
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["schema"], row[key]].append(row)
    return grouped


def _columns(rows: Sequence[Row], normal: Normal, normal_type: Normal) -> tuple[Column, ...]:
    return tuple(column(row, normal=normal, normal_type=normal_type) for row in rows)


def _tables(rows: Rows, publications: Sequence[Publication], normal: Normal, normal_type: Normal) -> dict[str, Table]:
    columns, constraints = by_relation(rows["columns"]), by_relation(rows["constraints"])
    indexes, triggers, policies = by_relation(rows["indexes"]), by_relation(rows["triggers"]), by_relation(rows["policies"])
    extended, rules = by_relation(rows.get("extended_statistics", ())), by_relation(rows.get("rules", ()))
    statistics = table_statistics(rows)
    parents = {f"{row['schema']}.{row['name']}": row["parents"] for row in rows["tables"]}
    tables = {}
    for row in rows["tables"]:
        place = row["schema"], row["name"]
        if is_ours(row["name"]):
            continue
        made = table(
            row,
            columns=_columns(columns[place], normal, normal_type),
            constraints=tuple(made for one in constraints[place] if (made := constraint(one, normal=normal)) is not None),
            indexes=tuple(index(one, normal=normal) for one in indexes[place]),
            triggers=tuple(trigger(one) for one in triggers[place]),
            policies=tuple(policy(one, normal=normal) for one in policies[place]),
            rules=tuple(rule(one) for one in rules[place]),
            publications=publications_of(row, publications, parents),
            statistics=statistics[place],
            extended_statistics=tuple(extended_statistics(one) for one in extended[place]),
        )
        tables[made.name.text] = _not_null_only_where_proved(made)
    return tables


def _not_null_only_where_proved(made: Table) -> Table:
    """PostgreSQL 18 marks a column NOT NULL although its constraint is NOT VALID: rows that are there may hold NULL, so it counts as nullable."""
    open_columns = {one.column for one in made.constraints if isinstance(one, NotNull) and not one.validated}
    if not open_columns:
        return made
    columns = tuple(replace(one, nullable=True) if one.name in open_columns else one for one in made.columns)
    return replace(made, columns=columns)


def _views(rows: Rows, normal: Normal, normal_type: Normal) -> dict[str, View]:
    columns, indexes, triggers = by_relation(rows["columns"]), by_relation(rows["indexes"]), by_relation(rows["triggers"])
    dependencies, rules = by_relation(rows["view_dependencies"], key="name"), by_relation(rows.get("rules", ()))
    views = {}
    for row in rows["views"]:
        place = row["schema"], row["name"]
        relations = dict.fromkeys(
            Name(schema=one["referenced_schema"], name=one["referenced_name"]) for one in dependencies[place]
        )
        name = Name(schema=row["schema"], name=row["name"])
        views[name.text] = View(
            name=name,
            definition=str(row["definition"]).strip().removesuffix(";"),
            materialized=row["kind"] == "m",
            columns=tuple(one["name"] for one in columns[place]),
            depends_on=tuple(relations),
            depends_on_columns=tuple(
                f"{one['referenced_schema']}.{one['referenced_name']}.{one['referenced_column']}"
                for one in dependencies[place]
                if one["referenced_column"]
            ),
            indexes=tuple(index(one, normal=normal) for one in indexes[place]),
            triggers=tuple(trigger(one) for one in triggers[place]),
            options=tuple(row["options"] or ()),
            owner=row["owner"],
            comment=row["comment"] or "",
            grants=tuple(sorted(row["acl"] or ())),
            rules=tuple(rule(one) for one in rules[place]),
            said=tuple(view_columns(columns[place], normal=normal)),
            populated=row.get("populated", True),
            given=tuple(sorted(row.get("given") or ())),
        )
    return views


def _sequences(rows: Sequence[Row]) -> dict[str, SequenceObject]:
    sequences = {}
    for row in rows:
        name = Name(schema=row["schema"], name=row["name"])
        owner = (row["table_schema"], row["table_name"], row["column_name"])
        if is_ours(row["name"]) or is_ours(row["table_name"] or ""):
            continue
        sequences[name.text] = SequenceObject(
            name=name,
            options=sequence_options(row, default_type="bigint"),
            owned_by=".".join(owner) if all(owner) else "",
            identity=bool(row["identity"]),
            owner=row["owner"],
            comment=row["comment"] or "",
            grants=tuple(sorted(row.get("acl") or ())),
        )
    return sequences


def _routines(rows: Sequence[Row]) -> dict[str, Routine]:
    routines = {}
    for row in rows:
        if is_ours(row["name"]):
            continue
        name = Name(schema=row["schema"], name=row["name"])
        routines[f"{name.text}({row['arguments']})"] = Routine(
            name=name,
            arguments=row["arguments"],
            kind=ROUTINE_KINDS[row["kind"]],  # type: ignore[arg-type]
            volatility=VOLATILITY[row["volatility"]],  # type: ignore[arg-type]
            language=row["language"],
            returns=row["returns"] or "",
            definition=(row["definition"] or "").strip(),
            security_definer=row["security_definer"],
            depends_on=tuple(Name(schema=schema, name=name) for schema, name in row["relations"] or ()),
            depends_on_columns=spelled(row.get("columns")),
            comment=row["comment"] or "",
            owner=row["owner"],
            grants=tuple(sorted(row["acl"])) if row["acl"] is not None else None,
        )
    return routines


def _types(rows: Rows, normal: Normal, normal_type: Normal) -> dict[str, TypeDefinition]:
    columns = by_relation(row for row in rows["columns"] if row["relation_kind"] == "c")
    types = {}
    for row in rows["types"]:
        name = Name(schema=row["schema"], name=row["name"])
        types[name.text] = TypeDefinition(
            name=name,
            kind=TYPE_KINDS[row["kind"]],  # type: ignore[arg-type]
            labels=tuple(row["labels"] or ()),
            base=normal_type(row["base"]) if row["base"] else "",
            nullable=not row["not_null"],
            default=normal(row["default_expression"]) if row["default_expression"] else None,
            checks=tuple(_domain_check(one, normal) for one in row["checks"] or ()),
            attributes=_columns(columns[row["schema"], row["name"]], normal, normal_type),
            collation=row["collation"] or "",
            definition=row["range_of"] or "",
            comment=row["comment"] or "",
            owner=row["owner"],
            grants=tuple(sorted(row["acl"])) if row["acl"] is not None else None,
        )
    return types


def _domain_check(row: Sequence[Any], normal: Normal) -> Check:
    """`pg_get_expr` cannot spell VALUE, so the text comes from the constraint: `CHECK ((VALUE > 0)) NOT VALID`."""
    name, definition, validated = row
    text = definition.removesuffix(" NOT VALID").removeprefix("CHECK ").strip()
    return Check(name=name, expression=normal(text[1:-1] if text.startswith("(") else text), validated=validated)


def _schema(row: Row) -> Schema:
    acl = row.get("acl")
    return Schema(
        name=row["name"],
        owner=row.get("owner") or "",
        comment=row.get("comment") or "",
        grants=tuple(sorted(acl)) if acl is not None else None,
    )


def _default_rights(row: Row) -> DefaultRights:
    return DefaultRights(
        role=row["role"], schema=row["schema"], kind=DEFAULT_KINDS[row["kind"]], grants=tuple(sorted(row["acl"] or ()))
    )


def _publication(row: Row) -> Publication:
    return Publication(
        name=row["name"],
        all_tables=row["all_tables"],
        schemas=tuple(row["schemas"] or ()),
        tables=tuple(Name(schema=one[0], name=one[1]) for one in row["tables"] or ()),
        narrowed=tuple("".join(one[2:]) for one in row["tables"] or ()),
        options=tuple(row.get("options") or ()),
        comment=row.get("comment") or "",
        columns=spelled(row.get("columns")),
    )
