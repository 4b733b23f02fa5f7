"""Constraints in two movements: first they bind new rows, then old rows are proved, each under the weakest lock there is."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, Constraint, ForeignKey, Index, IndexPart, NotNull, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, DropConstraint, DropNotNull, SetNotNull, ValidateConstraint
from driftflow.model.plan import Guard, Phase, Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.cleansing.matching import Matching
from driftflow.strategies.columns.filling import ROWID, chunk_key
from driftflow.strategies.fitted import fit
from driftflow.strategies.in_ranges import ranges_of, ranges_of_groups
from driftflow.strategies.recipe import Recipe, bounded_count
from driftflow.strategies.row_guards import guard_rows

LATER: dict[Phase, Phase] = {"expand": "migrate", "migrate": "migrate", "contract": "contract"}
"""Where the slow half of a recipe goes when its quick half is in this phase."""


def guard_nulls(at: Situation, table: Name, column: str) -> Guard:
    hint = f'fill {table.name}.{column} first: `-- driftflow: backfill column={column} set="..."`'
    return guard_rows(at, table, f"{at.dialect.quote(column)} IS NULL", f"have no {column}", hint=hint, key=_key(at, table))


def guard_check(at: Situation, table: Name, check: Check) -> Guard:
    broken = f"NOT ({check.expression})"
    hint = "correct these rows first; docs/strategies/rules-by-trigger.md holds new rows alone to a rule"
    return guard_rows(at, table, broken, f"violate {check.name or 'the check'}", hint=hint, key=_key(at, table))


def _key(at: Situation, table: Name) -> tuple[str, ...]:
    """Which rows, without any other of their values."""
    known = at.table(table)
    return chunk_key(at, known) if known is not None else ()


def guard_orphans(at: Situation, table: Name, key: ForeignKey) -> Guard:
    quote, child, parent = at.dialect.quote, at.dialect.quote_name(table), at.dialect.quote_name(key.referenced)
    pairs = list(zip(key.columns, referenced_columns(at, key), strict=False))
    present = " AND ".join(f"c.{quote(column)} IS NOT NULL" for column, _ in pairs)
    same = " AND ".join(f"p.{quote(there)} = c.{quote(here)}" for here, there in pairs)
    orphan = _or_half_there(at, key, f"{present} AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {same})", "c")
    where = f"{child} AS c WHERE {orphan}"
    known = at.table(table)
    own = ", ".join(
        f"c.{column if column == ROWID else quote(column)}" for column in (chunk_key(at, known) if known is not None else ())
    )
    return Guard(
        query=bounded_count(f"SELECT 1 FROM {where}"),
        summary=f"{{count}} rows of {table.name} point at no row of {key.referenced.name}",
        hint="say above the statement what becomes of them: `-- driftflow: orphans action=quarantine` (or delete, null, create-parent)",
        keys=f"SELECT {own} FROM {where} ORDER BY {own} LIMIT 10" if own else "",
        ranges=ranges_of(at, table, orphan, alias="c"),
    )


def orphan_condition(at: Situation, table: Name, key: ForeignKey) -> str:
    """That a row points at nothing, over the table's own columns, each by its full name."""
    own, quote = at.dialect.quote(table.name), at.dialect.quote
    pairs = list(zip(key.columns, referenced_columns(at, key), strict=True))
    present = " AND ".join(f"{own}.{quote(column)} IS NOT NULL" for column, _ in pairs)
    same = " AND ".join(f"parent.{quote(there)} = {own}.{quote(here)}" for here, there in pairs)
    target = at.dialect.quote_name(key.referenced)
    return f"({_or_half_there(at, key, f'{present} AND NOT EXISTS (SELECT 1 FROM {target} AS parent WHERE {same})', own)})"


def _or_half_there(at: Situation, key: ForeignKey, orphan: str, child: str) -> str:
    """MATCH FULL, where the server heeds it: a row whose columns are NULL in part points at nothing either."""
    if key.match != "FULL" or len(key.columns) < 2 or not at.can(Capability.MATCH_FULL):
        return orphan
    columns = [f"{child}.{at.dialect.quote(column)}" for column in key.columns]
    half = " AND ".join(f"({' OR '.join(f'{column} IS {word}' for column in columns)})" for word in ("NULL", "NOT NULL"))
    return f"(({orphan}) OR ({half}))"


def guard_duplicates(at: Situation, index: Index) -> Guard | None:
    """None where the table is not known."""
    table = at.table(index.table)
    if table is None:
        return None
    key = chunk_key(at, table)
    found = Matching(at, table, index, key)
    listed = ", ".join(found.expressions())
    return Guard(
        query=bounded_count(found.groups()),
        summary=f"{{count}} values of {index.table.name} ({listed}) occur more than once",
        hint="say above the statement which row stays: `-- driftflow: duplicates keep=first` (or keep=last by=COLUMN, merge=..., quarantine)",
        keys=found.repeated_keys() if key else "",
        ranges=ranges_of_groups(at, table, index, found),
    )


def index_of(table: Name, constraint: Unique) -> Index:
    """The index that the server builds under a unique constraint."""
    return Index(
        name=Name(schema=table.schema, name=constraint.name or "_".join((table.name, *constraint.columns, "key"))),
        table=table,
        parts=constraint.parts or tuple(IndexPart(column=column) for column in constraint.columns),
        include=constraint.include,
        unique=True,
        nulls_not_distinct=constraint.nulls_not_distinct,
    )


def referenced_columns(at: Situation, key: ForeignKey) -> tuple[str, ...]:
    if key.referenced_columns:
        return key.referenced_columns
    parent = at.table(key.referenced)
    primary = parent.primary_key if parent is not None else None
    return primary.columns if primary is not None else key.columns


def bind_then_validate(
    recipe: Recipe, table: Name, constraint: Check | ForeignKey, *, phase: Phase = "expand", only: bool = False
) -> Iterator[Step]:
    """NOT VALID, then VALIDATE in a transaction of its own: in the same one the strong lock would be held during the scan."""
    at = recipe.at
    guard = guard_check(at, table, constraint) if isinstance(constraint, Check) else guard_orphans(at, table, constraint)
    what = (
        f"{table.name} ({', '.join(constraint.columns)}) → {constraint.referenced.name}"
        if isinstance(constraint, ForeignKey)
        else f"{constraint.name or constraint.expression}"
    )
    yield recipe.change(
        AddConstraint(table=table, constraint=replace(constraint, validated=False), only=only),
        purpose=f"Bind new rows: {what} (NOT VALID)",
        phase=phase,
    )
    yield validate(recipe, table, constraint.name, guards=(guard,), phase=LATER[phase], what=what, only=only)


def validate(
    recipe: Recipe, table: Name, name: str, *, guards: tuple[Guard, ...], phase: Phase, what: str, only: bool = False
) -> Step:
    return recipe.change(
        ValidateConstraint(table=table, name=name, only=only),
        purpose=f"Prove old rows: {what} (VALIDATE)",
        phase=phase,
        guards=guards,
    )


def prove_not_null(recipe: Recipe, table: Name, column: str, *, name: str = "", phase: Phase = "expand") -> Iterator[Step]:
    """NOT NULL without a scan under a strong lock: a constraint that is proved first, and then taken at its word."""
    at = recipe.at
    guards = (guard_nulls(at, table, column),)
    what = f"{table.name}.{column} is NOT NULL"
    if at.can(Capability.NOT_VALID_NOT_NULL):
        named = NotNull(name=name or f"{table.name}_{column}_not_null", column=column, validated=False)
        yield recipe.change(
            AddConstraint(table=table, constraint=named), purpose=f"Bind new rows: {what} (NOT VALID)", phase=phase
        )
        yield validate(recipe, table, named.name, guards=guards, phase=LATER[phase], what=what)
        return
    check = Check(name=_helper_name(table, column), expression=f"{at.dialect.quote(column)} IS NOT NULL", validated=False)
    forget = DropConstraint(table=table, name=check.name, if_exists=True)
    bound = recipe.change(AddConstraint(table=table, constraint=check), purpose=f"Bind new rows: {what} (NOT VALID)", phase=phase)
    # The last step drops the check and its undo does not bring it back, so this one must not insist that it is there.
    yield replace(bound, undo=UndoSteps(steps=(recipe.undo_step((forget,), recipe.catalog, phase=phase),)))
    yield validate(recipe, table, check.name, guards=guards, phase=LATER[phase], what=what)
    last = recipe.change(
        SetNotNull(table=table, column=column, constraint_name=name),
        DropConstraint(table=table, name=check.name),
        purpose=f"Set {table.name}.{column} NOT NULL (the validated check proves it, no scan) and drop the check",
        phase=LATER[phase],
    )
    back = DropNotNull(table=table, column=column)
    yield replace(last, undo=UndoSteps(steps=(recipe.undo_step((back,), recipe.catalog, phase=LATER[phase]),)))


def _helper_name(table: Name, column: str) -> str:
    return fit(f"driftflow_nn_{table.name}_{column}")


def can_use_index(at: Situation, table: Table | None, constraint: Unique | PrimaryKey) -> bool:
    """Whether a unique index built online can become the constraint."""
    partitioned = table is not None and table.partitioning is not None
    online = at.can(Capability.CONCURRENT_INDEX) and at.can(Capability.UNIQUE_USING_INDEX)
    return online and not partitioned and not constraint.using_index


def unique_online(recipe: Recipe, table: Name, constraint: Unique, *, only: bool = False) -> Iterator[Step]:
    """Build the unique index online, then let the constraint take it over; the index keeps (or gets) the constraint's name."""
    at = recipe.at
    index = index_of(table, constraint)
    guard = guard_duplicates(at, index)
    listed = ", ".join(constraint.columns)
    yield recipe.build_index(
        index, purpose=f"Build the unique index on {table.name} ({listed}) online", guards=(guard,) if guard is not None else ()
    )
    yield recipe.change(
        AddConstraint(table=table, constraint=replace(constraint, using_index=constraint.name), only=only),
        purpose=f"Make the index {constraint.name} a unique constraint",
        phase="migrate",
    )


def named(constraint: Constraint, table: Name, columns: tuple[str, ...], suffix: str) -> str:
    """The name that the server would give, where resolve left none."""
    return constraint.name or "_".join((table.name, *columns, suffix))
