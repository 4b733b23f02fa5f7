"""A CHECK that no server can hold as one (it depends on the time), or that the author wants for new rows only: kept by a trigger."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import options_of
from driftflow.errors import ParseError, RefusedError
from driftflow.model.catalog import Check, Table
from driftflow.model.operations import AddConstraint
from driftflow.model.plan import Step
from driftflow.strategies.base import strategy
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.row_rules import RowRule, columns_read
from driftflow.strategies.size import is_new

NAME = "rules_by_trigger"
CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|sysdate|curdate|curtime|utc_timestamp|unixepoch)\s*\("
    r"|\b(current_timestamp|current_date|current_time|localtimestamp|localtime)\b|'now'",
    re.IGNORECASE,
)


def reads_clock(expression: str) -> bool:
    """Whether it says something else tomorrow."""
    return bool(CLOCK.search(expression))


def _applies(operation: AddConstraint, at: Situation) -> bool:
    check = operation.constraint
    return isinstance(check, Check) and (bool(at.directives("rule")) or reads_clock(check.expression))


@strategy(NAME, on=AddConstraint, applies=_applies, rank=95, page="rules-by-trigger")
def rules_by_trigger(operation: AddConstraint, at: Situation) -> Iterator[Step]:
    check, table = operation.constraint, at.table(operation.table)
    assert isinstance(check, Check)
    existing = _existing(at)
    if table is None or not existing:
        raise RefusedError(
            "DF-E659",
            f"{check.name or 'the check'} depends on the time, so no CHECK can hold it",
            where=str(at.statement.span),
            why="a row that keeps to it today breaks it tomorrow without being touched: a dump could not be restored, and no old row be proved",
            hint="let a trigger look at rows as they are written: `-- driftflow: rule existing=keep` (or existing=refuse) above the statement",
        )
    _refuse_other_rows(at, check)
    yield from _rule(Recipe(at, NAME), table, check, existing=existing)


def _rule(recipe: Recipe, table: Table, check: Check, *, existing: str) -> Iterator[Step]:
    """What depends on the time is not proved once more: a row may have broken it meanwhile that nobody touched."""
    name = check.name or f"{table.name.name}_check"
    rule = RowRule(recipe, table, name, f"NOT ({check.expression})", columns_read(recipe.at, table, check.expression))
    counted = existing == "refuse" and not is_new(recipe.at, table.name)
    yield from rule.steps(counted=counted, proved=not reads_clock(check.expression))


def _existing(at: Situation) -> str:
    """What the directive says of rows that are there already; empty without one."""
    for directive in at.directives("rule"):
        said = options_of(directive).get("existing", "refuse")
        if said not in ("refuse", "keep"):
            raise ParseError(
                "DF-E213",
                "`rule` takes existing=refuse or existing=keep",
                where=str(directive.span),
                hint="driftflow's directives are described in docs/directives.md",
            )
        return said
    return ""


def _refuse_other_rows(at: Situation, check: Check) -> None:
    """Two transactions that do not see each other's rows would both be let through."""
    if re.search(r"\bselect\b", check.expression, re.IGNORECASE):
        raise RefusedError(
            "DF-E659",
            f"{check.name or 'the check'} reads other rows, so a trigger could not hold it",
            where=str(at.statement.span),
            why="two writers that do not see each other's uncommitted rows would both be let through",
            hint="say it as a foreign key, a unique key or an exclusion constraint: these look at rows that are not committed yet",
        )
