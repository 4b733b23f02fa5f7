"""MySQL and MariaDB: the protocol's own PREPARE, which says the columns of the result without running anything.

PyMySQL has no call for it, so the command is sent by hand. Source: MySQL internals manual, "COM_STMT_PREPARE".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pymysql
from pymysql.constants import FIELD_TYPE
from pymysql.protocol import FieldDescriptorPacket

from driftflow.dialects.mysql.keywords import quote
from driftflow.drivers.mysql import MysqlConnection, fault_from
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.lab.prepare import Place, Shape
from driftflow.model.names import Name

PREPARE = 0x16
CLOSE = 0x19
TYPES = {number: name.lower() for name, number in vars(FIELD_TYPE).items() if isinstance(number, int)}
BINARY = 63
"""The character set number of what is no text."""
NUMBERS = frozenset({"tiny", "short", "long", "longlong", "int24", "float", "double", "newdecimal", "decimal", "bit", "year"})
UNSIGNED = 32
MISSING = frozenset({"1364", "1048"})
"""No default for the field; it cannot be null."""


class MysqlProber:
    """Preparing changes nothing and holds no lock afterwards: the statement is closed at once."""

    def __init__(self, connection: Connection) -> None:
        assert isinstance(connection, MysqlConnection)
        self.connection = connection

    @contextmanager
    def looking(self) -> Iterator[None]:
        yield

    def shape(self, sql: str) -> Shape:
        raw = self.connection.raw
        try:
            raw._execute_command(PREPARE, sql)
            answer = raw._read_packet()
            _, statement, columns, parameters = struct.unpack_from("<BIHH", answer.get_all_data())
            _definitions(raw, parameters)
            found = _definitions(raw, columns)
        except pymysql.Error as error:
            raise fault_from(error, mariadb=self.connection.dialect == "mariadb", lost=not raw.open) from error
        raw._execute_command(CLOSE, struct.pack("<I", statement))  # It has no answer.
        return Shape(columns=tuple((str(one.name), _type(one)) for one in found))

    def places(self, table: Name) -> tuple[Place, ...]:
        """Outside of strict mode the server makes up a value for whatever is missing, so nothing is required."""
        ((mode,),) = self.connection.query("SELECT @@sql_mode")
        strict = "STRICT_" in str(mode)
        ((triggers,),) = self.connection.query(
            "SELECT count(*) FROM information_schema.triggers WHERE event_object_schema = DATABASE() AND event_object_table = %s "
            "AND action_timing = 'BEFORE' AND event_manipulation = 'INSERT'",
            (table.name,),
        )
        rows = self._columns(table)
        return tuple(
            Place(
                name=str(row["name"]),
                required=strict and row["nullable"] == "NO" and row["fallback"] is None and not _by_itself(str(row["extra"])),
                filled=bool(triggers),
            )
            for row in rows
        )

    def _columns(self, table: Name) -> list[dict[str, Any]]:
        return self.connection.query_dicts(
            "SELECT column_name AS name, is_nullable AS nullable, column_default AS fallback, extra AS extra, data_type AS kind, "
            "column_type AS whole, generation_expression <> '' AS `generated` FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = %s "
            "ORDER BY ordinal_position",
            (table.name,),
        )

    def refuses_row(self, table: Name, columns: Sequence[str], missing: Sequence[str]) -> DatabaseFault | None:
        """Tried in a transaction that is rolled back: a missing value is refused behind the triggers, and before anything else is looked at. The
        tables that it references have a made-up row each, for a trigger may look there."""
        self.connection.begin()
        try:
            for parent in self._parents(table.name):
                with suppress(DatabaseFault):
                    self._insert(parent, None)
            self._insert(table.name, columns)
        except DatabaseFault as fault:
            return fault if fault.code in MISSING else None
        finally:
            self.connection.rollback()
        return None

    def _parents(self, table: str) -> list[str]:
        """The tables that it references, and those that they reference, farthest first."""
        found: list[str] = []
        wanted = [table]
        while wanted:
            rows = self.connection.query(
                "SELECT DISTINCT referenced_table_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE() "
                "AND table_name = %s AND referenced_table_name IS NOT NULL AND referenced_table_schema = DATABASE()",
                (wanted.pop(0),),
            )
            for parent in (str(row[0]) for row in rows):
                if parent in found:
                    found.remove(parent)
                elif parent != table:
                    wanted.append(parent)
                if parent != table:
                    found.append(parent)
        return found[::-1]

    def _insert(self, table: str, columns: Sequence[str] | None) -> None:
        """A made-up row of these columns, or of all of them. Equal types get equal values, so a reference finds its row."""
        rows = [row for row in self._columns(Name(name=table)) if not row["generated"]]
        types = {str(row["name"]).lower(): (str(row["kind"]).lower(), str(row["whole"])) for row in rows}
        listed = [str(row["name"]) for row in rows] if columns is None else columns
        values = [_sample(*types.get(column.lower(), ("", ""))) for column in listed]
        self.connection.execute(f"INSERT INTO {quote(table)} ({', '.join(map(quote, listed))}) VALUES ({', '.join(values)})")


def _by_itself(extra: str) -> bool:
    """Whether the server gives the column its value: AUTO_INCREMENT, a generated column, a default by expression."""
    return any(word in extra.lower() for word in ("auto_increment", "generated"))


def _definitions(raw: Any, count: int) -> list[Any]:
    """The descriptions of so many columns, and the packet that ends them."""
    found = [raw._read_packet(FieldDescriptorPacket) for _ in range(count)]
    if count:
        raw._read_packet()
    return found


def _type(field: Any) -> str:
    """As much of the type as the protocol says; lengths of numbers are display widths, which mean nothing."""
    name = TYPES.get(field.type_code, str(field.type_code))
    if name in NUMBERS:
        return f"{name} unsigned" if field.flags & UNSIGNED else name
    binary = " binary" if field.charsetnr == BINARY and name in {"var_string", "string", "blob"} else ""
    return f"{name}({field.length}){binary}" if name in {"var_string", "string"} else f"{name}{binary}"


def _sample(kind: str, whole: str) -> str:
    match kind:
        case "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float" | "double" | "bit" | "year":
            return "1"
        case "date" | "datetime" | "timestamp":
            return "'2000-01-01'"
        case "time":
            return "'00:00:00'"
        case "json":
            return "'{}'"
        case "enum" | "set":
            return whole[whole.find("(") + 1 :].split("','")[0].rstrip(")").rstrip("'") + "'"
        case _:
            return "'x'"
