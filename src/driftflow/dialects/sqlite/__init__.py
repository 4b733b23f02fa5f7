"""SQLite 3.25 to 3.53, text and rows in, records out.

Read with a parser of our own over SQLite's token rules: the general ones are silently wrong here. Validity is SQLite's own to say
(`drivers.sqlite_syntax`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from driftflow.dialects.base import Capability, Dialect, ErrorKind, Rows
from driftflow.dialects.exact import Exact
from driftflow.dialects.lacking import Lack
from driftflow.dialects.place import excerpt_of
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.sqlite import capabilities
from driftflow.dialects.sqlite.errors import error_kind
from driftflow.dialects.sqlite.functions import is_volatile
from driftflow.dialects.sqlite.keywords import quote, quote_string
from driftflow.dialects.sqlite.normal import normal_expression
from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.sqlite.render import render
from driftflow.dialects.sqlite.render.table import quote_name
from driftflow.dialects.sqlite.resolve import resolve
from driftflow.dialects.sqlite.split import split
from driftflow.dialects.sqlite.tokens import TokenFault
from driftflow.dialects.sqlite.types import normal_type
from driftflow.errors import ParseError
from driftflow.model.catalog import Catalog, Column
from driftflow.model.effects import Effects
from driftflow.model.migration import Statement
from driftflow.model.names import Name, Version
from driftflow.model.operations import Operation
from driftflow.model.record import replace


class SQLite(Dialect):
    name: ClassVar[str] = "sqlite"
    versions: ClassVar[tuple[Version, Version]] = (capabilities.OLDEST, capabilities.NEWEST)
    booleans: ClassVar[tuple[str, str]] = ("0", "1")
    """TRUE and FALSE are words only since 3.23, and 1 and 0 to SQLite in every version."""
    since: ClassVar[Mapping[Capability, Version]] = capabilities.SINCE
    default_schema: ClassVar[str] = "main"

    def split(self, source: SourceText) -> tuple[Statement, ...]:
        return split(source)

    def parse(self, statement: Statement) -> Statement:
        try:
            return replace(statement, operations=parse_sql(statement.sql))
        except TokenFault as fault:
            raise ParseError(fault.code, fault.message, where=excerpt_of(statement, fault.offset)) from None

    def render(self, *operations: Operation) -> str:
        return render(*operations)

    def quote(self, identifier: str) -> str:
        return quote(identifier)

    def quote_name(self, name: Name) -> str:
        return quote_name(name)

    def differs(self, left: str, right: str) -> str:
        return f"{left} IS NOT {right}"

    def differs_exactly(self, left: str, right: str, column: Column) -> str:
        return f"{left} IS NOT {right} COLLATE BINARY"

    def exact(self) -> Exact:
        from driftflow.dialects.sqlite.exact import SQLiteExact

        return SQLiteExact()

    def quote_text(self, text: str) -> str:
        return quote_string(text)

    def fold(self, identifier: str) -> str:
        """As written: SQLite keeps the case and compares without it."""
        return identifier

    def lacking(self, sql: str) -> Lack | None:
        from driftflow.dialects.sqlite.lacking import lacking

        return lacking(sql)

    def normal_expression(self, expression: str) -> str:
        return normal_expression(expression)

    def normal_type(self, type: str) -> str:
        return normal_type(type)

    def resolve(self, operation: Operation, catalog: Catalog) -> Operation:
        return resolve(operation, catalog)

    def effects(self, operation: Operation, catalog: Catalog, *, version: Version | None = None) -> Effects:
        from driftflow.dialects.sqlite.effects import predict

        return predict(operation, catalog, version)

    def error_kind(self, code: str) -> ErrorKind:
        return error_kind(code)

    def catalog(self, rows: Rows) -> Catalog:
        from driftflow.dialects.sqlite.catalog import catalog_from

        return catalog_from(rows)

    def conversion(self, old: Column, new: Column, value: str, *, zone: str, format: str, encoding: str) -> tuple[str, str]:
        from driftflow.dialects.sqlite.conversions import conversion

        return conversion(old.type, new.type, value, zone=zone, format=format, encoding=encoding, literal=self.quote_text)

    def volatile(self, expression: str, catalog: Catalog) -> bool:
        """The catalog holds no functions: SQLite keeps those of the application in its connections."""
        return is_volatile(expression)
