"""What goes or changes with rows that are deleted: by the foreign keys that point at them, by those that point at these, and so on."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, Guard, RunSql
from driftflow.strategies.cleansing import archiving, by_join
from driftflow.strategies.cleansing.archiving import kept, listed
from driftflow.strategies.constraints.constraining import referenced_columns
from driftflow.strategies.recipe import Recipe, bounded_count

MOST = 100_000


class Cascade:
    """One foreign key to a table whose rows are deleted. `where` says, over its own table, which rows the deletion reaches."""

    def __init__(self, at: Situation, child: Table, key: ForeignKey, parent: Table, where: str, everywhere: str) -> None:
        self.at, self.child, self.key, self.parent = at, child, key, parent
        self.from_where = where
        self.where, self.everywhere = (self._reached(one) for one in (where, everywhere))
        self.tables = archiving.our_name(at, "archive" if self.goes else "moved", child.name, f"cascade {key.name} {key.columns}")

    @property
    def goes(self) -> bool:
        """Whether its rows are deleted too."""
        return self.key.on_delete == "CASCADE"

    @property
    def stops(self) -> bool:
        return self.key.on_delete in ("NO ACTION", "RESTRICT")

    def _reached(self, where: str) -> str:
        """Both sides are named in full: a bare name may mean a column of either table."""
        own, other = self.at.dialect.quote(self.child.name.name), self.at.dialect.quote(self.parent.name.name)
        there = listed(self.at, referenced_columns(self.at, self.key), of=other)
        target = self.at.dialect.quote_name(self.parent.name)
        return f"({listed(self.at, self.key.columns, of=own)}) IN (SELECT {there} FROM {target} WHERE {where})"

    def create(self, recipe: Recipe) -> Iterator[RunSql]:
        if self.stops:
            return
        key = archiving.key_of(self.at, self.child, why=f"its rows go or change with rows of {self.parent.name.name}")
        columns = (
            archiving.row_columns(self.at, self.child) if self.goes else archiving.note_columns(self.child, key, self.key.columns)
        )
        name = self.child.name.name
        yield archiving.create(
            recipe,
            self.tables,
            columns,
            tuple(map(kept, key)),
            purpose=f"Make {self.tables.name}: rows of {name} that " + ("go along" if self.goes else "are changed along"),
        )

    def statements(self) -> Iterator[str]:
        """In each chunk, before the deletion."""
        if self.goes:
            yield archiving.copy_rows(self.at, self.child, self.tables, self.where)
        elif not self.stops:
            quote = self.at.dialect.quote
            key = archiving.key_of(self.at, self.child, why="it is changed along")
            new = {"SET NULL": "NULL"}
            values = ", ".join(
                f"{quote(column)}, {new.get(self.key.on_delete) or self._default(column)}" for column in self.key.columns
            )
            yield (
                f"INSERT INTO {self.at.dialect.quote_name(self.tables)} SELECT {listed(self.at, key)}, {values} "
                f"FROM {self.at.dialect.quote_name(self.child.name)} WHERE {self.where}"
            )

    def locked(self) -> Iterator[str]:
        """MySQL and MariaDB: the rows that it reaches, locked at once or not at all, since the deletion would wait for them."""
        at, own = self.at, self.at.dialect.quote(self.child.name.name)
        there = referenced_columns(at, self.key)
        source = f"(SELECT {listed(at, there)} FROM {at.dialect.quote_name(self.parent.name)} WHERE {self.from_where}) AS gone"
        quote = at.dialect.quote
        on = " AND ".join(f"{own}.{quote(here)} = gone.{quote(one)}" for here, one in zip(self.key.columns, there, strict=True))
        yield by_join.lock(at, self.child, source, on, columns=self.key.columns)

    def carried_out(self) -> Iterator[str]:
        """What the key's action does, said by us: SQLite carries it out only in sessions that ask for it."""
        if self.at.dialect.one_pass:
            return
        target, quote = self.at.dialect.quote_name(self.child.name), self.at.dialect.quote
        if self.goes:
            yield f"DELETE FROM {target} WHERE {self.where}"
        elif not self.stops:
            new = {name: "NULL" if self.key.on_delete == "SET NULL" else self._default(name) for name in self.key.columns}
            yield f"UPDATE {target} SET {', '.join(f'{quote(name)} = {value}' for name, value in new.items())} WHERE {self.where}"

    def _default(self, name: str) -> str:
        column = self.child.column(name)
        return column.default if column is not None and column.default is not None else "NULL"

    def guard(self) -> Guard:
        name, target = self.child.name.name, self.at.dialect.quote_name(self.child.name)
        what = "go along" if self.goes else "lose what they point at"
        return Guard(
            query=bounded_count(f"SELECT 1 FROM {target} WHERE {self.everywhere}", MOST),
            refuse_if="not_zero" if self.stops else "never",
            summary=f"{{count}} rows of {name} point at rows of {self.parent.name.name} that would go, and hold on to them"
            if self.stops
            else f"{{count}} rows of {name} {what}",
            hint=f"decide first what becomes of those rows of {name} ({self.key.name})" if self.stops else "",
        )

    def back(self, recipe: Recipe) -> Iterator[Backfill]:
        if self.goes:
            yield archiving.bring_back(recipe, self.child, self.tables, unless_there=True)
        elif not self.stops:
            yield archiving.put_back(recipe, self.child, self.tables, self.key.columns)


def cascades(at: Situation, table: Table, where: str, everywhere: str, seen: tuple[Name, ...] = ()) -> Iterator[Cascade]:
    """Depth first, those near the deleted rows before those behind them. Raises RefusedError (DF-E658) for a circle."""
    holders = {child.name for child, _ in at.catalog.referencing(table.name)}
    for child, key in at.catalog.referencing(table.name):
        if child.partition_of in holders:
            continue
        if child.name in (*seen, table.name) and key.on_delete == "CASCADE":
            raise RefusedError(
                "DF-E658",
                f"which rows of {child.name.name} would go along cannot be said before",
                where=str(at.statement.span),
                why=f"{key.name or 'a foreign key'} deletes in a circle",
                hint="-- driftflow: orphans action=null, or delete the rows in a migration of your own",
            )
        one = Cascade(at, child, key, table, where, everywhere)
        yield one
        if one.goes:
            yield from cascades(at, child, one.where, one.everywhere, (*seen, table.name))
