"""A CHECK that no server can hold as one (it depends on the time), that the author wants for new rows only, or says in Python: kept by a trigger,
or as the CHECK that it comes to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Check, Table
from driftflow.model.operations import AddConstraint
from driftflow.model.plan import Backfill, PythonFunction, Step, UndoNothing
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.filling import chunk_key, chunk_policy, row_claims
from driftflow.strategies.constraints.constraining import bind_then_validate
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.rules import python_rule, python_source
from driftflow.strategies.rules.row_rules import RowRule, columns_read
from driftflow.strategies.rules.said_rule import RuleRequest, rule_of
from driftflow.strategies.size import is_new

NAME = "rules_by_trigger"
CLOCK = lazy_regex(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|sysdate|curdate|curtime|utc_timestamp|unixepoch)\s*\("
    r"|\b(current_timestamp|current_date|current_time|localtimestamp|localtime)\b|'now'",
    re.IGNORECASE,
)
SAYS_NOTHING = ("true", "1 = 1", "1=1", "1")
"""A CHECK that stands for a rule in Python, which it cannot say itself."""


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
    request = rule_of(at)
    if table is None or request is None:
        raise RefusedError(
            "DF-E659",
            f"{check.name or 'the check'} depends on the time, so no CHECK can hold it",
            where=str(at.statement.span),
            why="a row that keeps to it today breaks it tomorrow without being touched: a dump could not be restored, and no old row be proved",
            hint="let a trigger look at rows as they are written: `-- driftflow: rule existing=keep` (or existing=refuse) above the statement",
        )
    recipe = Recipe(at, NAME)
    check = replace(check, name=check.name or f"{table.name.name}_check")
    if request.function:
        yield from _in_python(recipe, table, check, request)
        return
    _refuse_other_rows(at, check)
    rule = RowRule(recipe, table, check.name, f"NOT ({check.expression})", columns_read(at, table, check.expression))
    # What depends on the time is not proved once more: a row may have broken it meanwhile that nobody touched.
    yield from rule.steps(counted=_counted(recipe, table, request), proved=not reads_clock(check.expression))


def _counted(recipe: Recipe, table: Table, request: RuleRequest) -> bool:
    return request.existing == "refuse" and not is_new(recipe.at, table.name)


def _in_python(recipe: Recipe, table: Table, check: Check, request: RuleRequest) -> Iterator[Step]:
    """Compiled: a CHECK where it can be bound first and proved afterwards, else a trigger. With new=unchecked its rows are looked at once."""
    at = recipe.at
    spoken.refuse_unknown(table, request.columns, verb="rule", span=request.span)
    if check.expression.strip(" ()").lower() not in SAYS_NOTHING:
        raise RefusedError(
            "DF-E742",
            f"{check.name} says one rule in SQL and another in Python",
            where=str(request.span),
            why=f"the function stands in the place of the expression, and this one is {check.expression}",
            hint="write CHECK (1 = 1), or leave `python` out",
        )
    if request.unchecked:
        yield _judged(recipe, table, request)
        return
    expression = _compiled(at, table, request)
    if at.can(Capability.NOT_VALID_CONSTRAINT) and request.existing == "refuse":
        held = replace(check, expression=f"({expression}) IS TRUE")
        yield from bind_then_validate(recipe, table.name, held)
        return
    rule = RowRule(recipe, table, check.name, f"({expression}) IS NOT TRUE", request.columns)
    yield from rule.steps(counted=_counted(recipe, table, request))


def _compiled(at: Situation, table: Table, request: RuleRequest) -> str:
    path = spoken.input_path(at.migration, request.path)
    spoken.pinned(at, path, request.span)
    try:
        source = python_source.read((at.inputs or {}).get(f"{path}#text", ""), request.function.rpartition(":")[2])
        return python_rule.compiled(source, table, request.columns, at.dialect)
    except python_source.NotCompiled as reason:
        raise RefusedError(
            "DF-E742",
            f"{request.function} cannot be held by this database",
            where=str(request.span),
            why=str(reason),
            hint="write it so that it can, or say new=unchecked: then the rows that are there are run through it, and new rows are not held to it",
        ) from None


def _judged(recipe: Recipe, table: Table, request: RuleRequest) -> Backfill:
    at = recipe.at
    key = chunk_key(at, table)
    if not key:
        raise RefusedError(
            "DF-E742",
            f"the rows of {table.name.name} cannot be walked, so {request.function} cannot look at them in chunks",
            where=str(request.span),
            why="the table has no unique key whose columns are all NOT NULL",
            hint="give it a primary key first",
        )
    path = spoken.input_path(at.migration, request.path)
    return Backfill(
        **recipe.common(f"Run every row of {table.name.name} through {request.function}: new rows are not held to it", "migrate"),
        action="judge",
        table=table.name,
        key=key,
        function=PythonFunction(
            reference=request.function,
            path=path.rpartition("/")[0] or ".",
            sha256=spoken.pinned(at, path, request.span),
            inputs=request.columns,
            outputs=(),
        ),
        chunk=chunk_policy(at),
        rows_estimate=at.rows(table.name),
        claims=row_claims(at, table.name),
        statement_timeout_ms=at.policy.statement_timeout_ms,
        undo=UndoNothing(reason="it changes nothing"),
    )


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
