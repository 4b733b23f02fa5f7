"""UPDATE or DELETE without a bound: every row in one transaction becomes chunks of a fraction of a second each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Table
from driftflow.model.operations import Delete, Update
from driftflow.model.plan import Backfill, Irreversible, Phase, Step, Undo, UndoNothing
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.filling import backfill, chunk_key, remaining
from driftflow.strategies.columns.indivisible import same_when_equal, tied
from driftflow.strategies.phases import phase_of
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import column_is_new, is_large

NAME = "backfill_in_chunks"

SHARED = lazy_regex(r"\[\d+ of \d+\]$")
"""One of the columns that a subquery gives: `(a, b) = (SELECT ...)`."""


def _applies(operation: Update | Delete, at: Situation) -> bool:
    table = at.table(operation.table)
    if table is None or operation.bounded or operation.returning or not is_large(at, operation.table):
        return False
    return not why_whole(operation, at, table)


def why_whole(operation: Update | Delete, at: Situation, table: Table) -> str:
    """Why the statement cannot be cut into chunks without changing what it does; empty when it can."""
    key = chunk_key(at, table)
    if not key:
        return f"{table.name.name} has no key to walk along"
    if table.kind != "table":
        return f"{table.name.name} is a {table.kind} table"
    if operation.table in operation.reads or _mentions_itself(operation) or _reads_through_view(operation, at):
        return "it reads the table that it changes"
    if function := _asks_function(operation, at):
        return f"{function}() may read the table that it changes"
    if operation.where and _volatile(operation.where, at):
        return "its WHERE gives another answer each time"
    if (reason := tied(operation, at, table)) or isinstance(operation, Delete):
        return reason or ("DELETE ... USING is not cut into chunks" if getattr(operation, "using", "") else "")
    assigned = {column for column, _ in operation.assignments}
    shared = any(SHARED.search(expression) for _, expression in operation.assignments)
    if not assigned or shared or any(not column or column.startswith("(") for column in assigned):
        return "its assignments are not one column each"
    if assigned & set(key):
        return f"it changes the key ({', '.join(key)})"
    if table.partitioning is not None and assigned & set(table.partitioning.key):
        return "it changes the partition key"
    if operation.from_clause and not at.can(Capability.UPDATE_FROM):
        return "this server has no UPDATE ... FROM"
    return ""


def _reads_through_view(operation: Update | Delete, at: Situation) -> bool:
    """Whether a view that it reads, or one behind that, reads the table."""
    ahead, seen = list(operation.reads), set()
    while ahead:
        view = at.catalog.views.get(ahead.pop().text)
        if view is None or view.name in seen:
            continue
        seen.add(view.name)
        if operation.table in view.depends_on:
            return True
        ahead += view.depends_on
    return False


def _asks_function(operation: Update | Delete, at: Situation) -> str:
    """A function of the database's own that may look at tables: an immutable one promised not to."""
    text = " ".join(_texts(operation))
    for routine in at.catalog.routines.values():
        if routine.volatility != "immutable" and re.search(rf"\b{re.escape(routine.name.name)}[\"`]?\s*\(", text):
            return routine.name.name
    return ""


def _mentions_itself(operation: Update | Delete) -> bool:
    """A subquery or join over the same table sees rows that earlier chunks have changed."""
    pattern = re.compile(rf"\b(?:FROM|JOIN)\s+(?:\w+\.)?[\"`]?{re.escape(operation.table.name)}[\"`]?\b", re.IGNORECASE)
    return any(pattern.search(text) for text in _texts(operation))


def _texts(operation: Update | Delete) -> list[str]:
    texts = [operation.where, getattr(operation, "from_clause", ""), getattr(operation, "using", "")]
    return texts + [expression for _, expression in getattr(operation, "assignments", ())]


def _volatile(expression: str, at: Situation) -> bool:
    """A subquery is not volatile by itself; a function that nobody knows is."""
    if re.search(r"\bselect\b", expression, re.IGNORECASE):
        return bool(re.search(r"\b(random|gen_random_uuid|clock_timestamp|nextval)\s*\(", expression, re.IGNORECASE))
    return at.dialect.volatile(expression, at.catalog)


@strategy(NAME, on=(Update, Delete), applies=_applies, rank=60, page="backfill-in-chunks")
def backfill_in_chunks(operation: Update | Delete, at: Situation) -> Iterator[Step]:
    """Each row is visited once: the cursor commits with the rows. So `x = x + 1` is counted exactly once, whatever happens in between."""
    recipe = Recipe(at, NAME)
    table = at.table(operation.table)
    assert table is not None
    phase: Phase = "contract" if phase_of(operation, at) == "contract" else "migrate"
    if isinstance(operation, Delete):
        yield _delete(recipe, table, operation, phase)
        return
    unaliased = without_alias(operation, at)
    extra = "" if unaliased.where or unaliased.from_clause else _differs(unaliased, at, table)
    where = (
        ""
        if unaliased.from_clause
        else " AND ".join(part for part in (unaliased.where and f"({unaliased.where})", extra) if part)
    )
    columns = ", ".join(column for column, _ in unaliased.assignments)
    step = backfill(
        recipe,
        table,
        assignments=unaliased.assignments,
        from_clause=f"FROM {unaliased.from_clause}" if unaliased.from_clause else "",
        join=unaliased.where if unaliased.from_clause else "",
        predicate=where,
        phase=phase,
        partial=True,
        undo=_undo(operation, at),
        own=tuple(column for column, _ in unaliased.assignments) if at.directives("triggers") else (),
        purpose=f"Update {table.name.name}.{columns} in chunks",
    )
    # Without a condition that the update itself makes false, nothing can be counted afterwards: the cursor is the proof.
    # What the statement does not name stays the server's affair (ON UPDATE CURRENT_TIMESTAMP), as it would be in one piece.
    step = replace(step, assignments=unaliased.assignments)
    yield step if extra else replace(step, remaining_query="")


def _delete(recipe: Recipe, table: Table, operation: Delete, phase: Phase) -> Backfill:
    at = recipe.at
    where = _swap_alias(operation.where, operation.alias, at.dialect.quote(table.name.name))
    step = backfill(
        recipe,
        table,
        assignments=(),
        predicate=where,
        phase=phase,
        partial=True,
        undo=_undo(operation, at),
        purpose=f"Delete from {table.name.name} in chunks",
    )
    query = remaining(at, table, from_clause="", join="", predicate=where) or (
        f"SELECT count(*) FROM {at.dialect.quote_name(table.name)}"
    )
    return replace(step, action="delete", assignments=(), remaining_query=query)


def _differs(operation: Update, at: Situation, table: Table) -> str:
    """Skip rows that already hold the very value, where it does not depend on what is being set and no trigger would see the difference."""
    parts = []
    assigned = {column for column, _ in operation.assignments}
    for column, expression in operation.assignments:
        reads_itself = any(re.search(rf"\b{re.escape(name)}\b", expression) for name in assigned)
        if (
            not same_when_equal(at, table, column)
            or reads_itself
            or "select" in expression.lower()
            or at.dialect.volatile(expression, at.catalog)
        ):
            return ""
        target = f"{at.dialect.quote(table.name.name)}.{at.dialect.quote(column)}"
        parts.append(at.dialect.differs(target, f"({expression})"))
    return f"({' OR '.join(parts)})"


def without_alias(operation: Update, at: Situation) -> Update:
    """`UPDATE orders AS o SET ... WHERE o.id` speaks of `orders` in a chunk."""
    if not operation.alias:
        return replace(operation, from_clause=operation.from_clause.removeprefix("FROM ").strip())
    name = at.dialect.quote(operation.table.name)

    def swap(text: str) -> str:
        return _swap_alias(text, operation.alias, name)

    return replace(
        operation,
        alias="",
        assignments=tuple((column, swap(expression)) for column, expression in operation.assignments),
        where=swap(operation.where),
        from_clause=swap(operation.from_clause.removeprefix("FROM ").strip()),
    )


def _swap_alias(text: str, alias: str, name: str) -> str:
    """Replace `alias.` by the table's name, outside quotes."""
    if not alias:
        return text
    quoted = '"' + alias.replace('"', '""') + '"'
    text = re.sub(rf"(?<![\w.\"']){re.escape(quoted)}\s*\.", lambda _: f"{name}.", text)
    pieces = re.split(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")", text)
    pattern = re.compile(rf"(?<![\w.\"]){re.escape(alias)}\s*\.", re.IGNORECASE)
    return "".join(piece if index % 2 else pattern.sub(f"{name}.", piece) for index, piece in enumerate(pieces))


def _undo(operation: Update | Delete, at: Situation) -> Undo:
    where = spoken.place_of(at)
    table = operation.table
    if isinstance(operation, Delete):
        return Irreversible(reason=f"the deleted rows of {table} are not kept", name=f"delete {table} {where}")
    if all(column_is_new(at, table, column) for column, _ in operation.assignments):
        return UndoNothing(reason="the values go with the columns that this release adds")
    return Irreversible(reason=f"the values of {table} before it are not kept", name=f"update {table} {where}")
