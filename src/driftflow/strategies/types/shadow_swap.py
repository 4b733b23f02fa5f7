"""The swap: one short transaction in which a waiting column takes the place, the names and the promises of another."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Column, Identity, Sequence, Table, View
from driftflow.model.operations import (
    AddConstraint,
    AlterIdentity,
    AlterSequence,
    Comment,
    DropConstraint,
    DropDefault,
    DropIndex,
    DropNotNull,
    DropView,
    LockTable,
    Operation,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    SetDefault,
)
from driftflow.model.operations.dependents import heirs_of
from driftflow.model.plan import Guard, RunSql, Undo, UndoNothing
from driftflow.model.record import Record, replace
from driftflow.strategies import said_again
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.types.conversion import Conversion, columns_of, comparable
from driftflow.strategies.types.given_back import not_given_back
from driftflow.strategies.types.shadow_adoption import adopt_others, refuse_unbuilt
from driftflow.strategies.types.shadow_names import waiting
from driftflow.strategies.types.shadow_parts import Parts
from driftflow.strategies.views.whole_view import made_again

COUNTED = "driftflow.counted"


class Swap(Record, frozen=True, kw_only=True):
    """`waiting` becomes `column`, and what was `column` becomes `aside`."""

    column: str
    waiting: str
    aside: str
    default: str | None = None
    views: tuple[View, ...] = ()
    """What reads `column`, directly or through others, each behind what it reads: they would follow the column to its other name."""


def swap(
    recipe: Recipe,
    table: Table,
    parts: Parts,
    names: Swap,
    *,
    before: tuple[str, ...],
    after: tuple[str, ...],
    purpose: str,
    guards: tuple[Guard, ...] = (),
    undo: Undo | None = None,
) -> RunSql:
    """`before` and `after` are the statements that drop and create triggers of ours, inside the same transaction."""
    at = recipe.at
    pieces = list(_statements(at, table, parts, names, before=before, after=after))
    operations = [piece for piece in pieces if not isinstance(piece, str)]
    return recipe.change(
        *operations,
        statements=tuple(piece if isinstance(piece, str) else at.dialect.render(piece) for piece in pieces),
        purpose=purpose,
        phase="migrate",
        guards=guards,
        undo=undo or UndoNothing(reason="it is an undo itself"),
    )


def _statements(
    at: Situation, table: Table, parts: Parts, names: Swap, *, before: tuple[str, ...], after: tuple[str, ...]
) -> Iterator[str | Operation]:
    column = table.column(names.column)
    assert column is not None
    holders = {holder for (holder, *_), *_ in parts.foreign_keys} | {holder for holder, _ in parts.added_again}
    others = sorted(holders | {key.referenced for (_, key, _), *_ in parts.foreign_keys}, key=str)
    # Views first, as their readers do; then one lock for all tables and up front: none is waited for while another is held.
    yield from (DropView(name=view.name) for view in reversed(names.views))
    yield LockTable(tables=tuple(dict.fromkeys((table.name, *others))), mode="ACCESS EXCLUSIVE")
    for family in parts.keys:
        if family[0].index is None:
            over = (*family[0].key.columns, *family[0].key.include)
            yield refuse_unbuilt(at, family, tuple(names.waiting if column == names.column else column for column in over))
    yield from before
    yield from _old_ones_dropped(table, parts, names)
    sequence = _sequence(at, table, column)
    if column.identity is not None and sequence is not None:
        yield f"SELECT set_config('{COUNTED}', last_value || ',' || is_called, true) FROM {at.dialect.quote_name(sequence.name)}"
        yield AlterIdentity(table=table.name, column=names.column, action="drop")
    if column.default is not None:
        yield DropDefault(table=table.name, column=names.column)
    if parts.not_null is not None:
        yield DropNotNull(table=table.name, column=names.column)
        if parts.not_null:
            # A key of a partition's own, as a swap adds it, makes its NOT NULL its own too: the parent's goes without it (18).
            yield from (DropNotNull(table=one.name, column=names.column) for one in heirs_of(at.catalog, table.name))
    yield RenameColumn(table=table.name, column=names.column, to=names.aside)
    yield RenameColumn(table=table.name, column=names.waiting, to=names.column)
    yield from _new_ones_named(at, table, parts, names)
    if column.default is not None and names.default is not None:
        yield SetDefault(table=table.name, column=names.column, default=names.default)
    yield from _counting(at, table, column, sequence)
    yield from _said(at, table, column, parts)
    yield _copied_attributes(at, table, names)
    for partition in heirs_of(at.catalog, table.name):
        yield from _column_said(at, partition, names.column)
        yield _copied_attributes(at, partition, names)
    for view in names.views:
        yield from made_again(view, at.dialect)
    yield from after


def _old_ones_dropped(table: Table, parts: Parts, names: Swap) -> Iterator[Operation]:
    """Keys of other tables first, then what they stand on."""
    for holder, key in (*((holder, key) for (holder, key, _), *_ in parts.foreign_keys), *parts.added_again):
        yield DropConstraint(table=holder, name=key.name)
    for check, _ in parts.checks:
        yield DropConstraint(table=table.name, name=check.name)
    for held, *_ in parts.keys:
        yield DropConstraint(table=held.table, name=held.key.name)
    for (index, _), *_ in parts.indexes:
        yield DropIndex(name=index.name, table=index.table)


def _new_ones_named(at: Situation, table: Table, parts: Parts, names: Swap) -> Iterator[str | Operation]:
    if parts.not_null:
        yield RenameConstraint(table=table.name, name=waiting(parts.not_null, names.waiting), to=parts.not_null)
    for family in parts.keys:
        # Partitions first: a partitioned table adopts the keys that they have then, and builds none.
        for held in family:
            if held.index is not None:
                yield RenameIndex(name=held.index.name, to=held.key.name, table=held.table)
                yield AddConstraint(table=held.table, constraint=replace(held.key, using_index=held.key.name))
        above = [held for held in reversed(family) if held.index is None]
        if above:
            yield adopt_others(at, family)
        yield from (AddConstraint(table=held.table, constraint=held.key) for held in above)
    for old, new in parts.every_index:
        yield RenameIndex(name=new.name, to=old.name.name, table=new.table)
    for check, made in parts.checks:
        yield RenameConstraint(table=table.name, name=made.name, to=check.name)
    for holder, key, other in (tied for family in parts.foreign_keys for tied in family):
        yield RenameConstraint(table=holder, name=other.name, to=key.name)
    for holder, key in parts.added_again:
        yield AddConstraint(table=holder, constraint=replace(key, validated=False))


def _sequence(at: Situation, table: Table, column: Column) -> Sequence | None:
    owner = f"{table.name}.{column.name}"
    return next((one for one in at.catalog.sequences.values() if one.owned_by == owner), None)


def _counting(at: Situation, table: Table, column: Column, sequence: Sequence | None) -> Iterator[str | Operation]:
    """The sequence of a serial column belongs to the new one; an identity gets its own, which goes on where the old one stopped."""
    if sequence is None:
        return
    if column.identity is None:
        yield AlterSequence(name=sequence.name, owned_by=f"{table.name.text}.{column.name}")
        return
    options = replace(sequence.options, type="")
    identity = Identity(always=column.identity.always, options=options, sequence=sequence.name)
    yield AlterIdentity(table=table.name, column=column.name, action="add", identity=identity)
    counted = f"current_setting('{COUNTED}')"
    yield (
        f"SELECT setval({at.dialect.literal(at.dialect.quote_name(sequence.name))}, split_part({counted}, ',', 1)::bigint, "
        f"split_part({counted}, ',', 2)::boolean)"
    )
    yield from said_again.of_sequence(sequence, at.dialect)


def _said(at: Situation, table: Table, column: Column, parts: Parts) -> Iterator[Operation]:
    """Comments on the column, its indexes and constraints."""
    yield from _column_said(at, table, column.name)
    for index, _ in parts.every_index:
        yield from said_again.of_index(index, at.dialect)
    held = [
        *((held.table, held.key) for held in parts.every_key),
        *((table.name, one) for one, _ in parts.checks),
        *parts.every_foreign_key,
    ]
    for holder, constraint in held:
        yield from said_again.of_constraint(constraint, at.catalog.table(holder), holder, at.dialect)


def _column_said(at: Situation, table: Table, column: str) -> Iterator[Operation]:
    found = table.column(column)
    if found is not None and found.comment:
        target = f"{at.dialect.quote_name(table.name)}.{at.dialect.quote(column)}"
        yield Comment(kind="COLUMN", target=target, text=found.comment, relation=table.name, column=column)


def _copied_attributes(at: Situation, table: Table, names: Swap) -> str:
    """Grants on the column, its statistics target and options, as they are at that moment."""
    target, text = at.dialect.quote_name(table.name), at.dialect.literal
    where = f"attrelid = {text(target)}::regclass AND attname = {text(names.aside)}"
    on, column = text(target), text(names.column)
    # Of a partitioned table only its own: each partition has settings of its own.
    alone = "ALTER TABLE ONLY" if table.partitioning is not None else "ALTER TABLE"
    return (
        f"DO $driftflow$\nDECLARE one record;\nBEGIN\n"
        f"  FOR one IN SELECT a.* FROM pg_attribute, aclexplode(attacl) AS a WHERE {where} LOOP\n"
        f"    EXECUTE format('GRANT %s (%I) ON %s TO %s%s', one.privilege_type, {column}, {on},\n"
        f"      CASE one.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(one.grantee)) END,\n"
        f"      CASE WHEN one.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);\n"
        f"  END LOOP;\n"
        f"  FOR one IN SELECT attstattarget AS target, array_to_string(attoptions, ', ') AS options FROM pg_attribute WHERE {where} LOOP\n"
        f"    IF one.target >= 0 THEN\n"
        f"      EXECUTE format('{alone} %s ALTER COLUMN %I SET STATISTICS %s', {on}, {column}, one.target);\n"
        f"    END IF;\n"
        f"    IF one.options <> '' THEN\n"
        f"      EXECUTE format('{alone} %s ALTER COLUMN %I SET (%s)', {on}, {column}, one.options);\n"
        f"    END IF;\n"
        f"  END LOOP;\nEND\n$driftflow$"
    )


def difference(at: Situation, table: Table, conversion: Conversion, *, old: str, new: str) -> str:
    """The condition that is true for a row whose new value is not what the old one becomes. `old` and `new` are the columns' names by then."""
    target, quote = at.dialect.quote(table.name.name), at.dialect.quote
    there = quote(old)
    if conversion.there:
        # The expression names the converted column; here that name may belong to the other one.
        values = ", ".join(
            f"{target}.{quote(old if name == conversion.column else name)} AS {quote(name)}"
            for name in columns_of(conversion.there, table, conversion.column)
        )
        there = f"(SELECT {conversion.there} FROM (SELECT {values}) AS {quote(table.name.name)})"
    else:
        there = f"CAST({target}.{there} AS {conversion.new_type})"
    now = comparable(f"{target}.{quote(new)}", conversion.new_type)
    return f"{now} IS DISTINCT FROM {comparable(there, conversion.new_type)}"


def guard_way_back(at: Situation, table: Table, conversion: Conversion, aside: str) -> Guard:
    """Values written since the swap that the old type does not hold."""
    wrong = difference(at, table, conversion, old=aside, new=conversion.column)
    return not_given_back(at, table, wrong, column=conversion.column, type=conversion.old_type)
