"""The statement as it stands, under a lock timeout: right for small tables, new tables, and everything that is quick anyway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Check, Constraint, ForeignKey, Index, Unique
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterConstraint,
    AlterIdentity,
    AlterSequence,
    BaseOperation,
    ChangeColumn,
    ConvertCharset,
    CreateIndex,
    Operation,
    RawSql,
    RenameColumn,
    Select,
    SetNotNull,
    SetRowSecurity,
)
from driftflow.model.operations.identifiers import mentions
from driftflow.model.operations.keys import columns_of
from driftflow.model.operations.rules import names_in_any_case
from driftflow.model.plan import Guard, Phase, RunSql, Step
from driftflow.model.record import replace
from driftflow.strategies.base import strategy
from driftflow.strategies.children_wait import children_wait
from driftflow.strategies.columns.numbering import guard_numbers
from driftflow.strategies.constraints.constraining import guard_check, guard_duplicates, guard_nulls, guard_orphans, index_of
from driftflow.strategies.passes import in_passes
from driftflow.strategies.phases import phase_of
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.rules.json_documents import document_guards
from driftflow.strategies.size import is_new
from driftflow.strategies.spoken import as_is
from driftflow.strategies.types import offenders

NAME = "direct"


@strategy(NAME, on=BaseOperation, applies=lambda operation, at: True, rank=0, page="direct")
def direct(operation: Operation, at: Situation) -> Iterator[Step]:
    yield from statements_as_they_stand((operation,), at)


def statements_as_they_stand(operations: Sequence[Operation], at: Situation) -> Iterator[RunSql]:
    """The statement; on a large table, where the server carries out all clauses in one pass, in as many statements as serve its clauses best,
    each held to what was foretold for it."""
    if as_is(at) or transactional(operations, at):
        yield statement_as_it_stands(operations, at)
        return
    runs = in_passes(operations, at.catalog, at)
    recipe = Recipe(at, NAME)
    for run in runs:
        phase = _phase(run.operations, at)
        waits = children_wait(run, at, strategy=NAME, phase=phase)
        recipe.children_wait = waits is not None
        yield from waits.begin() if waits is not None else ()
        if run.request is None:
            yield statement_as_it_stands(operations, at, children_wait=waits is not None)
        else:
            purpose = shortened(at.dialect.render_for(run.catalog, *run.operations))
            guards = tuple(_guards(run.operations, at, run.catalog))
            step = recipe.alone(*run.operations, purpose=purpose, phase=phase, guards=guards)
            yield _strictly(step, run.operations, at, run.catalog)
        yield from waits.end() if waits is not None else ()


def _phase(operations: Sequence[Operation], at: Situation) -> Phase:
    return max((phase_of(operation, at) for operation in operations), key=("expand", "migrate", "contract").index)


def statement_as_it_stands(operations: Sequence[Operation], at: Situation, *, children_wait: bool = False) -> RunSql:
    """One statement with all of its operations (`at` is the situation of the first)."""
    recipe = Recipe(at, NAME)
    recipe.children_wait = children_wait
    whole = len(operations) == len(at.statement.operations)
    verbatim = whole and not (len(operations) > 1 and any(at.dialect.overlooks(one, at.catalog) for one in operations))
    text = at.statement.sql if verbatim else at.dialect.render_for(at.catalog, *operations)
    phase = _phase(operations, at)
    if not transactional(operations, at):
        guards = () if at.can(Capability.TRANSACTIONAL_DDL) else tuple(_guards(operations, at))
        step = recipe.alone(*operations, purpose=purpose_of(operations, at), phase=phase, statement=text, guards=guards)
        return _strictly(step, operations, at, at.catalog)
    step = recipe.change(
        *operations, purpose=purpose_of(operations, at), phase=phase, statements=(text,), guards=tuple(_guards(operations, at))
    )
    if any(_opaque(operation) for operation in operations):
        # What an opaque statement does, and for how long, only the server knows: the lock timeout protects, a time limit would only break it.
        return replace(step, statement_timeout_ms=0, claims=step.claims or _named_claims(operations))
    return step


def _strictly(step: RunSql, operations: Sequence[Operation], at: Situation, catalog: Catalog) -> RunSql:
    """What is written between the guard and the lock must fail too, and not be cut."""
    return step if as_is(at) else replace(step, settings=offenders.strictness(at, operations, catalog))


def transactional(operations: Sequence[Operation], at: Situation) -> bool:
    """Whether the server runs it inside a transaction block."""
    if any(isinstance(operation, RawSql) and operation.transactional is False for operation in operations):
        return False
    return all(at.dialect.effects(operation, at.catalog).transactional for operation in operations)


def purpose_of(operations: Sequence[Operation], at: Situation) -> str:
    """The statement's own first line, shortened: nobody says it better."""
    line = (
        " ".join(at.statement.sql.split())
        if len(operations) == len(at.statement.operations)
        else at.dialect.render_for(at.catalog, *operations)
    )
    return shortened(line)


def shortened(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= 96 else f"{line[:95]}…"


def _opaque(operation: Operation) -> bool:
    return isinstance(operation, RawSql) or (isinstance(operation, Select) and (operation.opaque or bool(operation.calls)))


def _named_claims(operations: Sequence[Operation]) -> tuple[LockClaim, ...]:
    """What a raw statement says it touches; the mode is the server's to say, so the strongest is assumed."""
    return tuple(
        LockClaim(relation=relation, mode="UNKNOWN", blocks=("reads", "writes", "ddl"), held="statement", why="not understood")
        for operation in operations
        if isinstance(operation, RawSql)
        for relation in operation.relations
    )


def _guards(operations: Sequence[Operation], at: Situation, catalog: Catalog | None = None) -> Iterator[Guard]:
    """What would make the statement fail on the rows that are there, asked before the lock is taken (on `catalog`, where that is not the
    situation's own)."""
    catalog = catalog or at.catalog
    for operation in operations:
        match operation:
            case SetNotNull(table=table, column=column) if not is_new(at, table):
                yield guard_nulls(at, table, column)
            case ChangeColumn() | ConvertCharset():
                yield from _redefined(operation, at, catalog)
            case AddConstraint(table=table, constraint=constraint) if not is_new(at, table):
                if not _reads_what_is_made(constraint, operations, catalog):
                    yield from _unfulfilled(table, constraint, at)
            case AlterConstraint(table=table, name=name, enforced=True) if not is_new(at, table):
                known = catalog.table(table)
                found = known.constraint(name) if known is not None else None
                if isinstance(found, Check | ForeignKey) and not found.enforced:
                    yield from _unfulfilled(table, replace(found, enforced=True, validated=True), at)
            case CreateIndex(index=index) if index.unique and not is_new(at, index.table) and _columns_are_there(index, catalog):
                guard = guard_duplicates(at, index)
                if guard is not None:
                    yield guard
            case AlterSequence() | AlterIdentity():
                yield from guard_numbers(at, operation)
            case SetRowSecurity(table=table, action="enable" | "force") if not is_new(at, table):
                yield guard_policies(at, operation)
            case _:
                pass


def _unfulfilled(table: Name, constraint: Constraint, at: Situation) -> Iterator[Guard]:
    match constraint:
        case Check(validated=True):
            yield guard_check(at, table, constraint)
        case ForeignKey(validated=True) if at.table(constraint.referenced) is not None:
            yield guard_orphans(at, table, constraint)
        case Unique(using_index=""):
            guard = guard_duplicates(at, index_of(table, constraint))
            if guard is not None:
                yield guard
        case _:
            pass


def _reads_what_is_made(constraint: Constraint, operations: Sequence[Operation], catalog: Catalog) -> bool:
    """Whether it is about a column that the same statement makes: there is nothing to count before, and the server looks itself."""
    made = _columns_made(operations, catalog)
    if isinstance(constraint, Check):
        return any(mentions(constraint.expression, name, any_case=names_in_any_case(catalog)) for name in made)
    return not made.isdisjoint(columns_of(constraint))


def _columns_made(operations: Sequence[Operation], catalog: Catalog) -> set[str]:
    """Names that no column of the table has before the statement."""
    found: set[str] = set()
    for operation in operations:
        match operation:
            case AddColumn(table=table, column=column) | ChangeColumn(table=table, definition=column):
                name = column.name
            case RenameColumn(table=table, to=name):
                pass
            case _:
                continue
        known = catalog.table(table)
        if known is None or known.column(name) is None:
            found.add(name)
    return found


def _redefined(operation: ChangeColumn | ConvertCharset, at: Situation, catalog: Catalog) -> Iterator[Guard]:
    if isinstance(operation, ChangeColumn) and becomes_not_null(operation, at):
        yield guard_nulls(at, operation.table, operation.column)
    if not as_is(at):
        yield from offenders.guards(at, operation, catalog)
        yield from _documents(operation, at, catalog)


def _documents(operation: ChangeColumn | ConvertCharset, at: Situation, catalog: Catalog) -> Iterator[Guard]:
    table = catalog.table(operation.table)
    if table is not None and isinstance(operation, ChangeColumn):
        for old, new in offenders.changes_of(operation, table):
            yield from document_guards(at, table, old, new.type)


def _columns_are_there(index: Index, catalog: Catalog) -> bool:
    """Not so where the same statement adds one: then there is nothing to count yet."""
    table = catalog.table(index.table)
    return table is None or all(table.column(column) is not None for column in index.columns)


def becomes_not_null(operation: ChangeColumn, at: Situation) -> bool:
    """Whether rows may hold NULL where the new definition allows none."""
    table = at.table(operation.table)
    column = table.column(operation.column) if table is not None else None
    return column is not None and column.nullable and not operation.definition.nullable and not is_new(at, operation.table)


def guard_policies(at: Situation, operation: SetRowSecurity) -> Guard:
    """Row security without a policy shows no row to anybody but the owner."""
    name = at.dialect.literal(at.dialect.quote_name(operation.table))
    return Guard(
        query=f"SELECT count(*) FROM pg_policy WHERE polrelid = {name}::regclass",
        refuse_if="zero",
        summary=f"{operation.table.name} has no policy yet: enabling row security would hide every row",
        hint="put CREATE POLICY before ENABLE ROW LEVEL SECURITY",
    )


def guards_of(operations: Sequence[Operation], at: Situation, catalog: Catalog) -> tuple[Guard, ...]:
    """What would make the operations fail on the rows that are there, for a recipe that carries them out in another way."""
    return tuple(_guards(operations, at, catalog))
