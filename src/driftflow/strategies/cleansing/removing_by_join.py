"""MySQL and MariaDB: the removal of duplicates in statements that begin with our list of one chunk and reach rows by their keys alone."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.model.plan import Backfill, Step
from driftflow.model.record import replace
from driftflow.strategies.cleansing import archiving, by_join
from driftflow.strategies.cleansing.archiving import kept, listed
from driftflow.strategies.cleansing.duplicates import Removal
from driftflow.strategies.cleansing.repointing import Pointing

COMBINED = {
    "max": "CASE WHEN {more} IS NULL OR {own} >= {more} THEN {own} ELSE {more} END",
    "min": "CASE WHEN {more} IS NULL OR {own} <= {more} THEN {own} ELSE {more} END",
    "sum": "COALESCE({own} + {more}, {own}, {more})",
}
"""What the row that stays holds and what those hold that go, which may be NULL."""


class JoinedRemoval(Removal):
    @property
    def _list_of_chunk(self) -> str:
        return f"{self.at.dialect.quote_name(self.work)} AS w"

    def _on(self, word: str, row: str = "", *, of: str = "w") -> str:
        """That a row of the table (by its own name, or by an alias) is the one that the list calls l or k."""
        row = row or self.at.dialect.quote(self.table.name.name)
        return " AND ".join(f"{row}.{listed(self.at, (name,))} = {of}.{word}{number}" for number, name in enumerate(self.key, 1))

    def step(self, first: tuple[Step, ...]) -> Backfill:
        on = self._on("l")
        return replace(super().step(first), from_clause=f"FROM {self._list_of_chunk}", join=on, predicate=on)

    def _before(self) -> Iterator[str]:
        yield self._list()
        for word in self._words():
            yield by_join.lock(self.at, self.table, self._list_of_chunk, self._on(word))
        # What was read before the locks may have changed by the time they were granted.
        yield self._no_longer()
        for one in self.pointing:
            yield from self._pointed_elsewhere(one)
        yield archiving.copy_rows(self.at, self.table, self.archive, self._listed("l"))
        if self.merges:
            yield from self._merge()

    def _after(self) -> Iterator[str]:
        if self.request.keep == "none":
            yield by_join.delete(self.at, self.table, self._list_of_chunk, self._on("l"))
        yield f"DELETE FROM {self.at.dialect.quote_name(self.work)}"

    def _no_longer(self) -> str:
        """Takes out of the list what is no duplicate any more, by looking at locked rows only."""
        m, quote = self.matching, self.at.dialect.quote
        work, first = self.at.dialect.quote_name(self.work), quote(self.key[0])
        columns = [quote(part.column) for part in m.index.parts]
        found = f"LEFT JOIN {by_join.found(self.at, self.table, 'l')}"
        goes = f"{found} ON {self._on('l', 'l')}"
        if self.request.keep == "none":
            listed_keys = ", ".join(f"x.{column} AS {mark}" for column, mark in zip(columns, m.elements, strict=True))
            grouped = ", ".join(f"x.{column}" for column in columns)
            group = (
                f"SELECT {listed_keys}, count(*) AS n FROM {self._list_of_chunk} STRAIGHT_JOIN {by_join.found(self.at, self.table, 'x')} "
                f"ON {self._on('l', 'x')} GROUP BY {grouped}"
            )
            same = " AND ".join(f"g.{mark} = l.{column}" for column, mark in zip(columns, m.elements, strict=True))
            return f"DELETE v FROM {work} AS v {found} ON {self._on('l', 'l', of='v')} LEFT JOIN ({group}) AS g ON {same} WHERE COALESCE(g.n, 0) < 2"
        stays = f"LEFT JOIN {by_join.found(self.at, self.table, 'k')} ON {self._on('k', 'k')}"
        same = " AND ".join(f"l.{column} = k.{column}" for column in columns)
        return f"DELETE w FROM {self._list_of_chunk} {goes} {stays} WHERE l.{first} IS NULL OR k.{first} IS NULL OR NOT COALESCE({same}, FALSE)"

    def _pointed_elsewhere(self, one: Pointing) -> Iterator[str]:
        """Lock the rows that point at one that goes, note what they point at, and point them at the one that stays."""
        at, quote = self.at, self.at.dialect.quote
        notes = at.dialect.quote_name(one.notes)
        points = " AND ".join(f"c.{quote(a)} = l.{quote(b)}" for a, b in zip(one.key.columns, one.referenced, strict=True))
        goes = f"{self._list_of_chunk} STRAIGHT_JOIN {by_join.found(at, self.table, 'l')} ON {self._on('l', 'l')}"
        yield by_join.lock(at, one.child, goes, points, alias="c", columns=one.key.columns)
        pairs = ", ".join(f"c.{quote(a)}, k.{quote(b)}" for a, b in zip(one.key.columns, one.referenced, strict=True))
        own = listed(at, one.child_key, of="c")
        both = f"{goes} STRAIGHT_JOIN {by_join.found(at, self.table, 'k')} ON {self._on('k', 'k')}"
        child = by_join.found(at, one.child, "c", columns=one.key.columns)
        # A row that an earlier chunk noted keeps what it pointed at first.
        renewed = ", ".join(f"new_{number} = k.{quote(b)}" for number, b in enumerate(one.referenced, 1))
        yield (
            f"INSERT INTO {notes} SELECT {own}, {pairs} FROM {both} STRAIGHT_JOIN {child} ON {points} "
            f"ON DUPLICATE KEY UPDATE {renewed}"
        )
        yield by_join.update(
            at,
            one.child,
            both,
            points,
            [(a, f"k.{quote(b)}") for a, b in zip(one.key.columns, one.referenced, strict=True)],
            alias="c",
            columns=one.key.columns,
        )

    def _merge(self) -> Iterator[str]:
        """The rows that stay are noted once, with what they held before the first chunk; the notes say what they hold now."""
        at, quote = self.at, self.at.dialect.quote
        notes, name, target = at.dialect.quote_name(self.merged), quote(self.merged.name), by_join.found(at, self.table)
        own = quote(self.table.name.name)
        olds = ", ".join(f"old_{number}" for number in range(1, len(self.merges) + 1))
        values = ", ".join(f"{own}.{quote(column)}" for column in self.merges)
        known = " AND ".join(f"n.{quote(kept(one))} = {own}.{listed(at, (one,))}" for one in self.key)
        yield (
            f"INSERT INTO {notes} ({listed(at, self.key)}, {olds}) SELECT DISTINCT {listed(at, self.key, of=own)}, {values} "
            f"FROM {self._list_of_chunk} STRAIGHT_JOIN {target} ON {self._on('k')} LEFT JOIN {notes} AS n ON {known} "
            f"WHERE n.{quote(self.key[0])} IS NULL"
        )
        marks = self._marks("k").replace("k", "w.k")
        taken = ", ".join(f"{function}(x.{quote(column)}) AS m{n}" for n, (column, function) in enumerate(self.request.merge, 1))
        going = f"SELECT {marks}, {taken} FROM {self._list_of_chunk} STRAIGHT_JOIN {by_join.found(at, self.table, 'x')} ON {self._on('l', 'x')} GROUP BY {marks}"
        same = " AND ".join(f"{name}.{listed(at, (one,))} = g.k{number}" for number, one in enumerate(self.key, 1))
        stays = " AND ".join(f"{own}.{listed(at, (one,))} = g.k{number}" for number, one in enumerate(self.key, 1))
        sets = ", ".join(
            f"{name}.new_{n} = {COMBINED[function].format(own=f'{own}.{quote(column)}', more=f'g.m{n}')}"
            for n, (column, function) in enumerate(self.request.merge, 1)
        )
        yield f"UPDATE ({going}) AS g STRAIGHT_JOIN {target} ON {stays} STRAIGHT_JOIN {notes} ON {same} SET {sets}"
        pairs = [(column, f"{name}.new_{number}") for number, column in enumerate(self.merges, 1)]
        noted = " AND ".join(f"{name}.{listed(at, (one,))} = w.k{number}" for number, one in enumerate(self.key, 1))
        yield by_join.update(at, self.table, f"{self._list_of_chunk} STRAIGHT_JOIN {notes} ON {noted}", self._on("k"), pairs)
