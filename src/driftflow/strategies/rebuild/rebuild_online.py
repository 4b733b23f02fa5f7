"""MySQL and MariaDB: what the server can only do by copying the table while writers wait, done on a copy beside it that takes its place in an instant.

1. The copy is made empty, in the new form. Triggers note the key of every row that is written.
2. The rows are copied in chunks, without a lock on any; what was noted is copied again.
3. Triggers write the copy from now on in the application's own transactions; what is still noted is copied again, and the two are compared.
4. One RENAME TABLE puts the copy in the table's place. From just before it triggers note what is written to the new form: for the way back.
5. The old form is kept until the gate, and can take its place again with every row, also those that were written since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Table
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import BaseOperation, Operation
from driftflow.model.plan import Guard, Irreversible, Phase, RunSql, Step, Undo, UndoNothing, UndoSteps, Verify
from driftflow.model.record import digest, replace
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.dual_write import RETIRE_TABLE
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.direct import guards_of
from driftflow.strategies.fitted import fit
from driftflow.strategies.inverses.inverse import inverse
from driftflow.strategies.passes import Pass, catalogs, moved, one_pass
from driftflow.strategies.phases import phase_of
from driftflow.strategies.rebuild.cascades import ancestors, cascading, changes_rows
from driftflow.strategies.rebuild.own_triggers import OwnTriggers
from driftflow.strategies.rebuild.paired import Pair
from driftflow.strategies.rebuild.paired_steps import PairedSteps, as_undos, claim, read_claim
from driftflow.strategies.rebuild.rebuild_cascades import Cascading
from driftflow.strategies.rebuild.rebuild_children import Children, pointing_at
from driftflow.strategies.rebuild.rebuild_columns import mapped, renamed
from driftflow.strategies.rebuild.rebuild_forms import Forms
from driftflow.strategies.rebuild.rebuild_keys import Keys
from driftflow.strategies.rebuild.rebuild_limits import BEHIND, obstacle, waits_for_copy
from driftflow.strategies.rebuild.rebuild_together import Together
from driftflow.strategies.rebuild.tied_cascades import tied
from driftflow.strategies.recipe import Recipe, as_undo, merged

NAME = "rebuild_online"
TABLE_NAME_BYTES = 50
"""The server makes names of constraints from that of the table, which must fit into 64 characters too."""


def _applies(operation: Operation, at: Situation) -> bool:
    if not at.dialect.one_pass or at.dialect.altered_table(operation) is None or at.conflict:
        return False
    return wanted(one_pass((operation,), at.catalog, at), at)


def wanted(run: Pass, at: Situation) -> bool:
    """Whether the statement would keep writers waiting for a copy of a large table, and can be done beside it."""
    return waits_for_copy(run) and not obstacle(run.operations, run.catalog, at)


@strategy(NAME, on=BaseOperation, applies=_applies, rank=10, page="rebuild-online")
def rebuild_online(operation: Operation, at: Situation) -> Iterator[Step]:
    yield from rebuilt_online(at, (operation,))


def rebuilt_online(
    at: Situation,
    operations: Sequence[Operation],
    *,
    expressions: Mapping[str, str] | None = None,
    back: Mapping[str, str] | None = None,
    guards: Sequence[Guard] | None = None,
    one_way: str = "",
    name: str = NAME,
) -> Iterator[Step]:
    """The steps that carry out all of the operations (clauses of ALTER TABLE on one table, found on `at.catalog`) on a copy of it.

    `expressions` says what a column of the new form holds, where that is not the column of the same name: its name there, to an expression over
    the columns of the table as it is, quoted, and not qualified. `back` is the same for the way back: a column of the old form, over those of the
    new one. `guards` are asked before anything begins (None: those that the operations have by themselves). `one_way` is why the old form cannot be
    made again from the new one, once it has been removed behind the gate; until then the way back keeps every row.

    The caller asks `rebuild_limits.obstacle(operations, catalog, at)` first: empty where this works, else the reason as a sentence, and then
    the statement itself is what is left. A value that does not fit stops the run with the keys of its rows, and never the application.
    """
    rebuild = Rebuild(at, operations, expressions=expressions or {}, back=back or {}, one_way=one_way, name=name)
    yield from rebuild.steps(guards_of(operations, at, at.catalog) if guards is None else tuple(guards))


def rebuilt_together(
    at: Situation, changes: Sequence[tuple[Sequence[Operation], tuple[Guard, ...]]], *, name: str
) -> Iterator[Step]:
    """The same of several tables that foreign keys tie, whose ends change on both sides: all of them get their names at once. `changes` are the
    clauses of each table, all found on `at.catalog`, with what is asked before; where a table points at another, that one comes first.

    The caller asks `rebuild_limits.obstacle` of each, with all as `together`.
    """
    phase = phase_together([operation for operations, _ in changes for operation in operations], at)
    digits = len(str(len(changes)))
    rebuilds = tuple(
        Rebuild(at, operations, expressions={}, back={}, one_way="", name=name, phase=phase, number=f"{number:0{digits}}")
        for number, (operations, _) in enumerate(changes, 1)
    )
    for rebuild in rebuilds:
        rebuild.together = rebuilds
    for rebuild in rebuilds:
        rebuild.tie()
    yield from Together(rebuilds).steps({one.before.name: guards for one, (_, guards) in zip(rebuilds, changes, strict=True)})


class Rebuild:
    """One rebuild: the table before and after, the names beside it, and the two pairs, forth and back."""

    def __init__(
        self,
        at: Situation,
        operations: Sequence[Operation],
        *,
        expressions: Mapping[str, str],
        back: Mapping[str, str],
        one_way: str,
        name: str,
        backwards: Sequence[Operation] | None = None,
        phase: Phase | None = None,
        number: str = "",
    ) -> None:
        """`backwards` makes the old form from the new one (None: the inverses of the operations, where they have any). `phase` and `number` are of one
        that is rebuilt together with others: they share the first, and the forms' names sort by the second."""
        self.at, self.operations, self.one_way = at, tuple(operations), one_way
        self.together: tuple[Rebuild, ...] = (self,)
        self.backwards, self.back = backwards, back
        table = at.dialect.altered_table(operations[0])
        assert table is not None
        before = at.catalog.table(table)
        self.recipe = Recipe(at, name)
        self.after_catalog = _after(operations, at.catalog)
        after = self.after_catalog.table(table)
        assert before is not None
        assert after is not None
        self.before, self.after = before, after
        self.phase: Phase = phase or phase_together(operations, at)
        self.mark = digest([before.name.text, *operations])[:6]
        self.making, self.form = self._beside("making"), self._beside("form")
        self.new, self.old = (self._beside(f"{kind}{number}", BEHIND) for kind in ("new", "old"))
        self.ready, self.home_ready = self._beside("ready"), self._beside("home")
        names = renamed(operations, before)
        key = tuple((column, names.get(column, column)) for column in chunk_key(at, before))
        bound = bool(before.foreign_keys or pointing_at(before, at.catalog))
        tag = f"{before.name.name}_{self.mark}"
        log, back_log = self.behind("log"), self.behind("back")
        pointed_at = tuple(dict.fromkeys(one for _, key in at.catalog.referencing(before.name) for one in key.referenced_columns))
        self.forth = self._steps(
            Pair(
                source=before,
                copy=_called(after, self.new),
                log=log,
                key=key,
                columns=mapped(after, before, {new: old for old, new in names.items()}, expressions, at),
                tag=tag,
                bound=bound,
                cascading=bool(cascading(before)),
                referenced=pointed_at,
                written=(log, self.new, back_log),
            )
        )
        self.home = self._steps(
            Pair(
                source=after,
                copy=_called(before, self.old),
                log=back_log,
                key=tuple((new, old) for old, new in key),
                columns=mapped(before, after, names, back, at),
                tag=f"{tag}_back",
                bound=bound,
                cascading=bool(cascading(before)),
                referenced=tuple(names.get(one, one) for one in pointed_at),
                written=(back_log, self.old),
            )
        )
        self.forms = Forms(self)
        self.keys = Keys(self)
        self.children = Children(self)
        self.cascading = Cascading(self)
        self.own = OwnTriggers(self)

    def behind(self, kind: str) -> Name:
        """A name that comes behind that of the table."""
        return self._beside(kind, BEHIND)

    def _beside(self, kind: str, prefix: str = "_driftflow_") -> Name:
        name = self.before.name
        return Name(schema=name.schema, name=fit(f"{prefix}{kind}_{name.name}_{self.mark}", bytes_max=TABLE_NAME_BYTES))

    def _steps(self, pair: Pair) -> PairedSteps:
        return PairedSteps(self.recipe, pair, self.phase)

    def tie(self) -> None:
        """Its pairs know what foreign keys do among the copies."""
        self.forth, self.home = self._steps(tied(self, self.forth.pair, "new")), self._steps(tied(self, self.home.pair, "old"))

    @property
    def label(self) -> str:
        return self.before.name.name

    def form_of(self, name: Name, which: Literal["new", "old"]) -> Name | None:
        """The new or old form of a table that is rebuilt together with this one, itself among them; None of others."""
        return self.forms_of(which).get(name)

    def forms_of(self, which: Literal["new", "old"]) -> dict[Name, Name]:
        """By the names of the tables that are rebuilt together."""
        return {one.before.name: one.new if which == "new" else one.old for one in self.together}

    def locked(self, step: RunSql) -> RunSql:
        """Where several tables are rebuilt together: what it locks is locked before it, in the order of names, with all that their foreign keys point at.

        By itself the server locks a table, and only then what its keys point at, for every change of a key, and MariaDB for a trigger too: who has written
        a parent and now writes a child would be in its way, it in theirs, and the server would end them (1213; measured on MariaDB 10.11 and 11.8, MySQL
        9.7). LOCK TABLES takes all that it names in one order, and what it does not name after that. To read is enough for the latter on MySQL.
        """
        if len(self.together) == 1:
            return step
        worked = tuple(dict.fromkeys(one.relation for one in step.claims))
        worked = tuple(dict.fromkeys((*worked, *(name for one in worked for name in self._named_below(one)))))
        tables, waiting = dict.fromkeys(worked, "WRITE"), list(worked)
        while waiting:
            more = [name for name in self._referenced(waiting.pop()) if name not in tables]
            tables |= dict.fromkeys(more, "WRITE" if self.at.can(Capability.TRIGGER_LOCKS_PARENTS) else "READ")
            waiting += more
        listed = ", ".join(f"{self.at.dialect.quote_name(name)} {mode}" for name, mode in tables.items())
        locked = [
            *(claim(name) if mode == "WRITE" else read_claim(name) for name, mode in tables.items()),
            *self._followed(tables),
        ]
        return replace(step, lock_tables=f"LOCK TABLES {listed}", claims=merged((*step.claims, *locked)))

    def _followed(self, tables: Mapping[Name, str]) -> Iterator[LockClaim]:
        """What MySQL locks beside the tables that LOCK TABLES names to write: those that point at them, which a row that goes would be looked up in, or
        would take rows of along."""
        if self.at.can(Capability.TRIGGER_LOCKS_PARENTS):
            return
        waiting = [name for name, mode in tables.items() if mode == "WRITE"]
        seen = set(waiting)
        while waiting:
            name = waiting.pop()
            named = next((one.before.name for one in self.together if name in (one.new, one.old)), name)
            for holder, key in self.at.catalog.referencing(named):
                if holder.name not in seen:
                    seen.add(holder.name)
                    waiting += [holder.name] if changes_rows(key) else []
                    yield claim(holder.name) if changes_rows(key) else read_claim(holder.name)

    def _named_below(self, table: Name) -> Iterator[Name]:
        """What triggers on a table that is rebuilt, or on its forms, name of those below it: MySQL locks it with the table, in no order of ours."""
        if self.at.can(Capability.TRIGGER_LOCKS_PARENTS):
            return
        above = next((one.before.name for one in self.together if table in (one.before.name, one.new, one.old)), None)
        for one in self.together:
            for cascade in one.cascading.found:
                if cascade.ancestor.name == above:
                    yield from (holder.name for holder, _ in cascade.links)

    def _referenced(self, name: Name) -> list[Name]:
        """What the foreign keys of a table point at; of a form of one that is rebuilt, what they will."""
        which: Literal["new", "old"]
        for one in self.together:
            for which, form in (("new", one.new), ("old", one.old)):
                if form == name:
                    return [self.form_of(key.referenced, which) or key.referenced for key in one.before.foreign_keys]
        table = self.at.catalog.table(name)
        return [key.referenced for key in table.foreign_keys] if table is not None else []

    def steps(self, guards: tuple[Guard, ...]) -> Iterator[Step]:
        yield from Together((self,)).steps({self.before.name: guards})

    # the copy

    def noted(self, guards: tuple[Guard, ...]) -> Iterator[Step]:
        """The copy with every row, but for what was noted meanwhile."""
        yield self._made((*guards, self.children.no_others(), *self.own.guards()))
        yield self.forms.kept()
        yield self.forth.log_made()
        yield self.home.log_made()
        yield from self._triggers(self.forth.noting(guards=self._rights()))
        yield from self.cascading.noting(self.forth)
        yield self.forth.copied(purpose=f"Copy {self.label} into its new form in chunks")
        yield self.forth.again(purpose=f"Copy again the rows of {self.label} that were written meanwhile")

    def written(self) -> Iterator[Step]:
        """From now on the copy holds the same rows in every transaction, and it is noted what will be written to it."""
        yield from self._triggers(self.forth.writing())
        yield from self._triggers(self.forth.not_noting())
        if self.cascading.found:
            yield self.forth.again(
                purpose=f"Copy again the rows of {self.label} that were noted, before the copy has foreign keys"
            )
            yield from self.cascading.both()
        yield self.forth.again(
            purpose=f"Copy again the last rows of {self.label} that were noted",
            until_empty=True,
            above=self.cascading.above("new"),
        )
        yield self.forth.verified()
        yield from self._noting_back()
        yield from self.own.standing_in("forth")

    def completed(self) -> Iterator[Step]:
        yield self.forth.again(
            purpose=f"Copy again what was noted of {self.label} since", until_empty=True, above=self.cascading.above("new")
        )
        counted = self.forth.counted_on()
        if counted is not None:
            yield counted

    def cleared(self) -> Iterator[Step]:
        """Behind the swap."""
        yield from self.own.moved("forth")
        gone = (self.forth.log_dropped(), self.forms.gone())
        for step in (*self.on_old(self.forth.not_writing()), *gone):
            yield replace(step, undo=UndoNothing(reason="it is not needed on the way back"))

    def asked_back(self) -> Iterator[Verify]:
        """Before anything of the way back begins."""
        if guards := self._given_back():
            yield Verify(
                **self.recipe.common(f"Ask whether every row of {self.label} fits into its old form again", self.phase),
                expectations=(),
                guards=guards,
                undo=UndoNothing(reason="it changes nothing"),
            )

    def _given_back(self) -> tuple[Guard, ...]:
        """What the server would round or cut in the old form. What an expression computes of a value is said, and so is what it loses."""
        from driftflow.strategies.types import offenders

        backwards = self._backwards()
        if self.back or isinstance(backwards, Irreversible):
            return ()
        known = self.at.catalog.with_table(replace(self.after, new=False))
        found = zip(backwards, catalogs(backwards, known), strict=True)
        return tuple(guard for operation, catalog in found for guard in offenders.guards(self.at, operation, catalog))

    def written_back(self) -> Iterator[Step]:
        """What was noted of the new form is written to the old one, until the two are equal and stay so."""
        home = self.home
        yield from self.own.moved("forth")
        yield from self.own.standing_in("back")
        yield from self.on_old(self.forth.not_writing())
        if len(self.together) == 1:
            yield from self.keys.untied()
        above = self.cascading.above("old")
        yield home.again(purpose=f"Write to the old form of {self.label} what was written to the new one", above=above)
        yield from self._triggers(home.writing())
        yield from self._triggers(home.not_noting())
        if self.keys.split(self.cascading.old)[0]:
            yield home.again(
                purpose=f"Write to the old form of {self.label} what was noted, before it has its foreign keys", above=above
            )
        yield from self.cascading.both_back()
        yield home.again(purpose=f"Write the last rows of {self.label} to its old form", until_empty=True, above=above)
        counted = home.counted_on()
        if counted is not None:
            yield counted

    def completed_back(self) -> Step:
        """While others were written back a row may have been written that the old form rejects, and been corrected."""
        return self.home.again(
            purpose=f"Write to the old form of {self.label} what was noted since",
            until_empty=True,
            above=self.cascading.above("old"),
        )

    def _triggers(self, steps: Iterator[RunSql]) -> Iterator[RunSql]:
        """On the table that the application writes."""
        for step in steps:
            yield self.on_table(self.before.name, step)

    def on_table(self, table: Name, step: RunSql) -> RunSql:
        """A trigger of the table comes or goes: MariaDB locks what the table's foreign keys point at too."""
        if not self._referenced(table) or not self.at.can(Capability.TRIGGER_LOCKS_PARENTS):
            return step
        undo = step.undo
        back = tuple(self.locked(one) for one in undo.steps if isinstance(one, RunSql)) if isinstance(undo, UndoSteps) else ()
        return replace(self.locked(step), undo=UndoSteps(steps=back) if back else undo)

    def cleared_back(self) -> Iterator[Step]:
        yield from self.own.moved("back")
        yield from self.cascading.not_loose(self.home)
        for step in self.home.not_writing():
            yield replace(step, claims=(claim(self.new),))

    def _made(self, guards: tuple[Guard, ...]) -> RunSql:
        return self.forms.made(
            self.new,
            self.operations,
            source=self.before,
            purpose=f"Make a copy of {self.label} without rows, in the new form: {self._said()}",
            guards=guards,
            undo=UndoSteps(steps=(as_undo(self.forth.dropped(self.new, why="the copy in the new form")),)),
        )

    def _said(self) -> str:
        text = self.at.dialect.render_for(self.at.catalog, *self.operations)
        line = " ".join(text.partition(self.at.dialect.quote_name(self.before.name))[2].split()) or " ".join(text.split())
        return line if len(line) <= 80 else f"{line[:79]}…"

    def _rights(self) -> tuple[Guard, ...]:
        return tuple(
            Guard(query=query, summary=summary, hint="ask the database's administrators, or say as-is: then writers wait")
            for table in (self.before, *ancestors(self.cascading.found))
            for query, summary in self.at.dialect.trigger_obstacles(table.name, self.at.version)
        )

    # the swap

    def _noting_back(self) -> Iterator[RunSql]:
        """On the copy: it is renamed with its triggers."""
        named = replace(self.home.pair, source=_called(self.after, self.new))
        for step in self._steps(named).noting():
            yield self.on_table(self.new, step) if self.cascading.found else step

    def none_lost(self) -> Verify:
        """Between the last look and the swap a row may have been written that the new form rejects."""
        guard = self.forth.none_rejected(source=self.old, copy=self.before.name, since=self.home.pair.log)
        return Verify(
            **self.recipe.common(f"Verify that no row of {self.label} was rejected in the moment of the swap", self.phase),
            expectations=(),
            guards=(replace(guard, hint="roll back: the old form has these rows"),),
            undo=UndoNothing(reason="it changes nothing"),
        )

    def on_old(self, steps: Iterator[RunSql]) -> Iterator[RunSql]:
        """A trigger goes with its table when that is renamed."""
        for step in steps:
            yield replace(step, claims=(claim(self.old),))

    # the end

    def retired(self) -> Iterator[Step]:
        """The old form goes last, behind the gate. Taken back in the opposite order: the log, the old form without rows, the triggers, the rows."""
        ending = PairedSteps(self.recipe, self.home.pair, "contract")
        backwards = self._backwards()
        of_cascades = list(self.cascading.not_noting(ending))
        steps = [
            *self._triggers(ending.not_noting()),
            *of_cascades,
            replace(ending.dropped(self.old, why=f"the old form of {self.label}"), claims=self.keys.dropped()),
            ending.log_dropped(),
        ]
        if isinstance(backwards, Irreversible):
            undos: list[Undo] = [
                *(UndoNothing(reason="it goes with the old form"),) * (3 + len(of_cascades)),
                backwards,
                UndoNothing(reason="it goes with the old form"),
            ]
        else:
            creates = list(self._triggers(ending.noting()))
            copies = [
                replace(ending.copied(purpose=f"Copy {self.label} into its old form in chunks"), table=self.after.name),
            ]
            undos = [
                UndoSteps(steps=as_undos(iter((creates[0], *copies)))),
                UndoSteps(steps=as_undos(iter((creates[1],)))),
                UndoSteps(steps=as_undos(iter((creates[2],)))),
                *(UndoSteps(steps=as_undos(iter((one,)))) for one in self.cascading.noting(ending)),
                UndoSteps(steps=as_undos(iter((self._old_again(backwards),)))),
                UndoSteps(steps=as_undos(iter((replace(ending.log_made(), guards=self._given_back()),)))),
            ]
        for step, undo in zip(steps, undos, strict=True):
            yield replace(step, strategy=RETIRE_TABLE, undo=undo)

    def _old_again(self, backwards: Sequence[Operation]) -> RunSql:
        said = f"Make the old form of {self.label} again, without rows"
        return self.forms.made(self.old, backwards, source=self.after, purpose=said)

    def _backwards(self) -> tuple[Operation, ...] | Irreversible:
        """The operations that make the old form from the new one."""
        if self.one_way:
            return Irreversible(reason=self.one_way, name=f"rebuild_table {self.before.name}")
        if self.backwards is not None:
            return tuple(self.backwards)
        found: list[Operation] = []
        for operation, catalog in zip(self.operations, catalogs(self.operations, self.at.catalog), strict=True):
            match inverse(operation, catalog, self.at):
                case Irreversible() as never:
                    return never
                case UndoNothing():
                    pass
                case operations:
                    found = [*operations, *found]
        return tuple(found)


def phase_together(operations: Sequence[Operation], at: Situation) -> Phase:
    return max(["migrate", *(phase_of(operation, at) for operation in operations)], key=("expand", "migrate", "contract").index)


def _after(operations: Sequence[Operation], catalog: Catalog) -> Catalog:
    for operation in operations:
        catalog = moved(catalog, operation)
    return catalog


def _called(table: Table, name: Name) -> Table:
    return replace(table, name=name)
