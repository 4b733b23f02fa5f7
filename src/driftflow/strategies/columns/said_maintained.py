"""`maintained`: a column that a trigger keeps, as a typed request. docs/directives.md describes it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import need, options_of
from driftflow.errors import ParseError, RefusedError
from driftflow.model.catalog import Table
from driftflow.model.migration import Statement
from driftflow.model.names import Span
from driftflow.model.record import Record
from driftflow.patterns import lazy_regex

NAMED = lazy_regex(
    r"\bNEW\s*\.\s*(?:(?P<quoted>\"(?:[^\"]|\"\")+\"|`(?:[^`]|``)+`)|\[(?P<bracketed>[^\]]+)\]|(?P<bare>[\w$]+))", re.IGNORECASE
)
TEXTS = lazy_regex(r"'(?:[^']|'')*'")


class MaintainedRequest(Record, frozen=True, kw_only=True):
    column: str
    expression: str
    """Over NEW."""
    lookups: bool = False
    """It may read other tables, as they are when the row is written."""
    span: Span


def maintained_of(at: Situation, column: str) -> MaintainedRequest | None:
    """The request for the column. Raises ParseError (DF-E212, DF-E213, DF-E217)."""
    for request in maintained_in(at.statement):
        if request.column != column:
            raise ParseError(
                "DF-E217",
                f"the directive names {request.column}, and the statement does not",
                where=str(request.span),
                why=f"the statement that follows speaks of {column}",
                hint="correct the name, or put the directive above the statement that it is about",
            )
        return request
    return None


def maintained_in(statement: Statement) -> Iterator[MaintainedRequest]:
    """What the directives above the statement say. Raises ParseError (DF-E212, DF-E213)."""
    for directive in statement.directives:
        if directive.verb != "maintained":
            continue
        options = options_of(directive)
        if options.get("lookups", "when-written") != "when-written":
            raise ParseError(
                "DF-E213",
                "`maintained` takes lookups=when-written",
                where=str(directive.span),
                hint="driftflow's directives are described in docs/directives.md",
            )
        yield MaintainedRequest(
            column=need(directive, "column"), expression=need(directive, "set"), lookups="lookups" in options, span=directive.span
        )


def named_of_new(text: str) -> list[str]:
    """What an expression without texts reads of NEW, as it names it: bare, or in the quotes of one of the databases."""
    found = []
    for match in NAMED.finditer(text):
        quoted = match["quoted"] or ""
        found.append(quoted[1:-1].replace(quoted[0] * 2, quoted[0]) if quoted else match["bracketed"] or match["bare"])
    return found


def inputs_of(request: MaintainedRequest, table: Table) -> tuple[str, ...]:
    """The columns that the expression reads. Raises RefusedError: DF-E653 for one that the table has not, DF-E746 for an expression that nothing could
    keep true."""
    text = TEXTS.sub("''", request.expression)
    by_fold = {column.name.lower(): column.name for column in table.columns}
    named = named_of_new(text)
    for name in named:
        if name.lower() not in by_fold or name.lower() == request.column.lower():
            raise RefusedError(
                "DF-E653",
                f"{table.name.name} has no column {name} that {request.column} could be made of",
                where=str(request.span),
                why="the directive `maintained` names it",
                hint=f"it has {', '.join(one.name for one in table.columns)}",
            )
    if not named or re.search(r"\bOLD\s*\.", text, re.IGNORECASE):
        raise _never(
            request, "it must be made of columns of the written row, as NEW.column, and of nothing that the row was before"
        )
    if re.search(r"\bselect\b", text, re.IGNORECASE) and not request.lookups:
        raise _never(
            request, "it reads other rows, which change without this one being written: then the column would be out of date"
        )
    return tuple(dict.fromkeys(by_fold[name.lower()] for name in named))


def _never(request: MaintainedRequest, why: str) -> RefusedError:
    return RefusedError(
        "DF-E746",
        f"no trigger could keep {request.column} true",
        where=str(request.span),
        why=why,
        hint="correct the expression; or say lookups=when-written, if the value as it was when the row was written is what is wanted",
    )


def over_row(expression: str, row: str) -> str:
    """The expression with `row` in the place of NEW (`orders`, `NEW`)."""
    parts = re.split(r"('(?:[^']|'')*')", expression)
    return "".join(
        part if number % 2 else re.sub(r"\bNEW\s*\.", f"{row}.", part, flags=re.IGNORECASE) for number, part in enumerate(parts)
    )
