"""The catalog from rows: SQLite keeps the CREATE statements, so our own parser reads them back.

Rows that `drivers.sqlite_catalog` brings (each a list of dicts):
  schema      type, name, tbl_name, sql          of sqlite_schema, in its order
  columns     table_name, name, type, notnull, dflt_value, pk, hidden     for tables whose text says less than the server (virtual ones)
  shadow      name                               tables that belong to a virtual table
  statistics  name, rows, basis, bytes, table_bytes
  settings    name, value                        pragmas, and `version`, `file`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from driftflow.dialects.base import Rows
from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.sqlite.resolve import relation, resolve_index, resolve_table, resolve_trigger, resolve_view
from driftflow.dialects.sqlite.tokens import TokenFault
from driftflow.dialects.sqlite.types import normal_type
from driftflow.model.catalog import Catalog, Column, Index, PrimaryKey, Table, TableStatistics, Trigger, View, is_ours
from driftflow.model.names import Name, Version
from driftflow.model.operations import CreateIndex, CreateTable, CreateTrigger, CreateView, Operation
from driftflow.model.record import replace

Row = Mapping[str, Any]


def catalog_from(rows: Rows) -> Catalog:
    """Everything in `main` but driftflow's own tables and SQLite's."""
    settings = {str(row["name"]): str(row["value"]) for row in rows.get("settings", ())}
    version = settings.pop("version", "")
    database = settings.pop("file", "")
    schema = [row for row in rows.get("schema", ()) if _is_users(row, rows)]
    columns = _columns_by_table(rows.get("columns", ()))
    statistics = {str(row["name"]): _statistics(row) for row in rows.get("statistics", ())}
    bare = Catalog(
        vendor="sqlite",
        version=Version.parse(version) if version else None,
        database=database,
        search_path=("main",),
        schemas=("main",),
        settings=settings,
    )
    tables = [_table(row, columns) for row in schema if row["type"] == "table"]
    views = [view for row in schema if row["type"] == "view" and (view := _view(row)) is not None]
    named = replace(
        bare,
        tables={table.name.text: table for table in tables},
        views={view.name.text: view for view in views},
    )
    resolved = replace(
        named,
        tables={table.name.text: resolve_table(table, named) for table in tables},
        views={view.name.text: resolve_view(view, named) for view in views},
    )
    return _with_statistics(_attach(resolved, schema), statistics)


def _is_users(row: Row, rows: Rows) -> bool:
    shadows = {shadow["name"] for shadow in rows.get("shadow", ())}
    names = {str(row["name"]), str(row["tbl_name"])}
    return not any(name in shadows or is_ours(name) for name in names) and not str(row["tbl_name"]).startswith("sqlite_")


@lru_cache(maxsize=8192)
def _parsed(sql: str | None) -> Operation | None:
    """The engine reads the catalog around every step, and most of its texts have not changed in between."""
    if sql is None:
        return None
    try:
        operations = parse_sql(sql)
    except TokenFault:
        return None
    return operations[0] if operations else None


def _table(row: Row, columns: Mapping[str, tuple[Column, ...]]) -> Table:
    name = Name(schema="main", name=str(row["name"]))
    sql = str(row["sql"] or "")
    parsed = _parsed(sql)
    if not isinstance(parsed, CreateTable):
        return _unread(name, sql, columns.get(name.name, ()))
    table = replace(parsed.table, name=name, definition=sql)
    if table.kind == "virtual":
        return replace(table, columns=columns.get(name.name, ()))
    return table


def _unread(name: Name, sql: str, columns: tuple[Column, ...]) -> Table:
    """A table whose text we do not read: what the pragmas say, which is the columns and little more."""
    key = tuple(column.name for column in columns if column.storage == "key")
    plain = tuple(replace(column, storage="") for column in columns)
    return Table(name=name, columns=plain, constraints=(PrimaryKey(columns=key),) if key else (), definition=sql)


def _columns_by_table(rows: Iterable[Row]) -> dict[str, tuple[Column, ...]]:
    found: dict[str, list[Column]] = {}
    for row in rows:
        if row["hidden"] == 1:  # a virtual table's hidden column: an argument rather than data
            continue
        column = Column(
            name=str(row["name"]),
            type=normal_type(str(row["type"] or "")),
            nullable=not row["notnull"],
            default=row["dflt_value"],
            storage="key" if row["pk"] else "",
        )
        found.setdefault(str(row["table_name"]), []).append(column)
    return {name: tuple(columns) for name, columns in found.items()}


def _view(row: Row) -> View | None:
    parsed = _parsed(row["sql"])
    name = Name(schema="main", name=str(row["name"]))
    if isinstance(parsed, CreateView):
        return replace(parsed.view, name=name)
    return View(name=name, definition=str(row["sql"] or ""))


def _attach(catalog: Catalog, schema: list[Row]) -> Catalog:
    """Indexes and triggers, each to its table or view, in the order in which they were made."""
    indexes: dict[str, list[Index]] = {}
    triggers: dict[str, list[Trigger]] = {}
    for row in schema:
        # For a trigger, tbl_name is the table as its CREATE TRIGGER spelled it.
        key = relation(Name(schema="main", name=str(row["tbl_name"])), catalog).text
        match _parsed(row["sql"]):
            case CreateIndex(index=index):
                named = replace(index, name=Name(schema="main", name=str(row["name"])))
                indexes.setdefault(key, []).append(resolve_index(named, catalog))
            case CreateTrigger(trigger=trigger):
                triggers.setdefault(key, []).append(resolve_trigger(replace(trigger, name=str(row["name"])), catalog))
            case None | CreateTable() | CreateView():
                pass
            case _ if row["type"] == "trigger":
                table = Name(schema="main", name=str(row["tbl_name"]))
                unread = Trigger(name=str(row["name"]), table=table, definition=str(row["sql"]))
                triggers.setdefault(key, []).append(unread)
            case _:
                pass
    tables = {
        key: replace(table, indexes=tuple(indexes.get(key, ())), triggers=tuple(triggers.get(key, ())))
        for key, table in catalog.tables.items()
    }
    views = {key: replace(view, triggers=tuple(triggers.get(key, ()))) for key, view in catalog.views.items()}
    return replace(catalog, tables=tables, views=views)


def _statistics(row: Row) -> TableStatistics:
    return TableStatistics(
        rows=row.get("rows"),
        bytes=row.get("bytes"),
        table_bytes=row.get("table_bytes"),
        basis=str(row.get("basis") or ""),
    )


def _with_statistics(catalog: Catalog, statistics: Mapping[str, TableStatistics]) -> Catalog:
    tables = {
        key: replace(table, statistics=statistics.get(table.name.name, TableStatistics()))
        for key, table in catalog.tables.items()
    }
    return replace(catalog, tables=tables)
