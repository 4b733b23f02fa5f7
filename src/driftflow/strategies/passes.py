"""MySQL and MariaDB: which clauses of an ALTER TABLE share a pass, and the ALGORITHM and LOCK that each pass is held to.

One pass carries out all clauses of a statement, and the weakest clause decides for all of them. So what the dictionary alone can do stands
apart, and what reads or writes the whole table stands together: that is done once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, structure
from driftflow.model.effects import Effects
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    CatalogConflict,
    ChangeColumn,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropIndex,
    Operation,
    RequestAlgorithm,
)
from driftflow.strategies.beside_at_run import catalogs_at_run
from driftflow.strategies.size import is_large

INSTANT, ONLINE, BLOCKING = range(3)


@dataclass(frozen=True)
class Pass:
    """The clauses of one statement, the catalog that it finds, and what it is held to (None: the server is left to choose)."""

    operations: tuple[Operation, ...]
    catalog: Catalog
    effects: tuple[Effects, ...]
    request: RequestAlgorithm | None

    @property
    def said(self) -> str:
        """The request as a reader of the plan is told; empty without one."""
        if self.request is None:
            return ""
        words = f"ALGORITHM={self.request.algorithm}" + (f", LOCK={self.request.lock}" if self.request.lock else "")
        match _rank(self.request):
            case 0:
                return f"{words}, or the server refuses"
            case 1 if self.request.algorithm == "COPY":
                return f"{words}: the table is copied while writers go on, or the server refuses"
            case 1 if any(effects.rewrites for effects in self.effects):
                return f"{words}: the table is written anew while writers go on, or the server refuses"
            case 1:
                return f"{words}, or the server refuses"
            case _:
                return f"{words}: writers wait until it is done"


def one_pass(operations: Sequence[Operation], catalog: Catalog, at: Situation) -> Pass:
    """All of them in one statement; on a large table held to the best that the server accepts for it, whatever else the table has by the time it runs."""
    found = _one_pass(operations, catalog, at)
    for other in catalogs_at_run(operations, catalog, at) if found.request is not None else ():
        beside = _one_pass(operations, other, at)
        if _weakness(beside.request) > _weakness(found.request):
            found = Pass(found.operations, catalog, beside.effects, beside.request)
    return found


ALGORITHMS = ("INSTANT", "NOCOPY", "INPLACE", "COPY")
LOCKS = ("", "DEFAULT", "NONE", "SHARED", "EXCLUSIVE")


def _weakness(request: RequestAlgorithm | None) -> tuple[int, int]:
    if request is None:
        return -1, -1
    return LOCKS.index(request.lock), ALGORITHMS.index(request.algorithm)


def _one_pass(operations: Sequence[Operation], catalog: Catalog, at: Situation) -> Pass:
    effects = at.dialect.together(operations, catalogs(operations, catalog))
    asks = any(isinstance(operation, RequestAlgorithm) for operation in operations)
    request = None if asks else at.dialect.held_to(operations, effects[0], catalog)
    if request is not None and not is_large(at, request.table):
        request = None
    return Pass(tuple(operations), catalog, effects, request)


def in_passes(operations: Sequence[Operation], catalog: Catalog, at: Situation) -> list[Pass]:
    """The statement, in as few passes as leave every clause the best algorithm that it can have. The end is the same table, or it stays whole.

    What the author says about ALGORITHM or LOCK stands, and keeps the clauses together; how long to wait is the plan's to say.
    """
    asked = [one for one in operations if isinstance(one, RequestAlgorithm)]
    if any(one.algorithm or one.lock or one.ignore for one in asked):
        return [one_pass(operations, catalog, at)]
    clauses = [one for one in operations if not isinstance(one, RequestAlgorithm)]
    whole = one_pass(clauses or operations, catalog, at)
    if len(clauses) < 2 or whole.request is None or replaces(clauses) or whole.request.algorithm == "INSTANT":
        return [whole]
    ranks = [_rank_alone(one, before, at) for one, before in zip(clauses, catalogs(clauses, catalog), strict=True)]
    kinds = sorted({rank for rank in ranks if rank is not None})
    if None in ranks or len(kinds) < 2:
        return [whole]
    for order in permutations(kinds):
        groups = [[one for one, rank in zip(clauses, ranks, strict=True) if rank == kind] for kind in order]
        found = _one_after_the_other(groups, catalog, at)
        if found is not None and _same_end(found, whole, clauses):
            return found
    return [whole]


def catalogs(operations: Sequence[Operation], catalog: Catalog) -> list[Catalog]:
    """What each of them finds."""
    found = []
    for operation in operations:
        found.append(catalog)
        catalog = moved(catalog, operation)
    return found


def moved(catalog: Catalog, operation: Operation) -> Catalog:
    """The catalog after the operation; the same one where it is known only in part (planning from files alone)."""
    try:
        return catalog.after(operation)
    except CatalogConflict:
        return catalog


def replaces(operations: Sequence[Operation]) -> bool:
    """Whether something is taken away and something of its kind put in its place: between two statements there would be neither."""
    goes = {_kind(one) for one in operations if isinstance(one, DropConstraint | DropIndex | DropColumn)}
    comes = {_kind(one) for one in operations if isinstance(one, AddConstraint | CreateIndex | AddColumn)}
    dropped = {one.column for one in operations if isinstance(one, DropColumn)}
    again = dropped & {one.column.name for one in operations if isinstance(one, AddColumn)}
    return bool((goes & comes) - {"column"}) or bool(again) or any(_counts(one) for one in operations)


def _counts(operation: Operation) -> bool:
    """AUTO_INCREMENT: one column of a table may have it, and must be a key, so it moves in one statement."""
    match operation:
        case AddColumn(column=column) | ChangeColumn(definition=column):
            return column.autoincrement
        case _:
            return False


def _kind(operation: Operation) -> str:
    return "column" if isinstance(operation, DropColumn | AddColumn) else "key"


def _rank_alone(operation: Operation, catalog: Catalog, at: Situation) -> int | None:
    """None where it cannot stand alone."""
    alone = one_pass((operation,), catalog, at)
    return None if alone.request is None else _rank(alone.request)


def _rank(request: RequestAlgorithm) -> int:
    if request.algorithm == "INSTANT":
        return INSTANT
    return ONLINE if request.lock == "NONE" else BLOCKING


def _one_after_the_other(groups: Sequence[Sequence[Operation]], catalog: Catalog, at: Situation) -> list[Pass] | None:
    """None where a statement of it would fail, or none of its own is accepted."""
    found = []
    for group in groups:
        one = one_pass(group, catalog, at)
        if one.request is None or any(condition.certain for effects in one.effects for condition in effects.fails_if):
            return None
        found.append(one)
        try:
            for operation in group:
                catalog = catalog.after(operation)
        except CatalogConflict:
            return None
    return found


def _same_end(found: Sequence[Pass], whole: Pass, clauses: Sequence[Operation]) -> bool:
    table = _table(clauses[0])
    ends = []
    for one in (found[-1], whole):
        catalog = one.catalog
        for operation in one.operations:
            catalog = moved(catalog, operation)
        after = catalog.table(table) if table is not None else None
        ends.append(structure(after) if after is not None else None)
    return ends[0] is not None and ends[0] == ends[1]


def _table(operation: Operation) -> Name | None:
    if isinstance(operation, CreateIndex):
        return operation.index.table
    named = getattr(operation, "table", None)
    return named if isinstance(named, Name) else None
