"""A pair of type and id as one column per table, each with a real foreign key: the database keeps it by itself, and every tool sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check, Column, ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import AddColumn, AddConstraint, ChangeColumn, DropNotNull
from driftflow.model.record import replace
from driftflow.strategies.base import enhancement
from driftflow.strategies.fitted import fit
from driftflow.strategies.references.said_polymorphic import PolymorphicRequest, Target, polymorphic_of
from driftflow.strategies.size import is_new


@enhancement(
    "split_polymorphic",
    on=AddConstraint,
    title="one column per table, each with a foreign key of its own",
    why="a foreign key holds where triggers do not reach (TRUNCATE, cascades, bulk loads), and joins and tools can follow it",
)
def split_polymorphic(operation: AddConstraint, at: Situation) -> str:
    request, table = polymorphic_of(at), at.table(operation.table)
    if request is None or table is None or is_new(at, operation.table) or not isinstance(operation.constraint, Check):
        return ""
    pair = [table.column(name) for name in (request.type, request.id)]
    columns = [_column(at, table, target) for target in request.targets]
    free = all(one is not None and table.column(one.name) is None for one in columns)
    if not free or any(one is None for one in pair):
        return ""
    named = [(target, one) for target, one in zip(request.targets, columns, strict=True) if one is not None]
    held = tuple(one.name for one in pair if one is not None and not one.nullable)
    return "\n".join(_statements(at, table, operation.constraint.name, request, named, held))


def _column(at: Situation, table: Table, target: Target) -> Column | None:
    """`post=posts(id)` becomes post_id, of the type of what it points at."""
    parent = at.table(Name(schema=target.schema or table.name.schema, name=target.table))
    there = parent.column(target.column) if parent is not None else None
    if there is None or parent is None or parent.partitioning is not None:
        return None
    word = re.sub(r"\W+", "_", target.value.lower()).strip("_") or target.table
    return Column(name=f"{word}_{target.column}", type=there.type, charset=there.charset, collation=there.collation)


def _statements(
    at: Situation,
    table: Table,
    name: str,
    request: PolymorphicRequest,
    columns: list[tuple[Target, Column]],
    held: tuple[str, ...],
) -> Iterator[str]:
    """`held` are those of the pair that may not be NULL: where both are, every row points at something, and goes on to."""
    quote, literal, target = at.dialect.quote, at.dialect.literal, at.dialect.quote_name(table.name)
    kind, id, rebuilt = quote(request.type), quote(request.id), at.can(Capability.TABLE_REBUILD_ONLY)
    # At the gate the new application writes no pair any more, so the pair must bear that until it goes.
    for column_name in held:
        yield f"{at.dialect.render(_may_be_null(at, table, column_name))};"
    for one, column in columns:
        new = f"CASE WHEN NEW.{kind} = {literal(one.value)} THEN NEW.{id} END"
        yield f'-- driftflow: dual-write column={column.name} set="{new}"'
        yield f'-- driftflow: backfill column={column.name} set="CASE WHEN {kind} = {literal(one.value)} THEN {id} END"'
        key = _key(table, one, column, request)
        # SQLite adds a column with its key at once; a key that came later would be a rebuild, without the triggers of the old application.
        inline = (key,) if rebuilt else ()
        yield f"{at.dialect.render(AddColumn(table=table.name, column=column, constraints=inline))};"
    for one, column in () if rebuilt else columns:
        yield f"{at.dialect.render(AddConstraint(table=table.name, constraint=_key(table, one, column, request)))};"
    counted = " + ".join(f"CASE WHEN {quote(column.name)} IS NULL THEN 0 ELSE 1 END" for _, column in columns)
    always = len(held) == len((request.type, request.id))
    if rebuilt or always:
        # SQLite's triggers fill the columns one after the other, behind the row's own checks; and where one must be set, old rows have to be filled before.
        yield '-- driftflow: gate name=deployed question="Does every running version write the new columns?"'
    yield f"ALTER TABLE {target} ADD CONSTRAINT {quote(name)} CHECK ({counted} {'=' if always else '<='} 1);"
    for column_name in (request.type, request.id):
        yield "-- driftflow: archive\n-- driftflow: cascade"
        yield f"ALTER TABLE {target} DROP COLUMN {quote(column_name)};"


def _may_be_null(at: Situation, table: Table, name: str) -> ChangeColumn | DropNotNull:
    column = table.column(name)
    if at.dialect.one_pass and column is not None:
        return ChangeColumn(table=table.name, column=name, definition=replace(column, nullable=True))
    return DropNotNull(table=table.name, column=name)


def _key(table: Table, target: Target, column: Column, request: PolymorphicRequest) -> ForeignKey:
    return ForeignKey(
        name=fit(f"{table.name.name}_{column.name}_fk"),
        columns=(column.name,),
        referenced=Name(schema=target.schema or table.name.schema, name=target.table),
        referenced_columns=(target.column,),
        on_delete="CASCADE" if request.cascade else "NO ACTION",
    )
