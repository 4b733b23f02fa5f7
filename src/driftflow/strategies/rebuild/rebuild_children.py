"""Foreign keys of other tables that point at one that is rebuilt on MySQL and MariaDB.

RENAME TABLE takes them along with the table that they point at, under its new name, whatever foreign_key_checks says (measured on 10.11, 11.8 and
9.7): left alone they would stay with the old form. So just before the swap, when triggers keep the copy equal to the table in every transaction, they point
at the copy, and RENAME TABLE brings them along with it. One ALTER TABLE gives a table its new keys and takes the old ones: there is no moment
without. They have names for now, since a name cannot go and come in one statement.

Who has changed a row of the referencing table holds the table until the end of the transaction, so no check of theirs is half done when the keys change.
Who removes a row of the rebuilt table is looked at by both: by the old keys on the table, and by the new ones on the copy, which the
triggers write behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from driftflow.model.catalog import Catalog, ForeignKey, Table
from driftflow.model.plan import Guard, RunSql

if TYPE_CHECKING:
    from driftflow.strategies.rebuild.rebuild_online import Rebuild


def pointing_at(table: Table, catalog: Catalog) -> list[tuple[Table, tuple[ForeignKey, ...]]]:
    """Other tables, and those of their keys that point at this one."""
    found: dict[str, tuple[Table, tuple[ForeignKey, ...]]] = {}
    for other, key in catalog.referencing(table.name):
        if other.name != table.name:
            _, keys = found.get(other.name.text, (other, ()))
            found[other.name.text] = (other, (*keys, key))
    return [found[name] for name in sorted(found)]


class Children:
    """The keys that point at the table of one rebuild."""

    def __init__(self, rebuild: Rebuild) -> None:
        self.rebuild, self.keys = rebuild, rebuild.keys
        self.table = rebuild.before.name

    @cached_property
    def found(self) -> list[tuple[Table, tuple[ForeignKey, ...]]]:
        """Without those that are rebuilt together with it, whose copies point at the copy."""
        pointing = pointing_at(self.rebuild.before, self.rebuild.at.catalog)
        return [one for one in pointing if self.rebuild.form_of(one[0].name, "new") is None]

    def before_swap(self) -> Iterator[RunSql]:
        for child, keys in self.found:
            forth = self.keys.called(keys, "forth", to=self.rebuild.new)
            back = self.keys.turned_back(
                child.name, forth, keys, purpose=f"The foreign keys of {child.name.name} point at {self.table.name} again"
            )
            yield self.keys.changed(
                child.name,
                keys,
                forth,
                purpose=f"The foreign keys of {child.name.name} point at the copy of {self.table.name}, under names for now",
                undo=(back, *self.keys.indexes_named_again(child, keys)),
            )

    def after_swap(self) -> Iterator[RunSql]:
        for child, keys in self.found:
            forth = self.keys.called(keys, "forth")
            again = self.keys.changed(
                child.name, keys, forth, purpose=f"Give the foreign keys of {child.name.name} names for now"
            )
            yield self._named_again(child, keys, forth, undo=(again,))
            yield from self.keys.indexes_named_again(child, keys)

    def before_swap_back(self) -> Iterator[RunSql]:
        for child, keys in self.found:
            yield self.keys.changed(
                child.name,
                self.keys.called(keys, "forth"),
                self.keys.called(keys, "back", to=self.rebuild.old),
                purpose=f"The foreign keys of {child.name.name} point at the old form of {self.table.name}",
            )

    def after_swap_back(self) -> Iterator[RunSql]:
        for child, keys in self.found:
            yield self._named_again(child, keys, self.keys.called(keys, "back"))
            yield from self.keys.indexes_named_again(child, keys)

    def _named_again(
        self, child: Table, keys: tuple[ForeignKey, ...], now: tuple[ForeignKey, ...], *, undo: tuple[RunSql, ...] = ()
    ) -> RunSql:
        said = f"Give the foreign keys of {child.name.name} their names again"
        return self.keys.changed(child.name, now, keys, purpose=said, undo=undo)

    def no_others(self) -> Guard:
        """One that no catalog knows (of another database, say) would stop the swap when all the rows are copied."""
        known = (self.table, *(child.name for child, _ in pointing_at(self.rebuild.before, self.rebuild.at.catalog)))
        ((query, _),) = self.rebuild.at.dialect.more_children(known)
        return Guard(
            query=query,
            summary=f"foreign keys that the plan does not know point at {self.table.name}, and would stay with the old table",
            hint="say as-is: then the statement runs as it is, and writers wait",
        )
