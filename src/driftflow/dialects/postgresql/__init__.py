"""PostgreSQL 12 to 18: the dialect's answers, each in a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import ClassVar

from driftflow.dialects.base import Capability, Dialect, ErrorKind, Rows
from driftflow.dialects.exact import Exact
from driftflow.dialects.postgresql import capabilities, errors, names
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog, Column
from driftflow.model.effects import Effects
from driftflow.model.migration import Statement
from driftflow.model.names import Name, Version
from driftflow.model.operations import Operation

PLAIN = frozenset(
    (
        "smallint",
        "integer",
        "bigint",
        "boolean",
        "uuid",
        "oid",
        "date",
        "timestamp without time zone",
        "timestamp with time zone",
        "bytea",
    )
)


@cache
def _split() -> Callable[[SourceText], tuple[Statement, ...]]:
    from driftflow.dialects.postgresql.split import split

    return split


@cache
def _parse() -> Callable[[Statement], Statement]:
    from driftflow.dialects.postgresql.parse import parse

    return parse


@cache
def _resolve() -> Callable[[Operation, Catalog], Operation]:
    from driftflow.dialects.postgresql.resolve import resolve

    return resolve


@cache
def _predict() -> Callable[[Operation, Catalog, Version | None], Effects]:
    from driftflow.dialects.postgresql.effects import predict

    return predict


class PostgreSQL(Dialect):
    """The grammar, the renderer and the predictors are imported when they are first asked: `driftflow --help` needs none of them. What a lint asks
    for every statement is looked up once."""

    name: ClassVar[str] = "postgresql"
    clauses_matter: ClassVar[bool] = True
    versions: ClassVar[tuple[Version, Version]] = (capabilities.OLDEST, capabilities.NEWEST)
    booleans: ClassVar[tuple[str, str]] = ("false", "true")
    since: ClassVar[Mapping[Capability, Version]] = capabilities.SINCE

    # text

    def split(self, source: SourceText) -> tuple[Statement, ...]:
        return _split()(source)

    def parse(self, statement: Statement) -> Statement:
        return _parse()(statement)

    def render(self, *operations: Operation) -> str:
        from driftflow.dialects.postgresql.render import render

        return render(*operations)

    def differs_exactly(self, left: str, right: str, column: Column) -> str:
        """As texts, but for types of which each value has one form: json has no equality, citext and some collations hold letters for others."""
        if column.type in PLAIN:
            return self.differs(left, right)
        return f'{left}::text IS DISTINCT FROM {right}::text COLLATE "C"'

    def quote(self, identifier: str) -> str:
        return names.quote(identifier)

    def quote_name(self, name: Name) -> str:
        return names.quote_name(name)

    def exact(self) -> Exact:
        from driftflow.dialects.postgresql.exact import PostgreSQLExact

        return PostgreSQLExact()

    def quote_text(self, text: str) -> str:
        """A text with a backslash becomes E'...', which every setting of standard_conforming_strings reads alike."""
        return names.quote_text(text)

    def fold(self, identifier: str) -> str:
        return names.fold(identifier)

    def normal_expression(self, expression: str) -> str:
        from driftflow.dialects.postgresql.expressions import normal_expression

        return normal_expression(expression)

    def normal_type(self, type: str) -> str:
        from driftflow.dialects.postgresql.types import normal_type

        return normal_type(type)

    # meaning

    def resolve(self, operation: Operation, catalog: Catalog) -> Operation:
        return _resolve()(operation, catalog)

    def effects(self, operation: Operation, catalog: Catalog, *, version: Version | None = None) -> Effects:
        return _predict()(operation, catalog, version)

    def together(
        self, operations: Sequence[Operation], catalogs: Sequence[Catalog], *, version: Version | None = None
    ) -> tuple[Effects, ...]:
        from driftflow.dialects.postgresql.effects.together import together

        return together(operations, catalogs, super().together(operations, catalogs, version=version))

    def assigns(self, old: str, new: str, catalog: Catalog, version: Version | None) -> bool:
        from driftflow.dialects.postgresql.effects.casts import castable
        from driftflow.dialects.postgresql.effects.types import read_type

        return bool(
            castable(read_type(old, catalog), read_type(new, catalog), version=version.major if version is not None else 18)
        )

    def error_kind(self, code: str) -> ErrorKind:
        return errors.error_kind(code)

    def catalog(self, rows: Rows) -> Catalog:
        from driftflow.dialects.postgresql.catalog import catalog
        from driftflow.dialects.postgresql.resolve.introspected import in_normal_form

        return in_normal_form(catalog(rows, normal=self.normal_expression, normal_type=self.normal_type))

    def volatile(self, expression: str, catalog: Catalog) -> bool:
        from driftflow.dialects.postgresql.expressions import volatile

        return volatile(expression, catalog)
