"""Rows of other tables that point at a row which goes: they are pointed at the row that stays, and what they pointed at is noted."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import ForeignKey, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.plan import Guard
from driftflow.strategies.cleansing import archiving
from driftflow.strategies.cleansing.archiving import listed
from driftflow.strategies.cleansing.matching import Matching
from driftflow.strategies.constraints.constraining import referenced_columns
from driftflow.strategies.recipe import bounded_count

MOST = 100_000
"""Nobody reads a larger number than "at least so many" before a decision."""


class Pointing:
    """One foreign key to the table whose duplicates go. `work` names, per chunk, the row that goes (l1, ...) and the one that stays (k1, ...)."""

    def __init__(self, at: Situation, child: Table, key: ForeignKey, matching: Matching, work: Name) -> None:
        self.at, self.child, self.key, self.matching = at, child, key, matching
        self.child_key = archiving.key_of(at, child, why=f"its rows would be pointed at other rows of {matching.table.name.name}")
        if set(self.child_key) & set(key.columns):
            raise RefusedError(
                "DF-E651",
                f"rows of {child.name.name} cannot be pointed elsewhere: {', '.join(key.columns)} belongs to their own key",
                where=str(at.statement.span),
                why=f"{child.name.name} points at duplicates of {matching.table.name.name} by {key.name or 'a foreign key'}, which is part of its key",
                hint=f"remove the duplicates of {matching.table.name.name} in a migration of your own, before this one",
            )
        self.notes = archiving.our_name(at, "moved", child.name, f"{key.name} {key.columns}")
        self.work = at.dialect.quote_name(work)
        self.referenced = referenced_columns(at, key)

    @property
    def columns(self) -> archiving.Columns:
        return archiving.note_columns(self.child, self.child_key, self.key.columns)

    @property
    def note_key(self) -> tuple[str, ...]:
        return tuple(archiving.kept(name) for name in self.child_key)

    def _goes(self) -> str:
        """The rows that point at one that goes: c, which points at l, in whose place k will stand."""
        quote = self.at.dialect.quote
        points = " AND ".join(f"c.{quote(a)} = l.{quote(b)}" for a, b in zip(self.key.columns, self.referenced, strict=True))
        goes = " AND ".join(f"l.{listed(self.at, (name,))} = w.l{number}" for number, name in enumerate(self.matching.key, 1))
        stays = " AND ".join(f"k.{listed(self.at, (name,))} = w.k{number}" for number, name in enumerate(self.matching.key, 1))
        target = self.matching.target
        # SQLite keeps this order for CROSS JOIN alone: it does not know how short the list is, and would read the whole child for each chunk.
        join = "CROSS JOIN" if self.at.can(Capability.TABLE_REBUILD_ONLY) else "JOIN"
        return (
            f"FROM {self.work} AS w {join} {target} AS l ON {goes} {join} {target} AS k ON {stays} "
            f"{join} {self.at.dialect.quote_name(self.child.name)} AS c ON {points}"
        )

    def statements(self) -> Iterator[str]:
        """In each chunk: note, then point elsewhere."""
        at, quote = self.at, self.at.dialect.quote
        notes, name = at.dialect.quote_name(self.notes), quote(self.notes.name)
        pairs = ", ".join(f"c.{quote(a)}, k.{quote(b)}" for a, b in zip(self.key.columns, self.referenced, strict=True))
        known = " AND ".join(f"n.{quote(archiving.kept(one))} = c.{listed(at, (one,))}" for one in self.child_key)
        yield (
            f"INSERT INTO {notes} SELECT {listed(at, self.child_key, of='c')}, {pairs} {self._goes()} "
            f"WHERE NOT EXISTS (SELECT 1 FROM {notes} AS n WHERE {known})"
        )
        own = quote(self.child.name.name)
        same = " AND ".join(f"{name}.{quote(archiving.kept(one))} = {own}.{listed(at, (one,))}" for one in self.child_key)
        values = ", ".join(
            f"{quote(column)} = (SELECT new_{number} FROM {notes} WHERE {same})"
            for number, column in enumerate(self.key.columns, 1)
        )
        still = " AND ".join(f"{name}.old_{number} = {own}.{quote(column)}" for number, column in enumerate(self.key.columns, 1))
        goes = " AND ".join(f"l.{listed(at, (one,))} = w.l{number}" for number, one in enumerate(self.matching.key, 1))
        yield (
            f"UPDATE {at.dialect.quote_name(self.child.name)} SET {values} "
            f"WHERE EXISTS (SELECT 1 FROM {notes} WHERE {same} AND {still}) "
            f"AND ({listed(at, self.key.columns)}) IN (SELECT {listed(at, self.referenced, of='l')} FROM {self.work} AS w "
            f"JOIN {self.matching.target} AS l ON {goes})"
        )

    def count(self) -> Guard:
        """How many rows will point elsewhere, before it is done."""
        m, quote = self.matching, self.at.dialect.quote
        target = self.at.dialect.quote_name(self.child.name)
        points = " AND ".join(f"x.{quote(b)} = c.{quote(a)}" for a, b in zip(self.key.columns, self.referenced, strict=True))
        row = " AND ".join(f"l.{mark} = x.{listed(self.at, (name,))}" for name, mark in zip(m.key, m.marks, strict=True))
        better = f"EXISTS (SELECT 1 FROM {m.rows('k')} WHERE {m.same('k', 'l')} AND {m.other('k', 'l')})"
        query = f"SELECT 1 FROM {target} AS c JOIN {m.target} AS x ON {points} JOIN {m.rows('l')} ON {row} WHERE {better}"
        return Guard(
            query=bounded_count(query, MOST),
            refuse_if="never",
            summary=f"{{count}} rows of {self.child.name.name} point at rows of {m.table.name.name} that share a key; "
            "those that point at a row which goes will point at the one that stays",
        )

    def collisions(self) -> Iterator[Guard]:
        """Rows of the child that would become equal where it has a unique key over what is changed."""
        for columns in unique_keys(self.child):
            if not set(columns) & set(self.key.columns):
                continue
            quote, m = self.at.dialect.quote, self.matching
            points = " AND ".join(f"x.{quote(b)} = c.{quote(a)}" for a, b in zip(self.key.columns, self.referenced, strict=True))
            row = " AND ".join(f"l.{mark} = x.{listed(self.at, (name,))}" for name, mark in zip(m.key, m.marks, strict=True))
            others = [f"c.{quote(column)}" for column in columns if column not in self.key.columns]
            grouped = ", ".join([*(f"l.{mark}" for mark in m.elements), *others])
            target = self.at.dialect.quote_name(self.child.name)
            query = (
                f"SELECT 1 FROM {target} AS c JOIN {m.target} AS x ON {points} JOIN {m.rows('l')} ON {row} "
                f"GROUP BY {grouped} HAVING count(*) > 1"
            )
            yield Guard(
                query=bounded_count(query),
                summary=f"{{count}} keys of {self.child.name.name} ({', '.join(columns)}) would occur more than once when its rows "
                f"point at the rows of {m.table.name.name} that stay",
                hint=f"decide first which rows of {self.child.name.name} stay: they are unique by ({', '.join(columns)})",
            )


def unique_keys(table: Table) -> Iterator[tuple[str, ...]]:
    """The columns of each unique key over whole rows."""
    for constraint in table.constraints:
        if isinstance(constraint, Unique | PrimaryKey):
            yield constraint.columns
    for index in table.indexes:
        if index.unique and not index.constraint and not index.predicate and all(part.column for part in index.parts):
            yield index.columns


def pointing(at: Situation, matching: Matching, work: Name) -> tuple[Pointing, ...]:
    """Every foreign key to the table; those that partitions have from their parent are left to the parent."""
    keys = at.catalog.referencing(matching.table.name)
    holders = {child.name for child, _ in keys}
    return tuple(Pointing(at, child, key, matching, work) for child, key in keys if child.partition_of not in holders)


def locks_rows(at: Situation) -> bool:
    """Whether rows can be locked one by one; one writer needs no such lock."""
    return not at.can(Capability.SINGLE_WRITER)
