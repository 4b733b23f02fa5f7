"""PostgreSQL's own grammar: libpg_query (version 18), called directly.

The library is the one that postgast bundles. Its Python package is not imported (it would load protobuf, 160 ms); ctypes and msgspec read a
statement in under 10 µs. Traps that were measured and are handled here: input is cut silently at NUL; positions are bytes; a left-nested
expression of 100,000 terms overflows the C stack and kills the process; about 480 nested levels end the JSON decoder.
"""

from __future__ import annotations

import ctypes
import importlib.util
import platform
import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from driftflow.dialects.limits import too_large
from driftflow.errors import DriftflowError
from driftflow.patterns import lazy_regex

Node = dict[str, Any]

NESTING_MAX = 2_000
"""Nested levels that were measured to be safe on a 1 MB stack (20,000 are on 8 MB)."""
SMALL = 2_000
"""Statements up to this many characters cannot nest deeper than that, and are not measured."""


class SyntaxFault(Exception):
    """The grammar rejects the text. `offset` is in characters from its start, None when the grammar gave none."""

    def __init__(self, message: str, offset: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class TooDeep(Exception):
    """The text may nest deeper, or be larger, than can be read safely. It says nothing about whether the server accepts it."""


class _Error(ctypes.Structure):
    _fields_ = (
        ("message", ctypes.c_char_p),
        ("funcname", ctypes.c_char_p),
        ("filename", ctypes.c_char_p),
        ("lineno", ctypes.c_int),
        ("cursorpos", ctypes.c_int),
        ("context", ctypes.c_char_p),
    )


class _Parsed(ctypes.Structure):
    _fields_ = (("tree", ctypes.c_char_p), ("stderr", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _Bytes(ctypes.Structure):
    # c_void_p, since protobuf data holds NUL bytes and c_char_p would be cut there.
    _fields_ = (("len", ctypes.c_size_t), ("data", ctypes.c_void_p))


class _ParsedBytes(ctypes.Structure):
    _fields_ = (("tree", _Bytes), ("stderr", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _Deparsed(ctypes.Structure):
    _fields_ = (("query", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _Fingerprint(ctypes.Structure):
    _fields_ = (
        ("fingerprint", ctypes.c_uint64),
        ("text", ctypes.c_char_p),
        ("stderr", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


_FILES = {"Darwin": "libpg_query.dylib", "Windows": "pg_query.dll"}


@cache
def _library() -> ctypes.CDLL:
    spec = importlib.util.find_spec("postgast")
    if spec is None or spec.origin is None:
        raise DriftflowError("DF-E903", "the PostgreSQL grammar is not installed", hint="pip install --force-reinstall driftflow")
    path = Path(spec.origin).parent / _FILES.get(platform.system(), "libpg_query.so")
    try:
        library = ctypes.CDLL(str(path))
    except OSError as fault:
        raise DriftflowError(
            "DF-E903", "the PostgreSQL grammar cannot be loaded", why=str(fault), hint="pip install --force-reinstall postgast"
        ) from fault
    for name, takes, gives in (
        ("parse", ctypes.c_char_p, _Parsed),
        ("parse_protobuf", ctypes.c_char_p, _ParsedBytes),
        ("deparse_protobuf", _Bytes, _Deparsed),
        ("fingerprint", ctypes.c_char_p, _Fingerprint),
        ("free_parse_result", _Parsed, None),
        ("free_protobuf_parse_result", _ParsedBytes, None),
        ("free_deparse_result", _Deparsed, None),
        ("free_fingerprint_result", _Fingerprint, None),
    ):
        function = getattr(library, f"pg_query_{name}")
        function.argtypes, function.restype = (takes,), gives
    return library


@cache
def _calls() -> tuple[Any, Any, Any]:
    """The three things that reading one statement needs, looked up once."""
    library = _library()
    return library.pg_query_parse, library.pg_query_free_parse_result, msgspec.json.Decoder().decode


def parse(sql: str) -> list[Node]:
    """The raw statements of the text, each `{"stmt": {...}, "stmt_location": ..., "stmt_len": ...}`; locations are in bytes.

    Raises SyntaxFault where the grammar does, and TooDeep where reading it could overflow a stack.
    """
    data = _bytes(sql)
    call, free, decode = _calls()
    result = call(data)
    try:
        if result.error:
            raise _fault(result.error.contents)
        statements: list[Node] = decode(result.tree).get("stmts", [])
    except RecursionError as fault:
        raise TooDeep("it is nested deeper than can be read") from fault
    finally:
        free(result)
    return statements


def deparse(sql: str) -> str:
    """The text as libpg_query's own deparser writes it: one line, comments gone. Independent of our rendering, so tests compare the two."""
    library, data = _library(), _bytes(sql)
    parsed = library.pg_query_parse_protobuf(data)
    try:
        if parsed.error:
            raise _fault(parsed.error.contents)
        written = library.pg_query_deparse_protobuf(parsed.tree)
        try:
            if written.error:
                raise SyntaxFault(written.error.contents.message.decode(), None)
            text: str = written.query.decode()
            return text
        finally:
            library.pg_query_free_deparse_result(written)
    finally:
        library.pg_query_free_protobuf_parse_result(parsed)


def fingerprint(sql: str) -> str:
    """Sixteen hex digits that statements share when they differ in constants and spacing only."""
    library, data = _library(), _bytes(sql)
    result = library.pg_query_fingerprint(data)
    try:
        if result.error:
            raise _fault(result.error.contents)
        text: str = result.text.decode()
        return text
    finally:
        library.pg_query_free_fingerprint_result(result)


def _bytes(sql: str) -> bytes:
    nul = sql.find("\0")
    if nul >= 0:
        raise SyntaxFault("a NUL character is not allowed in SQL", nul)
    if len(sql) > SMALL:
        if reason := too_large(sql):
            raise TooDeep(reason)
        if nesting_bound(sql) > NESTING_MAX:
            raise TooDeep(f"it may nest deeper than {NESTING_MAX:,} levels")
    return sql.encode()


def _fault(error: _Error) -> SyntaxFault:
    # Unlike the locations in the tree, cursorpos counts characters, from 1 (measured).
    return SyntaxFault(error.message.decode(errors="replace"), error.cursorpos - 1 if error.cursorpos > 0 else None)


_TOKENS = lazy_regex(
    r"""'[^']*'|"[^"]*"|(\$(?:[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f]\w*)?\$)|--[^\n]*|/\*|([(\[])|([)\]])|([,;])|(union|intersect|except)\b
      |[\w.]+|[^\s\w'"(),;\[\]$]+|\$""",
    re.IGNORECASE | re.VERBOSE,
)


def nesting_bound(sql: str) -> int:
    """An upper bound of how deep the parse tree can be: within one bracket no deeper than the tokens between two commas, and the set operations."""
    deepest = outer = run = sets = 0
    open_brackets: list[tuple[int, int, int]] = []
    at, end = 0, len(sql)
    while at < end and (token := _TOKENS.search(sql, at)) is not None:
        at = token.end()
        if token[1]:
            close = sql.find(token[1], at)
            at = end if close < 0 else close + len(token[1])
        elif token[0] == "/*":
            close = sql.find("*/", at)
            at = end if close < 0 else close + 2
            continue
        elif token[2]:
            open_brackets.append((outer, run, sets))
            outer, run, sets = outer + run + sets + 1, 0, 0
        elif token[3] and open_brackets:
            outer, run, sets = open_brackets.pop()
        elif token[4]:
            run = 0
            continue
        elif token[5]:
            sets += 1
        run += 1
        deepest = max(deepest, outer + run + sets)
    return deepest
