"""Whether a query still works on a schema: each server prepares it and says what comes back, without running it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from driftflow.dialects.base import ErrorKind
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.model.names import Name
from driftflow.model.record import Record


class Shape(Record, frozen=True, kw_only=True):
    """What a prepared query takes and gives, as far as the server says."""

    columns: tuple[tuple[str, str], ...] = ()
    """(name, type); an empty type is not known."""
    parameters: tuple[str, ...] = ()


class Place(Record, frozen=True, kw_only=True):
    """One column of a table, for whoever inserts."""

    name: str
    required: bool = False
    """A row needs a value for it, and it has no default of its own."""
    filled: bool = False
    """The table has a trigger that might give it one."""


class Prober(Protocol):
    """One session that prepares. It sees what the session sees: inside an open transaction, what that transaction did so far."""

    def looking(self) -> AbstractContextManager[None]:
        """A context around a round of `shape`: nothing is left behind, no lock is held afterwards."""

    def shape(self, sql: str) -> Shape:
        """Raises DatabaseFault where the server does not prepare or plan it."""

    def places(self, table: Name) -> tuple[Place, ...]:
        """The table's columns as an INSERT meets them, in their order; empty where there is no such table."""

    def refuses_row(self, table: Name, columns: Sequence[str], missing: Sequence[str]) -> DatabaseFault | None:
        """What the server says to a row of these columns that has no value for the `missing` ones. None where a trigger fills them."""


def differences(before: Shape, after: Shape) -> tuple[str, ...]:
    """What is different, as sentences for a person. Empty when nothing is."""
    old, new = _told_apart(before), _told_apart(after)
    found = [f"column {name} is new" for name, at in new if (name, at) not in old]
    found += [f"column {name} is gone" for name, at in old if (name, at) not in new]
    found += [
        f"column {key[0]} is {type} (was {old[key]})" for key, type in new.items() if key in old and type and old[key] != type
    ]
    if [key for key in old if key in new] != [key for key in new if key in old]:
        found.append("the columns stand in another order")
    pairs = zip(before.parameters, after.parameters, strict=False)
    found += [f"parameter {index} is {now} (was {was})" for index, (was, now) in enumerate(pairs, start=1) if was != now]
    return tuple(found)


def _told_apart(shape: Shape) -> dict[tuple[str, int], str]:
    """(name, which of that name) to the type: a join may give two columns of one name."""
    found: dict[tuple[str, int], str] = {}
    for name, type in shape.columns:
        found[name, sum(1 for known, _ in found if known == name)] = type
    return found


@contextmanager
def rolled_back(connection: Connection) -> Iterator[None]:
    """A transaction that leaves nothing; inside an open one, nothing but what stood before."""
    own = not connection.in_transaction
    connection.execute("BEGIN" if own else "SAVEPOINT driftflow_look")
    try:
        yield
    finally:
        if own:
            connection.rollback()
        else:
            connection.execute("ROLLBACK TO SAVEPOINT driftflow_look")


def lost(fault: DatabaseFault) -> bool:
    """Whether this is no answer to the query at all: the session is gone, or the server had no time."""
    return fault.kind in {ErrorKind.CONNECTION_LOST, ErrorKind.DISK_FULL}
