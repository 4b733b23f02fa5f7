"""The foreign keys of a rebuilt table that change its rows by themselves (CASCADE, SET NULL): noted at their other ends, then held by both forms.

While keys are noted, triggers on the tables that the changes come from note the rows that are about to change (`cascades`). When triggers write the copy, the
copy gets the same keys, without a look at its rows, and from then on the server changes both forms in the same statement. So these keys stay with the old
form when it goes: what is deleted between the swap and the way back is deleted there too, or noted in the log for the way back. Keys to a table that is rebuilt
in the same moment are those of the copies among themselves (`tied_cascades`); these the old form loses behind the swap, and has again when it is written.

A row of the copy that is not what it was in the table has its key in the log, so whatever a key does to such a row is made good when it is copied again;
that runs without looking at foreign keys, or it would wait for a parent that waits for it.

A statement that writes the table locks its row before that of the copy, and so must one that changes the parent: the triggers lock the table's rows first, and
where there are none, MariaDB goes by the names of the keys, for which those of the copy begin with `zzz`, and MySQL by the tables (measured on 10.11, 11.8
and 9.7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from driftflow.model.catalog import Trigger
from driftflow.model.names import Name
from driftflow.model.plan import RunSql
from driftflow.strategies.cleansing.by_join import index_by
from driftflow.strategies.rebuild.cascades import Cascade, cascades, cascading, noting
from driftflow.strategies.rebuild.paired import Above, Texts
from driftflow.strategies.rebuild.paired_steps import PairedSteps

if TYPE_CHECKING:
    from driftflow.strategies.rebuild.rebuild_online import Rebuild


class Cascading:
    """Of one rebuild; nothing where no key changes rows of its table."""

    def __init__(self, rebuild: Rebuild) -> None:
        self.rebuild = rebuild
        self.label = rebuild.label
        self.found = cascades(rebuild.before, rebuild.at.catalog)
        self.old = cascading(rebuild.before)
        self.new = cascading(rebuild.after)

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
        yield from self._made(steps, self._triggers(steps))

    def not_noting(self, steps: PairedSteps) -> Iterator[RunSql]:
        yield from self._removed(steps, self._triggers(steps))

    def _made(self, steps: PairedSteps, triggers: Iterator[Trigger]) -> Iterator[RunSql]:
        for trigger in triggers:
            said = f"Note the keys of rows of {self.label} that change with {trigger.table.name} (trigger on {trigger.events[0]})"
            yield self.rebuild.on_table(trigger.table, steps.triggered(trigger, said))

    def _removed(self, steps: PairedSteps, triggers: Iterator[Trigger]) -> Iterator[RunSql]:
        for trigger in triggers:
            yield self.rebuild.on_table(trigger.table, steps.untriggered(trigger.name, trigger.table))

    def _triggers(self, steps: PairedSteps, *, placed: Mapping[Name, Name] | None = None) -> Iterator[Trigger]:
        home = self.rebuild.home
        later = () if steps.pair.log == home.pair.log else (home.pair.log,)
        logs = tuple(one.pair.log for one in self._logs(steps).values()) if self._through() else ()
        return noting(self.found, steps.texts, self.rebuild.at, later=(*later, *logs), placed=placed)

    def _through(self) -> list[Cascade]:
        """Those that go through a table which is rebuilt together with this one."""
        inner = self.rebuild.forms_of("new")
        return [one for one in self.found if any(holder.name in inner for holder, _ in one.links[1:])]

    def _logs(self, steps: PairedSteps) -> dict[Name, Texts]:
        """Of the tables that are rebuilt together, what notes the keys of rows that are not in both forms."""
        home = steps.pair.log == self.rebuild.home.pair.log
        return {one.before.name: (one.home if home else one.forth).texts for one in self.rebuild.together}

    def _loose(self, steps: PairedSteps, *, placed: Mapping[Name, Name] | None = None) -> Iterator[Trigger]:
        """What notes rows that do not follow in the other form, since what they hang on was rejected there."""
        return noting(self._through(), steps.texts, self.rebuild.at, later=(), placed=placed, through=self._logs(steps))

    def both(self) -> Iterator[RunSql]:
        """When triggers write the copy: its rows change with the table's from now on. What is noted for the way back is noted where the swap leaves it."""
        if not self.found:
            return
        rebuild, keys = self.rebuild, self.rebuild.keys
        yield from self._made(rebuild.home, self._triggers(rebuild.home, placed=rebuild.forms_of("new")))
        yield from self._made(rebuild.forth, self._loose(rebuild.forth))
        for part, to in keys.in_turn(self.new):
            named = keys.among(part, "forth", "new")
            back = keys.turned_back(rebuild.new, named, (), purpose=f"Take the foreign keys{to} from the copy of {self.label}")
            said = f"Give the copy of {self.label} the foreign keys{to} that change rows, under names for now"
            yield keys.changed(rebuild.new, (), named, purpose=said, undo=(back,))
        yield from self.not_noting(rebuild.forth)

    def both_back(self) -> Iterator[RunSql]:
        """The same of the old form, which has its keys to other tables."""
        rebuild, keys = self.rebuild, self.rebuild.keys
        yield from self._made(rebuild.home, self._loose(rebuild.home))
        inner, _ = keys.split(self.old)
        if inner:
            said = f"Give the old form of {self.label} the foreign keys that change rows to what is rebuilt with it again"
            yield keys.changed(rebuild.old, (), keys.among(inner, "back", "old"), purpose=said)
        yield from self.not_noting(rebuild.home)

    def not_loose(self, steps: PairedSteps) -> Iterator[RunSql]:
        """When the forms have changed places, and triggers on the table with them."""
        gone = self.rebuild.forms_of("new" if steps.pair.log == self.rebuild.home.pair.log else "old")
        yield from self._removed(steps, self._loose(steps, placed=gone))

    def on(self, table: Name, steps: PairedSteps) -> Iterator[str]:
        """The triggers of the pair that go with the table when it changes places."""
        yield from (trigger.name for trigger in self._loose(steps) if trigger.table == table)

    def names_free(self) -> Iterator[RunSql]:
        """Behind the swap: the old form keeps its keys to other tables, under other names."""
        keys, old = self.rebuild.keys, self.rebuild.old
        _, outer = keys.split(self.old)
        if not outer:
            return
        named, moved = keys.called(outer, "back"), keys.moved(outer, old)
        said = f"Give the foreign keys of the old form of {self.label} their names again"
        again = (
            keys.turned_back(old, named, outer, purpose=said),
            # Behind the gate the old form is another, which was made without them.
            keys.turned_back(old, (), outer, purpose=f"The old form of {self.label} has its foreign keys that change rows"),
        )
        said = f"The old form of {self.label} keeps the foreign keys that change rows, under names of ours"
        yield keys.changed(old, moved, named, purpose=said, undo=again)
