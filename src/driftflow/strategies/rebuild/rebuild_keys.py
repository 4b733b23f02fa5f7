"""Foreign keys of a table that is rebuilt on MySQL and MariaDB: their names are unique in the database, so for a while the copy has them under others.

The copy gets its keys only when it is equal to the table, without a look at the rows, which the table's own keys have looked at. Earlier a stale row of
it would hold on to a row that the application deletes. The table's own go just before the swap, for the same reason. From then on the triggers that write
the copy pass on what its keys refuse: the application has the error that it would have had from the table. A key of the table to itself is one of
the copy to itself. Keys of other tables that point here: `rebuild_children`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.model.catalog import ForeignKey, Table
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex, DropConstraint, DropIndex, DropTable, RenameTable
from driftflow.model.plan import Probe, RunSql, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.fitted import fit
from driftflow.strategies.rebuild.cascades import changes_rows
from driftflow.strategies.rebuild.paired_steps import UNCHECKED, claim, schema_of
from driftflow.strategies.recipe import as_undo

if TYPE_CHECKING:
    from driftflow.strategies.rebuild.rebuild_online import Rebuild


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

    def _refusing(self, table: Table) -> tuple[ForeignKey, ...]:
        """Those that change no rows: the others are with both forms (`rebuild_cascades`)."""
        return tuple(key for key in table.foreign_keys if not changes_rows(key))

    def staying(self, way: str = "") -> list[tuple[Name, str]]:
        """The table's own keys that stay with the form that goes; `way` says under which names they are."""
        keys = tuple(filter(changes_rows, self.rebuild.before.foreign_keys))
        return [(self.table, key.name) for key in (self.called(keys, way) if way else keys)]

    def before_swap(self) -> Iterator[RunSql]:
        new, old = self._refusing(self.rebuild.after), self._refusing(self.rebuild.before)
        if not old:
            return
        yield self.changed(
            self.rebuild.new,
            (),
            self._called(new, "forth", here=self.rebuild.new),
            purpose=f"Give the copy of {self.table.name} its foreign keys, under names for now",
            undo=(
                self.turned_back(
                    self.rebuild.new,
                    self._called(new, "forth"),
                    (),
                    purpose=f"Take the foreign keys from the copy of {self.table.name}",
                ),
            ),
        )
        yield self.changed(
            self.table,
            old,
            (),
            purpose=f"Take the foreign keys from {self.table.name}: from now on those of the copy hold",
            undo=(
                self.turned_back(self.table, (), old, purpose=f"Give {self.table.name} its foreign keys again"),
                *self.indexes_named_again(self.rebuild.before, old),
            ),
        )

    def after_swap(self) -> Iterator[RunSql]:
        yield from self.rebuild.cascading.names_free()
        new = self.rebuild.after.foreign_keys
        if new:
            named = self._called(new, "forth")
            yield self.changed(
                self.table,
                named,
                new,
                purpose=f"Give the foreign keys of {self.table.name} their names again",
                undo=(self.changed(self.table, new, named, purpose=f"Give the foreign keys of {self.table.name} names for now"),),
            )

    def before_swap_back(self) -> Iterator[RunSql]:
        new, old = self._refusing(self.rebuild.after), self._refusing(self.rebuild.before)
        if old:
            label = self.table.name
            yield self.changed(
                self.rebuild.old,
                (),
                self._called(old, "back", here=self.rebuild.old),
                purpose=f"Give the old form of {label} its foreign keys again",
            )
            yield self.changed(
                self.table, self._called(new, "forth"), (), purpose=f"Take the foreign keys from the new form of {label}"
            )

    def after_swap_back(self) -> Iterator[RunSql]:
        old = self._refusing(self.rebuild.before)
        if old:
            yield self.changed(
                self.table,
                self._called(old, "back"),
                old,
                purpose=f"Give the foreign keys of {self.table.name} their names again",
            )
        yield from self.indexes_named_again(self.rebuild.before, self.rebuild.before.foreign_keys)

    def indexes_named_again(self, table: Table, keys: tuple[ForeignKey, ...]) -> Iterator[RunSql]:
        """An index that the server made for a foreign key goes with it, and comes again under the name of the next one."""
        quote, name = self.quote, self.rebuild.at.dialect.quote_name(table.name)
        for key in keys:
            for index in table.indexes:
                if index.unique or index.columns != key.columns or index.name.name == key.name:
                    continue
                found = [_index(table.name, one) for one in (index.name.name, key.name)]
                text = f"ALTER TABLE {name} RENAME INDEX {quote(key.name)} TO {quote(index.name.name)}"
                said = f"The index {index.name.name} of {table.name.name} keeps its name"
                yield self._run_where(f"NOT {found[0]} AND {found[1]}", text, self._claims(table.name), purpose=said)

    def called(self, keys: tuple[ForeignKey, ...], way: str, *, to: Name | None = None) -> tuple[ForeignKey, ...]:
        """Under names for now; `to` is the table that they point at meanwhile."""
        names = [
            fit(f"{'zzz' if changes_rows(key) else ''}_driftflow_{way}_{self.rebuild.mark}_{key.name}", bytes_max=60)
            for key in keys
        ]
        return tuple(replace(key, name=name, referenced=to or key.referenced) for key, name in zip(keys, names, strict=True))

    def _called(self, keys: tuple[ForeignKey, ...], way: str, *, here: Name | None = None) -> tuple[ForeignKey, ...]:
        """The table's own; those that point at itself point at itself `here` too."""
        return tuple(one for key in keys for one in self.called((key,), way, to=here if key.referenced == self.table else None))

    def changed(
        self,
        table: Name,
        gone: tuple[ForeignKey, ...],
        there: tuple[ForeignKey, ...],
        *,
        purpose: str,
        undo: tuple[RunSql, ...] = (),
    ) -> RunSql:
        """In one statement, which changes the dictionary alone."""
        conditions = [f"NOT {_exists(table, key)}" for key in gone] + [_exists(table, key) for key in there]
        return self.rebuild.forth.alone(
            f"{self._statement(table, gone, there)}, ALGORITHM=INPLACE, LOCK=NONE",
            purpose=purpose,
            probe=Probe(query=f"SELECT CASE WHEN {' AND '.join(conditions)} THEN 'done' ELSE 'not_done' END"),
            claims=self._claims(table, (*gone, *there)),
            settings=UNCHECKED,
            undo=UndoSteps(steps=tuple(map(as_undo, undo))) if undo else UndoNothing(reason="it goes with the table"),
        )

    def turned_back(self, table: Name, gone: tuple[ForeignKey, ...], there: tuple[ForeignKey, ...], *, purpose: str) -> RunSql:
        """As `changed`, where the way back from behind the swap has not done it already."""
        condition = _exists(table, gone[0]) if gone else f"NOT {_exists(table, there[0])}"
        text, claims = self._statement(table, gone, there), self._claims(table, (*gone, *there))
        return self._run_where(condition, text, claims, purpose=purpose)

    def _statement(self, table: Name, gone: tuple[ForeignKey, ...], there: tuple[ForeignKey, ...]) -> str:
        added = [self.rebuild.at.dialect.render(AddConstraint(table=table, constraint=key)) for key in there]
        clauses = [f"DROP FOREIGN KEY {self.quote(key.name)}" for key in gone] + [
            text[text.index(" ADD ") + 1 :] for text in added
        ]
        return f"ALTER TABLE {self.rebuild.at.dialect.quote_name(table)} {', '.join(clauses)}"

    def renamed(self) -> tuple[LockClaim, ...]:
        """What the server locks beside the forms when they change places: MySQL, both ends of every key."""
        rebuild = self.rebuild
        predicted = rebuild.at.dialect.effects(RenameTable(name=self.table, to=rebuild.old.name), rebuild.at.catalog).locks
        return tuple(map(claim, dict.fromkeys((self.table, rebuild.new, rebuild.old, *(lock.relation for lock in predicted)))))

    def _claims(self, table: Name, keys: tuple[ForeignKey, ...] = ()) -> tuple[LockClaim, ...]:
        """Both ends of the keys, and what the server locks beside any ALTER of the table: MySQL tells those that point at it of its new definition."""
        at = self.rebuild.at
        form = table != self.table and bool(self.staying()) and table in (self.rebuild.new, self.rebuild.old)
        named = self.table if form else table
        known = at.catalog.table(named)
        found = {name: claim(name) for name in (table, *(key.referenced for key in keys))}
        for key in known.foreign_keys[:1] if known is not None else ():
            for lock in at.dialect.effects(DropConstraint(table=named, name=key.name), at.catalog).locks:
                if not form or lock.relation != named:
                    found.setdefault(lock.relation, lock)
        return tuple(found.values())

    def dropped(self) -> tuple[LockClaim, ...]:
        """What the server locks when the old form goes: MySQL, what its keys point at."""
        staying = {key.referenced for key in self.rebuild.before.foreign_keys if changes_rows(key)}
        at = self.rebuild.at
        predicted = at.dialect.effects(DropTable(name=self.table), at.catalog).locks if staying else ()
        return (claim(self.rebuild.old), *(claim(lock.relation) for lock in predicted if lock.relation in staying))

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
