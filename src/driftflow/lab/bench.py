"""Where statements are observed: one scratch database on a throw-away server, with a session of its own in it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Protocol

from driftflow.dialects.base import Dialect
from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.errors import DatabaseError
from driftflow.lab.catalog_sql import in_any_order, statements_of, without_database
from driftflow.lab.time_limit import limited, shortened
from driftflow.model.catalog import Catalog
from driftflow.model.migration import Statement
from driftflow.model.names import Span
from driftflow.model.observation import Seen

SETUP_SECONDS_MAX = 120.0


class Bench(Protocol):
    """One dialect's way to observe. It is closed by whoever opened it."""

    origin: str
    """Where the server comes from, for a person."""

    @property
    def schema(self) -> str:
        """Part of every name, and of no interest; empty where the schemas are the setup's own."""

    @property
    def connector(self) -> Connector:
        """To the scratch database."""

    @property
    def connection(self) -> Connection:
        """The session that the observed statements run in: what one of them SETs holds for those after it."""

    def strength(self, mode: str) -> int:
        """How strong a lock is; a greater number is stronger."""

    def was_set_up(self, statements: Sequence[Statement]) -> None:
        """Told after the setup has run."""

    def observe(self, statement: Statement) -> Seen:
        """Carry it out and say what it did; what it changed stays. Raises DatabaseError when it does not end."""

    def close(self) -> None: ...


def set_up_as(bench: Bench, catalog: Catalog, dialect: Dialect) -> tuple[str, ...]:
    """Make the tables of the catalog, empty, and what hangs on them; sentences about what could not be made. What depends on another comes in a later
    round. Names without a schema mean what they mean there."""
    made = list(statements_of(catalog, dialect))
    if dialect.name in ("mysql", "mariadb"):
        made = [(what, without_database(sql, catalog.database)) for what, sql in made]
    impossible = [what for what, sql in made if not sql]
    with closing(bench.connector.connect("setup")) as connection:
        done, refused = in_any_order([one for one in made if one[1]], lambda sql: _refusal(connection, sql))
    bench.was_set_up([_bare(sql) for sql in done])
    if dialect.name == "postgresql" and catalog.search_path:
        path = ", ".join(dialect.quote(schema) for schema in catalog.search_path)
        bench.observe(dialect.parse(_bare(f"SET search_path TO {path}")))
    return (*impossible, *refused)


def _bare(sql: str) -> Statement:
    return Statement(sql=sql, span=Span())


def _refusal(connection: Connection, sql: str) -> DatabaseFault | None:
    try:
        with limited(connection, sql, seconds=SETUP_SECONDS_MAX):
            connection.query(sql)
    except DatabaseFault as fault:
        return fault
    return None


def set_up(bench: Bench, statements: Sequence[Statement]) -> None:
    """Run the statements that make the schema, in a session of their own. Raises DatabaseError naming the one that fails."""
    with closing(bench.connector.connect("setup")) as connection:
        for statement in statements:
            fault = _refusal(connection, statement.sql)
            if fault is not None:
                raise DatabaseError(
                    "DF-E470",
                    "the setup failed on the throw-away server",
                    where=f"{statement.span}\n{shortened(statement.sql)}",
                    why=f"{fault.message}: {fault.detail}" if fault.detail else fault.message,
                    hint=fault.hint or "correct the setup's statement; nothing was observed",
                ) from fault
    bench.was_set_up(statements)
