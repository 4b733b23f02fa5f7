"""The two logs of queries that MySQL and MariaDB write.

Source: MySQL 8.4 manual, "The General Query Log" and "The Slow Query Log"; MariaDB writes the same with other times, and more comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from driftflow.patterns import lazy_regex

GENERAL = lazy_regex(
    r"(?:\d{4}-\d\d-\d\dT\S+|\d{6} +\d{1,2}:\d\d:\d\d|\t)?\t *\d+ "
    r"(?P<command>Query|Execute|Prepare|Connect|Quit|Init DB|Field List|Close stmt|Reset stmt|Long Data|Fetch|Statistics|Ping|Change user"
    r"|Kill|Binlog Dump|Register Slave|Daemon|Sleep|Refresh|Shutdown|Process List|Set option|Reset connection)(?:\t(?P<text>.*))?\Z"
)
QUERIES = frozenset({"Query", "Execute", "Prepare"})
STARTED = lazy_regex(r".*, Version: .* started with:\Z|Tcp port: .*|Time\s+Id\s+Command\s+Argument\s*\Z")
"""What a server writes at the head of both when it starts."""
SEPARATOR = lazy_regex(r"# (?:Time|User@Host): ")
BEFORE = lazy_regex(
    r"\s*(?:use\s+\S+;|SET\s+timestamp=[\d.]+;|SET\s+(?:last_insert_id|insert_id)=\d+(?:,\w+=\d+)*;)", re.IGNORECASE
)


def general(lines: Iterable[str]) -> Iterator[str]:
    """The text of every Query, Execute and Prepare; lines that begin no command go on with the one before."""
    text: list[str] | None = None
    for line in lines:
        line = line.rstrip("\r\n")
        match = GENERAL.match(line)
        if match is None:
            if text is not None and not STARTED.match(line):
                text.append(line)
            continue
        if text:
            yield "\n".join(text)
        text = [match["text"] or ""] if match["command"] in QUERIES else None
    if text:
        yield "\n".join(text)


def slow(lines: Iterable[str]) -> Iterator[str]:
    """The statement of every entry, without what the server writes around it."""
    text: list[str] = []
    head = True
    for line in lines:
        line = line.rstrip("\r\n")
        if SEPARATOR.match(line) or STARTED.match(line):
            yield from _of_entry(text)
            text, head = [], True
        elif not (head and line.startswith("#")):
            head = False
            text.append(line)
    yield from _of_entry(text)


def _of_entry(text: list[str]) -> Iterator[str]:
    whole = "\n".join(text)
    while (before := BEFORE.match(whole)) is not None:
        whole = whole[before.end() :]
    whole = whole.strip().removesuffix(";")
    if whole:
        yield whole
