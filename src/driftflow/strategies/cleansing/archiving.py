"""Where rows go that a recipe removes or changes: tables of ours, from which its undo brings them back in chunks.

An archive holds the whole row; a note of changes holds the row's key, what stood there and what stands there now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column, Table
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, Phase, RunSql, UndoNothing
from driftflow.strategies import our_tables, spoken
from driftflow.strategies.cleansing import by_join
from driftflow.strategies.columns.filling import ROWID, chunk_key, chunk_policy, row_claims
from driftflow.strategies.recipe import Recipe

KEPT_ROWID = "driftflow_rowid"
"""The archive's column for an implicit rowid."""
Columns = tuple[tuple[str, str], ...]
"""(name, type)"""


def our_name(at: Situation, purpose: str, table: Name, detail: str = "") -> Name:
    """A table of ours for this one statement: in our schema, or prefixed where a database has only one."""
    tail = hashlib.sha256(f"{spoken.place_of(at)} {table} {detail}".encode()).hexdigest()[:8]
    name = f"{purpose}_{table.name}"[:44].rstrip("_") + f"_{tail}"
    if at.can(Capability.TABLE_REBUILD_ONLY) or at.dialect.one_pass:
        return Name(schema=table.schema, name=f"_driftflow_{name}")
    return Name(schema="driftflow", name=name)


def our_object(table: Name, purpose: str, detail: str) -> str:
    """A name of ours for a trigger, function or index on the table; `zzz` because triggers fire in the order of their names."""
    tail = hashlib.sha256(f"{table} {detail}".encode()).hexdigest()[:8]
    return f"zzz_driftflow_{purpose}_{table.name}"[:52].rstrip("_") + f"_{tail}"


def key_of(at: Situation, table: Table, *, why: str) -> tuple[str, ...]:
    """The table's key. Raises RefusedError (DF-E650) where it has none: its rows could not be told apart, nor brought back."""
    key = chunk_key(at, table)
    if not key:
        raise no_key(at, table, why=why)
    return key


def no_key(at: Situation, table: Table, *, why: str) -> RefusedError:
    return RefusedError(
        "DF-E650",
        f"{table.name.name} has no key, so its rows cannot be archived",
        where=str(at.statement.span),
        why=why,
        hint=f"give {table.name.name} a primary key, or a unique key without NULLs",
    )


def kept(column: str) -> str:
    """The column's name in a table of ours."""
    return KEPT_ROWID if column == ROWID else column


def type_of(table: Table, column: str) -> str:
    found = table.column(column)
    if column == ROWID or found is None:
        return "INTEGER"
    # Compared with the column itself, a text must have its collation (MySQL: error 1267).
    return f"{found.type} COLLATE {found.collation}" if found.charset and found.collation else found.type


def listed(at: Situation, names: Iterable[str], *, of: str = "") -> str:
    """The columns as SQL, qualified by `of`."""
    before = f"{of}." if of else ""
    return ", ".join(before + (name if name == ROWID else at.dialect.quote(name)) for name in names)


def stored_columns(table: Table) -> tuple[Column, ...]:
    """Those that an INSERT can give."""
    return tuple(column for column in table.columns if column.generated is None)


def create(
    recipe: Recipe, name: Name, columns: Columns, key: tuple[str, ...], *, purpose: str, phase: Phase = "migrate"
) -> RunSql:
    """The table, undone by its removal: by then the undo of what filled it has emptied it."""
    at = recipe.at
    if not at.can(Capability.TRANSACTIONAL_DDL):
        return our_tables.create(
            recipe, name, columns, f"PRIMARY KEY ({', '.join(map(at.dialect.quote, key))})", key, purpose=purpose, phase=phase
        )
    parts = [f"{at.dialect.quote(column)} {type}" for column, type in columns]
    parts += [f"PRIMARY KEY ({', '.join(map(at.dialect.quote, key))})"] if key else []
    target = at.dialect.quote_name(name)
    return recipe.text(
        f"CREATE TABLE {target} ({', '.join(parts)})",
        purpose=purpose,
        phase=phase,
        claims=(LockClaim(relation=name, mode="EXCLUSIVE", why="our own table"),),
        undo=(f"DROP TABLE IF EXISTS {target}",),
        undo_purpose=f"Remove {name.name}, which is empty by now",
    )


def row_columns(at: Situation, table: Table) -> Columns:
    """All of a row that can be put back, its key first where that is no column."""
    implicit: Columns = ((KEPT_ROWID, "INTEGER"),) if chunk_key(at, table) == (ROWID,) else ()
    return implicit + tuple((column.name, _typed(column)) for column in stored_columns(table))


def _typed(column: Column) -> str:
    return f"{column.type} COLLATE {column.collation}" if column.collation else column.type


def copy_rows(at: Situation, table: Table, archive: Name, where: str) -> str:
    """The rows of the table for which `where` holds, into the archive."""
    implicit = chunk_key(at, table) == (ROWID,)
    names = [column.name for column in stored_columns(table)]
    target, source = at.dialect.quote_name(archive), at.dialect.quote_name(table.name)
    into = listed(at, [KEPT_ROWID, *names] if implicit else names)
    return (
        f"INSERT INTO {target} ({into}) SELECT {listed(at, [ROWID, *names] if implicit else names)} FROM {source} WHERE {where}"
    )


def bring_back(recipe: Recipe, table: Table, archive: Name, *, phase: Phase = "migrate", unless_there: bool = False) -> Backfill:
    """The undo: archived rows are rows of the table again, in chunks, each leaving the archive in the same transaction. With `unless_there` a row
    that is in the table already stays as it is."""
    at, key = recipe.at, chunk_key(recipe.at, table)
    implicit = key == (ROWID,)
    names = [column.name for column in stored_columns(table)]
    given = any(column.identity is not None and column.identity.always for column in table.columns)
    into = listed(at, [ROWID, *names] if implicit else names)
    source = listed(at, [KEPT_ROWID, *names] if implicit else names)
    insert = (
        f"INSERT INTO {at.dialect.quote_name(table.name)} ({into}) {'OVERRIDING SYSTEM VALUE ' if given else ''}"
        f"SELECT {source} FROM {at.dialect.quote_name(archive)} WHERE {{rows}}"
    )
    if unless_there:
        same = " AND ".join(
            f"t.{listed(at, (one,))} = {at.dialect.quote(archive.name)}.{at.dialect.quote(kept(one))}" for one in key
        )
        insert += f" AND NOT EXISTS (SELECT 1 FROM {at.dialect.quote_name(table.name)} AS t WHERE {same})"
    return emptied(
        recipe,
        archive,
        tuple(kept(column) for column in key),
        before=(insert,),
        purpose=f"Put the archived rows back into {table.name.name}, in chunks",
        claims=row_claims(at, table.name),
        phase=phase,
    )


def put_back(
    recipe: Recipe, table: Table, notes: Name, columns: tuple[str, ...], *, phase: Phase = "migrate", key: tuple[str, ...] = ()
) -> Backfill:
    """The undo of a change that was noted: rows that still hold what the change gave them get what they had. `old_1`, `new_1`, ... per column."""
    at, key = recipe.at, key or chunk_key(recipe.at, table)
    target, source = at.dialect.quote_name(table.name), at.dialect.quote_name(notes)
    own, note = at.dialect.quote(table.name.name), at.dialect.quote(notes.name)
    same = " AND ".join(f"{note}.{at.dialect.quote(kept(name))} = {own}.{listed(at, (name,))}" for name in key)
    unchanged = " AND ".join(
        null_safe(at, f"{note}.new_{number}", f"{own}.{at.dialect.quote(name)}") for number, name in enumerate(columns, 1)
    )
    values = ", ".join(
        f"{at.dialect.quote(name)} = (SELECT old_{number} FROM {source} WHERE {same})" for number, name in enumerate(columns, 1)
    )
    update = f"UPDATE {target} SET {values} WHERE EXISTS (SELECT 1 FROM {source} WHERE {same} AND {unchanged} AND {{rows}})"
    before: tuple[str, ...] = (update,)
    if at.can(Capability.JOINED_UPDATE):
        on, pairs = f"{same} AND {unchanged}", [(name, f"{note}.old_{number}") for number, name in enumerate(columns, 1)]
        before = (by_join.lock(at, table, source, on, "{rows}"), by_join.update(at, table, source, on, pairs, "{rows}"))
    return emptied(
        recipe,
        notes,
        tuple(kept(name) for name in key),
        before=before,
        purpose=f"Give {table.name.name} ({', '.join(columns)}) its old values again, in chunks",
        claims=row_claims(at, table.name),
        phase=phase,
    )


def note_columns(table: Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Columns:
    """Of a note of changes to these columns."""
    keys = tuple((kept(name), type_of(table, name)) for name in key)
    pairs = [(f"{word}_{number}", type_of(table, name)) for number, name in enumerate(columns, 1) for word in ("old", "new")]
    return (*keys, *pairs)


def null_safe(at: Situation, left: str, right: str) -> str:
    """Equal, or both NULL, in a form that every server answers from an index."""
    return f"({left} = {right} OR ({left} IS NULL AND {right} IS NULL))"


def emptied(
    recipe: Recipe,
    table: Name,
    key: tuple[str, ...],
    *,
    before: tuple[str, ...],
    purpose: str,
    claims: tuple[LockClaim, ...],
    phase: Phase,
) -> Backfill:
    """Our table, emptied in chunks; what `before` does with each chunk is done in its transaction."""
    at = recipe.at
    return Backfill(
        **recipe.common(purpose, phase) | {"strategy": "undo"},
        table=table,
        key=key,
        action="delete",
        before=before,
        chunk=chunk_policy(at),
        remaining_query=f"SELECT count(*) FROM {at.dialect.quote_name(table)}",
        claims=claims,
        statement_timeout_ms=at.policy.statement_timeout_ms,
        undo=UndoNothing(reason="it is an undo itself"),
    )
