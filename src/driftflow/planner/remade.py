"""SQLite: a table that the migration itself makes anew (CREATE, INSERT ... SELECT, DROP, RENAME), as Django, Alembic's batch mode and Prisma write every
change that ALTER TABLE does not know. It becomes one rebuild, in chunks where the table is large, with a way back that keeps every row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.dialects.sqlite.copied import copied_values
from driftflow.model.catalog import Catalog, Column, Table
from driftflow.model.operations import (
    AddColumn,
    AlterColumnType,
    CreateTable,
    DropColumn,
    DropDefault,
    DropTable,
    Insert,
    Operation,
    RenameTable,
    RewriteTable,
    SetNotNull,
)
from driftflow.model.plan import PHASES, Guard, Irreversible, RebuildTable, Undo, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.passes import moved
from driftflow.strategies.phases import phase_of
from driftflow.strategies.rebuild.rebuilding import STRATEGY, rebuild_as_it_was
from driftflow.strategies.rebuild.rebuilding import remade as rebuilt
from driftflow.strategies.recipe import Recipe, bounded_count

STATEMENTS = 4
REMADE = "table_made_anew"
"""Of its draft: what the author wrote as one table is merged with no other rebuild."""


@dataclass(frozen=True)
class Remade:
    """A table as it was and as it will be, and what each column gets from a row of the old one."""

    at: Situation
    old: Table
    new: Table
    values: Mapping[str, str]
    situations: tuple[Situation, ...]
    """What is changed, said as ALTER TABLE would: what running code has to bear."""

    def step(self) -> RebuildTable:
        recipe = Recipe(self.at, STRATEGY)
        phase = max((phase_of(one.operation, one) for one in self.situations), key=PHASES.index)
        after = self.at.catalog.with_table(self.new)
        guards = tuple(self._guards())
        undo = self._undo(after)
        return rebuilt(recipe, after, self.old.name, phase=phase, expressions=self.values, guards=guards, undo=undo)

    def _guards(self) -> Iterator[Guard]:
        """Rows that the new form would reject stop the copy: better before it begins."""
        target = self.at.dialect.quote_name(self.old.name)
        for column in self.new.columns:
            value = self.values.get(column.name)
            was = self.old.column(column.name)
            known = value is None or (was is not None and not was.nullable and value == self.at.dialect.quote(was.name))
            if column.nullable or known:
                continue
            yield Guard(
                query=bounded_count(f"SELECT 1 FROM {target} WHERE ({value}) IS NULL"),
                summary=f"{{count}} rows of {self.old.name.name} have no {column.name}, which is to be NOT NULL",
                hint="let the SELECT of the migration name a value for them",
            )

    def _undo(self, after: Catalog) -> Undo:
        """A rebuild back. A column that only got another name keeps its values; what is dropped, or was written over, is lost."""
        quote, name = self.at.dialect.quote, self.old.name
        by_value = {value: column for column, value in self.values.items()}
        values, gone, changed = dict[str, str](), list[Column](), list[str]()
        for column in self.old.columns:
            bare = quote(column.name)
            if bare in by_value:
                values[column.name] = quote(by_value[bare])
            elif self.new.column(column.name) is None:
                gone.append(column)
                values[column.name] = column.default or "NULL"
            else:
                changed.append(column.name)
        needed = any(not one.nullable and one.default is None for one in gone)
        as_it_was = rebuild_as_it_was(self.at, after, self.at.catalog, name, phase="migrate", expressions=values)
        back = () if needed else (as_it_was,)
        if not (gone or changed):
            return UndoSteps(steps=back)
        reasons = [f"the values of {name}.{one.name} are gone with the column" for one in gone]
        reasons += [f"the values of {name}.{one} before it are not kept" for one in changed]
        only = f"drop_column {name}.{gone[0].name}" if len(gone) == 1 and not changed else f"rebuild_table {name}"
        return Irreversible(reason="; ".join(reasons), name=only, steps=back)


def all_remade(groups: Sequence[Sequence[Situation]]) -> dict[int, Remade]:
    """By the number of the statement that begins it. Each of the others goes on from what the one before it left."""
    if not (groups and groups[0][0].can(Capability.TABLE_REBUILD_ONLY)):
        return {}
    found = ((number, _remade(groups[number : number + STATEMENTS])) for number in range(len(groups)))
    return {number: one for number, one in found if one is not None}


def _remade(groups: Sequence[Sequence[Situation]]) -> Remade | None:
    """What the four statements do together, where that is it."""
    if len(groups) < STATEMENTS or any(len(group) != 1 for group in groups):
        return None
    at, filled, dropped, renamed = (group[0] for group in groups)
    if any(_alone(one, at) for one in (at, filled, dropped, renamed)):
        return None
    match at.operation, filled.operation, dropped.operation, renamed.operation:
        case (
            CreateTable(table=table, if_not_exists=False, like=()),
            Insert(table=copy, reads=(source,), on_conflict="") as insert,
            DropTable(name=name),
            RenameTable() as rename,
        ) if table.name == copy == rename.name and source == name == rename.renamed:
            old = at.catalog.table(name)
            new = moved(renamed.catalog, rename).table(name)
            values = copied_values(insert.sql)
            if old is None or new is None or values is None or old.new or at.catalog.table(table.name) is not None:
                return None
            return _checked(at, old, replace(new, new=False, statistics=old.statistics), values)
        case _:
            return None


def _alone(one: Situation, first: Situation) -> bool:
    other = (one.migration.source, one.migration.id) != (first.migration.source, first.migration.id)
    return other or bool(one.conflict or spoken.as_is(one) or one.statement.directives)


def _checked(at: Situation, old: Table, new: Table, values: Mapping[str, str]) -> Remade | None:
    """None where a column would be copied that the migration does not copy, or a bare name is no column of the old table."""
    quote = at.dialect.quote
    names = {quote(column.name) for column in old.columns}
    if any(old.column(column.name) is not None and column.name not in values for column in new.columns):
        return None
    if any(
        new.column(column) is None or (value[:1] in ('"', "`", "[") and value not in names) for column, value in values.items()
    ):
        return None
    situations = tuple(replace(at, operation=one, predicted=None) for one in _changes(old, new))
    return Remade(at=at, old=old, new=new, values=values, situations=situations)


def _changes(old: Table, new: Table) -> list[Operation]:
    found: list[Operation] = [DropColumn(table=old.name, column=one.name) for one in old.columns if new.column(one.name) is None]
    for column in new.columns:
        was = old.column(column.name)
        if was is None:
            found.append(AddColumn(table=old.name, column=column))
            continue
        if was.type != column.type:
            found.append(AlterColumnType(table=old.name, column=column.name, type=column.type))
        if was.nullable and not column.nullable:
            found.append(SetNotNull(table=old.name, column=column.name))
        if was.default is not None and column.default is None and not column.nullable:
            found.append(DropDefault(table=old.name, column=column.name))
    # Another key, constraint or default: running code does not notice.
    return found or [RewriteTable(table=old.name, action="vacuum_full")]
