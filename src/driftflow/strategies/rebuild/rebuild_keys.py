"""Foreign keys of a table that is rebuilt on MySQL and MariaDB: their names are unique in the database, so for a while the copy has them under others.

The copy gets its keys only when it is equal to the table, without a look at the rows, which the table's own keys have looked at. Earlier a stale row of
it would hold on to a row that the application deletes. The table's own go just before the swap, for the same reason: until the swap, what the copy's keys
reject is noted, and stops the run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.model.catalog import ForeignKey
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex, DropIndex
from driftflow.model.plan import Probe, RunSql, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.fitted import fit
from driftflow.strategies.rebuild.paired_steps import claim, schema_of
from driftflow.strategies.recipe import as_undo

if TYPE_CHECKING:
    from driftflow.strategies.rebuild.rebuild_online import Rebuild

UNCHECKED = {"foreign_key_checks": "0"}


class Keys:
    """The foreign keys of one rebuild. `forth` and `back` mark their names for the way."""

    def __init__(self, rebuild: Rebuild) -> None:
        self.rebuild = rebuild
        self.quote = rebuild.at.dialect.quote
        self.table = rebuild.before.name

    def indexes_kept(self, making: Name) -> list[str]:
        """An index that the server made for a foreign key would give way to one with the name of the next key: so it is made as if by hand."""
        table = self.rebuild.before
        found = []
        for index in table.indexes:
            if not index.unique and any(index.columns[: len(key.columns)] == key.columns for key in table.foreign_keys):
                made = CreateIndex(index=replace(index, table=making))
                gone = DropIndex(name=index.name, table=making)
                found.append(self.rebuild.at.dialect.render(gone, made))
        return found

    def before_swap(self) -> Iterator[RunSql]:
        new, old = self.rebuild.after.foreign_keys, self.rebuild.before.foreign_keys
        if not old:
            return
        yield self._changed(
            self.rebuild.new,
            (),
            self._called(new, "forth"),
            purpose=f"Give the copy of {self.table.name} its foreign keys, under names for now",
            undo=(self._gone_if_there(self.rebuild.new, self._called(new, "forth")),),
        )
        yield self._changed(
            self.table,
            old,
            (),
            purpose=f"Take the foreign keys from {self.table.name}: from now on those of the copy hold",
            undo=(self._there_if_gone(old), *self._indexes_named_again()),
        )

    def after_swap(self) -> Iterator[RunSql]:
        new = self.rebuild.after.foreign_keys
        if new:
            named = self._called(new, "forth")
            yield self._changed(
                self.table,
                named,
                new,
                purpose=f"Give the foreign keys of {self.table.name} their names again",
                undo=(
                    self._changed(self.table, new, named, purpose=f"Give the foreign keys of {self.table.name} names for now"),
                ),
            )

    def before_swap_back(self) -> Iterator[RunSql]:
        new, old = self.rebuild.after.foreign_keys, self.rebuild.before.foreign_keys
        if old:
            label = self.table.name
            yield self._changed(
                self.rebuild.old, (), self._called(old, "back"), purpose=f"Give the old form of {label} its foreign keys again"
            )
            yield self._changed(
                self.table, self._called(new, "forth"), (), purpose=f"Take the foreign keys from the new form of {label}"
            )

    def after_swap_back(self) -> Iterator[RunSql]:
        old = self.rebuild.before.foreign_keys
        if old:
            yield self._changed(
                self.table,
                self._called(old, "back"),
                old,
                purpose=f"Give the foreign keys of {self.table.name} their names again",
            )
            yield from self._indexes_named_again()

    def _indexes_named_again(self) -> Iterator[RunSql]:
        """An index that the server made for a foreign key goes with it, and comes again under the name of the next one."""
        quote, table = self.quote, self.rebuild.at.dialect.quote_name(self.table)
        for key in self.rebuild.before.foreign_keys:
            for index in self.rebuild.before.indexes:
                if index.unique or index.columns != key.columns or index.name.name == key.name:
                    continue
                found = [_index(self.table, name) for name in (index.name.name, key.name)]
                text = f"ALTER TABLE {table} RENAME INDEX {quote(key.name)} TO {quote(index.name.name)}"
                said = f"The index {index.name.name} of {self.table.name} keeps its name"
                yield self._run_where(f"NOT {found[0]} AND {found[1]}", text, (claim(self.table),), purpose=said)

    def _called(self, keys: tuple[ForeignKey, ...], way: str) -> tuple[ForeignKey, ...]:
        mark = self.rebuild.mark
        return tuple(replace(key, name=fit(f"_driftflow_{way}_{mark}_{key.name}", bytes_max=60)) for key in keys)

    def _changed(
        self,
        table: Name,
        gone: tuple[ForeignKey, ...],
        there: tuple[ForeignKey, ...],
        *,
        purpose: str,
        undo: tuple[RunSql, ...] = (),
    ) -> RunSql:
        """In one statement, which changes the dictionary alone."""
        clauses = [f"DROP FOREIGN KEY {self.quote(key.name)}" for key in gone] + [self._added(table, key) for key in there]
        conditions = [f"NOT {_exists(table, key)}" for key in gone] + [_exists(table, key) for key in there]
        return self.rebuild.forth.alone(
            f"ALTER TABLE {self.rebuild.at.dialect.quote_name(table)} {', '.join(clauses)}, ALGORITHM=INPLACE, LOCK=NONE",
            purpose=purpose,
            probe=Probe(query=f"SELECT CASE WHEN {' AND '.join(conditions)} THEN 'done' ELSE 'not_done' END"),
            claims=(claim(table), *(claim(name) for name in dict.fromkeys(key.referenced for key in (*gone, *there)))),
            settings=UNCHECKED,
            undo=UndoSteps(steps=tuple(map(as_undo, undo))) if undo else UndoNothing(reason="it goes with the table"),
        )

    def _added(self, table: Name, key: ForeignKey) -> str:
        text = self.rebuild.at.dialect.render(AddConstraint(table=table, constraint=key))
        return text[text.index(" ADD ") + 1 :]

    def _gone_if_there(self, table: Name, keys: tuple[ForeignKey, ...]) -> RunSql:
        """Nothing to do where the way back from behind the swap has done it."""
        clauses = ", ".join(f"DROP FOREIGN KEY {self.quote(key.name)}" for key in keys)
        return self._where(
            table, _exists(table, keys[0]), clauses, keys, purpose=f"Take the foreign keys from the copy of {self.table.name}"
        )

    def _there_if_gone(self, keys: tuple[ForeignKey, ...]) -> RunSql:
        clauses = ", ".join(self._added(self.table, key) for key in keys)
        said = f"Give {self.table.name} its foreign keys again"
        return self._where(self.table, f"NOT {_exists(self.table, keys[0])}", clauses, keys, purpose=said)

    def _where(self, table: Name, condition: str, clauses: str, keys: tuple[ForeignKey, ...], *, purpose: str) -> RunSql:
        claims = (claim(table), *(claim(name) for name in dict.fromkeys(key.referenced for key in keys)))
        text = f"ALTER TABLE {self.rebuild.at.dialect.quote_name(table)} {clauses}"
        return self._run_where(condition, text, claims, purpose=purpose)

    def _run_where(self, condition: str, text: str, claims: tuple[LockClaim, ...], *, purpose: str) -> RunSql:
        return self.rebuild.forth.alone(
            f"SET @driftflow_keys = IF({condition}, {quote_string(text)}, 'DO 0')",
            "PREPARE driftflow_keys FROM @driftflow_keys",
            "EXECUTE driftflow_keys",
            "DEALLOCATE PREPARE driftflow_keys",
            purpose=purpose,
            probe=Probe(query="SELECT 'again'"),
            claims=claims,
            settings=UNCHECKED,
        )


def _index(table: Name, name: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {schema_of(table)} "
        f"AND TABLE_NAME = {quote_string(table.name)} AND INDEX_NAME = {quote_string(name)})"
    )


def _exists(table: Name, key: ForeignKey) -> str:
    return (
        f"EXISTS (SELECT 1 FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = {schema_of(table)} "
        f"AND TABLE_NAME = {quote_string(table.name)} AND CONSTRAINT_NAME = {quote_string(key.name)})"
    )
