"""A type change that its statement cannot say alone: `convert` names the time zone, format or encoding, `too-long` what becomes of long texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column, Table, View
from driftflow.model.operations import AlterColumnType, DropView, Operation
from driftflow.model.plan import Guard, Irreversible, RebuildTable, Step, Undo, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.rebuild.cut_archive import CutArchive
from driftflow.strategies.rebuild.rebuilding import rebuild, rebuild_as_it_was
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.row_guards import guard_rows
from driftflow.strategies.rules.json_documents import document_guards
from driftflow.strategies.size import has_slow_work, is_large, is_new
from driftflow.strategies.types.conversion import Conversion, conversion_of
from driftflow.strategies.types.given_back import not_given_back
from driftflow.strategies.types.said_conversion import ConvertRequest, convert_of, too_long_of
from driftflow.strategies.types.shadow_column import can_shadow, shadowed, views_of
from driftflow.strategies.types.spelled_conversion import length_of, reads_time_zone, spelled
from driftflow.strategies.types.trying import tried
from driftflow.strategies.views.change_under_views import only_views_stand_in_the_way
from driftflow.strategies.views.whole_view import made_again

NAME = "convert_type"


def _applies(operation: AlterColumnType, at: Situation) -> bool:
    table = at.table(operation.table)
    if table is None or table.column(operation.column) is None or (at.conflict and not only_views_stand_in_the_way(at)):
        return False
    return bool(at.directives("convert") or at.directives("too-long")) or _unsaid_zone(operation, at)


def _unsaid_zone(operation: AlterColumnType, at: Situation) -> bool:
    """The server would read the zone from the session that happens to run the statement."""
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    if column is None or operation.using or at.dialect.name != "postgresql" or is_new(at, operation.table) or spoken.as_is(at):
        return False
    return reads_time_zone(column.type, operation.type)


@strategy(NAME, on=AlterColumnType, resolves=("DF106",), applies=_applies, rank=95, page="convert-type")
def convert_type(operation: AlterColumnType, at: Situation) -> Iterator[Step]:
    table = at.table(operation.table)
    assert table is not None
    column = table.column(operation.column)
    assert column is not None
    conversion = _conversion(operation, column, table, at)
    conversion = replace(conversion, documents=_documents(operation, column, table, at, conversion))
    said = replace(operation, using=conversion.there)
    if at.can(Capability.TABLE_REBUILD_ONLY):
        expressions = {column.name: conversion.there} if conversion.there else {}
        recipe = Recipe(at, "rebuild_table")
        archive = CutArchive(at, table, conversion) if conversion.archive else None
        if archive is not None:
            yield archive.begun(recipe)
            conversion = replace(conversion, back=archive.restored())
        guards = (*conversion.guards, *conversion.documents)
        step = rebuild(recipe, (said,), table=table.name, phase="migrate", guards=guards, expressions=expressions)
        yield step if not (conversion.lossless and conversion.back) else _with_way_back(step, recipe, table, conversion, archive)
    elif can_shadow(said, at) and (
        conversion.archive or (is_large(at, table.name) and has_slow_work(at.dialect.effects(said, at.catalog)))
    ):
        yield from shadowed(at, table, column, conversion, strategy_name=NAME)
    elif conversion.archive:
        raise RefusedError(
            "DF-E635",
            f"the whole texts of {table.name.name}.{column.name} cannot be archived",
            where=str(at.statement.span),
            why="that needs a second column beside this one, which this table does not allow, or a database that has no such recipe",
            hint="policy=reject or policy=truncate; what stands in the way: docs/strategies/shadow-column.md",
        )
    else:
        recipe = Recipe(at, NAME)
        yield from tried(recipe, table, conversion, iter((_at_once(said, recipe, column, conversion),)))


def _with_way_back(
    step: RebuildTable, recipe: Recipe, table: Table, conversion: Conversion, archive: CutArchive | None
) -> RebuildTable:
    """By a rebuild too: what the back of a value does not become again is counted before."""
    at, value = recipe.at, recipe.at.dialect.quote(conversion.column)
    back = rebuild_as_it_was(
        at, recipe.catalog, at.catalog, table.name, phase="migrate", expressions={conversion.column: conversion.back}
    )
    if archive is not None:  # What it does not hold is what the new table holds, of any length.
        return replace(step, undo=UndoSteps(steps=(back,)))
    # The expression speaks of the old column, so the value that comes back goes by its name.
    again = f"(SELECT {conversion.there} FROM (SELECT {conversion.back} AS {value}) AS {at.dialect.quote(table.name.name)})"
    guard = not_given_back(at, table, at.dialect.differs(value, again), column=conversion.column, type=conversion.old_type)
    return replace(step, undo=UndoSteps(steps=(replace(back, guards=(guard,)),)))


def _documents(
    operation: AlterColumnType, column: Column, table: Table, at: Situation, conversion: Conversion
) -> tuple[Guard, ...]:
    """What a conversion of the value itself gives is the same document, and the column is the safer thing to ask."""
    value = at.dialect.quote(column.name)
    itself = (value, column.name, f"json({value})", f"jsonb({value})", f"{value}::{operation.type}", f"{value}::text")
    document = "" if conversion.there.replace(" ", "") in itself else conversion.there
    return document_guards(at, table, column, operation.type, document)


def _at_once(operation: AlterColumnType, recipe: Recipe, column: Column, conversion: Conversion) -> Step:
    settings = {"timezone": "UTC"} if conversion.utc else {}
    under = views_of(operation, recipe.at)
    step = recipe.change(
        *_under(under, operation, recipe),
        purpose=f"{operation.table.name}.{column.name} becomes {operation.type}",
        phase="migrate",
        guards=conversion.guards,
    )
    return replace(step, settings=settings, undo=_at_once_back(recipe, operation, column, conversion, settings, under))


def _under(views: Sequence[View], operation: AlterColumnType, recipe: Recipe) -> Iterator[Operation]:
    """The statement, with the views that it would be refused for dropped before it and made again behind it."""
    yield from (DropView(name=view.name, materialized=view.materialized) for view in reversed(views))
    yield operation
    yield from (one for view in views for one in made_again(view, recipe.at.dialect))


def _at_once_back(
    recipe: Recipe,
    operation: AlterColumnType,
    column: Column,
    conversion: Conversion,
    settings: dict[str, str],
    under: Sequence[View],
) -> Undo:
    if not conversion.lossless:
        return Irreversible(
            reason=f"values changed from {column.type} to {operation.type} may not come back the same",
            name=f"alter_column_type {operation.table}.{column.name}",
        )
    back = replace(operation, type=column.type, collation=column.collation, using=conversion.back)
    step = recipe.undo_step(tuple(_under(under, back, recipe)), recipe.catalog, phase="migrate")
    return UndoSteps(steps=(replace(step, settings=settings),))


def _conversion(operation: AlterColumnType, column: Column, table: Table, at: Situation) -> Conversion:
    """Raises RefusedError DF-E630 to DF-E634 for what is not said, or cannot be done here."""
    plain = conversion_of(operation, column, table, at)
    if too_long_of(at) is not None:
        return _shortened(operation, column, table, at, plain)
    request = convert_of(at)
    if request is None:
        raise RefusedError(
            "DF-E630",
            f"the time zone of {table.name.name}.{column.name} is not said",
            where=str(at.statement.span),
            why=f"from {column.type} to {operation.type} the server would take the zone of whatever session runs the statement",
            hint="name the zone in which the values are meant: -- driftflow: convert zone=Europe/Berlin",
        )
    if request.map or request.mojibake:
        raise RefusedError(
            "DF-E633",
            f"`convert` does not say how {column.type} becomes {operation.type}",
            where=str(request.span),
            why="`map` and `mojibake` are for MySQL and MariaDB, whose ALTER TABLE has no USING",
            hint="say the conversion with USING: CASE column WHEN 'old' THEN 'new' ELSE column END",
        )
    if not (request.zone or request.format or request.encoding):
        return replace(plain, back=request.back, one_way=False) if request.back else plain
    return _by_words(operation, column, table, at, plain, request)


def _by_words(
    operation: AlterColumnType, column: Column, table: Table, at: Situation, plain: Conversion, request: ConvertRequest
) -> Conversion:
    if operation.using:
        raise RefusedError(
            "DF-E632",
            "a conversion is said twice",
            where=str(request.span),
            why="the statement has USING, and the directive names a zone, format or encoding",
            hint="leave one of them out",
        )
    value = at.dialect.quote(column.name)
    there, back = _spelled(operation, column, at, request, value)
    if not there and at.can(Capability.TABLE_REBUILD_ONLY):
        raise RefusedError(
            "DF-E631",
            f"{at.dialect.name} does not convert {column.type} to {operation.type} by these words",
            where=str(request.span),
            why="it has no time zones by name, no formats but those whose parts have a fixed width, and no encodings",
            hint='zone=+02:00 and format="%d.%m.%Y %H:%M" can be said, or the conversion itself: ALTER COLUMN ... TYPE ... USING expression',
        )
    if not there:
        raise RefusedError(
            "DF-E633",
            f"`convert` does not say how {column.type} becomes {operation.type}",
            where=str(request.span),
            why="zone is for timestamps with and without one, format for text and timestamps, encoding for text and bytea",
            hint="see docs/directives.md, or say the conversion with USING",
        )
    same = ""
    if request.format or request.zone or at.can(Capability.TABLE_REBUILD_ONLY):
        same = _spelled(operation, column, at, request, f"({there})")[1]
    word = "format" if request.format else "zone"
    said, hint = (
        f"hold a {column.name} that does not come back the same from this {word}",
        f"another {word}, or correct these rows first",
    )
    # In the hours that a zone skips or repeats two values become one: nothing is wrong with them, and whoever takes the change back knows.
    repeats = word == "zone" and not at.can(Capability.TABLE_REBUILD_ONLY)
    if repeats:
        said = f"hold a {column.name} in an hour that {request.zone} skips or repeats: once the old values are dropped they do not come back the same"
        hint = ""
    guard = guard_rows(at, table.name, at.dialect.differs(value, f"({same})"), said, hint=hint, key=chunk_key(at, table))
    guard = replace(guard, refuse_if="never") if repeats else guard
    utc = bool(request.format) and not at.can(Capability.TABLE_REBUILD_ONLY)
    return replace(plain, there=there, back=request.back or back, one_way=False, utc=utc, guards=(guard,) if same else ())


def _spelled(operation: AlterColumnType, column: Column, at: Situation, request: ConvertRequest, value: str) -> tuple[str, str]:
    if at.can(Capability.TABLE_REBUILD_ONLY):
        new = replace(column, type=operation.type)
        return at.dialect.conversion(column, new, value, zone=request.zone, format=request.format, encoding=request.encoding)
    return spelled(request, column.type, operation.type, value, literal=at.dialect.literal)


def _shortened(operation: AlterColumnType, column: Column, table: Table, at: Situation, plain: Conversion) -> Conversion:
    """`reject` counts what is too long; `truncate` cuts it, `archive` keeps the whole texts too. They stay in the old column until the gate."""
    request = too_long_of(at)
    assert request is not None
    size = length_of(operation.type)
    if size is None or operation.using:
        raise RefusedError(
            "DF-E634",
            f"nothing can be too long for {operation.type}" if size is None else "USING says already what becomes of long texts",
            where=str(request.span),
            why="`too-long` is for a change to a shorter varchar",
            hint="leave the directive out",
        )
    value = at.dialect.quote(column.name)
    count = "length" if at.can(Capability.TABLE_REBUILD_ONLY) else "char_length"
    long = f"{count}({value}) > {size}"
    if request.policy == "reject":
        said, hint = (
            f"hold a {column.name} of more than {size} characters",
            "shorten these, or say policy=truncate or policy=archive",
        )
        return replace(plain, guards=(guard_rows(at, table.name, long, said, hint=hint, key=chunk_key(at, table)),))
    archive = long if request.policy == "archive" else ""
    return replace(plain, there=f"substr({value}, 1, {size})", back=value, one_way=False, loses=True, archive=archive, guards=())
