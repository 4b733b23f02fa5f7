"""Removes rows that share a key, chunk by chunk: lock, note and re-point what points at them, archive, merge, delete; one transaction each.

Which row stays is decided in the chunk, under locks, by the rows as they are then: a row that the application changed meanwhile is no
duplicate any more, and one that was deleted keeps nobody from staying.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.errors import RefusedError
from driftflow.model.catalog import Index, Table
from driftflow.model.effects import LockClaim
from driftflow.model.plan import Backfill, Guard, RunSql, Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import our_tables
from driftflow.strategies.cleansing import archiving
from driftflow.strategies.cleansing.archiving import kept, listed
from driftflow.strategies.cleansing.matching import Matching
from driftflow.strategies.cleansing.repointing import MOST, locks_rows, pointing
from driftflow.strategies.cleansing.said_duplicates import DuplicatesRequest
from driftflow.strategies.columns.filling import backfill, row_claims
from driftflow.strategies.recipe import Recipe, bounded_count
from driftflow.strategies.spoken import refuse_unknown


class Removal:
    """All that one removal needs to know; its statements and its tables."""

    def __init__(self, recipe: Recipe, table: Table, index: Index, request: DuplicatesRequest) -> None:
        at = recipe.at
        self.recipe, self.at, self.table, self.request = recipe, at, table, request
        self.key = archiving.key_of(at, table, why="which of its rows are removed could not be said")
        named = (request.by, *(column for column, _ in request.merge))
        refuse_unknown(table, filter(None, named), verb="duplicates", span=request.span)
        self.matching = Matching(at, table, index, self.key, by=request.by, last=request.keep == "last")
        detail = index.name.name
        self.work = archiving.our_name(at, "work", table.name, detail)
        self.archive = archiving.our_name(at, "archive", table.name, detail)
        self.merged = archiving.our_name(at, "merged", table.name, detail)
        self.pointing = pointing(at, self.matching, self.work)
        if request.keep == "none" and self.pointing:
            raise RefusedError(
                "DF-E652",
                f"rows of {table.name.name} cannot go into quarantine: other tables point at them",
                where=str(at.statement.span),
                why=f"{', '.join(sorted({one.child.name.name for one in self.pointing}))} would point at nothing, since no row stays",
                hint="-- driftflow: duplicates keep=first",
            )

    @property
    def merges(self) -> tuple[str, ...]:
        return tuple(column for column, _ in self.request.merge)

    def tables(self) -> Iterator[RunSql]:
        """The archive, the notes and the list of one chunk."""
        keys = [
            (f"{word}{number}", archiving.type_of(self.table, name)) for word in "lk" for number, name in enumerate(self.key, 1)
        ]
        goes = tuple(name for name, _ in keys[: len(self.key)])
        archive_key = tuple(kept(name) for name in self.key)
        yield archiving.create(self.recipe, self.work, tuple(keys), goes, purpose=f"Make the list of one chunk, {self.work.name}")
        yield archiving.create(
            self.recipe,
            self.archive,
            archiving.row_columns(self.at, self.table),
            archive_key,
            purpose=f"Make the archive of the rows of {self.table.name.name} that go, {self.archive.name}",
        )
        for one in self.pointing:
            name = one.child.name.name
            yield archiving.create(
                self.recipe, one.notes, one.columns, one.note_key, purpose=f"Make {one.notes.name}: where rows of {name} pointed"
            )
        if self.merges:
            columns = archiving.note_columns(self.table, self.key, self.merges)
            purpose = f"Make {self.merged.name}: what the rows that stay held before"
            yield archiving.create(self.recipe, self.merged, columns, archive_key, purpose=purpose)

    def step(self, first: tuple[Step, ...]) -> Backfill:
        """The removal itself. `first` ends the protection before rows come back that it would refuse."""
        step = backfill(
            self.recipe,
            self.table,
            assignments=(),
            predicate=self._listed("l"),
            phase="migrate",
            purpose=self._purpose(),
        )
        guards = [self._count(), *(one.count() for one in self.pointing)]
        guards += [guard for one in self.pointing for guard in one.collisions()]
        claims = [claim for one in self.pointing for claim in row_claims(self.at, one.child.name)]
        return replace(
            step,
            action="delete",
            before=tuple(self._before()),
            after=tuple(self._after()),
            remaining_query=bounded_count(self.matching.groups()),
            claims=(*step.claims, *claims),
            guards=tuple(guards),
            undo=UndoSteps(steps=tuple(self._undo(first))),
        )

    def _purpose(self) -> str:
        keys = ", ".join(part.column or part.expression for part in self.matching.index.parts)
        name = self.table.name.name
        if self.request.keep == "none":
            return f"Move every row of {name} that is not alone with its ({keys}) to {self.archive.name}, in chunks"
        return f"Keep the {self.request.keep} row of {name} per ({keys}) and archive the others in {self.archive.name}, in chunks"

    def _count(self) -> Guard:
        m = self.matching
        counted = f"SELECT count(*) OVER (PARTITION BY {m.grouped()}) AS n FROM {m.target} WHERE {' AND '.join(m.conditions()) or '1 = 1'}"
        return Guard(
            query=bounded_count(f"SELECT 1 FROM ({counted}) AS counted WHERE n > 1", MOST),
            refuse_if="never",
            summary=f"{{count}} rows of {self.table.name.name} share a key with another one",
            keys=m.repeated_keys(),
        )

    def _before(self) -> Iterator[str]:
        work = self.at.dialect.quote_name(self.work)
        yield self._list()
        if locks_rows(self.at):
            columns = listed(self.at, self.key)
            both = " UNION ".join(f"SELECT {self._marks(word)} FROM {work}" for word in self._words())
            yield f"SELECT 1 FROM {self.matching.target} WHERE ({columns}) IN ({both}) ORDER BY {columns} FOR UPDATE"
            # What was read before the locks may have changed by the time they were granted.
            yield f"DELETE FROM {work} WHERE NOT EXISTS ({self._still()})"
        for one in self.pointing:
            yield from one.statements()
        yield archiving.copy_rows(self.at, self.table, self.archive, self._listed("l"))
        if self.merges:
            yield from self._merge()

    def _words(self) -> str:
        return "l" if self.request.keep == "none" else "lk"

    def _marks(self, word: str) -> str:
        return ", ".join(f"{word}{number}" for number in range(1, len(self.key) + 1))

    def _listed(self, word: str) -> str:
        columns = ", ".join(f"{self.at.dialect.quote(self.table.name.name)}.{listed(self.at, (name,))}" for name in self.key)
        return f"({columns}) IN (SELECT {self._marks(word)} FROM {self.at.dialect.quote_name(self.work)})"

    def _list(self) -> str:
        """The rows of this chunk that go, each with the one that stays; all of their kind where none does."""
        m, work = self.matching, self.at.dialect.quote_name(self.work)
        nearby = m.rows("l", only=("{rows}",))
        goes = ", ".join(f"l.{mark}" for mark in m.marks)
        if self.request.keep == "none":
            all_of_them = ", ".join(f"g.{mark}" for mark in m.marks)
            near = f"EXISTS (SELECT 1 FROM {nearby} WHERE {m.same('l', 'g')})"
            more = f"EXISTS (SELECT 1 FROM {m.rows('k')} WHERE {m.same('k', 'g')} AND {m.other('k', 'g')})"
            return f"INSERT INTO {work} ({self._marks('l')}) SELECT {all_of_them} FROM {m.rows('g')} WHERE {near} AND {more}"
        stays = ", ".join(
            f"(SELECT k.{mark} FROM {m.rows('k')} WHERE {m.same('k', 'l')} ORDER BY {m.order('k')} LIMIT 1)" for mark in m.marks
        )
        chosen = " AND ".join(
            f"l.{mark} = (SELECT k.{mark} FROM {m.rows('k')} WHERE {m.same('k', 'l')} ORDER BY {m.order('k')} LIMIT 1)"
            for mark in m.marks
        )
        more = f"EXISTS (SELECT 1 FROM {m.rows('o')} WHERE {m.same('o', 'l')} AND {m.other('o', 'l')})"
        return (
            f"INSERT INTO {work} ({self._marks('l')}, {self._marks('k')}) SELECT {goes}, {stays} FROM {nearby} "
            f"WHERE {more} AND NOT ({chosen})"
        )

    def _still(self) -> str:
        m, work = self.matching, self.at.dialect.quote_name(self.work)
        goes = " AND ".join(f"l.{mark} = {work}.l{number}" for number, mark in enumerate(m.marks, 1))
        if self.request.keep == "none":
            return f"SELECT 1 FROM {m.rows('l')} JOIN {m.rows('k')} ON {m.same('k', 'l')} WHERE {goes} AND {m.other('k', 'l')}"
        stays = " AND ".join(f"k.{mark} = {work}.k{number}" for number, mark in enumerate(m.marks, 1))
        return f"SELECT 1 FROM {m.rows('l')} JOIN {m.rows('k')} ON {m.same('k', 'l')} WHERE {goes} AND {stays}"

    def _merge(self) -> Iterator[str]:
        """New values are worked out from the rows that go, noted beside the old ones, and only then written."""
        quote, work = self.at.dialect.quote, self.at.dialect.quote_name(self.work)
        notes, name, own = self.at.dialect.quote_name(self.merged), quote(self.merged.name), quote(self.table.name.name)
        note_key = ", ".join(quote(kept(one)) for one in self.key)
        olds = ", ".join(f"old_{number}, new_{number}" for number in range(1, len(self.merges) + 1))
        values = ", ".join(f"{own}.{quote(column)}, {own}.{quote(column)}" for column in self.merges)
        same = " AND ".join(f"{name}.{quote(kept(one))} = {own}.{listed(self.at, (one,))}" for one in self.key)
        new = f"NOT EXISTS (SELECT 1 FROM {notes} WHERE {same})"
        yield (
            f"INSERT INTO {notes} ({note_key}, {olds}) SELECT {listed(self.at, self.key, of=own)}, {values} "
            f"FROM {self.matching.target} WHERE {self._listed('k')} AND {new}"
        )
        touched = f"({', '.join(f'{name}.{quote(kept(one))}' for one in self.key)}) IN (SELECT {self._marks('k')} FROM {work})"
        stays = " AND ".join(f"x.{listed(self.at, (one,))} = {name}.{quote(kept(one))}" for one in self.key)
        goes = " AND ".join(f"x.{listed(self.at, (one,))} = w.l{number}" for number, one in enumerate(self.key, 1))
        mine = " AND ".join(f"w.k{number} = {name}.{quote(kept(one))}" for number, one in enumerate(self.key, 1))
        target = self.matching.target
        sets = ", ".join(
            f"new_{number} = (SELECT {function}(v) FROM (SELECT x.{quote(column)} AS v FROM {target} AS x WHERE {stays} "
            f"UNION ALL SELECT x.{quote(column)} FROM {target} AS x JOIN {work} AS w ON {goes} WHERE {mine}) AS u)"
            for number, (column, function) in enumerate(self.request.merge, 1)
        )
        yield f"UPDATE {notes} SET {sets} WHERE {touched}"
        written = ", ".join(
            f"{quote(column)} = (SELECT new_{number} FROM {notes} WHERE {same})" for number, column in enumerate(self.merges, 1)
        )
        yield f"UPDATE {target} SET {written} WHERE {self._listed('k')}"

    def _after(self) -> Iterator[str]:
        if self.request.keep == "none":
            yield f"DELETE FROM {self.matching.target} WHERE {self._listed('l')}"
        yield f"DELETE FROM {self.at.dialect.quote_name(self.work)}"

    def _undo(self, first: tuple[Step, ...]) -> Iterator[Step]:
        """Rows first, then what pointed at them, then what the rows that stayed took over."""
        yield from first
        yield archiving.bring_back(self.recipe, self.table, self.archive)
        for one in self.pointing:
            yield archiving.put_back(self.recipe, one.child, one.notes, one.key.columns)
        if self.merges:
            yield archiving.put_back(self.recipe, self.table, self.merged, self.merges)

    def forget(self) -> RunSql:
        """The list of one chunk is empty and of no use any more; the archive stays."""
        why = "it is empty, and the undo of what filled it needs it no more"
        if not self.at.can(Capability.TRANSACTIONAL_DDL):
            return our_tables.drop(self.recipe, self.work, purpose=f"Remove {self.work.name}", phase="migrate", reason=why)
        return self.recipe.text(
            f"DROP TABLE {self.at.dialect.quote_name(self.work)}",
            purpose=f"Remove {self.work.name}",
            phase="migrate",
            claims=(LockClaim(relation=self.work, mode="EXCLUSIVE", why="our own table"),),
            undo=UndoNothing(reason=why),
        )
