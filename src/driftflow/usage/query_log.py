"""Queries from a server's log: PostgreSQL's in its three forms (stderr, csv, json), MySQL's and MariaDB's general and slow query log.

Parameters that a log quotes beside a query are never read.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from driftflow.dialects.base import Dialect
from driftflow.dialects.query_text import masked
from driftflow.dialects.source_text import SourceText
from driftflow.errors import ParseError, SourceError
from driftflow.patterns import lazy_regex
from driftflow.usage.mysql_log import general, slow
from driftflow.usage.recorded import Recorded

BYTES_MAX = 1024 * 1024 * 1024
HEAD = 64 * 1024
MESSAGE = lazy_regex(r"(?:duration: [\d.]+ ms  )?(?:statement|execute (?:fetch from )?[^:]*): (?P<text>.*)", re.DOTALL)
"""What log_statement and log_min_duration_statement write; `parse` and `bind` are the same query once more."""
STDERR = lazy_regex(r"\bLOG:  (?P<message>.*)")
CSV_ROW = lazy_regex(r'^\d{4}-\d\d-\d\d [\d:.]+ [^,\s]+,(?:"[^"]*")?,', re.MULTILINE)
CSV_MESSAGE, CSV_SEVERITY = 13, 11
CSV_FIELD_MAX = 64 * 1024 * 1024
SETTINGS = {
    "postgresql": "log_statement or log_min_duration_statement writes them (messages in English)",
    "mysql": "general_log, or slow_query_log with long_query_time = 0, writes them",
}


def read_log(path: Path, dialect: Dialect) -> tuple[Recorded, ...]:
    """Every query once, with how often it was seen. Raises SourceError where the file cannot be read or holds no query of this dialect."""
    if dialect.name == "sqlite":
        raise _empty(path, "SQLite writes no log of queries")
    try:
        if path.stat().st_size > BYTES_MAX:
            raise SourceError(
                "DF-E271", f"{path} cannot be read", why="it is larger than 1 GB", hint=f"tail -c {BYTES_MAX} {path}"
            )
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            head = lines.read(HEAD)
            lines.seek(0)
            found = _counted(_form(head, dialect)(lines), path, dialect)
    except FileNotFoundError:
        raise SourceError("DF-E132", f"{path} is not there", hint="name a server's log") from None
    except (OSError, csv.Error) as fault:
        raise SourceError("DF-E271", f"{path} cannot be read", why=str(fault), hint="name a server's log") from fault
    if not found:
        raise _empty(path, SETTINGS["postgresql" if dialect.name == "postgresql" else "mysql"])
    return found


def _empty(path: Path, why: str) -> SourceError:
    return SourceError("DF-E270", f"there are no queries in {path}", why=why, hint="--queries FILE takes them from a file of SQL")


Reading = Callable[[Iterable[str]], Iterator[str]]


def _form(head: str, dialect: Dialect) -> Reading:
    """Told by how the file begins."""
    if dialect.name != "postgresql":
        return slow if "# User@Host:" in head else general
    if head.lstrip().startswith("{"):
        return _json
    return _csv if CSV_ROW.search(head) else _stderr


def _json(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the first or last line of a part of a log
        if isinstance(entry, dict) and entry.get("error_severity") == "LOG":
            yield from _of_message(str(entry.get("message", "")))


def _csv(lines: Iterable[str]) -> Iterator[str]:
    csv.field_size_limit(CSV_FIELD_MAX)  # a query may be longer than the module's own 128 kB
    for row in csv.reader(lines):
        if len(row) > CSV_MESSAGE and row[CSV_SEVERITY] == "LOG":
            yield from _of_message(row[CSV_MESSAGE])


def _stderr(lines: Iterable[str]) -> Iterator[str]:
    """A line that begins with a tab goes on with the message before it."""
    message: list[str] = []
    for line in lines:
        line = line.rstrip("\r\n")
        if line.startswith("\t"):
            if message:
                message.append(line[1:])
            continue
        if message:
            yield from _of_message("\n".join(message))
        found = STDERR.search(line)
        message = [found["message"]] if found else []
    if message:
        yield from _of_message("\n".join(message))


def _of_message(message: str) -> Iterator[str]:
    found = MESSAGE.match(message)
    if found:
        yield found["text"]


def _counted(texts: Iterable[str], path: Path, dialect: Dialect) -> tuple[Recorded, ...]:
    first: dict[str, str] = {}
    calls: dict[str, int] = {}
    for text in texts:
        for one in _cut(text, dialect):
            shown = masked(one, dialect.name)
            first.setdefault(shown, one)
            calls[shown] = calls.get(shown, 0) + 1
    return tuple(Recorded(text=text, calls=calls[shown], origin=str(path)) for shown, text in first.items())


def _cut(text: str, dialect: Dialect) -> Iterator[str]:
    """The statements of one message: a client may send several at once."""
    if ";" not in text:
        yield text
        return
    try:
        yield from (statement.sql for statement in dialect.split(SourceText(text)))
    except ParseError:
        yield text
