"""RENAME COLUMN of a table in use, by two columns: triggers keep the second one equal until the old application is gone, then the names change
places and the second column goes.

The first column keeps everything that hangs on it, under either name: constraints, indexes, foreign keys and defaults follow its renames by
themselves. The second one is empty of promises: what breaks one of them is written into the first column too, and refused there.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Check, Column, ForeignKey, Index, IndexPart, NotNull, PrimaryKey, Table, Unique
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropNotNull,
    Operation,
    RenameColumn,
    SetNotNull,
)
from driftflow.model.operations.renaming import column_in_table
from driftflow.model.operations.rules import names_in_any_case
from driftflow.model.operations.table import VERSIONED
from driftflow.model.plan import Expectation, Phase, Probe, RunSql, Step, UndoNothing, UndoSteps, Verify
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.columns.column_parts import counts_up
from driftflow.strategies.columns.filling import backfill, chunk_key, row_claims
from driftflow.strategies.fitted import fit
from driftflow.strategies.phases import breaks_running_code
from driftflow.strategies.rebuild import rebuilding
from driftflow.strategies.recipe import Recipe, as_undo
from driftflow.strategies.renames import own_triggers
from driftflow.strategies.renames.dual_column_triggers import Pair
from driftflow.strategies.renames.rename_column import is_alone, nothing_else_changes
from driftflow.strategies.renames.said_rename import form_of
from driftflow.strategies.size import is_large

NAME = "dual_columns"
MARK = "driftflow: kept equal to its other name by triggers"
"""The second column's comment: by it the server says which of the two bears which name."""


def _applies(operation: RenameColumn, at: Situation) -> bool:
    """Where the author asks for it, or a view cannot do it; and no gate stands before the statement."""
    table, form = at.table(operation.table), form_of(at)
    if table is None or form == "view" or at.directives("gate") or at.conflict or not breaks_running_code(operation, at):
        return False
    if operation.only or any(condition.certain for condition in at.effects.fails_if):
        return False
    reason = why_not(operation, table, at)
    if form == "columns" and reason:
        raise RefusedError(
            "DF-E721",
            f"{operation.table.name}.{operation.column} cannot stand beside its new name as a second column",
            where=str(at.statement.span),
            why=reason,
            hint="put it behind a gate, with the old application stopped: -- driftflow: gate name=stopped",
        )
    return not reason


def why_not(operation: RenameColumn, table: Table, at: Situation) -> str:
    """What stands in the way, as a sentence; empty when nothing does."""
    column = table.column(operation.column)
    if column is None or not is_alone(table, at):
        return "the table has partitions, a parent or heirs, whose columns are renamed together"
    if not nothing_else_changes(operation, table, at):
        return "the release changes the table otherwise too: put the rename into a release of its own"
    if VERSIONED in table.options:
        return "the server keeps the history of its rows, which a second column would change"
    if column.generated is not None:
        return "it is computed by the server, so nobody writes it under either name"
    if operation.to.lower() == operation.column.lower() and names_in_any_case(at.catalog):
        return "in whatever letters, it is one name to this server"
    if any(isinstance(one, NotNull) and one.column == column.name and one.on_conflict for one in table.constraints):
        return "its NOT NULL says ON CONFLICT, and one of two names may stay empty for a while"
    if reason := own_triggers.beside_a_column(at, table, operation.column, operation.to):
        return reason
    if not chunk_key(at, table):
        return "the table has no key by which its rows could be walked"
    if at.can(Capability.TRANSACTIONAL_DDL) and not at.can(Capability.SINGLE_WRITER):
        return ""
    if counts_up(column) or (at.can(Capability.SINGLE_WRITER) and column.name in chunk_key(at, table)):
        return "the server chooses its values after triggers have looked at the row"
    cascades = [key for key in table.foreign_keys if column.name in key.columns and _writes(key)]
    if at.dialect.one_pass and cascades:
        return f"the foreign key {cascades[0].name} writes it, and what a foreign key writes fires no trigger on this server"
    return ""


def _writes(key: ForeignKey) -> bool:
    return key.on_update not in ("NO ACTION", "RESTRICT", "") or key.on_delete in ("SET NULL", "SET DEFAULT")


@strategy(NAME, on=RenameColumn, applies=_applies, rank=55, page="dual-columns")
def dual_columns(operation: RenameColumn, at: Situation) -> Iterator[Step]:
    table = at.table(operation.table)
    assert table is not None
    yield from _Rename(at, table, operation).steps()


class _Rename:
    """`old` is the column with everything that hangs on it, `new` its new name, which a second column bears until the swap."""

    def __init__(self, at: Situation, table: Table, operation: RenameColumn) -> None:
        self.at, self.table = at, table
        self.old, self.new = operation.column, operation.to
        self.recipe = Recipe(at, NAME)
        found = table.column(self.old)
        assert found is not None
        self.column = found
        self.listed = f"{table.name.name}.{self.old}"
        self.pair = Pair(at, table, self.new, self.old)
        self.swapped = column_in_table(table, self.old, self.new, any_case=names_in_any_case(at.catalog))
        # SQLite writes the new names into the triggers; elsewhere their text stays as it is.
        self.pair_after = Pair(at, self.swapped, self.old, self.new) if self.rebuilt else self.pair
        self.loosened = self.rebuilt and not found.nullable and found.default is None

    @property
    def rebuilt(self) -> bool:
        return self.at.can(Capability.TABLE_REBUILD_ONLY)

    def steps(self) -> Iterator[Step]:
        yield from self._begin()
        yield from self._end()

    # until the gate

    def _begin(self) -> Iterator[Step]:
        recipe, table = self.recipe, self.table
        if self.rebuilt and (views := self._views_that_say_it()):
            yield self._tried(views)
        yield self._loosened(recipe) if self.loosened else self._added(recipe, self.new, phase="expand")
        yield from self.pair.begin(
            recipe, phase="expand", purpose=f"Keep {self.listed} and {self.new} equal, whichever is written"
        )
        yield self._filled(recipe, self.new, self.old, phase="migrate")
        for index in self._copies(self.new):
            yield self._built(recipe, index, phase="migrate")
        yield Verify(
            **recipe.common(f"Verify that {self.new} is {self.old} in every row of {table.name.name}", "migrate"),
            expectations=(self._equal(),),
            # On SQLite it only reads, and takes no write lock.
            claims=() if self.at.can(Capability.SINGLE_WRITER) else row_claims(self.at, table.name),
            statement_timeout_ms=0,
            undo=UndoNothing(reason="it changes nothing"),
        )

    def _views_that_say_it(self) -> list[str]:
        from driftflow.dialects.sqlite.mentions import words

        return [
            view.name.name for view in self.at.catalog.dependents(self.table.name) if self.old.lower() in words(view.definition)
        ]

    def _tried(self, views: list[str]) -> Verify:
        """SQLite refuses the new name where a view over a view says the old one as that one's column: better now than behind the gate."""
        rename = RenameColumn(table=self.table.name, column=self.old, to=self.new)
        summary = f"{self.listed} can get another name under {', '.join(views)}"
        return Verify(
            **self.recipe.common(f"Try whether {summary}, and take it back", "expand"),
            expectations=(Expectation(summary=summary, setup=(self.at.dialect.render(rename),), query="SELECT 1", expect="1"),),
            claims=(
                LockClaim(relation=self.table.name, mode="EXCLUSIVE", held="instant", queues=False, why="tried, and taken back"),
            ),
            undo=UndoNothing(reason="it changes nothing"),
        )

    def _added(self, recipe: Recipe, name: str, *, phase: Phase) -> RunSql:
        """Without promises, and unseen by `*` where a column can be: who inserts without naming columns does not count it."""
        hidden = self.at.can(Capability.INVISIBLE_COLUMN)
        made = Column(
            name=name,
            type=self.column.type,
            collation=self.column.collation,
            charset=self.column.charset,
            comment=MARK if self.at.dialect.one_pass else "",
            visible=not hidden,
        )
        step = recipe.change(
            AddColumn(table=self.table.name, column=made),
            purpose=f"Add {self.table.name.name}.{name}, which is to be the same as {self._other(name)}",
            phase=phase,
        )
        gone = DropColumn(table=self.table.name, column=name)
        return replace(step, undo=UndoSteps(steps=(recipe.undo_step((gone,), recipe.catalog, phase=phase),)))

    def _other(self, name: str) -> str:
        return self.old if name == self.new else self.new

    def _filled(self, recipe: Recipe, to: str, source: str, *, phase: Phase) -> Step:
        quote, target = self.at.dialect.quote, self.at.dialect.quote(self.table.name.name)
        return backfill(
            recipe,
            recipe.catalog.table(self.table.name) or self.table,
            assignments=((to, f"{target}.{quote(source)}"),),
            predicate=f"{target}.{quote(to)} IS NULL AND {target}.{quote(source)} IS NOT NULL",
            phase=phase,
            purpose=f"Fill {self.table.name.name}.{to} from {source} in chunks",
            own=(to,),
            beside=self.pair.names,
        )

    def _copies(self, to: str) -> list[Index]:
        """Every index that holds the column, over the second one: whoever looks for a row by the other name finds it as quickly, and a unique one
        is asked for by ON CONFLICT. They bear names of their own, and go with the second column."""
        table, column = (self.table, self.old) if to == self.new else (self.swapped, self.new)
        changed = column_in_table(table, column, to, any_case=names_in_any_case(self.at.catalog))
        pairs = zip(table.indexes, changed.indexes, strict=True)
        found = [new for before, new in pairs if before != new and not before.constraint]
        found += [
            self._of_key(new)
            for before, new in zip(table.constraints, changed.constraints, strict=True)
            if before != new and isinstance(new, PrimaryKey | Unique)
        ]
        schema = self.table.name.schema
        return [
            replace(one, name=Name(schema=schema, name=fit(f"driftflow_{self.table.name.name}_{self.old}_{number}")))
            for number, one in enumerate(found, 1)
        ]

    def _of_key(self, key: PrimaryKey | Unique) -> Index:
        return Index(
            name=Name(name=""),
            table=self.table.name,
            parts=key.parts or tuple(IndexPart(column=column) for column in key.columns),
            include=key.include,
            unique=True,
            nulls_not_distinct=isinstance(key, Unique) and key.nulls_not_distinct,
        )

    def _built(self, recipe: Recipe, index: Index, *, phase: Phase) -> Step:
        purpose = f"Build an index for {index.columns[0] if index.columns else self.new}, as its other name has one"
        if self.at.can(Capability.CONCURRENT_INDEX):
            return recipe.build_index(index, purpose=purpose, phase=phase)
        return recipe.change(CreateIndex(index=index), purpose=purpose, phase=phase)

    def _equal(self) -> Expectation:
        quote, target = self.at.dialect.quote, self.at.dialect.quote_name(self.table.name)
        differ = self.pair.differ(quote(self.new), quote(self.old))
        return Expectation(
            summary=f"{self.old} and {self.new} of {self.table.name.name} are the same in every row",
            query=f"SELECT count(*) FROM (SELECT 1 FROM {target} WHERE {differ} LIMIT 1000) AS offenders",
            expect="0",
        )

    # behind it

    def _end(self) -> Iterator[Step]:
        recipe = self.recipe
        yield self._swapped()
        ended = list(
            self.pair_after.end(
                recipe, phase="contract", purpose=f"End keeping {self.listed} and {self.new} equal: nobody writes {self.old}"
            )
        )
        yield from self._with_rows_again(ended)
        if not self.at.can(Capability.CONCURRENT_INDEX):
            for index in self._copies(self.old):
                yield recipe.change(
                    DropIndex(name=index.name, table=self.table.name),
                    purpose=f"Drop the index {index.name.name}, which was for the second name",
                    phase="contract",
                )
        yield self._dropped()

    def _swapped(self) -> RunSql:
        """The column with all that hangs on it bears the new name from here on; the other one is what is left of the old name."""
        table, passing = self.table.name, fit(f"driftflow_{self.old}")
        renames: tuple[Operation, ...] = (
            RenameColumn(table=table, column=self.old, to=passing),
            RenameColumn(table=table, column=self.new, to=self.old),
            RenameColumn(table=table, column=passing, to=self.new),
        )
        back: tuple[Operation, ...] = (
            RenameColumn(table=table, column=self.new, to=passing),
            RenameColumn(table=table, column=self.old, to=self.new),
            RenameColumn(table=table, column=passing, to=self.old),
        )
        purpose = f"{self.old} and {self.new} of {table.name} change names: the column with its constraints and indexes is {self.new} from now on"
        step = self.recipe.change(*renames, purpose=purpose, phase="contract", undo=UndoNothing(reason=""))
        undone = self.recipe.undo_step(back, self.recipe.catalog, phase="contract")
        if self.at.dialect.one_pass:
            step, undone = replace(step, probe=self._marked(self.old)), replace(undone, probe=self._marked(self.new))
        return replace(step, undo=UndoSteps(steps=(undone,)))

    def _marked(self, name: str) -> Probe:
        """Both names are there before and after: which column bears the name tells whether it happened."""
        text = self.at.dialect.quote_text
        schema = text(self.table.name.schema) if self.table.name.schema else "DATABASE()"
        return Probe(
            query=(
                "SELECT CASE WHEN EXISTS (SELECT 1 FROM information_schema.COLUMNS WHERE "
                f"TABLE_SCHEMA = {schema} AND TABLE_NAME = {text(self.table.name.name)} AND COLUMN_NAME = {text(name)} "
                f"AND COLUMN_COMMENT = {text(MARK)}) THEN 'done' ELSE 'not_done' END"
            )
        )

    def _with_rows_again(self, ended: list[RunSql]) -> Iterator[Step]:
        """On the way back the triggers come first, then the rows that were written without them."""
        first, *rest = ended
        assert isinstance(first.undo, UndoSteps)
        back = Recipe(self.at, NAME)
        back.catalog = self.recipe.catalog
        more: list[Step] = [self._filled(back, self.old, self.new, phase="contract")]
        if self.at.can(Capability.CONCURRENT_INDEX):
            more += [self._built(back, index, phase="contract") for index in self._copies(self.old)]
        yield replace(first, undo=UndoSteps(steps=(*first.undo.steps, *(as_undo(step) for step in more))))
        yield from rest

    def _dropped(self) -> Step:
        """By a rebuild where the server would write the whole table in one go under its lock."""
        table, recipe, back = self.table.name, self.recipe, Recipe(self.at, NAME)
        gone = DropColumn(table=table, column=self.old)
        purpose = f"Drop {table.name}.{self.old}, the second column"
        if not self.rebuilt or not (self.loosened or is_large(self.at, table)):
            step: Step = recipe.change(gone, purpose=purpose, phase="contract", undo=UndoNothing(reason=""))
        else:
            tight: tuple[Operation, ...] = (
                DropConstraint(table=table, name=self._given().name),
                SetNotNull(table=table, column=self.new),
            )
            operations = (*(tight if self.loosened else ()), gone)
            step = replace(
                rebuilding.rebuild(recipe, operations, table=table, phase="contract", renamed=(self.old, self.new)),
                purpose=f"Rebuild {table.name}: {purpose}",
            )
        back.catalog = recipe.catalog
        again = self._loosened(back, self.new, self.old) if self.loosened else self._added(back, self.old, phase="contract")
        return replace(step, strategy=NAME, undo=UndoSteps(steps=(as_undo(again),)))

    # NOT NULL where no trigger comes before it (SQLite)

    def _loosened(self, recipe: Recipe, column: str = "", other: str = "") -> Step:
        """The old name may stay empty where the new one is given, and triggers fill it when the row is there: one of the two must be given."""
        table, column, other = self.table.name, column or self.old, other or self.new
        operations: tuple[Operation, ...] = (
            AddColumn(table=table, column=Column(name=other, type=self.column.type, collation=self.column.collation)),
            DropNotNull(table=table, column=column),
            AddConstraint(table=table, constraint=self._given()),
        )
        step = rebuilding.rebuild(
            recipe, operations, table=table, phase="contract" if column == self.new else "expand", renamed=(self.old, self.new)
        )
        return replace(step, strategy=NAME)

    def _given(self) -> Check:
        quote = self.at.dialect.quote
        expression = f"{quote(self.old)} IS NOT NULL OR {quote(self.new)} IS NOT NULL"
        return Check(name=fit(f"driftflow_{self.table.name.name}_{self.old}_given"), expression=expression)
