"""What holds for every text, however broken. The property tests and the fuzzer ask the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.drivers.sqlite_syntax import check_syntax
from driftflow.errors import ParseError, SourceError
from driftflow.model.finding import Assessment
from driftflow.model.migration import Migration, Statement
from driftflow.model.operations import RawSql
from driftflow.model.record import pretty, replace, with_empty_fields
from driftflow.pipeline import empty_catalog
from driftflow.readers import goose_splitter
from driftflow.readers.files import SourceFile
from driftflow.readers.variables import substitute_flyway, substitute_psql, substitute_shell
from driftflow.reports import assessment_markdown, github, gitlab, junit, sarif
from driftflow.reports import text as text_report
from driftflow.reports.errors import file_errors

DIALECTS = ("postgresql", "mysql", "mariadb", "sqlite")
REPORTS = (text_report, sarif, junit, github, gitlab, assessment_markdown)

_PLACE = re.compile(r"f\.sql:(\d+):(\d+)\n")
_NESTED = re.compile(r"/\*(?:(?!/\*|\*/).)*\*/", re.DOTALL)
_BETWEEN = {
    "postgresql": re.compile(r"(?:[ \t\n\r\f\v\ufeff;]|--[^\n\r]*)*"),
    "sqlite": re.compile(r"(?:[ \t\n\f\r\ufeff;]|--[^\n]*|/\*.*?\*/)*", re.DOTALL),
}
"""What may stand between two statements. MySQL's DELIMITER makes terminators of anything."""


@cache
def named(name: str) -> Dialect:
    return dialect_named(name)


def cut(name: str, text: str) -> tuple[Statement, ...]:
    """The statements, or none where the splitter refuses with a place. The pieces are the text's own, in order, and nothing is lost between them."""
    try:
        statements = named(name).split(SourceText(text, file="f.sql"))
    except ParseError as error:
        placed(error, text)
        return ()
    at = 0
    for statement in statements:
        span = statement.span
        assert at <= span.start < span.end <= len(text), (at, span)
        assert statement.sql == text[span.start : span.end]
        assert statement.position(0) == (span.line, span.column)
        between(name, text[at : span.start])
        at = span.end
    between(name, text[at:])
    return statements


def between(name: str, gap: str) -> None:
    pattern = _BETWEEN.get(name)
    if pattern is None:
        return
    shorter = gap
    while name == "postgresql" and (shorter := _NESTED.sub(" ", gap)) != gap:  # its comments nest
        gap = shorter
    assert pattern.fullmatch(gap), f"left out between statements: {gap!r}"


def placed(error: SourceError, text: str) -> None:
    """The error says where, and the place is in the text."""
    found = _PLACE.match(error.where)
    assert found is not None, error.where
    lines = text.split("\n")
    line, column = int(found[1]), int(found[2])
    assert 1 <= line <= len(lines), (line, len(lines))
    assert 1 <= column <= len(lines[line - 1]) + 1, (column, lines[line - 1])
    assert len(str(error)) < 5_000, "an error is made to be read"


def read(name: str, text: str) -> tuple[tuple[Statement, ...], list[SourceError]]:
    """Every statement that can be read, and the errors of the others: the grammar's, with their places."""
    parsed: list[Statement] = []
    errors: list[SourceError] = []
    for statement in cut(name, text):
        try:
            one = named(name).parse(statement)
            if name == "sqlite":
                check_syntax(one)
        except ParseError as error:
            placed(error, text)
            errors.append(error)
            continue
        for operation in one.operations:
            assert not isinstance(operation, RawSql) or operation.reason
        parsed.append(one)
    return tuple(parsed), errors


def lint(name: str, text: str) -> Assessment:
    """Checks and reports over what can be read."""
    statements, errors = read(name, text)
    migration = Migration(
        id="1", source="plain", path="f.sql", dialect=name, statements=statements, transaction="single", checksum="", sha256=""
    )
    found = assess([migration], catalog=empty_catalog(named(name)), dialect=named(name), policy=Policy(), today="2026-01-01")
    found = replace(found, errors=file_errors(errors))
    pretty(with_empty_fields(found)).encode()
    for report in REPORTS:
        report.render(found).encode()
    return found


def files(text: str) -> None:
    """What the tools' own readers do before any dialect sees the text."""
    file = SourceFile(shown="f.sql", data=text.encode(), text=text)
    source = file.piece()
    for attempt in _attempts(file, source):
        changed: object = None
        try:
            changed = attempt()
        except* SourceError:
            pass
        if isinstance(changed, SourceText):
            for offset in {0, len(changed.text) // 2, len(changed.text)}:
                line, column = changed.position(offset)
                assert 1 <= line <= text.count("\n") + 1
                assert column >= 1


def _attempts(file: SourceFile, source: SourceText) -> Iterator[Callable[[], object]]:
    variables = {"a": "x", "name": "'", "A": ""}
    yield lambda: goose_splitter.parse(file)
    yield lambda: substitute_psql(source, variables)
    yield lambda: substitute_psql(source, {}, bodies=False)
    yield lambda: substitute_flyway(source, variables)
    yield lambda: substitute_flyway(source, variables, prefix="a", suffix="a")
    yield lambda: substitute_shell(source, variables, [(0, len(source.text))])
