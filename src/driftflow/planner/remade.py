"""SQLite: a table that the migration itself makes anew (CREATE, INSERT ... SELECT, DROP, RENAME), as Django, Alembic's batch mode and Prisma write every
change that ALTER TABLE does not know; or through a copy and back, as Rails does. It becomes one rebuild, in chunks where the table is large, with a way back
that keeps every row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_fields

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Column, Index, Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AlterColumnType,
    CreateIndex,
    CreateTable,
    CreateView,
    Delete,
    DropColumn,
    DropDefault,
    DropIndex,
    DropTrigger,
    DropView,
    Insert,
    Operation,
    Pragma,
    RenameTable,
    RewriteTable,
    Select,
    SetNotNull,
    SetSetting,
    TransactionControl,
    Update,
)
from driftflow.model.plan import PHASES, Guard, Irreversible, RebuildTable, Undo, UndoSteps
from driftflow.model.record import replace
from driftflow.planner.row_flow import RowFlow
from driftflow.planner.touches import touches
from driftflow.strategies import spoken
from driftflow.strategies.passes import moved
from driftflow.strategies.phases import phase_of
from driftflow.strategies.rebuild.rebuilding import STRATEGY, rebuild_as_it_was
from driftflow.strategies.rebuild.rebuilding import remade as rebuilt
from driftflow.strategies.recipe import Recipe, bounded_count

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
    members: frozenset[int] = frozenset()
    """The numbers of its statements."""
    last: int = 0
    names: frozenset[Name] = frozenset()
    """What its tables are called on the way, and in the end."""

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
    """By the number of the statement that begins it. What stands between its statements, and is not one of them, follows it."""
    if not (groups and groups[0][0].can(Capability.TABLE_REBUILD_ONLY)):
        return {}
    last = _last_reads(groups)
    found, taken = dict[int, Remade](), set[int]()
    for number in range(len(groups)):
        flow = _flow(groups, number, last) if number not in taken else None
        if flow is not None:
            found[number] = flow
            taken |= flow.members
    while apart := [number for number, one in found.items() if not _goes_first(one, groups, found)]:
        for number in apart:
            del found[number]
    return found


def _last_reads(groups: Sequence[Sequence[Situation]]) -> dict[Name, int]:
    """Of each table that is copied from or renamed, the number of the last statement that does it: a dump has thousands of others."""
    found = dict[Name, int]()
    for number, group in enumerate(groups):
        match group[0].operation:
            case Insert(reads=(source,)) | RenameTable(name=source):
                found[source] = number
            case _:
                pass
    return found


def _flow(groups: Sequence[Sequence[Situation]], first: int, last: Mapping[Name, int]) -> Remade | None:
    """The rebuild that begins with this statement: the rows of one table, carried through others, and in the end under its name again."""
    flow = RowFlow()
    match groups[first][0].operation:
        case CreateTable(table=table) if last.get(table.name, -1) > first:
            pass
        case RenameTable(name=name, renamed=renamed) if last.get(renamed, -1) > first and groups[first][0].catalog.table(name):
            pass
        case _:
            return None
    for number in range(first, len(groups)):
        group = groups[number]
        if group[0].written_in != groups[first][0].written_in:
            return None
        if flow.takes(group):
            if len(group) != 1 or _alone(group[0]):
                return None
            flow.members.append(number)
        elif flow.failed:
            return None
        if flow.finished:
            flow.members += [one for one in range(first, number) if _goes_anyway(groups[one], flow)]
            return _made(groups, flow)
    return None


def _goes_anyway(group: Sequence[Situation], flow: RowFlow) -> bool:
    """What is dropped of the old table, or made for it, goes with it."""
    at = group[0]
    match at.operation:
        case DropIndex(table=table) | DropTrigger(table=table) | CreateIndex(index=Index(table=table)) if not _alone(at):
            found = at.catalog.table(table) if table is not None else None
            return flow.old is not None and found is not None and (found.name, found.columns) == (flow.old.name, flow.old.columns)
        case _:
            return False


def _alone(at: Situation) -> bool:
    return bool(at.conflict or spoken.as_is(at) or at.statement.directives)


def _made(groups: Sequence[Sequence[Situation]], flow: RowFlow) -> Remade | None:
    old = flow.old
    assert old is not None
    at, end = groups[min(flow.members)][0], groups[max(flow.members)][0]
    new, values = moved(end.catalog, end.operation).table(old.name), flow.made[old.name]
    if new is None or values is None or old.new or new.kind != "table":
        return None
    operations = [groups[number][0].operation for number in flow.members]
    names = {operation.table.name for operation in operations if isinstance(operation, CreateTable)}
    found = _checked(at, old, replace(new, new=False, statistics=old.statistics), values)
    if found is None:
        return None
    return with_fields(found, members=frozenset(flow.members), last=max(flow.members), names=frozenset(names) | {old.name})


def _goes_first(one: Remade, groups: Sequence[Sequence[Situation]], found: Mapping[int, Remade]) -> bool:
    """Whether what stands between its statements may as well come behind them."""
    others = {number for other in found.values() if other is not one for number in other.members}
    between = [number for number in range(min(one.members), one.last) if number not in one.members and number not in others]
    made = {name for other in found.values() for name in other.names if name != other.old.name}
    if any(key.referenced in made for key in one.new.foreign_keys):
        return False
    near = {one.old.name, *one.names, *(key.referenced for table in (one.old, one.new) for key in table.foreign_keys)}
    return all(_has_nothing_to_do_with(at, one, near) for number in between for at in groups[number])


def _has_nothing_to_do_with(at: Situation, one: Remade, near: Collection[Name]) -> bool:
    operation = at.operation
    named = {path.partition("/")[0] for path in touches(operation, at.catalog)}
    made = {name.text for name in one.names if name != one.old.name}
    match operation:
        case Pragma() | TransactionControl() | SetSetting() | DropView():
            return True
        case Select() | CreateView() | CreateIndex():
            return not named & {"*", *made}
        case CreateTable():
            return not named & made
        case AddColumn(table=table):
            return table not in near and not named & made
        case Insert(table=table) | Update(table=table) | Delete(table=table):
            found = at.catalog.table(table)
            fires = found is not None and bool(found.triggers)
            cascades = any(holder.name in near for holder, _ in at.catalog.referencing(table))
            return not (fires or cascades or at.effects.unknown or named & {"*", *(name.text for name in near)})
        case _:
            return False


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
