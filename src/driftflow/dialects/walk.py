"""Walk migrations in order, as their own tool would run them, and say for each operation where it stands.

Checks and the planner see the same walk, so both know the same things: which transaction a statement is in, what was done before it,
what the catalog looks like when it runs. Pure: nothing is asked of a server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import zip_longest
from pathlib import Path

from driftflow.config import Policy
from driftflow.dialects.base import Capability, Dialect
from driftflow.dialects.situation import File, Situation, Transaction
from driftflow.model import record
from driftflow.model.catalog import Catalog, Check, Table
from driftflow.model.migration import Migration, Statement
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddConstraint,
    AlterColumnType,
    CatalogConflict,
    CreateTable,
    CreateTableAs,
    CreateView,
    DropColumn,
    DropConstraint,
    Insert,
    Operation,
    Pragma,
    RawSql,
    RenameTable,
    Select,
    SetSetting,
    TransactionControl,
)
from driftflow.model.record import LocalState, field


class _Open(LocalState):
    """What the walk remembers of the transaction that it is in."""

    told: Transaction
    before: Catalog
    savepoints: dict[str, Catalog] = field(default_factory=dict)
    local: dict[str, str | None] = field(default_factory=dict)
    """Settings that SET LOCAL changed, as they were before."""
    implicit: bool = False
    """Opened by the tool, not by a BEGIN in the file."""
    parts: list[Transaction] = field(default_factory=list)
    """What it is called in earlier files: of a transaction over several each file has a number of its own, for the planner cuts by file."""


def situations(
    migrations: Sequence[Migration],
    *,
    catalog: Catalog,
    dialect: Dialect,
    policy: Policy,
    folder: Path = Path(),
    inputs: Mapping[str, str] | None = None,
) -> Iterator[Situation]:
    """Every operation of the (parsed) migrations, resolved, with its effects, in the order in which the tool would run them.

    An operation that cannot apply carries the reason in `conflict` and leaves the catalog as it is. The walk ends before the first
    situation is handed out, for each one also knows how its transaction and the whole release end.
    """
    walk = _Walk(catalog=catalog.in_versions(), dialect=dialect, policy=policy, folder=folder, inputs=dict(inputs or {}))
    walk.path = catalog.search_path
    walk.transactional = dialect.can(Capability.TRANSACTIONAL_DDL, catalog.version)
    for migration, following in zip_longest(migrations, migrations[1:]):
        walk.migration(migration, following=following)
    final = walk.catalog.detached()
    for situation in walk.found:
        situation.final, situation.start = final, catalog
        yield situation


def end_of(situation: Situation) -> Catalog:
    """The catalog as the transaction of this operation leaves it."""
    return situation.committed or situation.catalog


class _Walk(LocalState):
    catalog: Catalog
    dialect: Dialect
    policy: Policy
    folder: Path
    inputs: dict[str, str]
    found: list[Situation] = field(default_factory=list)
    number: int = 0
    path: tuple[str, ...] = ()
    """The search_path of a session in which nothing was set."""
    transactional: bool = True
    """Whether DDL takes part in transactions. Only where it does not are effects of interest to the walk itself."""
    open: _Open | None = None
    over: bool = False
    """Whether a transaction over several files ended before the last of them."""
    file: File = field(default_factory=File)
    copies: dict[Name, Table] = field(default_factory=dict)
    """Tables of this release that hold another one's rows: should they take its name, they take its age and its size too."""

    def migration(self, migration: Migration, *, following: Migration | None = None) -> None:
        wrapped = migration.transaction == "single" or (
            migration.transaction == "implicit" and len([s for s in migration.statements if s.operations]) > 1
        )
        self.file = File()
        self._first_path()
        if wrapped and self.open is not None:
            self._continue(self.open)
        elif wrapped and not self.over:
            self._begin(block=True, implicit=True)
        for statement in migration.statements:
            self._statement(migration, statement)
        goes_on = _goes_on(migration, following)
        self.over = goes_on and self.open is None  # the server committed in between: the tool's transaction is no more
        if self.open is not None and not (goes_on and self.open.implicit):
            self._end()

    def _statement(self, migration: Migration, statement: Statement) -> None:
        alone = self.open is None
        if alone:
            self._begin(block=False)
        first = len(self.found)
        for index, operation in enumerate(statement.operations):
            self._operation(migration, statement, index, operation)
        if self.dialect.clauses_matter and len(statement.operations) > 1:
            self._together(first)
            self._restore(first)
        if alone and self.open is not None and not self.open.told.block:
            self._end()

    def _operation(self, migration: Migration, statement: Statement, index: int, operation: Operation) -> None:
        assert self.open is not None
        resolved, after, conflict = self._apply(as_said(statement, operation))
        if self._kept_by_trigger(statement, resolved):
            after = self.catalog
        block = self.open.told
        at = Situation(
            dialect=self.dialect,
            catalog=self.catalog,
            migration=migration,
            statement=statement,
            operation=resolved,
            index=index,
            policy=self.policy,
            block=block,
            position=len(block.situations),
            file=self.file,
            place=len(self.file.situations),
            folder=self.folder,
            inputs=self.inputs,
            conflict=conflict,
        )
        self.found.append(at)
        block.situations.append(at)
        self.file.situations.append(at)
        self.catalog = after
        last = index == len(statement.operations) - 1
        if block.block and last and not self.transactional and at.effects.implicit_commit:
            self._end()  # the server commits: what comes next in the file is outside any transaction
        match resolved:
            case Select(opaque=True) | RawSql():
                # A DO block may have made what a later statement names: from here on, what is not in the catalog may still exist.
                self.catalog = record.replace(self.catalog, complete=False)
            case TransactionControl():
                self._control(resolved)
            case SetSetting():
                self._set(resolved.name.lower(), resolved.value, local=resolved.local)
            case Pragma():
                self._pragma(resolved)
            case Insert(table=table, reads=(source,)):
                self._copy(table, source)
            case RenameTable() if resolved.name in self.copies and not conflict:
                self._take_place(self.copies.pop(resolved.name), resolved.renamed)
            case _:
                pass

    def _kept_by_trigger(self, statement: Statement, operation: Operation) -> bool:
        """A CHECK before which the author wrote `-- driftflow: rule`: a trigger stands in its place, so a table that is made anew has no such CHECK (SQLite)."""
        rule = any(directive.verb == "rule" for directive in statement.directives)
        check = isinstance(operation, AddConstraint) and isinstance(operation.constraint, Check)
        return rule and check and self.dialect.can(Capability.TABLE_REBUILD_ONLY, self.catalog.version)

    def _copy(self, table: Name, source: Name) -> None:
        copy, old = self.catalog.table(table), self.catalog.table(source)
        if copy is not None and copy.new and old is not None and not old.new:
            self.copies[table] = old

    def _take_place(self, old: Table, renamed: Name) -> None:
        """What running code knows by its name, and what holds as many rows as before, is no new table."""
        table = self.catalog.table(renamed)
        if table is not None and renamed == old.name:
            self.catalog = self.catalog.with_table(record.replace(table, new=False, statistics=old.statistics))

    def _together(self, first: int) -> None:
        """What the clauses of one statement do is the statement's to say, once all of them are known. Its transaction remembers that."""
        clauses = self.found[first:]
        for at in clauses:
            at.clauses, at.predicted = clauses, None

    def _restore(self, first: int) -> None:
        """What SET STATEMENT said holds no longer."""
        for at in reversed(self.found[first:]):
            if isinstance(at.operation, SetSetting) and at.operation.for_statement:
                self._set(at.operation.name, at.catalog.settings.get(at.operation.name))

    def _apply(self, operation: Operation) -> tuple[Operation, Catalog, str]:
        """(resolved, catalog afterwards, why it cannot apply)."""
        try:
            operation = self.dialect.resolve(operation, self.catalog)
            after = self.catalog.after(operation)
        except CatalogConflict as conflict:
            if (planned := _as_planned(operation, self.catalog)) is not None:
                return operation, planned, str(conflict)
            return operation, self.catalog, "" if self._merely_unknown(operation) else str(conflict)
        return operation, self._mark_new(operation, after), ""

    def _merely_unknown(self, operation: Operation) -> bool:
        """In a catalog built from files alone, a relation that is not there may still exist: that is no conflict."""
        if self.catalog.complete:
            return False
        wanted = relations_of(operation)
        known = (self.catalog.tables, self.catalog.views, self.catalog.sequences, self.catalog.types)
        return not wanted or any(all(name.text not in kind for kind in known) for name in wanted)

    def _mark_new(self, operation: Operation, after: Catalog) -> Catalog:
        name = (
            operation.table.name
            if isinstance(operation, CreateTable)
            else operation.name
            if isinstance(operation, CreateTableAs)
            else None
        )
        table = after.table(name) if name is not None else None
        if name is None or table is None or table.new or self.catalog.table(name) is not None:
            return after
        return after.with_table(record.replace(table, new=True))

    # transactions

    def _begin(self, *, block: bool, implicit: bool = False) -> None:
        self.number += 1
        self.open = _Open(Transaction(number=self.number, block=block), self.catalog, implicit=implicit)

    def _continue(self, open: _Open) -> None:
        """The same transaction in the next file: what was done before it, and the locks, are still there."""
        self.number += 1
        open.parts.append(open.told)
        open.told = Transaction(number=self.number, block=True, situations=open.told.situations)

    def _end(self, *, rolled_back: bool = False) -> None:
        assert self.open is not None
        if rolled_back:
            self.catalog = self.open.before
        for name, value in self.open.local.items():
            self._set(name, value)
        for part in (*self.open.parts, self.open.told):
            part.committed = self.catalog
        self.open = None

    def _control(self, operation: TransactionControl) -> None:
        assert self.open is not None
        name = operation.sql.split()[-1].lower()
        match operation.action:
            case "begin":
                if not self.open.told.block:  # a BEGIN inside a transaction is a warning and changes nothing
                    self._end()
                    self._begin(block=True)
            case "commit" | "prepare":
                self._end()
            case "rollback":
                self._end(rolled_back=True)
            case "savepoint":
                self.open.savepoints[name] = self.catalog
            case "rollback_to":
                self.catalog = self.open.savepoints.get(name, self.catalog)
            case "release":
                pass

    # settings

    def _set(self, name: str, value: str | None, *, local: bool = False) -> None:
        """Session settings that predictions read (time zone, search_path, foreign_keys) follow the migration's own SET."""
        before = next((value for key, value in self.catalog.settings.items() if key.lower() == name), None)
        if local and self.open is not None and self.open.told.block:
            self.open.local.setdefault(name, before)
        elif local:
            return  # SET LOCAL outside a transaction does nothing
        settings = {key: kept for key, kept in self.catalog.settings.items() if key.lower() != name}  # a server says TimeZone
        if value is not None:
            settings[name] = value
        self.catalog = record.replace(self.catalog, settings=settings)
        if value is None and name in ("search_path", "all"):
            self._first_path()
        if name == "search_path" and value:
            path = tuple(part.strip().strip("\"'") for part in value.split(","))
            self.catalog = record.replace(
                self.catalog, search_path=tuple(part for part in path if part and not part.startswith("$"))
            )

    def _first_path(self) -> None:
        """Where names are looked up as long as no statement has said it: after RESET, and in the next migration, for a SET ends with its own."""
        if self.catalog.search_path != self.path:
            self.catalog = record.replace(self.catalog, search_path=self.path)

    def _pragma(self, operation: Pragma) -> None:
        if operation.value is None:
            return
        inside = self.open is not None and self.open.told.block
        if operation.name.lower() == "foreign_keys" and inside:
            return  # silently ignored inside a transaction (SQLite)
        if self.dialect.can(Capability.SINGLE_WRITER):
            self._set(operation.name.lower(), operation.value)


def as_said(statement: Statement, operation: Operation) -> Operation:
    """A DROP COLUMN before which the author wrote `-- driftflow: cascade` takes along what depends on the column."""
    if isinstance(operation, DropColumn) and any(directive.verb == "cascade" for directive in statement.directives):
        return record.replace(operation, cascade=True)
    return operation


def _as_planned(operation: Operation, catalog: Catalog) -> Catalog | None:
    """What a plan makes of a statement that the server refuses for nothing but views, or foreign keys on a primary key: they are dropped and made
    again around it."""
    try:
        match operation:
            case AlterColumnType() | CreateView():
                return record.replace(operation, views_again=True).after(catalog)
            case DropConstraint(cascade=False):
                return record.replace(operation, keys_again=True).after(catalog)
            case _:
                return None
    except CatalogConflict:
        return None


def _goes_on(migration: Migration, following: Migration | None) -> bool:
    """Whether the tool keeps its transaction open for the next file."""
    return (
        following is not None
        and migration.together
        and following.together
        and migration.transaction == following.transaction == "single"
        and migration.source == following.source
    )


def relations_of(operation: Operation) -> tuple[Name, ...]:
    """The existing relations that the operation names as its target."""
    names, holders = _targets(type(operation))
    found = [name for key in names if isinstance(name := getattr(operation, key), Name)]
    found += [holder.table for key in holders if (holder := getattr(operation, key)) is not None]
    return tuple(found)


@cache
def _targets(kind: type[Operation]) -> tuple[list[str], list[str]]:
    """The fields that hold a target, and those that hold what stands on one."""
    fields = kind.__struct_fields__
    return [key for key in ("table", "name", "partition") if key in fields], [
        key for key in ("index", "policy", "trigger") if key in fields
    ]
