"""The ALGORITHM and LOCK that a statement is held to: the best pair that the server accepts for it."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.mysql.effects.column import BANNED
from driftflow.dialects.mysql.render.table import table_of, works_on_partitions
from driftflow.model.effects import AcceptedAlgorithm, Effects
from driftflow.model.names import Name, Version
from driftflow.model.operations import AddColumn, DropColumn, Operation, RequestAlgorithm


def held_to(
    operations: Sequence[Operation], effects: Effects, version: Version | None, *, mariadb: bool
) -> RequestAlgorithm | None:
    """None for what is no clause of ALTER TABLE, where nothing is foretold, and where MariaDB's grammar takes no such words (error 1064).

    With the pair named, a statement that turns out to need more (another index than the catalog knew, no row version left) is an error of the
    server's at once (1845, 1846, 4092) and not a copy of the table.
    """
    table = table_of(operations[0])
    pairs = effects.algorithms
    if not mariadb and version == BANNED and any(isinstance(one, AddColumn | DropColumn) for one in operations):
        pairs = tuple(pair for pair in pairs if pair.algorithm != "INSTANT")
    if table is None or not pairs or (mariadb and any(map(works_on_partitions, operations))):
        return None
    return request_of(pairs[0], table)


def request_of(pair: AcceptedAlgorithm, table: Name) -> RequestAlgorithm:
    """INSTANT takes no LOCK but DEFAULT."""
    lock = "" if pair.lock == "DEFAULT" else pair.lock
    return RequestAlgorithm(table=table, algorithm=pair.algorithm, lock=lock)
