"""Renaming an identifier inside SQL text without parsing it: strings, comments, function names and type names stay as they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from driftflow.patterns import lazy_regex

TOKEN = lazy_regex(
    r"""
      (?P<string>  (?:[eE]|[uU]&|[xXbB])?'(?:[^']|'')*' | (?P<tag>\$[A-Za-z_0-9]*\$).*?(?P=tag) )
    | (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<quoted>  "(?:[^"]|"")*" | `[^`]*` | \[[A-Za-z_][^\]]*\] )
    | (?P<word>    [^\W\d][\w$]* )
    | (?P<cast>    :: )
    | (?P<number>  \d[\w.]* )
    | (?P<space>   \s+ )
    | (?P<other>   . )
    """,
    re.VERBOSE | re.DOTALL,
)
PLAIN = lazy_regex(r"[a-z_][a-z0-9_$]*\Z")
PLAIN_IN_ANY_CASE = lazy_regex(r"[a-zA-Z_][a-zA-Z0-9_$]*\Z")
RESERVED = frozenset(
    [
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "asymmetric",
        "authorization",
        "binary",
        "both",
        "case",
        "cast",
        "check",
        "collate",
        "collation",
        "column",
        "concurrently",
        "constraint",
        "create",
        "cross",
        "current_catalog",
        "current_date",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "default",
        "deferrable",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "false",
        "fetch",
        "for",
        "foreign",
        "freeze",
        "from",
        "full",
        "grant",
        "group",
        "having",
        "ilike",
        "in",
        "initially",
        "inner",
        "intersect",
        "into",
        "is",
        "isnull",
        "join",
        "lateral",
        "leading",
        "left",
        "like",
        "limit",
        "localtime",
        "localtimestamp",
        "natural",
        "not",
        "notnull",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "outer",
        "overlaps",
        "placing",
        "primary",
        "references",
        "returning",
        "right",
        "select",
        "session_user",
        "similar",
        "some",
        "symmetric",
        "system_user",
        "table",
        "tablesample",
        "then",
        "to",
        "trailing",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "variadic",
        "verbose",
        "when",
        "where",
        "window",
        "with",
    ]
)
ALSO_RESERVED = frozenset(
    [
        "add",
        "alter",
        "autoincrement",
        "between",
        "cast",
        "commit",
        "delete",
        "drop",
        "escape",
        "exists",
        "if",
        "index",
        "insert",
        "raise",
        "set",
        "transaction",
        "update",
        "values",
    ]
)
"""Of SQLite, where the others are fewer."""


class Token:
    __slots__ = ("identifier", "kind", "text")

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text
        self.identifier = text.lower() if kind == "word" else text[1:-1].replace('""', '"') if kind == "quoted" else None

    def means(self, identifier: str, *, any_case: bool) -> bool:
        if self.identifier is None or not any_case:
            return self.identifier == identifier
        return self.identifier.lower() == identifier.lower()

    def renamed(self, to: str, *, any_case: bool) -> None:
        """In the quotes of the server whose text it is."""
        if not any_case:
            self.text = spelled(to)
        elif self.text.startswith("`"):
            self.text = f"`{to}`"
        elif not PLAIN_IN_ANY_CASE.match(to) or to.lower() in RESERVED | ALSO_RESERVED:
            self.text = '"' + to.replace('"', '""') + '"'
        else:
            self.text = to


def spelled(identifier: str) -> str:
    """The identifier as SQL text, quoted where the bare word would be read as something else."""
    if PLAIN.match(identifier) and identifier not in RESERVED:
        return identifier
    return '"' + identifier.replace('"', '""') + '"'


def mentions(text: str, identifier: str, *, any_case: bool = False) -> bool:
    """Whether the text names the column: as an identifier that is no function, type or schema. `any_case`: quoted or not, in whatever letters."""
    return any(token.means(identifier, any_case=any_case) for token in _columns(tokens_of(text), None))


def rename_column(text: str, column: str, to: str, *, qualifiers: Collection[str] | None = (), any_case: bool = False) -> str:
    """The text with the column renamed, where it stands alone or behind one of the qualifiers (table names, `old`, `new`; None: any)."""
    tokens = tokens_of(text)
    for token in _columns(tokens, qualifiers, any_case=any_case):
        if token.means(column, any_case=any_case):
            token.renamed(to, any_case=any_case)
    return "".join(token.text for token in tokens)


def rename_relation(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """`schema.name` renamed wherever it stands, inside `'schema.name'::regclass` too; and `name.` as a qualifier of columns."""
    tokens = tokens_of(text)
    solid = [token for token in tokens if token.kind not in {"space", "comment"}]
    for position, token in enumerate(solid):
        if token.kind == "string" and token.text == f"'{spelled(old[0])}.{spelled(old[1])}'":
            token.text = f"'{spelled(new[0])}.{spelled(new[1])}'"
        if token.identifier != old[1]:
            continue
        before, after = _at(solid, position - 1), _at(solid, position + 1)
        schema = _at(solid, position - 2) if before == "." else ""
        if before == "." and solid[position - 2].identifier == old[0]:
            solid[position - 2].text, token.text = spelled(new[0]), spelled(new[1])
        elif not schema and after == ".":
            token.text = spelled(new[1])
    return "".join(token.text for token in tokens)


def tokens_of(text: str) -> list[Token]:
    return [Token(found.lastgroup if found.lastgroup != "tag" else "string", found.group()) for found in TOKEN.finditer(text)]  # type: ignore[arg-type]


def _at(tokens: list[Token], position: int) -> str:
    return tokens[position].text if 0 <= position < len(tokens) else ""


def _columns(tokens: list[Token], qualifiers: Collection[str] | None, *, any_case: bool = False) -> Iterator[Token]:
    """The tokens that may name a column. `qualifiers` None accepts any qualifier."""
    solid = [token for token in tokens if token.kind not in {"space", "comment"}]
    for position, token in enumerate(solid):
        if token.identifier is None or _at(solid, position + 1) in {"(", "."} or _at(solid, position - 1) == "::":
            continue
        if _at(solid, position - 1) == ".":
            qualifier = solid[position - 2] if position >= 2 else None
            if qualifiers is not None and not any(qualifier and qualifier.means(one, any_case=any_case) for one in qualifiers):
                continue
        yield token
