"""What a plan with triggers, functions or LOCK TABLES needs beside the right to alter the tables, asked before the run begins: half a plan would be worse than none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from driftflow.dialects.base import Dialect
from driftflow.model.names import Name, Version
from driftflow.model.plan import Guard, RunSql, Step, UndoNothing
from driftflow.patterns import lazy_regex

FUNCTION = lazy_regex(r"^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:DEFINER\s*=\s*\S+\s+)?(?:AGGREGATE\s+)?FUNCTION\b", re.IGNORECASE)
CREATES = lazy_regex(r"^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:DEFINER\s*=\s*\S+\s+)?TRIGGER\b", re.IGNORECASE)


def trigger_rights(steps: Sequence[Step], dialect: Dialect, version: Version | None) -> tuple[Guard, ...]:
    """One guard for each obstacle that the server may put in the way, on the way forward or back."""
    tables = dict.fromkeys(_tables(steps))
    found = [obstacle for table in tables for obstacle in dialect.trigger_obstacles(table, version)]
    for sql in _statements(steps):
        if FUNCTION.match(sql):
            found += dialect.function_obstacles(sql, version)
    return tuple(
        Guard(query=query, summary=summary, hint="ask the database's administrators for it; nothing has been done")
        for query, summary in dict.fromkeys(found)
    )


def lock_rights(steps: Iterable[Step], dialect: Dialect, version: Version | None) -> tuple[Guard, ...]:
    """The right to lock; and where a table is copied meanwhile, whether those that the plan locks are all that have to be: the catalog is of one
    database, and of some time ago."""
    found: dict[tuple[str, str], None] = {}
    for step in _locking(steps):
        listed = tuple(dict.fromkeys(claim.relation for claim in step.claims if "reads" in claim.blocks))
        found |= dict.fromkeys(dialect.lacking_rights(listed[0], ("LOCK TABLES",), version))
        if step.claims[0].held != "instant":
            found |= dict.fromkeys(dialect.more_children(listed))
    hint = "see to it and plan again, or say as-is: then writers of the tables with the foreign keys fail for a moment; nothing has been done"
    return tuple(Guard(query=query, summary=summary, hint=hint) for query, summary in found)


def _locking(steps: Iterable[Step]) -> Iterator[RunSql]:
    for step in steps:
        if isinstance(step, RunSql) and step.lock_tables:
            yield step
        if not isinstance(step.undo, UndoNothing):
            yield from _locking(step.undo.steps)


def _statements(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        if isinstance(step, RunSql):
            yield from step.statements
        if not isinstance(step.undo, UndoNothing):
            yield from _statements(step.undo.steps)


def _tables(steps: Iterable[Step]) -> Iterator[Name]:
    for step in steps:
        if isinstance(step, RunSql) and step.claims and any(CREATES.match(one) for one in step.statements):
            yield step.claims[0].relation
        if not isinstance(step.undo, UndoNothing):
            yield from _tables(step.undo.steps)
