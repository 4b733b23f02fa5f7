"""DROP COLUMN with what depends on it taken away in order, several columns in one change, and the values kept where the author asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Catalog, Table
from driftflow.model.dependency import ColumnDependents
from driftflow.model.operations import DropColumn, Operation
from driftflow.model.operations.column_dependents import column_dependents, dependency_map
from driftflow.model.plan import Guard, Irreversible, Phase, Step, Undo, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.drops import restoring, unused
from driftflow.strategies.drops.archive_beside_drop import ArchiveBesideDrop
from driftflow.strategies.drops.column_archive import Archive
from driftflow.strategies.drops.said_columns import drop_request
from driftflow.strategies.drops.soft_drop import Deprecation
from driftflow.strategies.inverses.without_values import wants_values
from driftflow.strategies.phases import phase_of
from driftflow.strategies.rebuild import rebuilding
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import column_is_new, is_new

NAME = "drop_columns"


def _applies(operation: DropColumn, at: Situation) -> bool:
    table = at.table(operation.table)
    if table is None or table.column(operation.column) is None or operation.only or _is_of_release(operation, at):
        return False
    return not drop_request(at).says_nothing or len(_group(at)) > 1


@strategy(NAME, on=DropColumn, applies=_applies, rank=80, page="drop-columns")
def drop_columns(operation: DropColumn, at: Situation) -> Iterator[Step]:
    group = _group(at)
    if group[0].place != at.place:
        return  # the first of them carries out all
    first = group[0]
    table = first.table(operation.table)
    assert table is not None
    names = tuple(one.operation.column for one in group if isinstance(one.operation, DropColumn))
    yield from _Drop(first, table, names, phase_of(operation, at)).steps()


class _Drop:
    """The columns of one table that go together."""

    def __init__(self, at: Situation, table: Table, names: tuple[str, ...], phase: Phase) -> None:
        self.at, self.table, self.names, self.phase = at, table, names, phase
        self.request = drop_request(at)
        self.recipe = Recipe(at, NAME)
        self.found = column_dependents(at.catalog, table.name, *names)
        columns = tuple(column for column in table.columns if column.name in names and column.generated is None)
        self.columns = columns
        self.archive = self._archive() if self.request.archive and columns else None
        self.deprecation = Deprecation(at, table, columns, self.request.until) if self.request.until else None
        self.listed = f"{table.name.name} ({', '.join(names)})" if len(names) > 1 else f"{table.name.name}.{names[0]}"

    def steps(self) -> Iterator[Step]:
        guards: tuple[Guard, ...] = ()
        if self.request.unused_since:
            guards = tuple(unused.guards(self.at, self.table, self.columns, self.request))
        if self.deprecation is not None and self.request.rename:
            yield from self.deprecation.renamed(self.recipe)
            yield from self.deprecation.named_again(self.recipe)
        elif self.deprecation is not None:
            yield from self.deprecation.announce(self.recipe)
        if self.archive is not None:
            first, *others = self.archive.begin(self.recipe, self.phase)
            yield replace(first, guards=(*guards, *first.guards))
            yield from others
            yield self.archive.copy(self.recipe, self.phase)
            yield self.archive.check(self.recipe, self.phase)
        if self.at.can(Capability.TABLE_REBUILD_ONLY):
            yield from self._rebuilt(guards)
        elif not self.at.can(Capability.TRANSACTIONAL_DDL):
            yield from self._one_by_one(guards)
        else:
            yield self._at_once(guards)

    def _archive(self) -> Archive:
        together = self.at.can(Capability.TRANSACTIONAL_DDL)
        return (Archive if together else ArchiveBesideDrop)(self.at, self.table, self.columns)

    def _at_once(self, guards: tuple[Guard, ...]) -> Step:
        """Everything in one transaction and one lock: nobody sees the views gone and the column still there."""
        before = self.recipe.catalog
        removals = tuple(one.removal for one in self.found if one.removal is not None and one.dependent.fate == "dropped")
        drops = tuple(DropColumn(table=self.table.name, column=name) for name in self.names)
        render = self.at.dialect.render
        stop = self.archive.stop() if self.archive is not None else ()
        stop += self.deprecation.stop() if self.deprecation is not None and not self.request.rename else ()
        step = self.recipe.change(
            *removals,
            *drops,
            purpose=self._purpose(),
            phase=self.phase,
            statements=(*stop, *(render(one) for one in removals), render(*drops)),
            guards=guards,
            undo=UndoNothing(reason=""),
        )
        if self.archive is None:
            can = tuple(one for one in removals if not wants_values(one, before, self.names))
            return replace(step, undo=self._gone(self._without_values((*can, *drops), before)))
        with_them = self.recipe.undo_of(removals, before, phase=self.phase)
        back = tuple(restoring.restored(self.archive, self.recipe.catalog, self.phase))
        match with_them:
            case UndoSteps(steps=steps):
                return replace(step, undo=UndoSteps(steps=(*back, *steps)))
            case Irreversible():
                return replace(step, undo=with_them)
            case _:
                return replace(step, undo=UndoSteps(steps=back))

    def _one_by_one(self, guards: tuple[Guard, ...]) -> Iterator[Step]:
        """MySQL and MariaDB, where each change of the schema stands alone: what would be in the way or stay broken, then the columns in one pass.
        Indexes go with their columns by themselves, but for those over an expression."""
        kinds = ("view", "trigger", "foreign key", "generated column", "check")
        found = [one for one in self.found if one.removal is not None]
        removals = [
            one for one in found if one.dependent.kind in kinds or (one.dependent.kind == "index" and one.dependent.stops)
        ]
        for one in removals if self.request.cascade else []:
            assert one.removal is not None
            yield self.recipe.alone(
                one.removal, purpose=f"Take away what names {self.listed}: {one.dependent.text}", phase=self.phase, guards=guards
            )
            guards = ()
        drops = tuple(DropColumn(table=self.table.name, column=name) for name in self.names)
        gone = self._gone(self._without_values(drops, self.recipe.catalog))
        step = self.recipe.alone(*drops, purpose=self._purpose(), phase=self.phase, guards=guards, undo=gone)
        if not isinstance(self.archive, ArchiveBesideDrop):
            yield step
            return
        back = restoring.restored(self.archive, self.recipe.catalog, self.phase)
        yield replace(step, undo=UndoSteps(steps=(*self.archive.lifted(self.recipe, self.phase), *back)))
        yield from self.archive.end(self.recipe, self.phase)

    def _rebuilt(self, guards: tuple[Guard, ...]) -> Iterator[Step]:
        """SQLite: views and triggers that name the columns first, then one rebuild without them and all that holds them."""
        removals = tuple(
            one.removal for one in self.found if one.removal is not None and one.dependent.kind in ("view", "trigger")
        )
        if removals:
            undo = None if self.archive is not None else UndoNothing(reason=f"it names {self.listed}, whose values are gone")
            yield self.recipe.change(
                *removals,
                purpose=f"Take away what names {self.listed}: {', '.join(one.dependent.text for one in self.found if one.removal in removals)}",
                phase=self.phase,
                guards=guards,
                undo=undo,
            )
        before = self.recipe.catalog
        drops = tuple(DropColumn(table=self.table.name, column=name, cascade=True) for name in self.names)
        step = rebuilding.rebuild(self.recipe, drops, table=self.table.name, phase=self.phase, guards=guards)
        purpose = step.purpose
        if self.request.unused_since:
            purpose += f", {unused.said(self.at, self.request.unused_since)}"
        yield replace(step, strategy=NAME, purpose=purpose, undo=self._rebuilt_back(before))

    def _rebuilt_back(self, before: Catalog) -> Undo:
        if self.archive is None:
            return self._gone(self._rebuilt_without_values(before))
        return UndoSteps(steps=(restoring.rebuilt_back(self.archive, self.recipe.catalog, before, self.phase),))

    def _without_values(self, operations: Sequence[Operation], before: Catalog) -> tuple[Step, ...]:
        back = self.recipe.undo_of(operations, before, phase=self.phase)
        return back.steps if isinstance(back, Irreversible) else ()

    def _rebuilt_without_values(self, before: Catalog) -> tuple[Step, ...]:
        """Every row gets the default, which has to be something where the column wants something."""
        columns = [column for column in self.table.columns if column.name in self.names]
        if any(not column.nullable and column.default is None for column in columns):
            return ()
        values = {column.name: column.default or "NULL" for column in columns if column.generated is None}
        after = self.recipe.catalog
        return (rebuilding.rebuild_as_it_was(self.at, after, before, self.table.name, phase=self.phase, expressions=values),)

    def _purpose(self) -> str:
        gone = [one.dependent.text for one in self.found if one.removal is not None and one.dependent.stops]
        condition = f" {unused.said(self.at, self.request.unused_since)}" if self.request.unused_since else ""
        return f"Drop {self.listed}{condition}" + (f", and before it {', '.join(gone)}" if gone else "")

    def _gone(self, back: tuple[Step, ...]) -> Irreversible:
        """`back` is what comes back of it all the same."""
        columns = ", ".join(self.names)
        name = (
            f"drop_column {self.table.name}.{columns}" if len(self.names) == 1 else f"drop_columns {self.table.name} ({columns})"
        )
        reason = f"the values of {self.listed} are gone with the column"
        return Irreversible(reason=reason, name=name, steps=back)


def _group(at: Situation) -> list[Situation]:
    """The neighbouring statements (and the clauses of this one) that drop columns of the same table and say the same about it."""
    everything = at.file.situations
    first = last = at.place
    while first > 0 and _belongs(everything[first - 1], at):
        first -= 1
    while last + 1 < len(everything) and _belongs(everything[last + 1], at):
        last += 1
    return everything[first : last + 1]


def _belongs(other: Situation, at: Situation) -> bool:
    if not isinstance(other.operation, DropColumn) or not isinstance(at.operation, DropColumn) or spoken.as_is(other):
        return False
    same = other.operation.table == at.operation.table and not other.operation.only and not other.conflict
    known = other.catalog.table(other.operation.table)
    there = known is not None and known.column(other.operation.column) is not None
    alone = all(isinstance(operation, DropColumn) for operation in other.statement.operations)
    return same and there and alone and not _is_of_release(other.operation, other) and _said(other) == _said(at)


def _said(at: Situation) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    return [(one.verb, tuple(one.options.items())) for one in at.statement.directives if one.verb != "ignore"]


def _is_of_release(operation: DropColumn, at: Situation) -> bool:
    return is_new(at, operation.table) or column_is_new(at, operation.table, operation.column)


def refuse_dependents(at: Situation) -> None:
    """Raises RefusedError (DF-E643) for a DROP COLUMN that something stands in the way of, naming all of it, unless its author accepts that it
    goes too; DF-E644 for what must not go with a column at all."""
    operation = at.operation
    if not isinstance(operation, DropColumn) or spoken.as_is(at) or _is_of_release(operation, at):
        return
    request = drop_request(at)
    dependents = [one.dependent for one in column_dependents(at.catalog, operation.table, operation.column)]
    stopping = [one for one in dependents if one.stops]
    what = f"{operation.table.name}.{operation.column}"
    if stopping and not request.cascade:
        words = ", or leaves it broken; what is found by its words may mean another column: then write `-- driftflow: as-is reason=...`"
        raise RefusedError(
            "DF-E643",
            f"{what} cannot be dropped while {len(stopping)} other thing{'s depend' if len(stopping) > 1 else ' depends'} on it",
            where=f"{at.statement.span}\n" + "\n".join(f"  {one.text}" for one in stopping),
            why="the server refuses the statement" + (words if any(one.by_words for one in stopping) else ""),
            hint="change or drop them first, or write above the statement: -- driftflow: cascade",
        )
    published = next((one.name for one in stopping if one.kind == "publication"), "")
    _refuse_untouchable(at, operation, {one.kind for one in dependents}, request.cascade or request.archive, published)


def _refuse_untouchable(at: Situation, operation: DropColumn, kinds: set[str], asked: bool, published: str) -> None:
    table = at.table(operation.table)
    restrictive = [
        policy.name
        for policy in (table.policies if table is not None else ())
        if not policy.permissive and "policy" in kinds and operation.column in f"{policy.using} {policy.check}"
    ]
    why = ""
    if asked and "primary key" in kinds:
        why = "it is part of the primary key, by which everybody finds the rows"
    elif restrictive:
        why = f"the restrictive policy {restrictive[0]} reads it: without the policy more rows would be seen"
    elif published:
        why = f"the publication {published} names the column, and with CASCADE the server would publish nothing of the table any more"
    if why:
        raise RefusedError(
            "DF-E644",
            f"{operation.table.name}.{operation.column} is not dropped together with what depends on it",
            where=str(at.statement.span),
            why=why,
            hint="replace it in a statement of your own before the column is dropped",
        )


def dependents_of(walked: Sequence[Situation]) -> Iterator[ColumnDependents]:
    """What depends on each column that the migrations drop, as each statement finds it."""
    for at in walked:
        if isinstance(at.operation, DropColumn) and not _is_of_release(at.operation, at):
            found = dependency_map(at.catalog, at.operation.table, at.operation.column)
            if found.dependents:
                yield found
