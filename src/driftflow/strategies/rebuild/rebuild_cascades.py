"""The foreign keys of a rebuilt table that change its rows by themselves (CASCADE, SET NULL): noted at their other ends, then held by both forms.

While keys are noted, triggers on the tables that the changes come from note the rows that are about to change (`cascades`). When triggers write the copy, the
copy gets the same keys, without a look at its rows, and from then on the server changes both forms in the same statement. So these keys stay with the old
form when it goes: what is deleted between the swap and the way back is deleted there too, or noted in the log for the way back.

A row of the copy that is not what it was in the table has its key in the log, so whatever a key does to such a row is made good when it is copied again;
that runs without looking at foreign keys, or it would wait for a parent that waits for it.

A statement that writes the table locks its row before that of the copy, and so must one that changes the parent: the triggers lock the table's rows first, and
where there are none, MariaDB goes by the names of the keys, for which those of the copy begin with `zzz`, and MySQL by the tables (measured on 10.11, 11.8
and 9.7).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from driftflow.model.catalog import Trigger
from driftflow.model.plan import RunSql
from driftflow.strategies.cleansing.by_join import index_by
from driftflow.strategies.rebuild.cascades import cascades, changes_rows, noting
from driftflow.strategies.rebuild.paired import Above
from driftflow.strategies.rebuild.paired_steps import PairedSteps

if TYPE_CHECKING:
    from driftflow.strategies.rebuild.rebuild_online import Rebuild


class Cascading:
    """Of one rebuild; nothing where no key changes rows of its table."""

    def __init__(self, rebuild: Rebuild) -> None:
        self.rebuild = rebuild
        self.label = rebuild.label
        self.found = cascades(rebuild.before, rebuild.at.catalog)
        self.old = tuple(filter(changes_rows, rebuild.before.foreign_keys))
        self.new = tuple(filter(changes_rows, rebuild.after.foreign_keys))

    def above(self, which: Literal["new", "old"]) -> tuple[Above, ...]:
        """What the rows of a form hang on when it has its keys."""
        keys = self.new if which == "new" else self.old
        found = [(key, self.rebuild.at.catalog.table(key.referenced)) for key in keys]
        return tuple(
            Above(
                columns=key.columns,
                parent=self.rebuild.form_of(key.referenced, which) or key.referenced,
                referenced=key.referenced_columns,
                index=index_by(parent, key.referenced_columns) if parent is not None else "",
            )
            for key, parent in found
        )

    def noting(self, steps: PairedSteps) -> Iterator[RunSql]:
        """From now on the keys of rows that are about to change are noted in the log of this pair."""
        for trigger in self._triggers(steps):
            purpose = (
                f"Note the keys of rows of {self.label} that change with {trigger.table.name} (trigger on {trigger.events[0]})"
            )
            yield steps.triggered(trigger, purpose)

    def not_noting(self, steps: PairedSteps) -> Iterator[RunSql]:
        for trigger in self._triggers(steps):
            yield steps.untriggered(trigger.name, trigger.table)

    def _triggers(self, steps: PairedSteps) -> Iterator[Trigger]:
        later = () if steps.pair.log == self.rebuild.home.pair.log else (self.rebuild.home.pair.log,)
        return noting(self.found, steps.texts, self.rebuild.at, later=later)

    def both(self) -> Iterator[RunSql]:
        """When triggers write the copy: its rows change with the table's from now on."""
        if not self.found:
            return
        rebuild, keys = self.rebuild, self.rebuild.keys
        yield from self.noting(rebuild.home)
        named = keys.called(self.new, "forth")
        back = keys.turned_back(rebuild.new, named, (), purpose=f"Take the foreign keys from the copy of {self.label}")
        said = f"Give the copy of {self.label} the foreign keys that change rows, under names for now"
        yield keys.changed(rebuild.new, (), named, purpose=said, undo=(back,))
        yield from self.not_noting(rebuild.forth)

    def names_free(self) -> Iterator[RunSql]:
        """Behind the swap: the old form keeps its keys under other names."""
        if not self.old:
            return
        keys, old = self.rebuild.keys, self.rebuild.old
        named, moved = keys.called(self.old, "back"), keys.moved(self.old, old)
        said = f"Give the foreign keys of the old form of {self.label} their names again"
        again = (
            keys.turned_back(old, named, self.old, purpose=said),
            # Behind the gate the old form is another, which was made without them.
            keys.turned_back(old, (), self.old, purpose=f"The old form of {self.label} has its foreign keys that change rows"),
        )
        said = f"The old form of {self.label} keeps the foreign keys that change rows, under names of ours"
        yield keys.changed(old, moved, named, purpose=said, undo=again)
