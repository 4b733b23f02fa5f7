"""From the predictions of the clauses to the effects of the statement: one algorithm, one lock, one rewrite for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from driftflow.dialects.mariadb.capabilities import ONLINE_COPY
from driftflow.dialects.mysql.capabilities import INSTANT_ADD_LAST
from driftflow.dialects.mysql.effects.grade import REBUILD, Grade, accepted, because, weakest
from driftflow.dialects.mysql.effects.partners import beside_altered
from driftflow.dialects.mysql.effects.prediction import EXCLUSIVE, SHARED_NO_WRITE, SHARED_UPGRADABLE, Prediction
from driftflow.model.effects import AcceptedAlgorithm, Effects, Held
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterPartitions,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropIndex,
    Operation,
    RenameColumn,
    RequestAlgorithm,
)


def of_statement(operations: Sequence[Operation], predictions: Sequence[Prediction]) -> tuple[Effects, ...]:
    """The effects of each operation. Clauses of ALTER TABLE share what the statement needs; other statements stand alone."""
    _refused_together(operations, predictions)
    graded = [(operation, p) for operation, p in zip(operations, predictions, strict=True) if p.grade is not None]
    if not graded:
        return tuple(p.effects() for p in predictions)
    first = graded[0][1]
    whole = _whole(graded)
    table = _table_of(graded[0][0])
    pairs = _pairs(first, whole)
    for operation in operations:
        if isinstance(operation, RequestAlgorithm):
            pairs = _kept_to(first, operation, pairs, whole)
    if table is not None and pairs:
        _carry_out(first, table, pairs[0], whole, graded)
    return tuple(p.effects(pairs if p.grade is not None else ()) for p in predictions)


def _whole(graded: Sequence[tuple[Operation, Prediction]]) -> Grade:
    """The weakest wins, but for a primary key that is replaced: dropped and added in one statement it is one rebuild in place."""
    drops = any(isinstance(one, DropConstraint) and one.name == "PRIMARY" for one, _ in graded)
    adds = any(isinstance(one, AddConstraint) and one.constraint.name == "PRIMARY" for one, _ in graded)
    grades = []
    for operation, p in graded:
        assert p.grade is not None
        if drops and adds and isinstance(operation, DropConstraint) and operation.name == "PRIMARY":
            grades.append(because(REBUILD, "the primary key is replaced"))
        else:
            grades.append(p.grade)
    whole = weakest(grades)
    first = graded[0][1]
    if whole.rebuilds and _keeps_fulltext(graded):
        # Measured: the hidden column of a FULLTEXT index makes MySQL copy, and MariaDB keep writers waiting.
        whole = replace(
            whole, inplace="SHARED" if first.mariadb and whole.inplace else "", reason="the table has a FULLTEXT index"
        )
    if whole.copy == "SHARED" and first.mariadb and first.version >= ONLINE_COPY and _copies_online(graded):
        whole = replace(whole, copy="NONE")
    return whole


def _keeps_fulltext(graded: Sequence[tuple[Operation, Prediction]]) -> bool:
    """Whether the table has a FULLTEXT index that this statement does not drop."""
    name = _table_of(graded[0][0])
    start = graded[0][1].start
    table = start.table(name) if start is not None and name is not None else None
    if table is None:
        return False
    dropped = {one.name.name for one, _ in graded if isinstance(one, DropIndex)}
    columns = {one.column for one, _ in graded if isinstance(one, DropColumn)}
    return any(
        index.method == "fulltext" and index.name.name not in dropped and not set(index.columns) <= columns
        for index in table.indexes
    )


def _refused_together(operations: Sequence[Operation], predictions: Sequence[Prediction]) -> None:
    """What only the company of other clauses makes an error."""
    renamed = {one.column for one in operations if isinstance(one, RenameColumn) and one.column != one.to}
    for operation, p in zip(operations, predictions, strict=True):
        if isinstance(operation, CreateIndex) and renamed & set(operation.index.columns):
            old = ", ".join(sorted(renamed & set(operation.index.columns)))
            p.fails("missing", f"{old} is renamed by the same statement: the index must use the new name", certain=True)


def _copies_online(graded: Sequence[tuple[Operation, Prediction]]) -> bool:
    """MariaDB 11.2 copies while writers go on, but not where rows get new numbers."""
    return not any(isinstance(one, AddColumn) and one.column.autoincrement for one, _ in graded)


def _pairs(p: Prediction, whole: Grade) -> tuple[AcceptedAlgorithm, ...]:
    return accepted(whole, mariadb=p.mariadb, names_instant=p.mariadb or p.version >= INSTANT_ADD_LAST)


def _kept_to(
    p: Prediction, request: RequestAlgorithm, pairs: tuple[AcceptedAlgorithm, ...], whole: Grade
) -> tuple[AcceptedAlgorithm, ...]:
    """The pairs that also keep to what the statement asks for. None left is an error of the server's, and a certain one."""
    order = ("NONE", "SHARED", "EXCLUSIVE")
    kept = []
    for pair in pairs:
        if request.algorithm not in {"", "DEFAULT", pair.algorithm}:
            continue
        if request.lock in order:
            if pair.algorithm == "INSTANT":
                continue  # INSTANT takes no LOCK clause but DEFAULT
            if pair.lock in order and order.index(pair.lock) > order.index(request.lock):
                continue
        kept.append(pair)
    if request.algorithm == "NOCOPY" and not p.mariadb:
        p.fails("unsupported", "ALGORITHM=NOCOPY is MariaDB's", certain=True)
    elif request.algorithm == "INSTANT" and not p.mariadb and p.version < INSTANT_ADD_LAST:
        p.fails("unsupported", f"ALGORITHM=INSTANT needs MySQL {INSTANT_ADD_LAST}", certain=True)
    elif not kept:
        asked = " ".join(
            piece
            for piece in (
                f"ALGORITHM={request.algorithm}" if request.algorithm else "",
                f"LOCK={request.lock}" if request.lock else "",
            )
            if piece
        )
        why = f": {whole.reason}" if whole.reason else ""
        p.fails("unsupported", f"the server refuses {asked} here{why}", relation=request.table, certain=True)
    if request.ignore:
        p.loses("rows that break a new unique key: ALTER IGNORE deletes them", request.table)
    return tuple(kept)


def _carry_out(
    p: Prediction, table: Name, chosen: AcceptedAlgorithm, whole: Grade, graded: Sequence[tuple[Operation, Prediction]]
) -> None:
    """The locks and the work of the pair that the server chooses by itself: the first one."""
    builds = any(isinstance(operation, CreateIndex) for operation, _ in graded)
    held: Held = "instant"
    if chosen.algorithm == "COPY":
        held = "copy"
    elif chosen.algorithm != "INSTANT":
        held = "rewrite" if chosen.rebuilds else "index_build" if builds else "instant"
    if any(isinstance(one, AlterPartitions) for one, _ in graded) and chosen.lock == "SHARED":
        held = "rewrite"
    why = whole.reason
    if held != "instant":
        mode = SHARED_NO_WRITE if chosen.lock in {"SHARED", "EXCLUSIVE"} else SHARED_UPGRADABLE
        p.lock(table, mode, held=held, why=why)
    # Every ALTER ends (INSTANT begins, too) with a moment in which nobody else may use the table.
    p.lock(table, EXCLUSIVE, held="instant", why="" if held == "instant" else "at the end, to put the new definition in place")
    beside_altered(p, table)
    if chosen.rebuilds and not whole.instant_only:
        p.does("rewrite", table, why)


def _table_of(operation: Operation) -> Name | None:
    from driftflow.dialects.mysql.render.table import table_of

    named = table_of(operation)
    if named is not None:
        return named
    name = getattr(operation, "table", None) or getattr(operation, "name", None)
    return name if isinstance(name, Name) else None
