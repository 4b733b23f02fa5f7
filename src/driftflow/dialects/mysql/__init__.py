"""MySQL 5.7 to 9.x, text and rows in, records out.

Read with a parser of our own over MySQL's token rules, one statement at a time: the general ones keep half of its DDL as opaque text. Validity is
the server's own to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from driftflow.dialects.base import Capability, Dialect, ErrorKind, Rows
from driftflow.dialects.exact import Exact
from driftflow.dialects.lacking import DEFERRABLE, DEFERRABLE_REFERENCE, Lack, no_deferrable
from driftflow.dialects.mysql import capabilities
from driftflow.dialects.mysql.errors import error_kind
from driftflow.dialects.source_text import SourceText
from driftflow.errors import ParseError
from driftflow.model.catalog import Catalog, Column
from driftflow.model.effects import Effects, LockClaim
from driftflow.model.migration import Statement
from driftflow.model.names import Name, Version
from driftflow.model.operations import Operation, RequestAlgorithm
from driftflow.model.record import replace


class MySQL(Dialect):
    """The parser, the renderer and the predictors are imported when they are first asked."""

    name: ClassVar[str] = "mysql"
    versions: ClassVar[tuple[Version, Version]] = (capabilities.OLDEST, capabilities.NEWEST)
    since: ClassVar[Mapping[Capability, Version]] = capabilities.SINCE
    default_schema: ClassVar[str] = ""
    one_pass: ClassVar[bool] = True
    clauses_matter: ClassVar[bool] = True
    mariadb: ClassVar[bool] = False

    def split(self, source: SourceText) -> tuple[Statement, ...]:
        from driftflow.dialects.mysql.split import split

        return split(source, mariadb=self.mariadb)

    def parse(self, statement: Statement) -> Statement:
        from driftflow.dialects.mysql.parse import parse_sql
        from driftflow.dialects.place import excerpt_of
        from driftflow.dialects.tokens import TokenFault

        try:
            return replace(statement, operations=parse_sql(statement.sql, mariadb=self.mariadb))
        except TokenFault as fault:
            raise ParseError(fault.code, fault.message, where=excerpt_of(statement, fault.offset)) from None

    def render(self, *operations: Operation) -> str:
        from driftflow.dialects.mysql.render import render

        return render(*operations, mariadb=self.mariadb)

    def render_for(self, catalog: Catalog, *operations: Operation) -> str:
        from driftflow.dialects.mysql.inherited import without_inherited

        return self.render(*without_inherited(operations, catalog))

    def quote(self, identifier: str) -> str:
        from driftflow.dialects.mysql.keywords import quote

        return quote(identifier)

    def quote_name(self, name: Name) -> str:
        from driftflow.dialects.mysql.render import quote_name

        return quote_name(name)

    def differs(self, left: str, right: str) -> str:
        return f"NOT ({left} <=> {right})"

    def differs_exactly(self, left: str, right: str, column: Column) -> str:
        return (
            self.differs(*(f"CAST({one} AS BINARY)" for one in (left, right))) if column.collation else self.differs(left, right)
        )

    def check_refusal(self, table: Name, constraint: str) -> str:
        """Not made a warning by INSERT IGNORE, as the server's own is (measured: MySQL 9.7, MariaDB 10.11, 11.8)."""
        from driftflow.dialects.mysql.keywords import quote_string
        from driftflow.dialects.mysql.triggers import CHECK_FAILED, MESSAGE_MOST

        state, number, said = CHECK_FAILED[self.name]
        message = said.format(constraint=constraint, table=table.name)
        return f"SIGNAL SQLSTATE '{state}' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = {quote_string(message[:MESSAGE_MOST])}"

    def exact(self) -> Exact:
        from driftflow.dialects.mysql.exact import MySQLExact

        return MySQLExact()

    def quote_text(self, text: str) -> str:
        from driftflow.dialects.mysql.keywords import quote_string

        return quote_string(text)

    def fold(self, identifier: str) -> str:
        """As written: whether the case of table names counts is a setting of the server (lower_case_table_names)."""
        return identifier

    def normal_expression(self, expression: str) -> str:
        from driftflow.dialects.mysql.expressions import normal_expression

        return normal_expression(expression)

    def normal_type(self, type: str) -> str:
        from driftflow.dialects.mysql.types import normal_type

        return normal_type(type)

    def resolve(self, operation: Operation, catalog: Catalog) -> Operation:
        from driftflow.dialects.mysql.resolve import resolve

        return resolve(operation, catalog, mariadb=self.mariadb)

    def effects(self, operation: Operation, catalog: Catalog, *, version: Version | None = None) -> Effects:
        return self.together((operation,), (catalog,), version=version)[0]

    def together(
        self, operations: Sequence[Operation], catalogs: Sequence[Catalog], *, version: Version | None = None
    ) -> tuple[Effects, ...]:
        from driftflow.dialects.mysql.effects import predict

        return predict(operations, catalogs, version, mariadb=self.mariadb)

    def altered_table(self, operation: Operation) -> Name | None:
        from driftflow.dialects.mysql.render.table import table_of

        return table_of(operation)

    def held_to(self, operations: Sequence[Operation], effects: Effects, catalog: Catalog) -> RequestAlgorithm | None:
        from driftflow.dialects.mysql.request import held_to

        return held_to(operations, effects, catalog.version, mariadb=self.mariadb)

    def implicit_default(self, column: Column, version: Version | None) -> str:
        from driftflow.dialects.mysql.implicit import implicit_default

        return implicit_default(column)

    def unfit(self, old: Column, new: Column, value: str) -> list[tuple[str, str]]:
        from driftflow.dialects.mysql.fitting import unfit

        return unfit(old, new, value, mariadb=self.mariadb)

    def keeps(self, old: Column, new: Column) -> bool:
        from driftflow.dialects.mysql.fitting import keeps

        return keeps(old, new, mariadb=self.mariadb)

    def conversion(self, old: Column, new: Column, value: str, *, zone: str, format: str, encoding: str) -> tuple[str, str]:
        from driftflow.dialects.mysql.conversions import conversion

        return conversion(
            old, new, value, zone=zone, format=format, encoding=encoding, mariadb=self.mariadb, literal=self.quote_text
        )

    def unknown_zone(self, zone: str) -> str:
        from driftflow.dialects.mysql.conversions import unknown_zone

        return unknown_zone(zone, self.quote_text)

    def out_of_reach(self, old: Column, new: Column, value: str, *, zone: str, format: str) -> str:
        from driftflow.dialects.mysql.conversions import out_of_reach

        return out_of_reach(old, new, value, zone=zone, format=format, literal=self.quote_text, mariadb=self.mariadb)

    def comes_twice(self, old: Column, new: Column, value: str, *, zone: str, format: str) -> str:
        from driftflow.dialects.mysql.conversions import comes_twice

        return comes_twice(old, new, value, zone=zone, format=format, literal=self.quote_text, mariadb=self.mariadb)

    def mapped(self, pairs: Mapping[str, str], value: str) -> str:
        from driftflow.dialects.mysql.conversions import mapping

        return mapping(pairs, value, self.quote_text)

    def members(self, column: Column) -> tuple[str, ...]:
        from driftflow.dialects.mysql.types import base_word, members_of

        return members_of(column.type) if base_word(column.type) == "enum" else ()

    def cut(self, new: Column, value: str) -> str:
        from driftflow.dialects.mysql.conversions import cut

        return cut(new, value)

    def decoded(self, column: Column, value: str) -> str:
        from driftflow.dialects.mysql.encoding import decoded

        return decoded(column, value)

    def mojibake(self, column: Column, value: str) -> str:
        from driftflow.dialects.mysql.encoding import mojibake

        return mojibake(column, value)

    def strict(self, sql_mode: str) -> Mapping[str, str]:
        from driftflow.dialects.mysql.strictness import strict

        return strict(sql_mode)

    def as_stored(self, column: Column, value: str) -> str:
        from driftflow.dialects.mysql.fitting import as_stored

        return as_stored(column, value)

    def trigger_obstacles(self, table: Name, version: Version | None) -> tuple[tuple[str, str], ...]:
        from driftflow.dialects.mysql.rights import without_right

        right = (without_right(table, version, mariadb=self.mariadb), f"the user has no TRIGGER right on {table}")
        return (self._untrusted("create a trigger", version), right)

    def function_obstacles(self, sql: str, version: Version | None) -> tuple[tuple[str, str], ...]:
        from driftflow.dialects.mysql.rights import says_what_it_does, wary

        said = "the binary log is on and log_bin_trust_function_creators is off: a function has to say DETERMINISTIC, NO SQL or READS SQL DATA (error 1418)"
        unsaid = () if says_what_it_does(sql) else ((wary(), said),)
        return (self._untrusted("create a function", version), *unsaid)

    def _untrusted(self, what: str, version: Version | None) -> tuple[str, str]:
        from driftflow.dialects.mysql.rights import untrusted

        said = f"the binary log is on and log_bin_trust_function_creators is off: only a user with SUPER may {what} (error 1419)"
        return untrusted(version, mariadb=self.mariadb), said

    def locked_with(self, tables: Sequence[Name], catalog: Catalog) -> tuple[str, tuple[LockClaim, ...]]:
        from driftflow.dialects.mysql.tied import lock_tables, locked_with

        claims = () if self.mariadb else locked_with(tables, catalog)
        return lock_tables(claims) if claims else "", claims

    def lacking(self, sql: str) -> Lack | None:
        if DEFERRABLE_REFERENCE.search(sql):
            return Lack(
                code="DF-E657",
                what=f"{self.name} has no deferrable foreign key",
                why="it looks at each row as it is written; a trigger could not look again at the end of the transaction",
                hint="leave DEFERRABLE out, and write parents before what points at them (a circle: NULL first, then UPDATE)",
            )
        return no_deferrable(self.name) if DEFERRABLE.search(sql) else None

    def read_otherwise(self, statement: Statement, sql_mode: str) -> Lack | None:
        from driftflow.dialects.mysql.language import read_otherwise

        def parse(text: str) -> Sequence[Operation]:
            return self.parse(replace(statement, sql=text)).operations

        return read_otherwise(statement.sql, sql_mode, parse, mariadb=self.mariadb)

    def lacking_rights(self, table: Name, rights: Sequence[str], version: Version | None) -> tuple[tuple[str, str], ...]:
        from driftflow.dialects.mysql.rights import without_right

        return tuple(
            (
                without_right(table, version, mariadb=self.mariadb, right=right, database=True),
                f"the user has no {right} right on the database of {table}",
            )
            for right in rights
        )

    def rights_left(
        self, table: Name, user: str, host: str, version: Version | None, *, besides: Sequence[tuple[str, str]] = ()
    ) -> str:
        from driftflow.dialects.mysql.rights import rights_left

        return rights_left(table, user, host, version, mariadb=self.mariadb, besides=besides)

    def more_children(self, tables: Sequence[Name]) -> tuple[tuple[str, str], ...]:
        from driftflow.dialects.mysql.rights import more_children

        said = f"{{count}} more tables than the plan knows have foreign keys to {tables[0]}, perhaps in another database"
        return ((more_children(tables), said),)

    def held_rows(self, version: Version | None, *, exclusive: bool = False, waiting: bool = False) -> str:
        """Without NOWAIT (MySQL 5.7) for as long as the session's own limit allows."""
        eight = not self.mariadb and version is not None and version >= capabilities.EIGHT
        locked = "FOR UPDATE" if exclusive else "FOR SHARE" if eight else "LOCK IN SHARE MODE"
        return f"{locked} NOWAIT" if (self.mariadb or eight) and not waiting else locked

    def error_kind(self, code: str) -> ErrorKind:
        return error_kind(code, mariadb=self.mariadb)

    def catalog(self, rows: Rows) -> Catalog:
        from driftflow.dialects.mysql.catalog import catalog_from

        return catalog_from(rows, mariadb=self.mariadb)

    def volatile(self, expression: str, catalog: Catalog) -> bool:
        from driftflow.dialects.mysql.functions import is_volatile

        return is_volatile(expression)
