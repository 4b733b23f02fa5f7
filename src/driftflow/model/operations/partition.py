"""Partitions as clauses of the table that they are parts of (MySQL, MariaDB), where they are no tables of their own."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Catalog, Partitioning
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.lookup import find_table, put
from driftflow.model.record import replace


class AlterPartitions(BaseOperation, frozen=True, kw_only=True, tag="alter_partitions"):
    """PARTITION BY, ADD, DROP, TRUNCATE, REORGANIZE, COALESCE, REBUILD, EXCHANGE PARTITION, REMOVE PARTITIONING, and maintenance.

    Source: MySQL 8.4 manual, "ALTER TABLE Partition Operations".
    """

    table: Name
    action: Literal[
        "partition_by",
        "add",
        "drop",
        "truncate",
        "reorganize",
        "coalesce",
        "rebuild",
        "exchange",
        "remove",
        "analyze",
        "check",
        "optimize",
        "repair",
        "discard_tablespace",
        "import_tablespace",
        "convert_to_table",
        "convert_from_table",
    ]
    partitions: tuple[str, ...] = ()
    """Names that the clause gives; empty for ALL, and for what names none."""
    every: bool = False
    """ALL."""
    count: int | None = None
    """COALESCE PARTITION n, ADD PARTITION PARTITIONS n."""
    definition: str = ""
    """The text of the new partitions or of PARTITION BY, as rendered."""
    partitioning: Partitioning | None = None
    """Of PARTITION BY."""
    other: Name | None = None
    """The table of EXCHANGE PARTITION and of MariaDB's CONVERT."""
    validated: bool = True
    """False for EXCHANGE ... WITHOUT VALIDATION: rows that do not belong are let in."""
    if_exists: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """Whether and how the table is partitioned; the list of partitions is not kept in the catalog's structure."""
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        match self.action:
            case "partition_by":
                return put(catalog, replace(table, partitioning=self.partitioning))
            case "remove":
                return put(catalog, replace(table, partitioning=None))
            case _:
                return catalog
