"""What a migration file says to driftflow: comments of the form `-- driftflow: verb argument key=value key="two words"`.

A directive speaks of the statement that follows it, or of the statement inside which it stands. The verb `file` speaks of the whole file and
must come before the first statement: `-- driftflow: file ignore DF104`. Every dialect uses this one grammar, so a file reads the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from driftflow.dialects.excerpt import excerpt_at
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.tokens import CommentToken
from driftflow.errors import ParseError
from driftflow.model.migration import Directive, Statement
from driftflow.model.names import Span
from driftflow.patterns import lazy_regex

FILE_VERB = "file"
HINT = 'write it as: -- driftflow: verb argument key=value key="two words"'

LEADING = lazy_regex(r"\s+|(?P<comment>(?:--|#)[^\n]*|/\*.*?\*/)", re.DOTALL)
"""White space or a comment. `#` begins one on MySQL, and nothing elsewhere."""
_OPENING = lazy_regex(r"(?:--|#|/\*)[ \t]*driftflow:", re.IGNORECASE)
_VERB = lazy_regex(r"[ \t]*([a-z][a-z0-9_-]*)(?=\s|$)")
_WORD = lazy_regex(
    r"""[ \t]+(?:
        (?P<key>[A-Za-z][A-Za-z0-9_.-]*)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s"]*))
      | "(?P<text>(?:[^"\\]|\\.)*)"
      | (?P<word>[^\s"=]+)
    )(?=\s|$)""",
    re.VERBOSE,
)


def is_directive(comment: str) -> bool:
    """Whether a comment (with its delimiters) is meant for driftflow, well formed or not."""
    return _OPENING.match(comment) is not None


def parse_directive(comment: str, span: Span, *, where: str = "") -> Directive | None:
    """The directive in a comment, or None when the comment is not for driftflow. Raises ParseError (DF-E210) when it is, and malformed.

    `where` is the rendered excerpt for the error; without it the span is shown.
    """
    opening = _OPENING.match(comment)
    if opening is None:
        return None
    end = len(comment.rstrip().removesuffix("*/").rstrip() if comment.startswith("/*") else comment.rstrip())
    verb = _VERB.match(comment, opening.end(), end)
    if verb is None:
        raise _malformed(span, where, "the verb is missing: a lower-case word must follow `driftflow:`")
    options: dict[str, str] = {}
    arguments: list[str] = []
    at = verb.end()
    while at < end:
        word = _WORD.match(comment, at, end)
        if word is None:
            raise _malformed(span, where, f"`{comment[at:end].strip()}` is neither an argument nor key=value")
        if (key := word["key"]) is None:
            arguments.append(word["word"] if word["text"] is None else _unescape(word["text"]))
        elif key in options:
            raise _malformed(span, where, f"`{key}` is given twice")
        elif (plain := word["plain"]) is not None and plain.startswith("'") and (plain == "'" or not plain.endswith("'")):
            why = f"{key}={plain} ends at the space: only double quotes hold several words together"
            raise _malformed(span, where, why, hint=f"""write it as: {key}="...", and a text of SQL as: {key}="'...'\"""")
        else:
            options[key] = plain if word["quoted"] is None else _unescape(word["quoted"])
        at = word.end()
    return Directive(verb=verb[1], options=options, arguments=tuple(arguments), span=span)


def directives_of(comments: Iterable[CommentToken], source: SourceText) -> tuple[Directive, ...]:
    """The directives among the comments, in order, with their places in the file."""
    found = []
    for comment in comments:
        if is_directive(comment.text):
            span = source.span(comment.start, comment.start + len(comment.text))
            directive = parse_directive(comment.text, span, where=excerpt_at(source, comment.start))
            if directive is not None:
                if _trails(comment, source.text):
                    raise misplaced(
                        directive,
                        where=excerpt_at(source, comment.start),
                        why="it stands behind a statement, on the same line, and would speak of the next one",
                        hint="put it on a line of its own, above the statement that it speaks of",
                    )
                found.append(directive)
    return tuple(found)


def _trails(comment: CommentToken, text: str) -> bool:
    """Whether a statement ends before it on its line, and nothing follows there."""
    line = text.rfind("\n", 0, comment.start) + 1
    end = comment.start + len(comment.text)
    behind = text[end : text.find("\n", end) if "\n" in text[end:] else len(text)]
    return text[line : comment.start].rstrip().endswith(";") and not behind.strip()


def file_directives(source: SourceText) -> tuple[Directive, ...]:
    """Those that speak of the whole file: verb `file`, before the first statement."""
    if "driftflow:" not in source.text.lower():
        return ()
    comments, at = [], 0
    while match := LEADING.match(source.text, at):
        if match["comment"]:
            comments.append(CommentToken(text=match["comment"], start=match.start()))
        at = match.end()
    return tuple(one for one in directives_of(comments, source) if one.verb == FILE_VERB)


def misplaced(directive: Directive, *, where: str, why: str, hint: str = HINT) -> ParseError:
    """The error for a well-formed directive in a place where it would speak of nothing."""
    return ParseError(
        "DF-E211", f"the directive `{directive.verb}` stands where it has no effect", where=where, why=why, hint=hint
    )


def statements_of(
    groups: Iterable[tuple[int, int]], comments: Sequence[CommentToken], source: SourceText
) -> tuple[Statement, ...]:
    """The statements that begin and end at these offsets, with the directives in front of each. `comments` may grow while the groups are read.

    Raises ParseError for a directive that cannot be read, or speaks of nothing.
    """
    found: list[Statement] = []
    taken = 0
    for start, end in groups:
        mine = comments_before(comments, taken, _terminator(source.text, end))
        taken += len(mine)
        found.append(
            Statement(
                sql=source.text[start:end],
                span=source.span(start, end),
                directives=statement_directives(mine, source, first=not found, start=start),
                anchors=source.anchors(start, end),
            )
        )
    refuse_orphans(comments[taken:], source, statements=bool(found))
    return tuple(found)


def _terminator(text: str, end: int) -> int:
    """Where the semicolon stands behind the last token of a statement and its comments; without one, that token's end."""
    at = end
    while match := LEADING.match(text, at):
        at = match.end()
    return at if text[at : at + 1] == ";" else end


def statement_directives(
    comments: Sequence[CommentToken], source: SourceText, *, first: bool, start: int
) -> tuple[Directive, ...]:
    """Those of one statement. `file` speaks of the whole file, and stands before its first statement or nowhere."""
    found = []
    for comment in comments:
        for directive in directives_of((comment,), source):
            if directive.verb != FILE_VERB:
                found.append(directive)
            elif not first or comment.start > start:
                raise misplaced(
                    directive,
                    where=excerpt_at(source, comment.start),
                    why="`file` speaks of the whole file and must come before its first statement",
                )
    return tuple(found)


def refuse_orphans(comments: Sequence[CommentToken], source: SourceText, *, statements: bool) -> None:
    """A directive without a statement behind it would be silently lost; a file of `file` directives alone is legal."""
    for comment in comments:
        for directive in directives_of((comment,), source):
            if directive.verb != FILE_VERB or statements:
                raise misplaced(
                    directive,
                    where=excerpt_at(source, comment.start),
                    why="no statement follows it",
                    hint="put the comment on a line of its own above the statement it speaks of",
                )


def comments_before(comments: Sequence[CommentToken], taken: int, end: int) -> Sequence[CommentToken]:
    """The comments that begin before `end` and belong to no statement yet."""
    upto = taken
    while upto < len(comments) and comments[upto].start < end:
        upto += 1
    return comments[taken:upto]


def _malformed(span: Span, where: str, why: str, hint: str = HINT) -> ParseError:
    return ParseError("DF-E210", "a driftflow directive cannot be read", where=where or str(span), why=why, hint=hint)


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
