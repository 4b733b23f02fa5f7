"""The settings and the role under which a step's statements run, and how the session is given back as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.model.plan import Backfill, RunSql

DATABASE = "search_path"
"""Of a migration's USE: which database unqualified names mean."""


@contextmanager
def acting_as(step: RunSql | Backfill, connection: Connection) -> Iterator[None]:
    """With the step's settings and role. On PostgreSQL inside the open transaction, which takes both with it when it fails."""
    if connection.dialect in {"mysql", "mariadb"}:
        with in_session(step.settings, connection):
            yield
        return
    for name, value in step.settings.items():
        connection.query("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
    if step.role:
        connection.execute(f"SET LOCAL ROLE {_quoted(step.role)}")
    yield
    if step.role:
        connection.execute("SET LOCAL ROLE NONE")


def _quoted(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'


@contextmanager
def in_session(settings: Mapping[str, str], connection: Connection) -> Iterator[None]:
    """MySQL knows no SET LOCAL: what stood before is put back, also when the statements failed."""
    before: dict[str, object] = {name: _standing(name, connection) for name in settings}
    for name, value in settings.items():
        _set(name, int(value) if re.fullmatch(r"-?\d+", value) else value, connection)
    try:
        yield
    except BaseException:
        with suppress(DatabaseFault):  # The failure is what there is to say; a lost session needs nothing back.
            for name, found in before.items():
                _set(name, found, connection)
        raise
    for name, found in before.items():
        _set(name, found, connection)


def _standing(name: str, connection: Connection) -> object:
    what = "DATABASE()" if name == DATABASE else f"@@SESSION.{_checked(name)}"
    found: object = connection.query(f"SELECT {what}")[0][0]
    return found


def _set(name: str, value: object, connection: Connection) -> None:
    if name == DATABASE:
        connection.execute("USE `" + str(value).replace("`", "``") + "`")
    else:
        connection.execute(f"SET SESSION {_checked(name)} = %s", (value,))


def _checked(name: str) -> str:
    assert re.fullmatch(r"\w+", name), name
    return name
