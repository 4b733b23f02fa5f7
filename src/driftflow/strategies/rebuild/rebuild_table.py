"""SQLite: what its ALTER TABLE cannot do. Several changes of one table that stand together become one rebuild (the planner merges them)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, ForeignKey
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, AddConstraint, AlterColumnType, DropColumn, Operation
from driftflow.model.operations.identifiers import mentions
from driftflow.model.plan import Guard, Step
from driftflow.strategies.base import strategy
from driftflow.strategies.cleansing.archiving import listed
from driftflow.strategies.columns.filling import ROWID, chunk_key
from driftflow.strategies.constraints.constraining import guard_check, guard_orphans
from driftflow.strategies.phases import phase_of
from driftflow.strategies.rebuild.rebuilding import STRATEGY, Rebuilt, needs_rebuild, rebuild
from driftflow.strategies.recipe import Recipe, bounded_count
from driftflow.strategies.row_guards import guard_rows

RANK = 50


def _applies(operation: Operation, at: Situation) -> bool:
    table = getattr(operation, "table", None)
    return (
        at.can(Capability.TABLE_REBUILD_ONLY)
        and needs_rebuild(operation, at)
        and table is not None
        and at.table(table) is not None
    )


@strategy(STRATEGY, on=(AddColumn, DropColumn, *Rebuilt.__args__), applies=_applies, rank=RANK, page="rebuild-table")
def rebuild_table(operation: Operation, at: Situation) -> Iterator[Step]:
    table = getattr(operation, "table")  # noqa: B009 - every operation of this strategy has one
    yield rebuild(
        Recipe(at, STRATEGY),
        (operation,),
        table=table,
        phase=phase_of(operation, at),
        guards=tuple(guards_of(operation, at)),
        expressions=expressions_of(operation),
    )


def expressions_of(operation: Operation) -> dict[str, str]:
    """What a new column holds for old rows: the default that ALTER TABLE would not take."""
    if isinstance(operation, AddColumn) and operation.column.default is not None and operation.column.generated is None:
        return {operation.column.name: operation.column.default}
    using = getattr(operation, "using", "")
    return {getattr(operation, "column"): using} if using else {}  # noqa: B009


def guards_of(operation: Operation, at: Situation, expressions: Mapping[str, str] | None = None) -> Iterator[Guard]:
    """What the rows may stand in the way of. `expressions` are what the same rebuild puts into columns: a check looks at those."""
    match operation:
        case AddConstraint(table=table, constraint=Check() as check):
            changed = {
                name: text for name, text in (expressions or {}).items() if mentions(check.expression, name, any_case=True)
            }
            yield _guard_converted(at, table, check, changed) if changed else guard_check(at, table, check)
        case AddConstraint(table=table, constraint=ForeignKey() as key):
            yield guard_orphans(at, table, key)
        case AlterColumnType(table=table, column=column, type=type, using=""):
            yield from _guard_strict(at, table, column, type)
        case _:
            return


def _guard_strict(at: Situation, table: Name, column: str, type: str) -> Iterator[Guard]:
    """A STRICT table refuses a value of another type; any other one keeps it as it is."""
    from driftflow.dialects.sqlite.keys import STRICT
    from driftflow.dialects.sqlite.probes import refused_by_strict

    known = at.table(table)
    if known is not None and STRICT in known.options:
        said = f"hold a {column} that is no {type}"
        hint = f"correct these rows first, or say what becomes of them: ALTER COLUMN {column} TYPE {type} USING ..."
        yield guard_rows(at, table, refused_by_strict(column, type), said, hint=hint, key=chunk_key(at, known))


def _guard_converted(at: Situation, table: Name, check: Check, expressions: Mapping[str, str]) -> Guard:
    known = at.table(table)
    names = [column.name for column in known.columns] if known is not None else []
    quote, target = at.dialect.quote, at.dialect.quote_name(table)
    values = ", ".join(f"{expressions[name]} AS {quote(name)}" if name in expressions else quote(name) for name in names)
    converted = f"(SELECT {values} FROM {target}) AS {quote(table.name)} WHERE NOT ({check.expression})"
    key = listed(at, chunk_key(at, known)) if known is not None else ""
    return Guard(
        query=bounded_count(f"SELECT 1 FROM {converted}"),
        summary=f"{{count}} rows of {table.name} violate {check.name or 'the check'} once they are converted",
        hint="let the expression of the conversion name every value",
        keys=f"SELECT {key} FROM {converted} ORDER BY {key} LIMIT 10" if key and ROWID not in key else "",
    )
