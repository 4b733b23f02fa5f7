"""MySQL and MariaDB: what the server can only do by copying the table while writers wait, done on a copy beside it that takes its place in an instant.

1. The copy is made empty, in the new form. Triggers note the key of every row that is written.
2. The rows are copied in chunks, without a lock on any; what was noted is copied again.
3. Triggers write the copy from now on in the application's own transactions; what is still noted is copied again, and the two are compared.
4. One RENAME TABLE puts the copy in the table's place. From just before it triggers note what is written to the new form: for the way back.
5. The old form is kept until the gate, and can take its place again with every row, also those that were written since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    BaseOperation,
    Operation,
)
from driftflow.model.plan import Gate, Guard, Irreversible, Phase, Probe, RunSql, Step, Undo, UndoNothing, UndoSteps, Verify
from driftflow.model.record import digest, replace
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.dual_write import RETIRE_TABLE
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.direct import guards_of
from driftflow.strategies.fitted import fit
from driftflow.strategies.inverses.inverse import inverse
from driftflow.strategies.passes import Pass, catalogs, moved, one_pass
from driftflow.strategies.phases import phase_of
from driftflow.strategies.rebuild import swap_guards
from driftflow.strategies.rebuild.cascades import ancestors, cascading
from driftflow.strategies.rebuild.paired import Pair
from driftflow.strategies.rebuild.paired_steps import PairedSteps, as_undos, claim, there
from driftflow.strategies.rebuild.rebuild_cascades import Cascading
from driftflow.strategies.rebuild.rebuild_children import Children, pointing_at
from driftflow.strategies.rebuild.rebuild_columns import mapped, renamed
from driftflow.strategies.rebuild.rebuild_forms import Forms
from driftflow.strategies.rebuild.rebuild_keys import Keys
from driftflow.strategies.rebuild.rebuild_limits import BEHIND, obstacle, waits_for_copy
from driftflow.strategies.recipe import Recipe, as_undo

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
    ) -> None:
        """`backwards` makes the old form from the new one (None: the inverses of the operations, where they have any)."""
        self.at, self.operations, self.one_way = at, tuple(operations), one_way
        self.backwards = backwards
        table = at.dialect.altered_table(operations[0])
        assert table is not None
        before = at.catalog.table(table)
        self.recipe = Recipe(at, name)
        self.after_catalog = _after(operations, at.catalog)
        after = self.after_catalog.table(table)
        assert before is not None
        assert after is not None
        self.before, self.after = before, after
        self.phase: Phase = max(
            ["migrate", *(phase_of(operation, at) for operation in operations)], key=("expand", "migrate", "contract").index
        )
        self.mark = digest([before.name.text, *operations])[:6]
        self.making, self.form = self._beside("making"), self._beside("form")
        self.new, self.old = (self._beside(kind, BEHIND) for kind in ("new", "old"))
        self.ready, self.home_ready = self._beside("ready"), self._beside("home")
        names = renamed(operations, before)
        key = tuple((column, names.get(column, column)) for column in chunk_key(at, before))
        bound = bool(before.foreign_keys or pointing_at(before, at.catalog))
        tag = f"{before.name.name}_{self.mark}"
        self.forth = self._steps(
            Pair(
                source=before,
                copy=_called(after, self.new),
                log=self._beside("log"),
                key=key,
                columns=mapped(after, before, {new: old for old, new in names.items()}, expressions, at),
                tag=tag,
                bound=bound,
                cascading=bool(cascading(before)),
            )
        )
        self.home = self._steps(
            Pair(
                source=after,
                copy=_called(before, self.old),
                log=self._beside("back"),
                key=tuple((new, old) for old, new in key),
                columns=mapped(before, after, names, back, at),
                tag=f"{tag}_back",
                bound=bound,
                cascading=bool(cascading(before)),
            )
        )
        self.forms = Forms(self)
        self.keys = Keys(self)
        self.children = Children(self)
        self.cascading = Cascading(self)

    def _beside(self, kind: str, prefix: str = "_driftflow_") -> Name:
        name = self.before.name
        return Name(schema=name.schema, name=fit(f"{prefix}{kind}_{name.name}_{self.mark}", bytes_max=TABLE_NAME_BYTES))

    def _steps(self, pair: Pair) -> PairedSteps:
        return PairedSteps(self.recipe, pair, self.phase)

    @property
    def label(self) -> str:
        return self.before.name.name

    def steps(self, guards: tuple[Guard, ...]) -> Iterator[Step]:
        yield self._made((*guards, self.children.no_others()))
        yield self.forms.kept()
        yield self.forth.log_made()
        yield from self.forth.noting(guards=self._rights())
        yield from self.cascading.noting(self.forth)
        yield self.forth.copied(purpose=f"Copy {self.label} into its new form in chunks")
        yield self.forth.again(purpose=f"Copy again the rows of {self.label} that were written meanwhile")
        yield from self.forth.writing()
        yield from self.forth.not_noting()
        if self.cascading.found:
            yield self.home.log_made()
            yield self.forth.again(
                purpose=f"Copy again the rows of {self.label} that were noted, before the copy has foreign keys"
            )
            yield from self.cascading.both()
        yield self.forth.again(purpose=f"Copy again the last rows of {self.label} that were noted", until_empty=True)
        yield self.forth.verified()
        if not self.cascading.found:
            yield self.home.log_made()
        yield from self._noting_back()
        yield self.forth.again(purpose=f"Copy again what was noted of {self.label} since", until_empty=True)
        counted = self.forth.counted_on()
        if counted is not None:
            yield counted
        yield swap_guards.completed(self.forth, self.ready)
        yield swap_guards.waited(self.forth, self.ready)
        yield from self.keys.before_swap()
        yield from self.children.before_swap()
        yield self._swapped()
        yield from self.children.after_swap()
        yield from self.keys.after_swap()
        yield self._none_lost()
        gone = (self.forth.log_dropped(), self.forms.gone(), swap_guards.forgotten(self.forth, self.ready))
        for step in (*self._on_old(self.forth.not_writing()), *gone):
            yield replace(step, undo=UndoNothing(reason="it is not needed on the way back"))
        if self.phase == "contract":
            yield self._gate()
        yield from self._retired()

    # the copy

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
        text = self.at.dialect.render(*self.operations)
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
        yield from self._steps(named).noting()

    def _swapped(self) -> RunSql:
        quoted = self.at.dialect.quote_name
        table, new, old = quoted(self.before.name), quoted(self.new), quoted(self.old)
        return self.forth.alone(
            f"RENAME TABLE {table} TO {old}, {new} TO {table}",
            purpose=f"Swap: the copy is {self.label} from now on, the old form is kept as {self.old.name}",
            probe=Probe(query=f"SELECT CASE WHEN {there(self.old)} THEN 'done' ELSE 'not_done' END"),
            claims=self.keys.renamed(),
            guards=(
                swap_guards.none_sees_a_part(self.forth, self.ready),
                self.forms.same(),
                swap_guards.unattached(self.forth, known=self.keys.staying()),
                self.forth.all_written(),
                swap_guards.not_emptied(self.forth),
                self.forth.none_rejected(),
            ),
            undo=UndoSteps(steps=as_undos(self._swapped_back())),
        )

    def _none_lost(self) -> Verify:
        """Between the last look and the swap a row may have been written that the new form rejects."""
        guard = self.forth.none_rejected(source=self.old, copy=self.before.name, since=self.home.pair.log)
        return Verify(
            **self.recipe.common(f"Verify that no row of {self.label} was rejected in the moment of the swap", self.phase),
            expectations=(),
            guards=(replace(guard, hint="roll back: the old form has these rows"),),
            undo=UndoNothing(reason="it changes nothing"),
        )

    def _on_old(self, steps: Iterator[RunSql]) -> Iterator[RunSql]:
        """A trigger goes with its table when that is renamed."""
        for step in steps:
            yield replace(step, claims=(claim(self.old),))

    def _swapped_back(self) -> Iterator[Step]:
        """What was noted of the new form is written to the old one, until the two are equal; then they change places again."""
        quoted = self.at.dialect.quote_name
        table, new, old = quoted(self.before.name), quoted(self.new), quoted(self.old)
        home = self.home
        yield from self._on_old(self.forth.not_writing())
        yield home.again(purpose=f"Write to the old form of {self.label} what was written to the new one")
        yield from home.writing()
        yield from home.not_noting()
        yield from self.cascading.not_noting(home)
        yield home.again(purpose=f"Write the last rows of {self.label} to its old form", until_empty=True)
        counted = home.counted_on()
        if counted is not None:
            yield counted
        yield swap_guards.completed(home, self.home_ready)
        yield swap_guards.waited(home, self.home_ready)
        yield from self.keys.before_swap_back()
        yield from self.children.before_swap_back()
        yield self.home.alone(
            f"RENAME TABLE {table} TO {new}, {old} TO {table}",
            purpose=f"Swap back: {self.label} has its old form again",
            probe=Probe(query=f"SELECT CASE WHEN {there(self.new)} THEN 'done' ELSE 'not_done' END"),
            claims=self.keys.renamed(),
            guards=(
                swap_guards.none_sees_a_part(home, self.home_ready),
                swap_guards.unattached(home, known=self.keys.staying("forth")),
                home.all_written(),
                swap_guards.not_emptied(home, hint=f"delete them in {self.old.name}, then resume; or they would come back"),
                home.none_rejected(),
            ),
        )
        yield from self.children.after_swap_back()
        yield from self.keys.after_swap_back()
        for step in home.not_writing():
            yield replace(step, claims=(claim(self.new),))
        yield swap_guards.forgotten(home, self.home_ready)

    # the end

    def _gate(self) -> Gate:
        """The first gate is open already where the swap itself had to wait for it."""
        question = f"Does everything go well with the new form of {self.label}? Its old form is removed now."
        return Gate(
            **self.recipe.common(f"Wait until somebody says yes: {question}", "contract"),
            name=fit(f"remove-old-{self.label}", bytes_max=60),
            question=question,
            undo=UndoNothing(reason="waiting changes nothing"),
        )

    def _retired(self) -> Iterator[Step]:
        """The old form goes last, behind the gate. Taken back in the opposite order: the log, the old form without rows, the triggers, the rows."""
        ending = PairedSteps(self.recipe, self.home.pair, "contract")
        backwards = self._backwards()
        of_cascades = list(self.cascading.not_noting(ending))
        steps = [
            *ending.not_noting(),
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
            creates = list(ending.noting())
            copies = [
                replace(ending.copied(purpose=f"Copy {self.label} into its old form in chunks"), table=self.after.name),
            ]
            undos = [
                UndoSteps(steps=as_undos(iter((creates[0], *copies)))),
                UndoSteps(steps=as_undos(iter((creates[1],)))),
                UndoSteps(steps=as_undos(iter((creates[2],)))),
                *(UndoSteps(steps=as_undos(iter((one,)))) for one in self.cascading.noting(ending)),
                UndoSteps(steps=as_undos(iter((self._old_again(backwards),)))),
                UndoSteps(steps=as_undos(iter((ending.log_made(),)))),
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


def _after(operations: Sequence[Operation], catalog: Catalog) -> Catalog:
    for operation in operations:
        catalog = moved(catalog, operation)
    return catalog


def _called(table: Table, name: Name) -> Table:
    return replace(table, name=name)
