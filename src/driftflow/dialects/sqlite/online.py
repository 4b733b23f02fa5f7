"""How a table of SQLite is copied while its application writes: the key to walk by, and triggers that keep the copy from ever being stale.

Every change of a row takes the row out of the copy at once and notes its key; the engine copies noted keys again. A trigger that only noted the
key would leave the old row in the copy for a while, and its foreign keys with it: the application could not delete what that row points at.

With recursive_triggers off (the default, and the application's to set) REPLACE removes rows without firing DELETE triggers. The row with the
same key is seen by the insert's own trigger; a row that goes because of *another* unique key is not, so BEFORE triggers look it up.
The tables of noted keys have no unique key themselves: the conflict clause of the application's statement would reach into the trigger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from driftflow.dialects.sqlite.keys import column_named, has_rowid, rowid_alias
from driftflow.dialects.sqlite.keywords import quote
from driftflow.dialects.sqlite.mentions import words
from driftflow.dialects.sqlite.render.table import quote_name
from driftflow.model.catalog import Catalog, Check, ForeignKey, IndexPart, PrimaryKey, Table, Unique
from driftflow.model.plan import ChunkPolicy, OnlineCopy
from driftflow.model.record import Record

ROWIDS = ("rowid", "_rowid_", "oid")
Copy = tuple[tuple[str, str], ...]


class UniqueKey(Record, frozen=True, kw_only=True):
    """By what, beside the key to walk by, a row may push another one out."""

    parts: tuple[IndexPart, ...]
    predicate: str = ""


def online_copy(
    before: Table, after: Table, catalog: Catalog, *, temporary_name: str, copy: Copy, chunk: ChunkPolicy
) -> OnlineCopy | None:
    """None where only one transaction can copy it; `why_not_online` says why."""
    if why_not_online(before, after, catalog, copy=copy):
        return None
    key = walkable_key(before, after, copy)
    own = before.name.name
    missing, aside = f"_driftflow_missing_{own}", f"_driftflow_replaced_{own}"
    columns = ", ".join(("seq INTEGER PRIMARY KEY", *key_columns(key)))
    shield: tuple[tuple[str, str], ...] = ()
    if before.foreign_keys:
        shield = tuple(_triggers("shield", after, key, target=aside))
    return OnlineCopy(
        key=key,
        chunk=chunk,
        missing=missing,
        create_missing=f"CREATE TABLE {quote(missing)} ({columns})",
        capture=tuple(_triggers("capture", before, key, target=temporary_name, missing=missing)),
        set_aside=aside,
        shield=shield,
        orphans=tuple(_orphans(before, after, temporary_name, dict(copy))),
    )


def why_not_online(before: Table, after: Table, catalog: Catalog, *, copy: Copy) -> str:
    """Why the rows must be copied in one transaction; empty when they need not."""
    if not walkable_key(before, after, copy):
        return "it has no key that stays the same and can be walked by"
    if _names_itself(before):
        return "an expression of the table names the table itself, and would not survive its renaming"
    plain = {quote(column.name) for column in before.columns}
    changing = [source for _, source in copy if source not in plain and {"select", "random", "randomblob"} & words(source)]
    if changing:
        return f"{changing[0]} may give another value for the same row later"
    for holder, key in catalog.referencing(before.name):
        if not all(_stays(before, after, name, dict(copy)) for name in key.referenced_columns):
            return f"{holder.name.name} references a column that changes"
    return ""


def _names_itself(table: Table) -> bool:
    texts = [constraint.expression for constraint in table.constraints if isinstance(constraint, Check)]
    texts += [column.generated.expression for column in table.columns if column.generated is not None]
    return any(table.name.name.lower() in words(text) for text in texts)


def foreign_keys_change(before: Table, after: Table, catalog: Catalog, *, copy: Copy) -> bool:
    """Whether the rebuild could leave a row that references nothing: a new key, or another value, type or collation in a column of one."""
    sources = dict(copy)
    if any(_changed(key, before, after, sources) for key in after.foreign_keys):
        return True
    referenced = [name for _, key in catalog.referencing(before.name) for name in key.referenced_columns]
    return not all(_stays(before, after, name, sources) for name in referenced)


def _changed(key: ForeignKey, before: Table, after: Table, sources: Mapping[str, str]) -> bool:
    return key not in before.foreign_keys or not all(_stays(before, after, name, sources) for name in key.columns)


def _stays(before: Table, after: Table, name: str, sources: Mapping[str, str]) -> bool:
    """Whether the column is copied as it is, with the same type and collation."""
    old, new = column_named(before, name), column_named(after, name)
    if old is None or new is None:
        return name.lower() in ROWIDS
    same = (old.type.upper(), old.collation.upper()) == (new.type.upper(), new.collation.upper())
    return same and old.generated == new.generated and (new.generated is not None or sources.get(new.name) == quote(old.name))


def walkable_key(before: Table, after: Table, copy: Copy) -> tuple[str, ...]:
    """The columns that name a row in both tables; empty when there are none."""
    if before.kind != "table" or after.kind != "table":
        return ()
    if has_rowid(before):
        alias = rowid_alias(before)
        if alias:
            return (alias,) if rowid_alias(after) == alias and _stays(before, after, alias, dict(copy)) else ()
        kept = next((name for name, source in copy if name.lower() in ROWIDS and name == source), "")
        return (kept,) if kept and not rowid_alias(after) and column_named(after, kept) is None else ()
    primary, wanted = before.primary_key, after.primary_key
    if primary is None or wanted is None or primary.columns != wanted.columns or primary.parts != wanted.parts:
        return ()
    return primary.columns if all(_stays(before, after, name, dict(copy)) for name in primary.columns) else ()


def key_columns(key: tuple[str, ...]) -> tuple[str, ...]:
    """What they are called in the table of noted keys. Without a type there, so that every value stays what it is."""
    return tuple(f"key_{number}" for number in range(1, len(key) + 1))


def key_name(name: str) -> str:
    return name if name.lower() in ROWIDS else quote(name)


# triggers


def _triggers(kind: str, table: Table, key: tuple[str, ...], *, target: str, missing: str = "") -> Iterator[tuple[str, str]]:
    """On `table`: what a statement changes goes from `target`, and its keys to `missing`."""
    own, on = table.name.name, f"ON {quote(table.name.name)}"
    body = _Body(key=key, target=target, missing=missing)

    def trigger(event: str, when: str, statements: Iterable[str]) -> tuple[str, str]:
        name = f"_driftflow_{kind}_{event}_{own}"
        return name, f"CREATE TRIGGER {quote(name)} {when} {on} BEGIN {' '.join(f'{one};' for one in statements)} END"

    yield trigger("insert", "AFTER INSERT", (*body.gone("NEW"), *body.noted("NEW")))
    yield trigger("update", "AFTER UPDATE", (*body.gone("OLD"), *body.gone("NEW"), *body.noted("NEW")))
    yield trigger("delete", "AFTER DELETE", body.gone("OLD"))
    others = unique_keys(table, key)
    if others:
        statements = [one for other in others for one in body.replaced(table, other)]
        yield trigger("before_insert", "BEFORE INSERT", statements)
        yield trigger("before_update", "BEFORE UPDATE", statements)


class _Body(Record, frozen=True, kw_only=True):
    key: tuple[str, ...]
    target: str
    missing: str

    def gone(self, which: str) -> tuple[str, ...]:
        same = " AND ".join(f"{key_name(name)} = {which}.{key_name(name)}" for name in self.key)
        return (f"DELETE FROM {quote(self.target)} WHERE {same}",)

    def noted(self, which: str) -> tuple[str, ...]:
        values = ", ".join(f"{which}.{key_name(name)}" for name in self.key)
        return (f"INSERT INTO {self._notes} VALUES ({values})",) if self.missing else ()

    @property
    def _notes(self) -> str:
        return f"{quote(self.missing)} ({', '.join(key_columns(self.key))})"

    def replaced(self, table: Table, other: UniqueKey) -> Iterator[str]:
        """Rows that NEW would push out, by one of the other unique keys."""
        names = ", ".join(key_name(name) for name in self.key)
        found = f"SELECT {names} FROM {quote(table.name.name)} WHERE {same_as_new(table, other)}"
        if self.missing:
            yield f"INSERT INTO {self._notes} {found}"
        left = names if len(self.key) == 1 else f"({names})"
        yield f"DELETE FROM {quote(self.target)} WHERE {left} IN ({found})"


def unique_keys(table: Table, key: tuple[str, ...]) -> tuple[UniqueKey, ...]:
    """Every unique key but the one to walk by."""
    found: list[UniqueKey] = []
    for constraint in table.constraints:
        walked = isinstance(constraint, PrimaryKey) and constraint.columns == key
        if isinstance(constraint, PrimaryKey | Unique) and not walked:
            parts = constraint.parts or tuple(IndexPart(column=name) for name in constraint.columns)
            found.append(UniqueKey(parts=parts))
    indexes = [index for index in table.indexes if index.unique and not index.constraint]
    found += [UniqueKey(parts=index.parts, predicate=index.predicate) for index in indexes]
    return tuple(dict.fromkeys(found))


def same_as_new(table: Table, other: UniqueKey) -> str:
    """True for the rows whose key is NEW's. An expression is computed over a row made of NEW's columns, so that its text need not be read."""
    row = ", ".join(f"NEW.{quote(column.name)} AS {quote(column.name)}" for column in table.columns)
    conditions = []
    for part in other.parts:
        collated = f" COLLATE {quote(part.collation)}" if part.collation else ""
        if part.column:
            conditions.append(f"{quote(part.column)}{collated} = NEW.{quote(part.column)}")
        else:
            conditions.append(f"({part.expression}){collated} = (SELECT {part.expression} FROM (SELECT {row}))")
    if other.predicate:
        # As the index has it, so that the index can be used; the row that goes satisfies it.
        conditions.append(f"({other.predicate})")
    return " AND ".join(conditions)


# foreign keys that the copy alone would not prove


def _orphans(before: Table, after: Table, temporary_name: str, sources: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Of new and changed keys: the copy is made with foreign keys off."""
    row = quote(temporary_name)
    for key in after.foreign_keys:
        if not _changed(key, before, after, sources):
            continue
        there = key.referenced_columns or key.columns
        present = " AND ".join(f"{row}.{quote(column)} IS NOT NULL" for column in key.columns)
        equal = " AND ".join(f"parent.{quote(far)} = {row}.{quote(near)}" for near, far in zip(key.columns, there, strict=False))
        parent = quote_name(key.referenced)
        yield (
            f"{', '.join(key.columns)} of {after.name.name} points at no row of {key.referenced.name}",
            f"{present} AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {equal})",
        )
