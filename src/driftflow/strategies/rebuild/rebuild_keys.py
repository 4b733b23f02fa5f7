"""Foreign keys of a table that is rebuilt on MySQL and MariaDB: their names are unique in the database, so for a while the copy has them under others.

The copy gets its keys only when it is equal to the table, without a look at the rows, which the table's own keys have looked at. Earlier a stale row of
it would hold on to a row that the application deletes. The table's own go just before the swap, for the same reason. From then on the triggers that write
the copy pass on what its keys refuse: the application has the error that it would have had from the table. A key of the table to itself is one of
the copy to itself, and one to a table that is rebuilt together with it one of its copy to that one's: these stay between the old forms when the swap
comes, and go behind it. Keys that change rows: `rebuild_cascades`. Keys of other tables that point here: `rebuild_children`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from driftflow.dialects.base import Capability
from driftflow.dialects.mysql.keywords import quote_string
from driftflow.model.catalog import ForeignKey, Index, Table
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import AddConstraint, CreateIndex, DropConstraint, DropIndex, DropTable, RenameTable
from driftflow.model.plan import Probe, RunSql, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.fitted import fit
from driftflow.strategies.rebuild.cascades import changes_rows
from driftflow.strategies.rebuild.paired_steps import UNCHECKED, claim, run_where, schema_of
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
        """The keys that stay where they are when the swap comes: those between tables that are rebuilt together, of this table or pointing at it, and the
        table's own that change rows; `way` says under which names they are."""
        cascading = tuple(filter(changes_rows, self.rebuild.before.foreign_keys))
        own = [(self.table, key.name) for key in (self.called(cascading, way) if way else cascading)]
        tied = [
            (one.before.name, one.keys.called((key,), way)[0].name if way else key.name)
            for one in self.rebuild.together
            for key in one.before.foreign_keys
            if self.table in (one.before.name, key.referenced) and self.rebuild.form_of(key.referenced, "new") is not None
        ]
        return list(dict.fromkeys((*own, *tied)))

    def split(self, keys: tuple[ForeignKey, ...]) -> tuple[tuple[ForeignKey, ...], tuple[ForeignKey, ...]]:
        """Those to tables that are rebuilt together, and the others."""
        inner = tuple(key for key in keys if self.rebuild.form_of(key.referenced, "new") is not None)
        return inner, tuple(key for key in keys if key not in inner)

    def in_turn(self, keys: tuple[ForeignKey, ...]) -> list[tuple[tuple[ForeignKey, ...], str]]:
        """Where several tables are rebuilt together, first those to others, then those among them, with words for which they are: each statement locks as
        little as it can."""
        if len(self.rebuild.together) == 1:
            return [(keys, "")] if keys else []
        inner, outer = self.split(keys)
        parts = [
            (outer, f" to {', '.join(dict.fromkeys(key.referenced.name for key in outer))}"),
            (inner, " to what is rebuilt with it"),
        ]
        return [(part, said) for part, said in parts if part]

    def before_swap(self) -> Iterator[RunSql]:
        old = self._refusing(self.rebuild.before)
        for new, to in self.in_turn(self._refusing(self.rebuild.after)):
            yield self.changed(
                self.rebuild.new,
                (),
                self.among(new, "forth", "new"),
                purpose=f"Give the copy of {self.table.name} its foreign keys{to}, under names for now",
                undo=(
                    self.turned_back(
                        self.rebuild.new,
                        self.among(new, "forth", "new"),
                        (),
                        purpose=f"Take the foreign keys{to} from the copy of {self.table.name}",
                    ),
                ),
            )
        _, outer = self.split(old)
        if outer:
            yield self.changed(
                self.table,
                outer,
                (),
                purpose=f"Take the foreign keys from {self.table.name}: from now on those of the copy hold",
                undo=(
                    self.turned_back(self.table, (), outer, purpose=f"Give {self.table.name} its foreign keys again"),
                    *self.indexes_named_again(self.rebuild.before, outer),
                ),
            )

    def after_swap(self) -> Iterator[RunSql]:
        yield from self.rebuild.cascading.names_free()
        yield from self.untied()
        for new, to in self.in_turn(self.rebuild.after.foreign_keys):
            named, of = self.called(new, "forth"), f"the foreign keys of {self.table.name}{to}"
            back = self.changed(self.table, new, named, purpose=f"Give {of} names for now")
            yield self.changed(self.table, named, new, purpose=f"Give {of} their names again", undo=(back,))

    def untied(self) -> Iterator[RunSql]:
        """The old form loses what ties it to old forms, behind the swap: nobody writes it, and its keys' names are wanted."""
        inner, _ = self.split(self.rebuild.before.foreign_keys)
        if inner:
            said = f"Take the foreign keys from the old form of {self.table.name}"
            old = self.rebuild.old
            kept = self.moved(self.among(inner, "", "old"), old)
            yield self._taken(old, kept, purpose=said)

    def before_swap_back(self) -> Iterator[RunSql]:
        label = self.table.name
        for old, to in self.in_turn(self._refusing(self.rebuild.before)):
            yield self.changed(
                self.rebuild.old,
                (),
                self.among(old, "back", "old"),
                purpose=f"Give the old form of {label} its foreign keys{to} again",
            )
        _, outer = self.split(self._refusing(self.rebuild.after))
        if outer:
            yield self.changed(
                self.table, self.called(outer, "forth"), (), purpose=f"Take the foreign keys from the new form of {label}"
            )

    def after_swap_back(self) -> Iterator[RunSql]:
        inner, _ = self.split(self.rebuild.after.foreign_keys)
        if inner:
            said = f"Take the foreign keys from the new form of {self.table.name}"
            yield self._taken(self.rebuild.new, self.among(inner, "forth", "new"), purpose=said)
        tied, _ = self.split(self.rebuild.before.foreign_keys)
        for part, to in self.in_turn(
            tuple(key for key in self.rebuild.before.foreign_keys if key in tied or not changes_rows(key))
        ):
            said = f"Give the foreign keys of {self.table.name}{to} their names again"
            yield self.changed(self.table, self.called(part, "back"), part, purpose=said)
        yield from self.indexes_named_again(self.rebuild.before, self.rebuild.before.foreign_keys)

    def indexes_named_again(self, table: Table, keys: tuple[ForeignKey, ...]) -> Iterator[RunSql]:
        """An index that the server made for a foreign key goes with it, and comes again under the name of the next one."""
        quote, name = self.quote, self.rebuild.at.dialect.quote_name(table.name)
        for key in keys:
            for index in table.indexes:
                if not _may_be_its_own(index, key) or index.name.name == key.name or index in self._held(table.name, keys):
                    continue
                found = [_index(table.name, one) for one in (index.name.name, key.name)]
                text = f"ALTER TABLE {name} RENAME INDEX {quote(key.name)} TO {quote(index.name.name)}"
                said = f"The index {index.name.name} of {table.name.name} keeps its name"
                condition = f"NOT {found[0]} AND {found[1]}"
                yield self._locked(self._run_where(condition, text, self._claims(table.name), purpose=said))

    def _held(self, table: Name, keys: tuple[ForeignKey, ...]) -> list[Index]:
        """Indexes of a table that points here, by which its keys are found and which the server may have made for them. It would build such a one anew under
        the name of the next key, while it keeps the ends of the key for longer than an instant; what is given a name, its own too, is somebody's, and stays.
        Where the release adds one that takes its place the server has to know it as its own."""
        known, final = self.rebuild.at.catalog.table(table), self.rebuild.at.table_at_end(table)
        if known is None or table == self.table:
            return []
        added = [one for one in (final.indexes if final is not None else ()) if known.index(one.name.name) is None]
        kept = [key for key in keys if not any(one.columns[: len(key.columns)] == key.columns for one in added)]
        return [index for index in known.indexes if any(_may_be_its_own(index, key) for key in kept)]

    def called(self, keys: tuple[ForeignKey, ...], way: str, *, to: Name | None = None) -> tuple[ForeignKey, ...]:
        """Under names for now; `to` is the table that they point at meanwhile."""
        names = [
            fit(f"{'zzz' if changes_rows(key) else ''}_driftflow_{way}_{self.rebuild.mark}_{key.name}", bytes_max=60)
            for key in keys
        ]
        return tuple(replace(key, name=name, referenced=to or key.referenced) for key, name in zip(keys, names, strict=True))

    def moved(self, keys: tuple[ForeignKey, ...], to: Name) -> tuple[ForeignKey, ...]:
        """As they are called where RENAME TABLE has given their table this name."""
        return tuple(replace(key, name=_renamed(key.name, self.table, to)) for key in keys)

    def among(self, keys: tuple[ForeignKey, ...], way: str, which: Literal["new", "old"]) -> tuple[ForeignKey, ...]:
        """The table's own, as one of its forms holds them: to the same form of a table that is rebuilt together with it, or of itself."""
        return tuple(
            replace(named, referenced=self.rebuild.form_of(key.referenced, which) or key.referenced)
            for key, named in zip(keys, self.called(keys, way) if way else keys, strict=True)
        )

    def _taken(self, form: Name, keys: tuple[ForeignKey, ...], *, purpose: str) -> RunSql:
        """Of a form that nobody writes."""
        claims = tuple(map(claim, dict.fromkeys((form, *(key.referenced for key in keys)))))
        return self._run_where(_exists(form, keys[0]), self._statement(form, keys, ()), claims, purpose=purpose)

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
        step = self.rebuild.forth.alone(
            f"{self._statement(table, gone, there)}, ALGORITHM=INPLACE, LOCK=NONE",
            purpose=purpose,
            probe=Probe(query=f"SELECT CASE WHEN {' AND '.join(conditions)} THEN 'done' ELSE 'not_done' END"),
            claims=self._claims(table, (*gone, *there)),
            settings=UNCHECKED,
            undo=UndoSteps(steps=tuple(map(as_undo, undo))) if undo else UndoNothing(reason="it goes with the table"),
        )
        return self._locked(step, (*gone, *there))

    def turned_back(self, table: Name, gone: tuple[ForeignKey, ...], there: tuple[ForeignKey, ...], *, purpose: str) -> RunSql:
        """As `changed`, where the way back from behind the swap has not done it already."""
        condition = _exists(table, gone[0]) if gone else f"NOT {_exists(table, there[0])}"
        text, claims = self._statement(table, gone, there), self._claims(table, (*gone, *there))
        return self._locked(self._run_where(condition, text, claims, purpose=purpose), (*gone, *there))

    def _locked(self, step: RunSql, keys: tuple[ForeignKey, ...] = ()) -> RunSql:
        """MySQL locks what a key points at first and then its table, where LOCK TABLES would add what its other keys point at; so there only for keys
        to tables that are rebuilt together."""
        tables = {name for one in self.rebuild.together for name in (one.before.name, one.new, one.old)}
        inner = any(key.referenced in tables for key in keys)
        return self.rebuild.locked(step) if inner or self.rebuild.at.can(Capability.TRIGGER_LOCKS_PARENTS) else step

    def _statement(self, table: Name, gone: tuple[ForeignKey, ...], there: tuple[ForeignKey, ...]) -> str:
        added = [self.rebuild.at.dialect.render(AddConstraint(table=table, constraint=key)) for key in there]
        held = [self.quote(index.name.name) for index in self._held(table, (*gone, *there))]
        clauses = [
            *(f"RENAME INDEX {name} TO {name}" for name in held),
            *(f"DROP FOREIGN KEY {self.quote(key.name)}" for key in gone),
            *(text[text.index(" ADD ") + 1 :] for text in added),
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
        _, outer = self.split(tuple(filter(changes_rows, self.rebuild.before.foreign_keys)))
        staying = {key.referenced for key in outer}
        at = self.rebuild.at
        predicted = at.dialect.effects(DropTable(name=self.table), at.catalog).locks if staying else ()
        return (claim(self.rebuild.old), *(claim(lock.relation) for lock in predicted if lock.relation in staying))

    def _run_where(self, condition: str, text: str, claims: tuple[LockClaim, ...], *, purpose: str) -> RunSql:
        return self.rebuild.forth.alone(
            *run_where(condition, text, name="driftflow_keys"),
            purpose=purpose,
            probe=Probe(query="SELECT 'again'"),
            claims=claims,
            settings=UNCHECKED,
        )


def _renamed(key: str, table: Name, to: Name) -> str:
    """A name that the server has made of the table's goes with it: `orders_ibfk_1` (measured on MariaDB 10.11 and 11.8, MySQL 9.7)."""
    generated = re.fullmatch(re.escape(table.name) + "(_ibfk_[0-9]+)", key)
    return f"{to.name}{generated.group(1)}" if generated is not None else key


def _may_be_its_own(index: Index, key: ForeignKey) -> bool:
    return not index.unique and index.columns == key.columns


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
