"""A foreign key on rows some of which point at nothing, where the author said what becomes of them: `-- driftflow: orphans action=...`."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import ForeignKey, Table
from driftflow.model.operations import AddConstraint, DropConstraint
from driftflow.model.plan import Backfill, Guard, RunSql, Step, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.cleansing import archiving, by_join
from driftflow.strategies.cleansing.archiving import kept, listed
from driftflow.strategies.cleansing.cascades import MOST, cascades
from driftflow.strategies.cleansing.repointing import locks_rows
from driftflow.strategies.cleansing.said_orphans import OrphansRequest, orphans_of
from driftflow.strategies.columns.filling import backfill, row_claims
from driftflow.strategies.constraints import binding
from driftflow.strategies.constraints.constraining import guard_orphans, orphan_condition, referenced_columns, validate
from driftflow.strategies.rebuild import rebuilding
from driftflow.strategies.recipe import Recipe, bounded_count, unless_done
from driftflow.strategies.size import is_new

NAME = "cleanse_orphans"


def _applies(operation: AddConstraint, at: Situation) -> bool:
    known = isinstance(operation.constraint, ForeignKey) and at.table(operation.table) is not None
    return known and bool(at.directives("orphans")) and not is_new(at, operation.table)


@strategy(NAME, on=AddConstraint, applies=_applies, rank=90, page="cleanse-orphans")
def cleanse_orphans(operation: AddConstraint, at: Situation) -> Iterator[Step]:
    """First the key binds new rows, so that no orphan comes in any more; then the old ones are looked after; then it is proved."""
    key, request, table = operation.constraint, orphans_of(at), at.table(operation.table)
    assert isinstance(key, ForeignKey) and request is not None and table is not None
    if at.can(Capability.JOINED_UPDATE) and not at.can(Capability.LOCK_NOWAIT):
        raise RefusedError(
            "DF-E658",
            f"orphans of {table.name.name} are not looked after by a plan on this server",
            where=str(request.span),
            why="rows cannot be locked without waiting (NOWAIT), so the application might be the victim of a deadlock",
            hint="look after them in a migration before this one, and leave the directive out",
        )
    recipe = Recipe(at, NAME)
    work = Cleansing(recipe, table, key, request)
    yield from work.tables()
    if at.can(Capability.JOINED_UPDATE):
        yield from _on_trust(recipe, work, operation, key)
        return
    two_parts = at.can(Capability.NOT_VALID_CONSTRAINT) and table.partitioning is None and key.enforced
    what = f"{table.name.name} ({', '.join(key.columns)}) → {key.referenced.name}"
    if not two_parts:
        yield work.step(())
        if rebuilding.needs_rebuild(operation, at):
            guards = (guard_orphans(at, table.name, key),)
            yield rebuilding.rebuild(recipe, (operation,), table=table.name, phase="migrate", guards=guards)
        else:
            yield recipe.change(operation, purpose=f"Add {what}", phase="migrate", guards=(guard_orphans(at, table.name, key),))
        return
    drop = DropConstraint(table=table.name, name=key.name, if_exists=True)
    bind = replace(operation, constraint=replace(key, validated=False))
    bound = recipe.change(bind, purpose=f"Bind new rows: {what} (NOT VALID)", phase="migrate")
    yield replace(bound, undo=UndoSteps(steps=(recipe.undo_step((drop,), recipe.catalog, phase="migrate"),)))
    yield work.step((drop,))
    yield validate(recipe, table.name, key.name, guards=(guard_orphans(at, table.name, key),), phase="migrate", what=what)


def _on_trust(recipe: Recipe, work: Cleansing, operation: AddConstraint, key: ForeignKey) -> Iterator[Step]:
    """MySQL and MariaDB: the key is added without a look at old rows (foreign_key_checks=0), and from then on binds whatever is written."""
    table = operation.table
    for step in binding.bind_on_trust(recipe, table, key, phase="migrate"):
        undo = step.undo
        # The undo of the removal has dropped the key already, since what comes back is what it forbids.
        undo = (
            replace(undo, steps=tuple(unless_done(one) if isinstance(one, RunSql) else one for one in undo.steps))
            if isinstance(undo, UndoSteps)
            else undo
        )
        yield replace(step, undo=undo)
    yield work.step((DropConstraint(table=table, name=key.name),))
    yield binding.prove(recipe, table, key, phase="migrate")


class Cleansing:
    """The rows of one table that point at nothing, and what is done with them."""

    def __init__(self, recipe: Recipe, table: Table, key: ForeignKey, request: OrphansRequest) -> None:
        at = recipe.at
        self.recipe, self.at, self.table, self.key, self.request = recipe, at, table, key, request
        self.joined = at.can(Capability.JOINED_UPDATE)
        self.own_key = archiving.key_of(at, table, why="which of its rows are changed could not be said")
        self.deletes = request.action in ("delete", "quarantine")
        self.archive = archiving.our_name(at, "archive" if self.deletes else "noted", table.name, key.name)
        made = request.action == "create-parent"
        # For a row that MATCH FULL forbids since its key is NULL in part, no parent can be made.
        self.orphan = orphan_condition(at, table.name, replace(key, match="") if made else key)
        chunk = f"{{rows}} AND {self.orphan}"
        self.cascades = tuple(cascades(at, table, chunk, self.orphan)) if self.deletes else ()
        self._check()

    def _check(self) -> None:
        needed = [name for name in self.key.columns if (column := self.table.column(name)) is not None and not column.nullable]
        stays = needed if self.key.match == "FULL" else needed[len(self.key.columns) - 1 :]
        if self.request.action == "null" and stays:
            raise RefusedError(
                "DF-E658",
                f"{self.table.name.name}.{needed[0]} cannot be NULL",
                where=str(self.request.span),
                why="the directive `orphans` asks for action=null, and the column is NOT NULL",
                hint="-- driftflow: orphans action=quarantine",
            )

        lacking = self._lacking() if self.request.action == "create-parent" else []
        if lacking:
            marks = ", ".join("..." for _ in lacking)
            raise RefusedError(
                "DF-E658",
                f"a row of {self.key.referenced.name} cannot be made without {', '.join(lacking)}",
                where=str(self.request.span),
                why="the column is NOT NULL and has no default, and the directive `orphans` gives it nothing",
                hint=f'-- driftflow: orphans action=create-parent columns="{", ".join(lacking)}" values="{marks}"',
            )

    def _lacking(self) -> list[str]:
        """What the server would want of a new parent, as far as no trigger gives it."""
        parent = self.at.table(self.key.referenced)
        if parent is None or any("INSERT" in one.events and one.timing == "BEFORE" for one in parent.triggers):
            return []
        said = {self.at.dialect.fold(one.strip().strip('"`[]')).lower() for one in self.request.columns.split(",")}
        said |= {name.lower() for name in referenced_columns(self.at, self.key)}
        filled = (
            column for column in parent.columns if not column.nullable and column.default is None and column.identity is None
        )
        return [
            column.name
            for column in filled
            if column.generated is None and not column.autoincrement and not column.serial and column.name.lower() not in said
        ]

    def tables(self) -> Iterator[RunSql]:
        name, own = self.table.name.name, tuple(map(kept, self.own_key))
        if self.deletes:
            purpose = f"Make the archive of orphans of {name}, {self.archive.name}"
            yield archiving.create(self.recipe, self.archive, archiving.row_columns(self.at, self.table), own, purpose=purpose)
            for one in self.cascades:
                yield from one.create(self.recipe)
        elif self.request.action == "null":
            columns = archiving.note_columns(self.table, self.own_key, self.key.columns)
            purpose = f"Make {self.archive.name}: what orphans of {name} pointed at"
            yield archiving.create(self.recipe, self.archive, columns, own, purpose=purpose)
        else:
            parent = self.at.table(self.key.referenced)
            there = referenced_columns(self.at, self.key)
            columns = tuple((column, archiving.type_of(parent or self.table, column)) for column in there)
            purpose = f"Make {self.archive.name}: the rows of {self.key.referenced.name} that are made for orphans"
            yield archiving.create(self.recipe, self.archive, columns, there, purpose=purpose)

    def step(self, first: tuple[DropConstraint, ...]) -> Backfill:
        quote, nothing = self.at.dialect.quote, self.request.action == "null"
        nullable = [name for name in self.key.columns if (found := self.table.column(name)) is not None and found.nullable]
        own = quote(self.table.name.name)
        assignments = tuple((name, "NULL") for name in nullable) if nothing else ()
        if self.request.action == "create-parent":
            # Nothing is left to change once the parents are there; an orphan that is left all the same is counted at the end.
            assignments = ((self.key.columns[0], f"{own}.{quote(self.key.columns[0])}"),)
        step = backfill(
            self.recipe,
            self.table,
            assignments=assignments,
            predicate=self._predicate(),
            phase="migrate",
            purpose=self._purpose(),
        )
        if self.deletes and self.joined:
            notes = quote(self.archive.name)
            on = " AND ".join(f"{notes}.{quote(kept(one))} = {own}.{listed(self.at, (one,))}" for one in self.own_key)
            step = replace(step, from_clause=f"FROM {self.at.dialect.quote_name(self.archive)}", join=on, predicate=on)
        elif self.joined and self.key.referenced == self.table.name:
            step = self._of_itself(step)
        claims = [claim for one in self.cascades for claim in row_claims(self.at, one.child.name)]
        claims += row_claims(self.at, self.key.referenced) if self.request.action == "create-parent" else ()
        return replace(
            step,
            action="delete" if self.deletes else "update",
            before=tuple(self._before()),
            remaining_query=bounded_count(f"SELECT 1 FROM {self.at.dialect.quote_name(self.table.name)} WHERE {self.orphan}"),
            claims=(*step.claims, *claims),
            guards=(self._count(), *(one.guard() for one in self.cascades)),
            undo=UndoSteps(steps=tuple(self._undo(first))),
        )

    def _of_itself(self, step: Backfill) -> Backfill:
        """MySQL changes no table that a subquery of the statement reads (error 1093): the note says what the row pointed at, and a join finds no such row."""
        if self.request.action != "null":
            return replace(step, predicate="1 = 0")
        quote, notes, own = (
            self.at.dialect.quote,
            self.at.dialect.quote_name(self.archive),
            self.at.dialect.quote(self.table.name.name),
        )
        there = referenced_columns(self.at, self.key)
        pairs = tuple(enumerate(zip(self.key.columns, there, strict=True), 1))
        parent = " AND ".join(f"p.{quote(column)} = {notes}.old_{number}" for number, (_, column) in pairs)
        same = [f"{notes}.{quote(kept(name))} = {own}.{quote(name)}" for name in self.own_key]
        same += [f"{notes}.old_{number} = {own}.{quote(name)}" for number, (name, _) in pairs]
        source = f"{notes} LEFT JOIN {self.at.dialect.quote_name(self.table.name)} AS p ON {parent}"
        return replace(step, from_clause=f"FROM {source}", join=" AND ".join(same), predicate=f"p.{quote(there[0])} IS NULL")

    def _predicate(self) -> str:
        """What is deleted has been archived in the same transaction, or it stays."""
        if not self.deletes:
            return self.orphan
        own, name = self.at.dialect.quote(self.table.name.name), self.at.dialect.quote(self.archive.name)
        same = " AND ".join(
            f"{name}.{self.at.dialect.quote(kept(one))} = {own}.{listed(self.at, (one,))}" for one in self.own_key
        )
        return f"{self.orphan} AND EXISTS (SELECT 1 FROM {self.at.dialect.quote_name(self.archive)} WHERE {same})"

    def _purpose(self) -> str:
        name, parent = self.table.name.name, self.key.referenced.name
        match self.request.action:
            case "delete" | "quarantine":
                return f"Move rows of {name} that point at no row of {parent} to {self.archive.name}, in chunks"
            case "null":
                return f"Let rows of {name} that point at no row of {parent} point at nothing (NULL), in chunks"
            case "create-parent":
                return f"Make the rows of {parent} that rows of {name} point at, in chunks"

    def _count(self) -> Guard:
        target = self.at.dialect.quote_name(self.table.name)
        keys = listed(self.at, self.own_key)
        return Guard(
            query=bounded_count(f"SELECT 1 FROM {target} WHERE {self.orphan}", MOST),
            refuse_if="never",
            summary=f"{{count}} rows of {self.table.name.name} point at no row of {self.key.referenced.name}",
            keys=f"SELECT {keys} FROM {target} WHERE {self.orphan} ORDER BY {keys} LIMIT 10",
        )

    def _before(self) -> Iterator[str]:
        target, quote = self.at.dialect.quote_name(self.table.name), self.at.dialect.quote
        here, notes = f"{{rows}} AND {self.orphan}", self.at.dialect.quote_name(self.archive)
        if self.joined:
            yield f"SELECT COUNT(*) FROM {target} WHERE {here} FOR UPDATE NOWAIT"
        elif locks_rows(self.at):
            own = listed(self.at, self.own_key)
            yield f"SELECT 1 FROM {target} WHERE {here} ORDER BY {own} FOR UPDATE"
        if self.deletes:
            for one in self.cascades:
                yield from one.locked() if self.joined else ()
                yield from one.statements()
            for one in reversed(self.cascades):
                yield from one.carried_out()
            yield archiving.copy_rows(self.at, self.table, self.archive, here)
        elif self.request.action == "null":
            values = ", ".join(f"{quote(name)}, {'NULL' if self._nullable(name) else quote(name)}" for name in self.key.columns)
            yield f"INSERT INTO {notes} SELECT {listed(self.at, self.own_key)}, {values} FROM {target} WHERE {here}"
        else:
            yield f"INSERT INTO {notes} SELECT DISTINCT {listed(self.at, self.key.columns)} FROM {target} WHERE {here}"
            there = listed(self.at, referenced_columns(self.at, self.key))
            more = f", {self.request.columns}" if self.request.columns else ""
            values = f", {self.request.values}" if self.request.values else ""
            parent = self.at.dialect.quote_name(self.key.referenced)
            given = "OVERRIDING SYSTEM VALUE " if self._always_given() else ""
            yield (
                f"INSERT INTO {parent} ({there}{more}) {given}SELECT DISTINCT {listed(self.at, self.key.columns)}{values} "
                f"FROM {target} WHERE {here}"
            )

    def _nullable(self, name: str) -> bool:
        column = self.table.column(name)
        return column is not None and column.nullable

    def _always_given(self) -> bool:
        parent = self.at.table(self.key.referenced)
        return parent is not None and any(column.identity is not None and column.identity.always for column in parent.columns)

    def _undo(self, first: tuple[DropConstraint, ...]) -> Iterator[Step]:
        """Without the key, since what comes back is what it forbids."""
        if first:
            yield self.recipe.undo_step(first, self.recipe.catalog, phase="migrate")
        match self.request.action:
            case "delete" | "quarantine":
                yield archiving.bring_back(self.recipe, self.table, self.archive, unless_there=True)
                for one in self.cascades:
                    yield from one.back(self.recipe)
            case "null":
                yield archiving.put_back(self.recipe, self.table, self.archive, self.key.columns)
            case "create-parent":
                there, notes = referenced_columns(self.at, self.key), self.at.dialect.quote_name(self.archive)
                parent = self.at.dialect.quote_name(self.key.referenced)
                gone: tuple[str, ...] = (
                    (self._parents_gone(),)
                    if self.joined
                    else (
                        f"DELETE FROM {parent} WHERE ({listed(self.at, there)}) IN (SELECT {listed(self.at, there)} FROM {notes} WHERE {{rows}})",
                    )
                )
                yield archiving.emptied(
                    self.recipe,
                    self.archive,
                    there,
                    before=gone,
                    purpose=f"Remove the rows of {self.key.referenced.name} that were made for orphans, in chunks",
                    claims=row_claims(self.at, self.key.referenced),
                    phase="migrate",
                )

    def _parents_gone(self) -> str:
        parent = self.at.table(self.key.referenced)
        assert parent is not None
        there, quote = referenced_columns(self.at, self.key), self.at.dialect.quote
        own, notes = quote(parent.name.name), quote(self.archive.name)
        on = " AND ".join(f"{own}.{quote(one)} = {notes}.{quote(one)}" for one in there)
        return by_join.delete(self.at, parent, self.at.dialect.quote_name(self.archive), on, "{rows}", columns=there)
