"""What somebody should know before a run is taken back: what it made goes, with everything that was written to it since."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.model.catalog import is_ours
from driftflow.model.plan import Plan, Step, UndoSteps
from driftflow.patterns import lazy_regex
from driftflow.reports.plan_words import undo_sql

_NAME = r"(?:[\w$]+|\"(?:[^\"]|\"\")+\"|`(?:[^`]|``)+`)"
_PATH = rf"{_NAME}(?:\.{_NAME})?"
_TABLE = lazy_regex(rf"^DROP TABLE (?:IF EXISTS )?(?P<table>{_PATH})", re.IGNORECASE)
_ALTERED = lazy_regex(rf"^ALTER TABLE (?:ONLY )?(?P<table>{_PATH}) ", re.IGNORECASE)
_COLUMN = lazy_regex(rf"\bDROP COLUMN (?:IF EXISTS )?(?P<column>{_NAME})", re.IGNORECASE)


def lost_with_it(plan: Plan) -> tuple[str, ...]:
    """Tables and columns that the plan made for the application, in the order of the plan."""
    return tuple(dict.fromkeys(name for step in plan.steps for name in _made(step)))


def _made(step: Step) -> Iterator[str]:
    if not isinstance(step.undo, UndoSteps):
        return
    for statement in undo_sql(step):
        if (table := _TABLE.match(statement)) is not None:
            names = [_parts(table["table"])]
        elif (altered := _ALTERED.match(statement)) is not None:
            names = [_parts(altered["table"]) + _parts(column["column"]) for column in _COLUMN.finditer(statement)]
        else:
            names = []
        yield from (".".join(parts) for parts in names if not any(map(is_ours, parts)))


def _parts(path: str) -> list[str]:
    return [_bare(part) for part in re.findall(_NAME, path)]


def _bare(name: str) -> str:
    return name[1:-1].replace(name[0] * 2, name[0]) if name[0] in '"`' else name
