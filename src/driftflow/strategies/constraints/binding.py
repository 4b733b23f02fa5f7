"""MySQL and MariaDB: a foreign key in place without a copy, by asking the server to take the old rows on trust; a query proves them afterwards.

With foreign_key_checks off the key is added in place, and from then on binds every row that is written with the checks on. What stood in the
table before is proved by a read that stops nobody. A CHECK has no such way: both servers copy the table for it (measured on 9.7, 10.11 and 11.8).
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, ForeignKey, Index, Table
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex, Operation, keys
from driftflow.model.plan import Expectation, Guard, Phase, RunSql, Step, Undo, UndoNothing, Verify, Walked
from driftflow.model.record import replace
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.constraints.constraining import LATER, guard_orphans, orphan_condition
from driftflow.strategies.passes import Pass, one_pass
from driftflow.strategies.recipe import Recipe, as_undo

TRUSTING = "foreign_key_checks"
"""The session's setting that validates old rows while the key is added."""


def binds_unproved(operation: AddConstraint, recipe: Recipe) -> bool:
    """Whether the constraint costs writers nothing once old rows are taken on trust, and does cost them something otherwise."""
    at, constraint = recipe.at, operation.constraint
    if not at.dialect.one_pass or not isinstance(constraint, ForeignKey):
        return False
    usual = one_pass((operation,), recipe.catalog, at).request
    trusted = one_pass((operation,), trusting(recipe.catalog), at).request
    costly = usual is not None and usual.algorithm == "COPY"
    return costly and trusted is not None and trusted.algorithm != "COPY"


def trusting(catalog: Catalog) -> Catalog:
    """The catalog as a session sees it that takes old rows on trust."""
    return replace(catalog, settings={**catalog.settings, TRUSTING: "0"})


def bind_unproved(recipe: Recipe, table: Name, constraint: ForeignKey, *, phase: Phase = "expand") -> Iterator[Step]:
    """The index that the key needs, the key on trust, the proof."""
    guard = guard_orphans(recipe.at, table, constraint)
    yield from bind_on_trust(recipe, table, constraint, phase=phase, guards=(guard,))
    yield prove(recipe, table, constraint, phase=LATER[phase])


def said(table: Name, key: ForeignKey) -> str:
    return f"{table.name} ({', '.join(key.columns)}) → {key.referenced.name}"


def bind_on_trust(
    recipe: Recipe, table: Name, constraint: ForeignKey, *, phase: Phase, guards: tuple[Guard, ...] = ()
) -> Iterator[Step]:
    """The index that the key needs, and the key, which looks at no row that is there."""
    what = said(table, constraint)
    if (index := index_for(recipe.catalog, table, constraint)) is not None:
        yield recipe.change(CreateIndex(index=index), purpose=f"Build the index for {what}", phase=phase)
    yield changed_on_trust(
        recipe,
        AddConstraint(table=table, constraint=constraint),
        purpose=f"Bind new rows: {what}, old rows on trust ({TRUSTING}=0)",
        phase=phase,
        guards=(*guard_elsewhere(recipe.at, table, constraint), *guards),
    )


def bound_back(at: Situation, run: Pass, *, phase: Phase) -> tuple[Step, ...]:
    """A foreign key that comes back in a statement of its own, as one that comes: the index that it had is there. Empty where that is nothing to the writers."""
    recipe = Recipe(at, "undo")
    recipe.catalog = run.catalog
    operation, *others = run.operations
    if others or not isinstance(operation, AddConstraint) or not isinstance(key := operation.constraint, ForeignKey):
        return ()
    if not binds_unproved(operation, recipe):
        return ()
    purpose = f"Take back: bind rows again: {said(operation.table, key)}, those that are there on trust ({TRUSTING}=0)"
    guards = (*guard_elsewhere(at, operation.table, key), guard_orphans(at, operation.table, key))
    nothing = UndoNothing(reason="it is an undo itself")
    bound = changed_on_trust(recipe, operation, purpose=purpose, phase=phase, guards=guards, undo=nothing)
    return as_undo(bound), as_undo(prove(recipe, operation.table, key, phase=phase))


def changed_on_trust(
    recipe: Recipe, *operations: Operation, purpose: str, phase: Phase, guards: tuple[Guard, ...] = (), undo: Undo | None = None
) -> RunSql:
    """One statement that looks at no row that is there."""
    usual = recipe.catalog.settings
    recipe.catalog = trusting(recipe.catalog)
    step = recipe.change(*operations, purpose=purpose, phase=phase, guards=guards, undo=undo)
    recipe.catalog = replace(recipe.catalog, settings=usual)
    return replace(step, settings={TRUSTING: "0"})


def guard_elsewhere(at: Situation, table: Name, key: ForeignKey) -> Iterator[Guard]:
    """A table of another database of the same server is in no catalog, and with the checks off the server takes a key to what is not there."""
    if at.table(key.referenced) is not None:
        return
    literal, there = at.dialect.literal, key.referenced
    pairs = zip(key.columns, key.referenced_columns, strict=False)
    same = "p.DATA_TYPE = c.DATA_TYPE AND p.COLUMN_TYPE LIKE '%unsigned%' = (c.COLUMN_TYPE LIKE '%unsigned%') AND p.COLLATION_NAME <=> c.COLLATION_NAME"
    fits = " AND ".join(
        "EXISTS (SELECT 1 FROM information_schema.COLUMNS AS p JOIN information_schema.COLUMNS AS c ON "
        f"c.TABLE_SCHEMA = {literal(table.schema)} AND c.TABLE_NAME = {literal(table.name)} AND c.COLUMN_NAME = {literal(here)} "
        f"AND {same} WHERE p.TABLE_SCHEMA = {literal(there.schema)} AND p.TABLE_NAME = {literal(there.name)} "
        f"AND p.COLUMN_NAME = {literal(column)})"
        for here, column in pairs
    )
    first = literal(key.referenced_columns[0]) if key.referenced_columns else "''"
    indexed = (
        f"EXISTS (SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {literal(there.schema)} "
        f"AND TABLE_NAME = {literal(there.name)} AND COLUMN_NAME = {first} AND SEQ_IN_INDEX = 1 AND NON_UNIQUE = 0)"
    )
    named = f"{there} ({', '.join(key.referenced_columns)})"
    yield Guard(
        query=f"SELECT count(*) FROM (SELECT 1 AS one) AS asked WHERE {fits} AND {indexed}",
        refuse_if="zero",
        summary=f"{named} is not there, is not unique, or has another type than {table.name} ({', '.join(key.columns)})",
        hint=f"SHOW CREATE TABLE {at.dialect.quote_name(there)}    # and the right to see it",
    )


def index_for(catalog: Catalog, table: Name, key: ForeignKey) -> Index | None:
    """What the server would build with the key, under the same name, and leave there when the key goes; None where there is one already."""
    known = catalog.table(table)
    if known is None or _has_index(known, key.columns):
        return None
    made = keys.with_referencing_index(catalog, known, key).indexes[len(known.indexes) :]
    return made[0] if made else None


def _has_index(table: Table, columns: tuple[str, ...]) -> bool:
    primary = table.primary_key
    if primary is not None and primary.columns[: len(columns)] == columns:
        return True
    return any(index.columns[: len(columns)] == columns and index.method in ("", "btree") for index in table.indexes)


def prove(recipe: Recipe, table: Name, key: ForeignKey, *, phase: Phase) -> Verify:
    """Plain reads of the table that lock no row, in chunks along its key; in one read where it has none."""
    at, what = recipe.at, said(table, key)
    known = at.table(table)
    columns = chunk_key(at, known) if known is not None else ()
    if columns:
        target, orphan = at.dialect.quote_name(table), orphan_condition(at, table, key)
        query, walk = f"SELECT count(*) FROM {target} WHERE {{rows}} AND {orphan}", Walked(table=table, key=columns)
    else:
        query, walk = guard_orphans(at, table, key).query, None
    return Verify(
        **recipe.common(f"Prove old rows: {what}", phase) | {"resolves": ()},
        statement_timeout_ms=at.policy.statement_timeout_ms if walk is not None else 0,
        expectations=(Expectation(summary=f"every row of the table keeps to {what}", query=query, expect="0", walk=walk),),
        undo=UndoNothing(reason="it changes nothing"),
    )


def is_trusted(at: Situation, operation: AddConstraint) -> bool:
    """The same question where no recipe has begun yet."""
    return binds_unproved(operation, Recipe(at, ""))
