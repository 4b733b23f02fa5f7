"""What a server keeps of objects beside what the catalog holds of them: owners, rights of columns and routines, rules, publications, how far a
sequence has counted. Read by the lab alone, to compare two databases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources

from driftflow.drivers import postgresql_catalog
from driftflow.engine.ports import Connection
from driftflow.model.catalog import Catalog, is_ours
from driftflow.model.names import Name

POSITION = "position"
"""Of whatever counts: as far as it has counted, in its own direction. More is no harm, less hands out numbers again."""
Details = Mapping[str, Mapping[str, str]]
"""By object (`column public.orders.total`) the facts that are not empty."""
Fact = tuple[str, Name, str, str, str]
"""(kind, name, part, fact, value)."""


def details_of(connection: Connection, catalog: Catalog) -> Details:
    """Of everything that is not driftflow's own. `catalog` is that of the same database."""
    match catalog.vendor:
        case "postgresql":
            facts = _postgresql(connection)
        case "sqlite":
            facts = _sqlite(connection)
        case _:
            facts = _mysql(connection, catalog)
    found: dict[str, dict[str, str]] = {}
    for kind, name, part, fact, value in facts:
        if value and not is_ours(name.schema) and not is_ours(name.name):
            found.setdefault(_spelled(kind, name, part), {})[fact] = value
    return found


def _spelled(kind: str, name: Name, part: str) -> str:
    """As the objects of a catalog are told."""
    return f"rule {part} of {name}" if kind == "rule" else f"{kind} {name}.{part}" if part else f"{kind} {name}"


def _postgresql(connection: Connection) -> Iterator[Fact]:
    for row in connection.query_dicts(postgresql_catalog.sql("details", connection.version.major)):
        yield row["kind"], Name(schema=row["schema"], name=row["name"]), row["part"], row["fact"], row["value"] or ""


def _mysql(connection: Connection, catalog: Catalog) -> Iterator[Fact]:
    text = resources.files("driftflow.drivers").joinpath("catalog", "mysql", "details.sql").read_text("utf-8")
    for row in connection.query(text):
        kind, schema, name, part, fact, value = ("" if one is None else str(one) for one in row)
        yield kind, Name(schema=schema, name=name), part, fact, value
    for view in catalog.views.values():
        if view.kept is not None:
            algorithm = re.search(r"ALGORITHM=(\w+)", view.kept.statement)
            yield "view", view.name, "", "algorithm", algorithm[1] if algorithm else ""
            yield "view", view.name, "", "definer", view.kept.definer


def _sqlite(connection: Connection) -> Iterator[Fact]:
    for pragma in ("user_version", "application_id"):
        ((value,),) = connection.query(f"PRAGMA {pragma}")
        yield "file", Name(name=""), "", pragma, str(value)
    if connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'"):
        for table, position in connection.query("SELECT name, seq FROM sqlite_sequence"):
            yield "table", Name(schema="main", name=str(table)), "", POSITION, str(position)
