"""SQLite: rows that are pointed at and go because another one takes their unique key (REPLACE, UPDATE OR REPLACE, a key that says ON CONFLICT REPLACE).

They fire no DELETE trigger unless the session has said `recursive_triggers`. But a BEFORE trigger still sees them, and an AFTER trigger whether they are
gone: the first notes the rows whose key is taken, the second looks for those of them that are pointed at and no longer there.
Source: SQLite's documentation, "CREATE TRIGGER" and "REPLACE"; measured on 3.40.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import IndexPart, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.strategies.references.said_polymorphic import Target

Statements = tuple[tuple[str, ...], tuple[str, ...]]


def after_replace(
    at: Situation, name: str, target: Target, parent: Table, *, child: Name, mine: str, id_column: str, refuse: str
) -> Statements:
    """What makes the table of notes and its triggers, and what drops them; nothing where the target's column is the only key. `mine` says which rows of the
    child point at this parent, `refuse` is a SELECT that refuses (empty: they go along)."""
    quote = at.dialect.quote
    keys = [*_keys(at, parent, target.column)]
    if not keys:
        return (), ()
    schema, on, column = quote(parent.name.schema or "main"), quote(parent.name.name), quote(target.column)
    noted, own = quote(f"_driftflow_{name}_noted"), quote(child.name)
    note = (
        f"  DELETE FROM {noted};\n"
        f"  INSERT INTO {noted} SELECT p.{column} FROM {on} AS p WHERE {' OR '.join(f'({key})' for key in keys)};"
    )
    gone = f"SELECT n.id FROM {noted} AS n WHERE NOT EXISTS (SELECT 1 FROM {on} AS p WHERE p.{column} = n.id)"
    points = f"{mine} AND {id_column} IN ({gone})"
    act = f"{refuse} WHERE EXISTS (SELECT 1 FROM {own} WHERE {points})" if refuse else f"DELETE FROM {own} WHERE {points}"
    creates, drops = [f"CREATE TABLE {schema}.{noted} (id)"], []
    for event, word in (("INSERT", "insert"), ("UPDATE", "update")):
        for when, body in (("BEFORE", note), ("AFTER", f"  {act};")):
            trigger = quote(f"{name}_{word}_{when.lower()}")
            creates.append(f"CREATE TRIGGER {schema}.{trigger} {when} {event} ON {on} FOR EACH ROW\nBEGIN\n{body}\nEND")
            drops.append(f"DROP TRIGGER {schema}.{trigger}")
    return tuple(creates), (*drops, f"DROP TABLE {schema}.{noted}")


def _keys(at: Situation, parent: Table, column: str) -> Iterator[str]:
    """A condition per unique key other than the column itself: the row `p` has that of NEW. One over an expression is left out."""
    keys = [
        (_parts(one.columns, one.parts), "")
        for one in (parent.primary_key, *parent.constraints)
        if isinstance(one, PrimaryKey | Unique)
    ]
    keys += [(_parts((), one.parts), one.predicate) for one in parent.indexes if one.unique]
    for parts, predicate in dict.fromkeys(keys):
        if [name for name, _ in parts] != [column] and all(name for name, _ in parts):
            same = " AND ".join(_same(at, *part) for part in parts)
            yield f"{same} AND ({predicate})" if predicate else same


def _parts(columns: Sequence[str], parts: Sequence[IndexPart]) -> tuple[tuple[str, str], ...]:
    """Column and collation; no column where it is an expression."""
    return tuple((part.column, part.collation) for part in parts) or tuple((column, "") for column in columns)


def _same(at: Situation, column: str, collation: str) -> str:
    named = at.dialect.quote(column)
    return f"p.{named} = NEW.{named}" + (f" COLLATE {at.dialect.quote(collation)}" if collation else "")
