"""What the parser reads, the renderer writes, and the parser reads again as the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftflow.dialects.source_text import SourceText
from driftflow.dialects.sqlite import SQLite
from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.drivers.sqlite_syntax import check_syntax
from driftflow.model.catalog import Catalog
from driftflow.model.operations import CreateTable, Operation, RawSql
from driftflow.model.record import decode, encode, replace

CORPUS = Path(__file__).with_name("corpus.sql").read_text(encoding="utf-8")
STATEMENTS = SQLite().split(SourceText(CORPUS, file="corpus.sql"))


EMPTY = Catalog(vendor="sqlite", complete=False)


def meaning(operation: Operation) -> Operation:
    """`main.a` and `a` are the same; the kept CREATE TABLE text is the source's, and differs from the rendered one."""
    operation = SQLite().resolve(operation, EMPTY)
    if isinstance(operation, CreateTable):
        return replace(operation, table=replace(operation.table, definition=""))
    return operation


def test_the_corpus_is_large() -> None:
    assert len(STATEMENTS) >= 150
    assert len({statement.sql for statement in STATEMENTS}) == len(STATEMENTS)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.sql[:60])
def test_round_trip(statement) -> None:
    (operation,) = parse_sql(statement.sql)
    assert not isinstance(operation, RawSql), operation
    rendered = SQLite().render(operation)
    (again,) = parse_sql(rendered)
    assert meaning(again) == meaning(operation), rendered
    assert SQLite().render(again) == rendered


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.sql[:60])
def test_sqlite_takes_the_statement_and_its_rendering(statement) -> None:
    parsed = SQLite().parse(statement)
    check_syntax(parsed)
    rendered = SQLite().render(*parsed.operations)
    check_syntax(SQLite().parse(replace(statement, sql=rendered)))


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.sql[:60])
def test_operations_are_records_that_travel(statement) -> None:
    parsed = SQLite().parse(statement)
    assert decode(encode(parsed), type(parsed)) == parsed
