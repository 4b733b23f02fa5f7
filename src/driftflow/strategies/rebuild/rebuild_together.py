"""Tables of MySQL and MariaDB that are made anew beside themselves, one or several that foreign keys tie, and get their names in one RENAME TABLE.

Each is copied by itself. When every copy holds the same rows as its table in every transaction, the copies get foreign keys among themselves. RENAME TABLE
takes keys along with both of their ends, so the new forms are tied among themselves behind it and the old ones too, as they were (measured on MariaDB
10.11 and 11.8, MySQL 9.7); and it locks all tables in the order of their names before it changes any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from driftflow.model.names import Name
from driftflow.model.plan import Guard, Probe, RunSql, Step, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.rebuild import swap_guards
from driftflow.strategies.rebuild.paired_steps import as_undos, there
from driftflow.strategies.recipe import merged

if TYPE_CHECKING:
    from driftflow.strategies.rebuild.rebuild_online import Rebuild


class Together:
    """In an order in which a table comes before those that point at it, where there is one."""

    def __init__(self, rebuilds: tuple[Rebuild, ...]) -> None:
        self.rebuilds, self.first = rebuilds, rebuilds[0]
        self.labels = ", ".join(one.label for one in rebuilds)
        self.several = len(rebuilds) > 1

    def steps(self, guards: Mapping[Name, tuple[Guard, ...]]) -> Iterator[Step]:
        every, first = self.rebuilds, self.first
        for one in every:
            yield from one.noted(guards.get(one.before.name, ()))
        for one in every:
            yield from one.written()
        for one in every:
            yield from one.completed()
        yield swap_guards.completed(first.forth, first.ready)
        yield swap_guards.waited(first.forth, first.ready)
        for one in every:
            yield from one.keys.before_swap()
        for one in every:
            yield from one.children.before_swap()
        yield self._swapped()
        for one in every:
            yield from one.children.after_swap()
        for one in every:
            yield from one.keys.after_swap()
        for one in every:
            for step in one.cascading.not_loose(one.forth):
                yield replace(step, undo=UndoNothing(reason="it is not needed on the way back"))
        for one in every:
            yield one.none_lost()
        for one in every:
            yield from one.cleared()
        forgotten = swap_guards.forgotten(first.forth, first.ready)
        yield replace(forgotten, undo=UndoNothing(reason="it is not needed on the way back"))
        for one in every:
            yield from one.retired()

    def _swapped(self) -> RunSql:
        quoted = self.first.at.dialect.quote_name
        renamed = [
            f"{quoted(old)} TO {quoted(new)}"
            for one in self.rebuilds
            for old, new in ((one.before.name, one.old), (one.new, one.before.name), *one.own.exchanged("forth"))
        ]
        kept = ", ".join(one.old.name for one in self.rebuilds)
        said = (
            f"the copies are {self.labels} from now on, the old forms are kept as {kept}"
            if self.several
            else f"the copy is {self.labels} from now on, the old form is kept as {kept}"
        )
        guards = [
            guard
            for one in self.rebuilds
            for guard in (
                one.forms.same(),
                swap_guards.unattached(one.forth, known=one.keys.staying(), triggers=self._seen_to(one, "forth")),
                *one.own.as_planned(),
                one.forth.all_written(),
                swap_guards.not_emptied(one.forth),
                one.forth.none_rejected(),
            )
        ]
        return self.first.forth.alone(
            f"RENAME TABLE {', '.join(renamed)}",
            purpose=f"Swap: {said}",
            probe=Probe(query=f"SELECT CASE WHEN {there(self.first.old)} THEN 'done' ELSE 'not_done' END"),
            claims=merged(claim for one in self.rebuilds for claim in (*one.keys.renamed(), *one.own.renamed("forth"))),
            guards=(swap_guards.none_sees_a_part(self.first.forth, self.first.ready), *guards),
            undo=UndoSteps(steps=as_undos(self._swapped_back())),
        )

    def _seen_to(self, rebuild: Rebuild, way: Literal["forth", "home"]) -> tuple[str, ...]:
        """Triggers on a table that are meant to go with it."""
        noted = (
            name
            for one in self.rebuilds
            for name in one.cascading.on(rebuild.before.name, one.forth if way == "forth" else one.home)
        )
        return (*rebuild.own.names, *noted)

    def _swapped_back(self) -> Iterator[Step]:
        """When the old forms hold what was written to the new ones, they change places again."""
        quoted = self.first.at.dialect.quote_name
        every, home, ready = self.rebuilds, self.first.home, self.first.home_ready
        for one in every:
            yield from one.asked_back()
        if self.several:
            for one in every:
                yield from one.keys.untied()
        for one in every:
            yield from one.written_back()
        for one in every if self.several else ():
            yield one.completed_back()
        yield swap_guards.completed(home, ready)
        yield swap_guards.waited(home, ready)
        for one in every:
            yield from one.keys.before_swap_back()
        for one in every:
            yield from one.children.before_swap_back()
        renamed = [
            f"{quoted(old)} TO {quoted(new)}"
            for one in every
            for old, new in ((one.before.name, one.new), (one.old, one.before.name), *one.own.exchanged("back"))
        ]
        guards = [
            guard
            for one in every
            for guard in (
                swap_guards.unattached(one.home, known=one.keys.staying("forth"), triggers=self._seen_to(one, "home")),
                *one.own.as_planned(),
                one.home.all_written(),
                swap_guards.not_emptied(one.home, hint=f"delete them in {one.old.name}, then resume; or they would come back"),
                one.home.none_rejected(),
            )
        ]
        yield home.alone(
            f"RENAME TABLE {', '.join(renamed)}",
            purpose=f"Swap back: {self.labels} {'have their old forms' if self.several else 'has its old form'} again",
            probe=Probe(query=f"SELECT CASE WHEN {there(self.first.new)} THEN 'done' ELSE 'not_done' END"),
            claims=merged(claim for one in every for claim in (*one.keys.renamed(), *one.own.renamed("back"))),
            guards=(swap_guards.none_sees_a_part(home, ready), *guards),
        )
        for one in every:
            yield from one.children.after_swap_back()
        for one in every:
            yield from one.keys.after_swap_back()
        for one in every:
            yield from one.cleared_back()
        yield swap_guards.forgotten(home, ready)
