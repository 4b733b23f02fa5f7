"""Clauses on partitions."""

from __future__ import annotations

from dataclasses import replace

from driftflow.dialects.mariadb.capabilities import ONLINE_COPY
from driftflow.dialects.mysql.effects.grade import COPY, IN_PLACE, INSTANT, SHARED, Grade, because
from driftflow.dialects.mysql.effects.prediction import EXCLUSIVE, SHARED_NO_WRITE, Prediction
from driftflow.model.catalog import Table
from driftflow.model.operations import AlterPartitions


def alter_partitions(p: Prediction, operation: AlterPartitions) -> None:
    table = p.table(operation.table)
    partitioned = table is None or table.partitioning is not None
    if not partitioned and operation.action not in {"partition_by", "convert_from_table"}:
        p.fails("unsupported", f"{operation.table} is not partitioned", relation=operation.table, certain=True)
        return
    if p.mariadb and operation.action in {"partition_by", "remove"}:
        p.grade = Grade(reason="the table is copied", unchecked=p.version < ONLINE_COPY)
    elif p.mariadb:
        _without_algorithm(p, operation)
    else:
        p.grade = _grade(p, operation)
    listed = ", ".join(operation.partitions) or "every partition"
    match operation.action:
        case "add" if table is not None and table.partitioning is not None and "MAXVALUE" in table.partitioning.definition:
            p.fails(
                "unsupported",
                "a partition up to MAXVALUE is the last one: split it with REORGANIZE PARTITION",
                relation=table.name,
                certain=True,
            )
        case "coalesce" if (
            table is not None and table.partitioning is not None and table.partitioning.strategy in {"RANGE", "LIST"}
        ):
            p.fails("unsupported", "COALESCE PARTITION works on HASH and KEY partitions only", relation=table.name, certain=True)
        case "drop" | "truncate":
            p.loses(f"the rows of {listed}", operation.table)
        case "exchange":
            if operation.other is not None:
                p.lock(operation.other, EXCLUSIVE, why="its rows change places with the partition's")
                _alike(p, table, p.table(operation.other))
            if not operation.validated:
                p.loses(
                    "the guarantee that rows stand in the partition they belong to: WITHOUT VALIDATION lets any in",
                    operation.table,
                )
            else:
                p.does("scan", operation.other or operation.table, "rows are checked against the partition's bounds")
        case "partition_by":
            if table is not None and (table.foreign_keys or p.catalog.referencing(table.name)):
                p.fails("dependency", "a partitioned table can have no foreign keys", relation=table.name, certain=True)
            p.does("rewrite", operation.table, "rows move to their partitions")
        case "remove" | "coalesce" | "reorganize" | "rebuild" | "optimize" | "repair":
            p.does("rewrite", operation.table, f"rows of {listed} are written anew")
        case _:
            pass


def _alike(p: Prediction, table: Table | None, other: Table | None) -> None:
    if table is None or other is None or table.partial or other.partial:
        return
    mine = [(column.name, column.type, column.nullable) for column in table.columns]
    theirs = [(column.name, column.type, column.nullable) for column in other.columns]
    if mine != theirs:
        p.fails("unsupported", f"{other.name} and {table.name} differ in their columns", relation=other.name, certain=True)


def _without_algorithm(p: Prediction, operation: AlterPartitions) -> None:
    """MariaDB takes no ALGORITHM or LOCK with a clause on partitions: rows that move or are copied keep writers waiting."""
    grade = _grade(p, operation)
    if grade.inplace not in {"", "SHARED"}:
        p.lock(operation.table, EXCLUSIVE)
        return
    p.lock(operation.table, SHARED_NO_WRITE, held="copy" if not grade.inplace else "rewrite", why=grade.reason)
    p.lock(operation.table, EXCLUSIVE, why="at the end, to put the new definition in place")


def _grade(p: Prediction, operation: AlterPartitions) -> Grade:
    match operation.action:
        case "add":
            if operation.definition and "VALUES" in operation.definition.upper():
                return IN_PLACE
            return because(SHARED, "rows are spread anew over the partitions")
        case "drop":
            return IN_PLACE
        case "truncate" | "exchange":
            # Measured on 9.7: any ALGORITHM and any LOCK is taken, and none of them changes what happens.
            return replace(INSTANT, copy="NONE", copy_rebuilds=False)
        case "reorganize" | "coalesce" | "rebuild" | "optimize" | "repair" | "check" | "analyze":
            return because(SHARED, "rows of the partitions are written anew while writers wait")
        case "partition_by" | "remove":
            return because(COPY, "the table is copied")
        case "discard_tablespace" | "import_tablespace" | "convert_to_table" | "convert_from_table":
            return INSTANT
