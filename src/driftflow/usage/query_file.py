"""Queries from a file: SQL with semicolons, JSON, JSON lines, or CSV with a column `query`."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from driftflow.dialects.base import Dialect
from driftflow.dialects.source_text import SourceText
from driftflow.errors import ParseError, SourceError
from driftflow.patterns import lazy_regex
from driftflow.usage.recorded import Recorded

NAME = lazy_regex(r"--\s*name:\s*(?P<name>\S+)")
"""As sqlc, yesql, aiosql and their like write it above a query."""
BYTES_MAX = 64 * 1024 * 1024


def read_queries(path: Path, dialect: Dialect) -> tuple[Recorded, ...]:
    """Raises SourceError where the file is not there, is no text, or is not what its ending says."""
    text = read_text(path, bytes_max=BYTES_MAX)
    match path.suffix.lower():
        case ".json":
            found = tuple(_records(_json(text, path), path))
        case ".jsonl" | ".ndjson":
            lines = (line for line in text.splitlines() if line.strip())
            found = tuple(_records((_json(line, path) for line in lines), path))
        case ".csv":
            found = tuple(_records(csv.DictReader(text.splitlines()), path))
        case _:
            found = tuple(_statements(text, path, dialect))
    if not found:
        raise SourceError("DF-E270", f"there are no queries in {path}", hint="one query per statement, each ended by a semicolon")
    return found


def read_text(path: Path, *, bytes_max: int) -> str:
    """The file as text. Raises SourceError."""
    try:
        why = "" if path.stat().st_size <= bytes_max else f"it is larger than {bytes_max // 1024 // 1024} MB"
        if not why:
            return path.read_bytes().decode("utf-8-sig", errors="replace")
    except FileNotFoundError:
        raise SourceError("DF-E132", f"{path} is not there", hint="name a file of queries, or a log") from None
    except OSError as fault:
        why = fault.strerror or str(fault)
    raise SourceError(
        "DF-E271", f"{path} cannot be read", why=why, hint=f"of a large file the last part: tail -c {bytes_max} {path}"
    )


def _statements(text: str, path: Path, dialect: Dialect) -> Iterator[Recorded]:
    try:
        statements = dialect.split(SourceText(text, file=str(path)))
    except ParseError as fault:
        # Its place is enough: the excerpt that belongs to it would show the query.
        raise _not(path, f"{fault.summary}, at {fault.where.partition(chr(10))[0]}") from None
    for statement in statements:
        lines = text[: statement.span.start].rstrip().splitlines()
        above = NAME.match(lines[-1].strip()) if lines else None
        yield Recorded(text=statement.sql, name=above["name"] if above else "", origin=f"{path}:{statement.span.line}")


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise _not(path, str(fault)) from fault


def _records(values: Any, path: Path) -> Iterator[Recorded]:
    """Texts, or objects with `query` and perhaps `calls` and `name`."""
    if not isinstance(values, Iterable) or isinstance(values, str | dict):
        raise _not(path, "it holds no list")
    for number, value in enumerate(values, start=1):
        if isinstance(value, str):
            value = {"query": value}
        if not isinstance(value, dict) or not isinstance(value.get("query"), str):
            raise _not(path, f"entry {number} has no text `query`")
        calls = str(value.get("calls") or "0")
        if value["query"].strip():
            yield Recorded(
                text=value["query"],
                calls=int(calls) if calls.isdigit() else 0,
                name=str(value.get("name") or ""),
                origin=f"{path}#{number}",
            )


def _not(path: Path, why: str) -> SourceError:
    return SourceError(
        "DF-E270", f"there are no queries in {path}", why=why,
        hint='SQL with semicolons in a .sql file, or [{"query": "SELECT …", "calls": 1}] in a .json file',
    )  # fmt: skip
