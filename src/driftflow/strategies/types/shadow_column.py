"""Another type for a column of a large table: a second column beside it, kept equal by a trigger, filled in chunks, and swapped in an instant."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column, Table, View
from driftflow.model.effects import LockClaim
from driftflow.model.operations import AddColumn, AlterColumnType, DropColumn
from driftflow.model.operations.dependents import heirs_of, in_order, views_on_column
from driftflow.model.plan import Expectation, Irreversible, Phase, RunSql, Step, Undo, UndoNothing, UndoSteps, Verify
from driftflow.model.record import replace
from driftflow.strategies import trigger_text
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.dual_write import RETIRE_COLUMN
from driftflow.strategies.columns.filling import backfill, can_walk, row_claims
from driftflow.strategies.fitted import trigger_name
from driftflow.strategies.recipe import Recipe, as_undo
from driftflow.strategies.size import has_slow_work, is_large
from driftflow.strategies.types import shadow_trigger
from driftflow.strategies.types.conversion import Conversion, conversion_of
from driftflow.strategies.types.given_back import guard_back
from driftflow.strategies.types.shadow_archive import archived, from_archive
from driftflow.strategies.types.shadow_names import aside_of, shadow_of
from driftflow.strategies.types.shadow_parts import build, obstacle, parts_of, proved_again
from driftflow.strategies.types.shadow_swap import Swap, difference, guard_way_back, swap
from driftflow.strategies.types.trying import tried
from driftflow.strategies.views.change_under_views import only_views_stand_in_the_way

NAME = "shadow_column"


def can_shadow(operation: AlterColumnType, at: Situation) -> bool:
    """Whether the column can be made beside itself on this server, with all that hangs on it."""
    return _known_here(at) and not _why_not(operation, at)


def _known_here(at: Situation) -> bool:
    return not at.can(Capability.TABLE_REBUILD_ONLY) and at.can(Capability.UNIQUE_USING_INDEX)


def _why_not(operation: AlterColumnType, at: Situation) -> str:
    if at.conflict and not (only_views_stand_in_the_way(at) and _made_in_an_instant(views_of(operation, at))):
        return "something depends on it that cannot be made again in an instant"
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if table is None or column is None:
        return "it is not known"
    if column.generated is not None:
        return "it is a generated column"
    if not can_walk(at, table):
        return "the table has no key that its rows can be walked by"
    if operation.using and at.dialect.volatile(operation.using, at.catalog):
        return "its USING answers differently each time"
    if any(_foreseen(one, "types_differ") for one in (at, *at.clauses)):
        return "a foreign key ties it to a column that changes its type in the same statement"
    return obstacle(table, at, operation.column)


def views_of(operation: AlterColumnType, at: Situation) -> tuple[View, ...]:
    """The views that read the column, and those over them, each behind what it reads."""
    return in_order(at.catalog, views_on_column(at.catalog, operation.table, operation.column))


def _made_in_an_instant(views: tuple[View, ...]) -> bool:
    """A materialized view reads its rows again, and nobody would read the table meanwhile."""
    return not any(view.materialized for view in views)


def shadows(operation: AlterColumnType, at: Situation) -> bool:
    """Whether this is the recipe for the statement."""
    return _wanted(operation, at) and can_shadow(operation, at) and not _foreseen(at, "bad_cast")


def _foreseen(at: Situation, kind: str) -> bool:
    """Whether the type change, alone among the clauses of its statement, certainly fails in this way."""
    if not isinstance(at.operation, AlterColumnType):
        return False
    return any(one.kind == kind and one.certain for one in at.dialect.effects(at.operation, at.catalog).fails_if)


def _wanted(operation: AlterColumnType, at: Situation) -> bool:
    return is_large(at, operation.table) and has_slow_work(at.effects)


def why_left_whole(at: Situation) -> str:
    """What stands in the way where this recipe would be wanted, for who reads the plan; empty where nothing does, and of other statements."""
    operation = at.operation
    if not isinstance(operation, AlterColumnType) or not _known_here(at) or not _wanted(operation, at):
        return ""
    return _why_not(operation, at)


@strategy(NAME, on=AlterColumnType, resolves=("DF106",), applies=shadows, rank=60, page="shadow-column")
def shadow_column(operation: AlterColumnType, at: Situation) -> Iterator[Step]:
    table = at.table(operation.table)
    assert table is not None
    column = table.column(operation.column)
    assert column is not None
    yield from shadowed(at, table, column, conversion_of(operation, column, table, at), strategy_name=NAME)


def shadowed(at: Situation, table: Table, column: Column, conversion: Conversion, *, strategy_name: str) -> Iterator[Step]:
    """The whole recipe, by whichever strategy it was asked for."""
    recipe = Recipe(at, strategy_name, resolves=("DF106",))
    yield from tried(recipe, table, conversion, _steps(recipe, table, column, conversion))


def _steps(recipe: Recipe, table: Table, column: Column, conversion: Conversion) -> Iterator[Step]:
    at, strategy_name = recipe.at, recipe.strategy
    shadow, aside = shadow_of(column.name), aside_of(column.name)
    settings = {"timezone": "UTC"} if conversion.utc else {}
    yield _added(recipe, table, conversion, shadow)
    there = shadow_trigger.forward(at, table, conversion, shadow)
    yield _trigger_step(
        recipe, table, there, purpose=f"Keep {shadow} equal to {table.name.name}.{column.name} (trigger)", phase="expand"
    )
    yield replace(_filled(recipe, table, conversion, shadow), settings=settings)
    parts = parts_of(table, at.catalog, column.name, shadow)
    yield from build(recipe, table, parts, shadow)
    yield _verified(recipe, table, conversion, shadow)
    yield recipe.text(
        f"ANALYZE {at.dialect.quote_name(table.name)} ({at.dialect.quote(shadow)})",
        purpose=f"Count the values of {shadow}, so that plans stay as good as they were",
        phase="migrate",
        claims=tuple(
            LockClaim(relation=name, mode="SHARE UPDATE EXCLUSIVE", blocks=("ddl",), held="statement")
            for name in (table.name, *(one.name for one in heirs_of(at.catalog, table.name)))
        ),
        undo=UndoNothing(reason="statistics change nothing"),
    )
    both = shadow_trigger.both_ways(at, table, conversion, aside)
    names = Swap(
        column=column.name, waiting=shadow, aside=aside, default=_default(recipe.at, column, conversion), views=_views(recipe.at)
    )
    yield swap(
        recipe,
        table,
        parts,
        names,
        before=there.drop,
        after=both.create,
        purpose=f"Swap: {table.name.name}.{column.name} is {conversion.new_type} from now on, the old values stay in {aside}",
        undo=UndoSteps(steps=tuple(_swapped_back(at, table, column, conversion, both, strategy_name))),
    )
    yield from proved_again(recipe, parts)
    if conversion.archive:
        yield archived(recipe, table, conversion, aside)
    yield _retired(recipe, table, conversion, both, aside)


def _added(recipe: Recipe, table: Table, conversion: Conversion, shadow: str) -> Step:
    made = Column(name=shadow, type=conversion.new_type, collation=conversion.collation)
    step = recipe.change(
        AddColumn(table=table.name, column=made),
        purpose=f"Add {table.name.name}.{shadow} {conversion.new_type}, beside {conversion.column}",
        guards=conversion.guards,
    )
    gone = DropColumn(table=table.name, column=shadow)
    return replace(step, undo=UndoSteps(steps=(recipe.undo_step((gone,), recipe.catalog, phase="expand"),)))


def _trigger_step(recipe: Recipe, table: Table, trigger: shadow_trigger.Trigger, *, purpose: str, phase: Phase) -> RunSql:
    return recipe.text(
        *trigger.create,
        purpose=purpose,
        phase=phase,
        claims=trigger_text.claims(recipe.at, table, create=True),
        undo_claims=trigger_text.claims(recipe.at, table, create=False),
        undo=trigger.drop,
        undo_purpose=f"Take away the trigger on {table.name.name}",
    )


def _filled(recipe: Recipe, table: Table, conversion: Conversion, shadow: str) -> Step:
    quote, target = recipe.at.dialect.quote, recipe.at.dialect.quote(table.name.name)
    there = conversion.there or f"{target}.{quote(conversion.column)}"
    gives = f" AND ({conversion.there}) IS NOT NULL" if conversion.there else ""
    return backfill(
        recipe,
        table,
        assignments=((shadow, there),),
        predicate=f"{target}.{quote(shadow)} IS NULL AND {target}.{quote(conversion.column)} IS NOT NULL{gives}",
        phase="migrate",
        own=(shadow,),
        beside=(trigger_name(table.name, conversion.column, "_there"),),
        purpose=f"Fill {table.name.name}.{shadow} from {conversion.column} in chunks",
    )


def _verified(recipe: Recipe, table: Table, conversion: Conversion, shadow: str) -> Verify:
    at = recipe.at
    wrong = difference(at, table, conversion, old=conversion.column, new=shadow)
    said = f"every {shadow} of {table.name.name} is what {conversion.column} becomes"
    return Verify(
        **recipe.common(f"Verify that {said}", "migrate"),
        expectations=(
            Expectation(
                summary=said,
                setup=("SET LOCAL timezone = 'UTC'",) if conversion.utc else (),
                query=f"SELECT count(*) FROM (SELECT 1 FROM {at.dialect.quote_name(table.name)} WHERE {wrong} LIMIT 1000) AS offenders",
                expect="0",
            ),
        ),
        claims=row_claims(at, table.name),
        statement_timeout_ms=0,
        undo=UndoNothing(reason="it changes nothing"),
    )


def _views(at: Situation) -> tuple[View, ...]:
    return views_of(at.operation, at) if isinstance(at.operation, AlterColumnType) else ()


def _default(at: Situation, column: Column, conversion: Conversion) -> str | None:
    """The default as the new type takes it: a literal that is marked with the old type loses the mark where the one is not assigned to the other."""
    default, mark = column.default, f"'::{conversion.old_type}"
    if default is None or not default.startswith("'") or not default.endswith(mark):
        return default
    if at.dialect.assigns(conversion.old_type, conversion.new_type, at.catalog, at.version):
        return default
    return default.removesuffix(mark) + "'"


def _swapped_back(
    at: Situation, table: Table, column: Column, conversion: Conversion, both: shadow_trigger.Trigger, strategy_name: str
) -> Iterator[Step]:
    """The same way with the two columns in each other's place: what hangs on the column is made on the old one first, online."""
    recipe = Recipe(at, strategy_name)
    shadow, aside = shadow_of(column.name), aside_of(column.name)
    recipe.follow((AddColumn(table=table.name, column=replace(column, name=aside, default=None, identity=None, nullable=True)),))
    parts = parts_of(table, at.catalog, column.name, aside)
    guard = guard_way_back(at, table, conversion, aside)
    steps = [
        Verify(
            **recipe.common(
                f"Ask whether every {table.name.name}.{column.name} fits into {conversion.old_type} again", "migrate"
            ),
            expectations=(),
            guards=(guard,),
            statement_timeout_ms=0,
        ),
        *build(recipe, table, parts, aside),
        swap(
            recipe,
            table,
            parts,
            Swap(column=column.name, waiting=aside, aside=shadow, default=column.default, views=_views(at)),
            before=both.drop,
            after=(),
            purpose=f"Swap back: {table.name.name}.{column.name} is {conversion.old_type} again",
            guards=(guard,),
        ),
        *proved_again(recipe, parts),
    ]
    for step in steps:
        yield as_undo(step)


def _retired(recipe: Recipe, table: Table, conversion: Conversion, both: shadow_trigger.Trigger, aside: str) -> Step:
    """The old values go last, behind the gate."""
    at = recipe.at
    target, quote = at.dialect.quote_name(table.name), at.dialect.quote
    claims = recipe.follow((DropColumn(table=table.name, column=aside),))
    step = recipe.text(
        *both.drop,
        f"ALTER TABLE {target} DROP COLUMN {quote(aside)}",
        purpose=f"Drop {table.name.name}.{aside}, the old values of {conversion.column}, and the trigger",
        phase="contract",
        claims=claims,
        undo=_old_values_again(at, table, conversion, both, aside),
    )
    return replace(step, strategy=RETIRE_COLUMN)


def _old_values_again(at: Situation, table: Table, conversion: Conversion, both: shadow_trigger.Trigger, aside: str) -> Undo:
    if not conversion.lossless:
        return Irreversible(
            reason=f"values changed from {conversion.old_type} to {conversion.new_type} may not come back the same",
            name=f"alter_column_type {table.name}.{conversion.column}",
        )
    recipe = Recipe(at, NAME)
    quote, target = at.dialect.quote, at.dialect.quote(table.name.name)
    made = Column(name=aside, type=conversion.old_type, collation=_collation(table, conversion.column))
    column = quote(conversion.column)
    back = conversion.back or f"CAST({target}.{column} AS {conversion.old_type})"
    if conversion.archive:
        back = from_archive(at, table, conversion, back)
    types = {"now": conversion.new_type, "then": conversion.old_type}
    steps = (
        recipe.change(
            AddColumn(table=table.name, column=made),
            purpose=f"Take back: add {table.name.name}.{aside}",
            phase="contract",
            guards=() if conversion.back else tuple(guard_back(at, table, conversion.column, **types)),
        ),
        _trigger_step(recipe, table, both, purpose=f"Take back: keep {aside} equal (trigger)", phase="contract"),
        replace(
            backfill(
                recipe,
                table,
                assignments=((aside, back),),
                predicate=f"{target}.{quote(aside)} IS NULL AND {target}.{column} IS NOT NULL",
                phase="contract",
                purpose=f"Take back: fill {table.name.name}.{aside} in chunks",
            ),
            settings={"timezone": "UTC"} if conversion.utc else {},
        ),
    )
    return UndoSteps(steps=tuple(as_undo(step) for step in steps))


def _collation(table: Table, column: str) -> str:
    found = table.column(column)
    return found.collation if found is not None else ""
