"""From the predictions of the clauses to the effects of the statement: one algorithm, one lock, one rewrite for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from driftflow.dialects.mariadb.capabilities import OLDEST, ONLINE_COPY
from driftflow.dialects.mysql.capabilities import INSTANT_ADD_LAST
from driftflow.dialects.mysql.effects.clustered import without_primary
from driftflow.dialects.mysql.effects.column import calls_sequence
from driftflow.dialects.mysql.effects.company import refuse_together, with_fulltext, with_option, with_spatial
from driftflow.dialects.mysql.effects.engine import with_engine
from driftflow.dialects.mysql.effects.grade import INSTANT, REBUILD, Grade, accepted, because, weakest
from driftflow.dialects.mysql.effects.partners import beside_altered, beside_copied
from driftflow.dialects.mysql.effects.prediction import EXCLUSIVE, SHARED_NO_WRITE, SHARED_UPGRADABLE, Prediction
from driftflow.dialects.mysql.effects.sizes import refuse_too_large
from driftflow.dialects.mysql.effects.virtual import with_functional, with_virtual, with_virtual_order
from driftflow.dialects.mysql.render.table import table_of
from driftflow.model.catalog import Catalog, PrimaryKey, Table
from driftflow.model.effects import AcceptedAlgorithm, Effects, Held
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterPartitions,
    CatalogConflict,
    ChangeColumn,
    ConvertCharset,
    CreateIndex,
    CreateTable,
    DropConstraint,
    Operation,
    RequestAlgorithm,
    RewriteTable,
)


def of_statement(operations: Sequence[Operation], predictions: Sequence[Prediction]) -> tuple[Effects, ...]:
    """The effects of each operation. Clauses of ALTER TABLE share what the statement needs; other statements stand alone."""
    after = _after(operations, predictions)
    refuse_together(operations, predictions, after)
    refuse_too_large(predictions, _shaped(operations), after)
    graded = [(operation, p) for operation, p in zip(operations, predictions, strict=True) if p.grade is not None]
    if not graded:
        return tuple(p.effects() for p in predictions)
    first = graded[0][1]
    whole = _whole(graded, after)
    if any(isinstance(one, RequestAlgorithm) and one.ignore for one in operations):
        first.needs(None, OLDEST, "ALTER IGNORE")
        whole = _ignoring(operations, whole)
        _takes_all_rows(predictions)
    table = _table_of(graded[0][0])
    pairs = _pairs(first, whole)
    for operation in operations:
        if isinstance(operation, RequestAlgorithm):
            pairs = _kept_to(first, operation, pairs, whole)
    if table is not None and pairs:
        _carry_out(first, table, pairs[0], whole, graded)
    return tuple(p.effects(pairs if p.grade is not None else ()) for p in predictions)


def _shaped(operations: Sequence[Operation]) -> Name | None:
    """The table that gets columns or keys."""
    for operation in operations:
        match operation:
            case CreateTable():
                return operation.table.name
            case AddColumn() | ChangeColumn() | AddConstraint() | ConvertCharset() | RewriteTable():
                return operation.table
            case CreateIndex():
                return operation.index.table
            case _:
                pass
    return None


def _after(operations: Sequence[Operation], predictions: Sequence[Prediction]) -> Catalog | None:
    """The catalog as the statement leaves it; None where it does not apply."""
    if not operations:
        return None
    try:
        return operations[-1].after(predictions[-1].catalog)
    except CatalogConflict:
        return None


def _whole(graded: Sequence[tuple[Operation, Prediction]], after: Catalog | None) -> Grade:
    """The weakest wins, but for a primary key that is replaced: dropped and added in one statement it is one rebuild in place."""
    first = graded[0][1]
    name = _table_of(graded[0][0])
    table = first.start.table(name) if first.start is not None and name is not None else None
    end = after.table(name) if after is not None and name is not None else None
    drops = any(isinstance(one, DropConstraint) and one.name == "PRIMARY" for one, _ in graded)
    adds = any(isinstance(one, AddConstraint) and one.constraint.name == "PRIMARY" for one, _ in graded)
    grades = []
    for operation, p in graded:
        assert p.grade is not None
        if drops and adds and isinstance(operation, DropConstraint) and operation.name == "PRIMARY":
            grades.append(INSTANT if _same_key(graded) else because(REBUILD, "the primary key is replaced"))
        elif (
            drops
            and adds
            and isinstance(operation, AddConstraint)
            and operation.constraint.name == "PRIMARY"
            and _same_key(graded)
        ):
            grades.append(INSTANT)
        elif drops and not adds and table is not None and end is not None:
            grades.append(without_primary(operation, table, end, mariadb=first.mariadb) or p.grade)
        else:
            grades.append(p.grade)
    whole = weakest(grades)
    for company in (with_fulltext, with_spatial, with_virtual, with_functional, with_option, with_engine):
        whole = company(graded, table, whole)
    whole = with_virtual_order(graded, table, end, whole)
    other_key = drops and not (adds and _same_key(graded) and whole.inplace)
    if other_key and table is not None and table.partitioning is not None and first.mariadb:
        # MariaDB before 11.2 does not look at ALGORITHM here (measured on 10.11).
        whole = replace(whole, inplace="", unchecked=first.version < ONLINE_COPY)
    if whole.copy == "SHARED" and first.mariadb and first.version >= ONLINE_COPY and _copies_online(graded, table):
        whole = replace(whole, copy="NONE")
    return whole


def _ignoring(operations: Sequence[Operation], whole: Grade) -> Grade:
    """ALTER IGNORE: rows that a new unique key refuses are left behind by a copy, and never while somebody writes (measured on 10.11 and 11.8)."""
    if any(isinstance(one, CreateIndex) and one.index.unique for one in operations):
        whole = replace(whole, instant=False, inplace="", reason="ALTER IGNORE leaves rows behind by copying the others")
    return replace(whole, copy=whole.copy and "SHARED")


def _takes_all_rows(predictions: Sequence[Prediction]) -> None:
    """ALTER IGNORE fails neither on equal keys nor on NULL."""
    for p in predictions:
        nulls = [one for one in p.conditions if one.kind == "nulls"]
        for one in nulls:
            p.loses(f"{one.summary}, which ALTER IGNORE makes the type's first value", one.relation)
        p.conditions = [one for one in p.conditions if one.kind not in {"nulls", "duplicates"}]


def _same_key(graded: Sequence[tuple[Operation, Prediction]]) -> bool:
    """Whether the primary key that is added is the one that is dropped: then nothing happens."""
    start = graded[0][1].start
    added = next(one for one, _ in graded if isinstance(one, AddConstraint) and isinstance(one.constraint, PrimaryKey))
    table = start.table(added.table) if start is not None else None
    key = table.primary_key if table is not None else None
    return key is not None and isinstance(added.constraint, PrimaryKey) and key.columns == added.constraint.columns


CHANGING = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


def _copies_online(graded: Sequence[tuple[Operation, Prediction]], table: Table | None) -> bool:
    """MariaDB 11.2 copies while writers go on, but not where rows get new numbers, lose their history, draw from a sequence, or are changed by a foreign key of theirs
    (which the copy would not see; error 1846 on 11.8)."""
    keys = table.foreign_keys if table is not None else ()
    if any({key.on_delete, key.on_update} & CHANGING for key in keys):
        return False
    counts = {column.name for column in table.columns if column.autoincrement} if table is not None else set()
    return not any(
        (isinstance(one, AddColumn) and (one.column.autoincrement or calls_sequence(one.column.default or "")))
        or (isinstance(one, ChangeColumn) and one.definition.autoincrement and one.column not in counts)
        or (isinstance(one, RewriteTable) and (one.action, one.value) == ("system_versioning", "drop"))
        for one, _ in graded
    )


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
    if chosen.algorithm == "COPY":
        beside_copied(p, table)
    if chosen.rebuilds and not whole.instant_only:
        p.does("rewrite", table, why)


def _table_of(operation: Operation) -> Name | None:
    named = table_of(operation)
    if named is not None:
        return named
    name = getattr(operation, "table", None) or getattr(operation, "name", None)
    return name if isinstance(name, Name) else None
