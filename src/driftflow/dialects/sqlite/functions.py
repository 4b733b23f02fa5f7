"""SQLite's own functions: which give the same value for the same arguments, and which do not."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.sqlite.tokens import Token, TokenFault, name_of, tokenize

DETERMINISTIC = frozenset(
    [
        "abs",
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "avg",
        "ceil",
        "ceiling",
        "char",
        "coalesce",
        "concat",
        "concat_ws",
        "cos",
        "cosh",
        "count",
        "cume_dist",
        "degrees",
        "dense_rank",
        "exp",
        "first_value",
        "floor",
        "format",
        "fts5",
        "glob",
        "group_concat",
        "hex",
        "highlight",
        "if",
        "ifnull",
        "iif",
        "instr",
        "json",
        "json_array",
        "json_array_insert",
        "json_array_length",
        "json_each",
        "json_error_position",
        "json_extract",
        "json_group_array",
        "json_group_object",
        "json_insert",
        "json_object",
        "json_patch",
        "json_pretty",
        "json_quote",
        "json_remove",
        "json_replace",
        "json_set",
        "json_tree",
        "json_type",
        "json_valid",
        "jsonb",
        "jsonb_array",
        "jsonb_array_insert",
        "jsonb_each",
        "jsonb_extract",
        "jsonb_group_array",
        "jsonb_group_object",
        "jsonb_insert",
        "jsonb_object",
        "jsonb_patch",
        "jsonb_remove",
        "jsonb_replace",
        "jsonb_set",
        "jsonb_tree",
        "lag",
        "last_value",
        "lead",
        "length",
        "like",
        "likelihood",
        "likely",
        "ln",
        "log",
        "log10",
        "log2",
        "lower",
        "ltrim",
        "max",
        "median",
        "min",
        "mod",
        "nth_value",
        "ntile",
        "nullif",
        "octet_length",
        "percent_rank",
        "percentile",
        "percentile_cont",
        "percentile_disc",
        "pi",
        "pow",
        "power",
        "printf",
        "quote",
        "radians",
        "rank",
        "replace",
        "round",
        "row_number",
        "rtrim",
        "sign",
        "sin",
        "sinh",
        "soundex",
        "sqrt",
        "string_agg",
        "subtype",
        "substr",
        "substring",
        "sum",
        "tan",
        "tanh",
        "total",
        "trim",
        "trunc",
        "typeof",
        "unhex",
        "unicode",
        "unistr",
        "unistr_quote",
        "unlikely",
        "upper",
        "zeroblob",
        "bm25",
        "snippet",
        "optimize",
        "sqlite_compileoption_get",
        "sqlite_compileoption_used",
        "sqlite_source_id",
        "sqlite_version",
        "raise",
        "cast",
        "exists",
        "in",
    ]
)
TIME = frozenset({"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"})
"""The same for the same arguments, unless one of them is 'now', 'localtime' or missing."""
VOLATILE = frozenset({"random", "randomblob", "changes", "total_changes", "last_insert_rowid", "load_extension", "sqlite_offset"})

_NOW = frozenset({"now", "localtime", "utc", "subsec", "subsecond"})
_NOT_CALLS_AFTER = frozenset(
    {"INTO", "TABLE", "ON", "FROM", "JOIN", "AS", "UPDATE", ".", "REFERENCES", "VIEW", "WITH", "RECURSIVE", "INDEX"}
)
_WORDS_BEFORE_PARENTHESIS = frozenset(
    [
        "ALL",
        "AND",
        "AS",
        "BETWEEN",
        "BY",
        "CASE",
        "CAST",
        "CHECK",
        "COLLATE",
        "CONFLICT",
        "DISTINCT",
        "ELSE",
        "ESCAPE",
        "EXCEPT",
        "EXISTS",
        "FILTER",
        "FROM",
        "GLOB",
        "GROUP",
        "HAVING",
        "IN",
        "INTERSECT",
        "INTO",
        "IS",
        "ISNULL",
        "JOIN",
        "KEY",
        "LIKE",
        "LIMIT",
        "MATCH",
        "MATERIALIZED",
        "NOT",
        "NOTNULL",
        "NULL",
        "OFFSET",
        "ON",
        "OR",
        "ORDER",
        "OVER",
        "PARTITION",
        "RAISE",
        "REFERENCES",
        "REGEXP",
        "RETURNING",
        "SELECT",
        "SET",
        "THEN",
        "UNION",
        "UNIQUE",
        "USING",
        "VALUES",
        "WHEN",
        "WHERE",
    ]
)


def is_volatile(expression: str) -> bool:
    """Whether another row, or another moment, may give another value. A function that is not SQLite's own counts as volatile."""
    try:
        tokens, _ = tokenize(expression)
    except TokenFault:
        return True
    if any(token.key in {"CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "SELECT"} for token in tokens):
        return True
    return any(_call_is_volatile(name, arguments) for name, arguments in _calls(tokens))


def _call_is_volatile(name: str, arguments: Sequence[Token]) -> bool:
    if name in TIME:
        # Without a value to start from they take the present time; strftime's first argument is a format.
        values = 1 + sum(token.key == "," for token in arguments) if arguments else 0
        missing = values < (2 if name == "strftime" else 1)
        return missing or any(token.kind == "string" and name_of(token).lower() in _NOW for token in arguments)
    return name not in DETERMINISTIC


def foreign_functions(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Names of functions that SQLite does not bring itself, or that change something (load_extension)."""
    known = DETERMINISTIC | TIME | (VOLATILE - {"load_extension"})
    return tuple(dict.fromkeys(name for name, _ in _calls(tokens) if name not in known and not name.startswith("pragma_")))


def _calls(tokens: Sequence[Token]) -> list[tuple[str, Sequence[Token]]]:
    """Each call: the function's name in lower case, and the tokens of its arguments."""
    found = []
    for index, token in enumerate(tokens[:-1]):
        if tokens[index + 1].key != "(" or token.kind not in {"word", "quoted"} or token.key in _WORDS_BEFORE_PARENTHESIS:
            continue
        if index and tokens[index - 1].key in _NOT_CALLS_AFTER - {"FROM", "JOIN"}:
            continue
        found.append((name_of(token).lower(), _arguments(tokens, index + 2)))
    return found


def _arguments(tokens: Sequence[Token], start: int) -> Sequence[Token]:
    depth = 1
    for index in range(start, len(tokens)):
        depth += (tokens[index].key == "(") - (tokens[index].key == ")")
        if depth == 0:
            return tokens[start:index]
    return tokens[start:]
