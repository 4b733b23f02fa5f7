"""Rows of information_schema to the catalog.

Source: MySQL 8.4 manual, "INFORMATION_SCHEMA Tables"; MariaDB documentation of the same name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Literal, cast

from driftflow.dialects.base import Rows
from driftflow.dialects.cursor import Unread
from driftflow.dialects.mysql.expressions import normal_expression
from driftflow.dialects.mysql.keywords import quote, quote_string
from driftflow.dialects.mysql.normal import normal, view_options
from driftflow.dialects.mysql.parse.cursor import Cursor
from driftflow.dialects.mysql.parse.partition import WORDS
from driftflow.dialects.mysql.settled import settled_default
from driftflow.dialects.mysql.tokens import TokenFault, tokenize
from driftflow.dialects.mysql.types import normal_type
from driftflow.dialects.relations import relations_read
from driftflow.model.catalog import (
    Action,
    Catalog,
    Check,
    Column,
    Constraint,
    ForeignKey,
    Generated,
    Index,
    IndexPart,
    KeptText,
    Partitioning,
    PrimaryKey,
    Routine,
    SequenceOptions,
    Table,
    TableStatistics,
    Trigger,
    TriggerText,
    View,
)
from driftflow.model.catalog import (
    Sequence as SequenceObject,
)
from driftflow.model.names import Name, Version
from driftflow.model.operations.table import VERSIONED

Row = Mapping[str, Any]


def catalog_from(rows: Rows, *, mariadb: bool) -> Catalog:
    """The catalog of one database; its name is the schema of everything in it."""
    database = rows["database"][0]
    schema = str(database["name"])
    found = _Reader(rows, schema, mariadb=mariadb)
    vendor = "mariadb" if mariadb else "mysql"
    settings = {str(row["variable_name"]): str(row["value"]) for row in rows["settings"]}
    return Catalog(
        vendor=vendor,
        version=Version.parse(str(database["version"]).partition("-")[0]),
        database=schema,
        search_path=(schema,),
        schemas=(schema,),
        tables={table.name.text: table for table in found.tables()},
        views={view.name.text: view for view in found.views()},
        sequences={one.name.text: one for one in found.sequences()},
        routines={one.key(vendor): one for one in found.routines()},
        settings=settings,
        captured_at=str(database["captured_at"]),
        complete=bool(rows.get("scope", ({"complete": True},))[0]["complete"]),
        unseen=tuple(str(row["sentence"]) for row in rows.get("unseen", ())),
    )


def _grants(rows: Sequence[Row]) -> tuple[str, ...]:
    """`'app'@'%'=SELECT, UPDATE (price)` of everybody who has rights on this one table by its name; `=*` where they may be given on."""
    held: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        column = f" ({quote(str(row['column_name']))})" if row["column_name"] is not None else ""
        key = (str(row["grantee"]), "*" if row["is_grantable"] == "YES" else "")
        held.setdefault(key, []).append(f"{row['privilege_type']}{column}")
    return tuple(f"{grantee}={option}{', '.join(rights)}" for (grantee, option), rights in held.items())


class _Reader:
    """The rows, grouped by table once."""

    def __init__(self, rows: Rows, schema: str, *, mariadb: bool) -> None:
        self.rows = rows
        self.schema = schema
        self.mariadb = mariadb
        self.columns = _by_table(rows["columns"])
        self.statistics = _by_table(rows["statistics"])
        self.keys = _by_table(rows["foreign_keys"])
        self.checks = _by_table(rows.get("checks", ()))
        self.triggers = _by_table(rows["triggers"], "event_object_table")
        self.partitions = _by_table(rows["partitions"])
        self.grants = _by_table(rows.get("grants", ()))
        self.versions = {str(row["table_name"]): int(row["total_row_versions"]) for row in rows.get("row_versions", ())}

    def name(self, name: object) -> Name:
        return Name(schema=self.schema, name=str(name))

    # tables

    def tables(self) -> list[Table]:
        kinds = {"BASE TABLE", "SYSTEM VERSIONED"}
        return [self._table(row) for row in self.rows["tables"] if row["table_type"] in kinds]

    def _table(self, row: Row) -> Table:
        key = str(row["table_name"])
        name = self.name(key)
        columns = [self._column(one) for one in self.columns.get(key, ())]
        collation = str(row["table_collation"] or "")
        primary, indexes = self._indexes(name, chooses=str(row["engine"]) == "MEMORY")
        constraints: list[Constraint] = [*primary, *self._foreign_keys(key), *self._checks(key, columns)]
        return Table(
            name=name,
            columns=tuple(columns),
            constraints=tuple(constraints),
            indexes=tuple(indexes),
            triggers=tuple(self._trigger(one, name) for one in self.triggers.get(key, ())),
            options=tuple(
                sorted((*_options(row, collation), *((VERSIONED,) if row["table_type"] == "SYSTEM VERSIONED" else ())))
            ),
            comment=str(row["table_comment"] or ""),
            grants=_grants(self.grants.get(key, ())),
            partitioning=self._partitioning(key),
            statistics=_statistics(row, self.versions.get(key)),
        )

    def _column(self, row: Row) -> Column:
        extra = str(row["extra"] or "").upper()
        type_ = normal_type(_text(row["column_type"]))
        generated = None
        expression = _text(row.get("generation_expression"))
        if expression:
            generated = Generated(
                expression=normal_expression(_unescaped(expression, self.mariadb)),
                stored="STORED" in extra or "PERSISTENT" in extra,
            )
        on_update = ""
        if "ON UPDATE" in extra:
            moment = extra.partition("ON UPDATE ")[2].split(" ")[0]
            on_update = normal_expression(moment)
        return Column(
            name=str(row["column_name"]),
            type=type_,
            nullable=row["is_nullable"] == "YES",
            default=None if generated is not None else self._default(row, type_, extra),
            generated=generated,
            charset=_charset(str(row["character_set_name"] or "")),
            collation=_collation(str(row["collation_name"] or "")),
            comment=str(row["column_comment"] or ""),
            on_update=on_update,
            autoincrement="AUTO_INCREMENT" in extra,
            visible="INVISIBLE" not in extra,
            unversioned="WITHOUT SYSTEM VERSIONING" in extra,
        )

    def _default(self, row: Row, type_: str, extra: str) -> str | None:
        """MariaDB keeps an expression; MySQL the bare value, and says in EXTRA where it is an expression."""
        if row["column_default"] is None:
            return None
        text = _text(row["column_default"])
        if self.mariadb:
            return settled_default(normal_expression(text), type_)
        computed = "DEFAULT_GENERATED" in extra or text.upper().startswith("CURRENT_TIMESTAMP")
        expression = normal_expression(_unescaped(text, self.mariadb))
        if computed and expression.startswith("'"):
            return f"({expression})"
        if computed or text.startswith(("b'", "x'", "0x")):
            return settled_default(expression, type_)
        return settled_default(quote_string(text), type_)

    def _indexes(self, table: Name, *, chooses: bool) -> tuple[list[PrimaryKey], list[Index]]:
        primary: list[PrimaryKey] = []
        indexes: list[Index] = []
        for name, grouped in groupby(self.statistics.get(table.name, ()), key=lambda row: str(row["index_name"])):
            parts_rows = list(grouped)
            parts = tuple(self._part(row) for row in parts_rows)
            first = parts_rows[0]
            comment = str(first["index_comment"] or "")
            method = str(first["index_type"]).lower()
            if method == "btree" and not chooses:
                method = ""
            if name == "PRIMARY":
                kept = parts if any(part.descending or part.prefix for part in parts) else ()
                columns = tuple(part.column for part in parts)
                primary.append(PrimaryKey(name=name, columns=columns, parts=kept, comment=comment, method=method))
                continue
            visible = first.get("is_visible", "YES") == "YES" and first.get("ignored", "NO") == "NO"
            indexes.append(
                Index(
                    name=Name(schema=table.schema, name=name),
                    table=table,
                    parts=parts if method not in {"fulltext", "spatial"} else tuple(_whole(part) for part in parts),
                    unique=int(first["non_unique"]) == 0,
                    method=method,
                    visible=visible,
                    comment=comment,
                )
            )
        return primary, indexes

    def _part(self, row: Row) -> IndexPart:
        expression = _text(row.get("expression"))
        if expression:
            text = normal_expression(_unescaped(expression, self.mariadb))
            return IndexPart(expression=text, descending=row["collation"] == "D")
        prefix = int(row["sub_part"]) if row["sub_part"] is not None else None
        return IndexPart(column=str(row["column_name"]), prefix=prefix, descending=row["collation"] == "D")

    def _foreign_keys(self, table: str) -> list[ForeignKey]:
        found = []
        for name, grouped in groupby(self.keys.get(table, ()), key=lambda row: str(row["constraint_name"])):
            parts = list(grouped)
            first = parts[0]
            referenced = Name(schema=str(first["referenced_table_schema"]), name=str(first["referenced_table_name"]))
            found.append(
                ForeignKey(
                    name=name,
                    columns=tuple(str(row["column_name"]) for row in parts),
                    referenced=referenced,
                    referenced_columns=tuple(str(row["referenced_column_name"]) for row in parts),
                    on_delete=_action(first["delete_rule"]),
                    on_update=_action(first["update_rule"]),
                )
            )
        return found

    def _checks(self, table: str, columns: Sequence[Column]) -> list[Check]:
        names = {column.name for column in columns}
        found = []
        for row in self.checks.get(table, ()):
            name = str(row["constraint_name"])
            expression = normal_expression(_unescaped(_text(row["check_clause"]), self.mariadb))
            of_column = name if row.get("level") == "Column" and name in names else ""
            enforced = row.get("enforced", "YES") == "YES"
            found.append(Check(name=name, expression=expression, column=of_column, enforced=enforced, validated=enforced))
        return found

    def _trigger(self, row: Row, table: Name) -> Trigger:
        timing = cast(Literal["BEFORE", "AFTER"], str(row["action_timing"]))
        event = str(row["event_manipulation"])
        return Trigger(
            name=str(row["trigger_name"]),
            table=table,
            definition=f"{timing} {event} {_statement(_text(row['action_statement']))}",
            timing=timing,
            events=(event,),
            kept=_trigger_text(row) if row.get("statement") else None,
        )

    def _partitioning(self, table: str) -> Partitioning | None:
        rows = self.partitions.get(table, ())
        if not rows:
            return None
        method = str(rows[0]["partition_method"])
        strategy = next((one for one in ("RANGE", "LIST", "HASH", "KEY") if one in method), "HASH")
        expression = _text(rows[0]["partition_expression"])
        columns = "COLUMNS" in method or strategy == "KEY"
        key = tuple(one.strip().strip("`") for one in expression.split(",")) if columns else (normal_expression(expression),)
        return Partitioning(
            strategy=cast(Literal["RANGE", "LIST", "HASH", "KEY"], strategy),
            key=key,
            definition=_partitions(method, expression, rows),
        )

    # other objects

    def views(self) -> list[View]:
        return [self._view(row) for row in self.rows["views"]]

    def _view(self, row: Row) -> View:
        text = _text(row["view_definition"])
        depends_on = tuple(Name(schema=one.schema or self.schema, name=one.name) for one in _reads(text))
        columns = tuple(str(one["column_name"]) for one in self.columns.get(str(row["table_name"]), ()))
        check = "" if str(row["check_option"]) == "NONE" else str(row["check_option"])
        options = view_options(str(row["security_type"]), check)
        name = self.name(row["table_name"])
        kept = KeptText(**_kept(row)) if row.get("statement") else None
        return View(name=name, definition=_statement(text), columns=columns, depends_on=depends_on, options=options, kept=kept)

    def sequences(self) -> list[SequenceObject]:
        return [
            SequenceObject(name=self.name(row["table_name"]), options=_sequence(row.get("sequence")))
            for row in self.rows["tables"]
            if row["table_type"] == "SEQUENCE"
        ]

    def routines(self) -> list[Routine]:
        return [
            Routine(
                name=self.name(row["routine_name"]),
                kind="procedure" if row["routine_type"] == "PROCEDURE" else "function",
                volatility="immutable" if row["is_deterministic"] == "YES" else "volatile",
                language="sql",
                returns=_text(row["dtd_identifier"]),
                definition=_statement(_text(row["routine_definition"])),
                security_definer=row["security_type"] == "DEFINER",
                comment=str(row["routine_comment"] or ""),
                kept=KeptText(**_kept(row), sql_mode=str(row["sql_mode"])) if row.get("statement") else None,
            )
            for row in self.rows["routines"]
        ]


def _by_table(rows: Sequence[Row], key: str = "table_name") -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row[key]), []).append(row)
    return found


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.decode() if isinstance(value, bytes) else str(value)


WITHIN_QUOTES = {"0": "\0", "n": "\n", "r": "\r", "Z": "\x1a"}


def _unescaped(text: str, mariadb: bool) -> str:
    """MySQL prints an expression as it would stand within quotes (`_utf8mb4\\'it\\\\\\'s\\'` for 'it''s')."""
    return (
        text
        if mariadb
        else re.sub(r"\\(.)", lambda found: WITHIN_QUOTES.get(found.group(1), found.group(1)), text, flags=re.DOTALL)
    )


def _action(rule: object) -> Action:
    """InnoDB does the same for NO ACTION and RESTRICT, and MariaDB shows the one for the other."""
    return "NO ACTION" if rule == "RESTRICT" else cast(Action, str(rule))


def _charset(name: str) -> str:
    return "utf8mb3" if name == "utf8" else name


def _collation(name: str) -> str:
    return f"utf8mb3_{name[5:]}" if name.startswith("utf8_") else name


def _whole(part: IndexPart) -> IndexPart:
    """FULLTEXT and SPATIAL indexes hold whole columns; SPATIAL shows a length all the same."""
    return IndexPart(column=part.column)


def _options(row: Row, collation: str) -> tuple[str, ...]:
    """What CREATE TABLE said, and engine and character set, which every table has."""
    found = [f"ENGINE={row['engine']}"] if row["engine"] else []
    if collation:
        found += [f"CHARSET={_charset(collation.partition('_')[0])}", f"COLLATE={_collation(collation)}"]
    for word in str(row["create_options"] or "").split():
        name, separator, value = word.partition("=")
        if separator and name.upper() != "PARTITIONED":
            found.append(f"{name.upper()}={value.strip('`' + chr(39)).upper()}")
    return tuple(sorted(found))


def _sequence(row: Row | None) -> SequenceOptions:
    if row is None:
        return SequenceOptions()
    return SequenceOptions(
        start=int(row["start_value"]),
        increment=int(row["increment"]),
        minimum=int(row["minimum_value"]),
        maximum=int(row["maximum_value"]),
        cache=int(row["cache_size"]),
        cycle=bool(row["cycle_option"]),
    )


def _statistics(row: Row, versions: int | None) -> TableStatistics:
    """TABLE_ROWS is InnoDB's estimate, which may be off by half; without it the size is known all the same."""
    if row["data_length"] is None:
        return TableStatistics(row_versions=versions)
    data, index = int(row["data_length"] or 0), int(row["index_length"] or 0)
    return TableStatistics(
        rows=None if row["table_rows"] is None else int(row["table_rows"]),
        bytes=data + index,
        table_bytes=data,
        average_row_bytes=int(row["avg_row_length"] or 0) or None,
        row_versions=versions,
        basis="information_schema.tables",
    )


def _partitions(method: str, expression: str, rows: Sequence[Row]) -> str:
    """PARTITION BY as CREATE TABLE would say it."""
    text = f"PARTITION BY {method} ({expression})"
    names = dict.fromkeys(str(row["partition_name"]) for row in rows)
    if method in {"HASH", "KEY", "LINEAR HASH", "LINEAR KEY"}:
        return _statement(f"{text} PARTITIONS {len(names)}", keywords=WORDS)
    described = {str(row["partition_name"]): _text(row["partition_description"]) for row in rows}
    word = "LESS THAN" if method.startswith("RANGE") else "IN"
    pieces = []
    for name, value in described.items():
        bound = value if value == "MAXVALUE" and "COLUMNS" not in method else f"({value})"
        pieces.append(f"PARTITION {quote(name)} VALUES {word} {bound}")
    return _statement(f"{text} ({', '.join(pieces)})", keywords=WORDS)


def _kept(row: Row) -> dict[str, str]:
    return {
        "statement": _text(row["statement"]),
        "definer": str(row["definer"]),
        "character_set": str(row["character_set_client"]),
        "collation": str(row["collation_connection"]),
    }


def _trigger_text(row: Row) -> TriggerText:
    return TriggerText(
        **_kept(row),
        sql_mode=str(row["sql_mode"]),
        body_sha256=hashlib.sha256(_text(row["action_statement"]).encode()).hexdigest(),
        database_collation=str(row["database_collation"]),
        order=int(row["action_order"]),
    )


def _statement(text: str, *, keywords: frozenset[str] = frozenset()) -> str:
    try:
        tokens, _ = tokenize(text, mariadb=True)
    except TokenFault:
        return text
    return normal(tokens, keywords=keywords)


def _reads(text: str) -> tuple[Name, ...]:
    try:
        tokens, _ = tokenize(text, mariadb=True)
        return relations_read(Cursor(tokens, text, mariadb=True))
    except (TokenFault, Unread):
        return ()
