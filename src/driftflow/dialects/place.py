"""Where in a file a statement is wrong."""

from __future__ import annotations

from driftflow.dialects.excerpt import WIDTH_MAX, excerpt
from driftflow.model.migration import Statement


def excerpt_of(statement: Statement, offset: int) -> str:
    """`file:line:column`, the source line and a caret, for a character of the statement."""
    offset = min(offset, len(statement.sql))
    line, column = statement.position(offset)
    start = statement.sql.rfind("\n", 0, offset) + 1
    end = statement.sql.find("\n", offset)
    text = statement.sql[start : end if end >= 0 else None].rstrip("\r")
    # The first line of a statement may begin in the middle of a line of the file.
    indent = max(0, column - 1 - (offset - start))
    return excerpt(file=statement.span.file, line=line, column=column, source_line=text, indent=indent)


def shortened(message: str) -> str:
    """A grammar's own words. They repeat what they stumble over, and that may be a string of megabytes."""
    return message if len(message) <= WIDTH_MAX else f"{message[: WIDTH_MAX // 2]} … {message[-WIDTH_MAX // 4 :]}"
