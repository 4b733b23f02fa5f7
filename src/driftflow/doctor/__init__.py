"""What stands between a database and a safe run, examined without writing anything: one file per vendor, one function per examination."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Literal

from driftflow.model.record import Record

if TYPE_CHECKING:
    from driftflow.engine.ports import Connection, Connector


class Examined(Record, frozen=True, kw_only=True):
    """One thing that was looked at. `hint` is what to type or grant next; empty when all is well."""

    name: str
    state: Literal["ok", "warning", "problem"]
    found: str
    hint: str = ""


Examination = Callable[["Connection"], Iterator[Examined]]


def doctor(connector: Connector) -> tuple[Examined, ...]:
    """Rights, version, look-alikes, pooler, replicas, publications, half-done states. Reads only."""
    with closing(connector.connect("doctor")) as connection:
        return examine(connection)


def examine(connection: Connection) -> tuple[Examined, ...]:
    """Every examination of the connection's vendor, in order. An examination that the server refuses becomes a warning that says so."""
    from driftflow.doctor import journal, mysql, postgresql, sqlite
    from driftflow.engine.ports import DatabaseFault

    examinations: tuple[Examination, ...]
    match connection.dialect:
        case "postgresql":
            examinations = (*postgresql.EXAMINATIONS, *journal.EXAMINATIONS)
        case "mysql" | "mariadb":  # No plan runs there, so there is no journal to look at.
            examinations = mysql.EXAMINATIONS
        case _:
            examinations = (*sqlite.EXAMINATIONS, *journal.EXAMINATIONS)
    found: list[Examined] = []
    for examination in examinations:
        name = examination.__name__.replace("_", " ")
        try:
            found += examination(connection)
        except DatabaseFault as fault:
            found.append(Examined(name=name, state="warning", found=f"could not be examined: {fault.message.splitlines()[0]}"))
    return tuple(found)
