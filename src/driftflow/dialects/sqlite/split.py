"""Cut a file of SQLite statements at its semicolons, knowing where a trigger's body ends."""

from __future__ import annotations

from driftflow.dialects.directives import comments_before, refuse_orphans, statement_directives
from driftflow.dialects.excerpt import excerpt_at
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.sqlite.tokens import Token, TokenFault, tokenize
from driftflow.errors import ParseError
from driftflow.model.migration import Statement

_HINTS = {
    "DF-E202": "close it, or double the quote inside",
    "DF-E203": "save the file as UTF-8 text",
    "DF-E205": "SQLite knows no such character here: quote the name, or remove it",
    "DF-E206": "end the trigger with END;",
}


def split(source: SourceText) -> tuple[Statement, ...]:
    """The statements of a file, not yet parsed. Raises ParseError for what cannot be tokens, a trigger whose body does not end, a command of the
    sqlite3 shell, or a directive that speaks of nothing."""
    try:
        tokens, comments = tokenize(source.text)
        groups = _groups(tokens)
    except TokenFault as fault:
        raise _error(fault, source) from None
    statements: list[Statement] = []
    taken = 0
    for group in groups:
        start, end = group[0].start, group[-1].end
        if group[0].key == ".":
            raise _shell_command(source, start)
        mine = comments_before(comments, taken, end)
        taken += len(mine)
        statements.append(
            Statement(
                sql=source.text[start:end],
                span=source.span(start, end),
                directives=statement_directives(mine, source, first=not statements, start=start),
                anchors=source.anchors(start, end),
            )
        )
    refuse_orphans(comments[taken:], source, statements=bool(statements))
    return tuple(statements)


def _shell_command(source: SourceText, start: int) -> ParseError:
    line = source.text[start:].split("\n", 1)[0].strip()
    return ParseError(
        "DF-E204",
        f"a command of the sqlite3 shell: {line.split()[0]}",
        where=excerpt_at(source, start),
        why="only the shell understands it, and it may change what the rest of the file means",
        hint="remove the line, or write what it does in SQL",
    )


def _groups(tokens: list[Token]) -> list[list[Token]]:
    """Tokens of each statement, without the terminator. Empty statements (`;;`) are none."""
    groups: list[list[Token]] = []
    current: list[Token] = []
    trigger = False
    for token in tokens:
        if token.key == ";" and not (trigger and not _body_ended(current)):
            if current:
                groups.append(current)
            current, trigger = [], False
            continue
        current.append(token)
        if len(current) <= 6 and token.key == "TRIGGER":
            trigger = _opens_trigger(current)
    if current:
        if trigger and not _body_ended(current):
            raise TokenFault("this trigger's body is never closed", current[0].start, "DF-E206")
        groups.append(current)
    return groups


def _opens_trigger(tokens: list[Token]) -> bool:
    """CREATE [TEMP | TEMPORARY] TRIGGER, behind EXPLAIN [QUERY PLAN] too; a table called trigger does not count."""
    keys = [token.key for token in tokens]
    while keys[:1] == ["EXPLAIN"]:
        keys = keys[3:] if keys[1:3] == ["QUERY", "PLAN"] else keys[1:]
    return keys[0] == "CREATE" and (len(keys) == 2 or (len(keys) == 3 and keys[1] in {"TEMP", "TEMPORARY"}))


def _body_ended(tokens: list[Token]) -> bool:
    """As sqlite3_complete() judges: the body ends with `; END`. The END of a CASE never follows a semicolon."""
    return len(tokens) > 1 and tokens[-1].key == "END" and tokens[-2].key == ";"


def _error(fault: TokenFault, source: SourceText) -> ParseError:
    return ParseError(fault.code, fault.message, where=excerpt_at(source, fault.offset), hint=_HINTS[fault.code])
