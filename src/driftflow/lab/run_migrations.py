"""Migrations carried out in the lab as their tool would, statement by statement; somebody looks after each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from driftflow.dialects.base import Dialect
from driftflow.engine.ports import Connection
from driftflow.lab.scratch import Scratch
from driftflow.lab.start_schema import STOOD_IN, run_with_roles
from driftflow.model.migration import Migration, Statement
from driftflow.model.operations import Copy, Delete, Insert, SetSetting, TransactionControl, Update

Look = Callable[[Migration, Statement], None]
ROWS_ONLY = (Copy, Insert, Update, Delete, SetSetting, TransactionControl)


def run_migrations(
    migrations: Sequence[Migration],
    place: Scratch,
    connection: Connection,
    dialect: Dialect,
    *,
    look: Look,
    commit: Callable[[], None],
) -> str:
    """Why it ended early; empty when all of it ran. `commit` is called when what happened in a transaction becomes visible to others.

    The statements run in `connection`, whose session also prepares the queries: so it sees a transaction that is still open.
    """
    for migration in migrations:
        statements = [one for one in migration.statements if one.operations]
        wrapped = migration.transaction == "single" or (migration.transaction == "implicit" and len(statements) > 1)
        block = wrapped and not dialect.one_pass  # MySQL and MariaDB commit with every statement
        if block:
            connection.begin()
        for statement in statements:
            said = _run(statement, place, connection)
            if said:
                connection.rollback()
                return f"{statement.span}: {said}"
            look(migration, statement)
            if not connection.in_transaction:
                commit()
        if connection.in_transaction:
            connection.commit()
        commit()
    return ""


def changes_schema(statement: Statement) -> bool:
    """Whether the schema may be another one after it."""
    return not all(isinstance(operation, ROWS_ONLY) for operation in statement.operations)


def _run(statement: Statement, place: Scratch, connection: Connection) -> str:
    if any(isinstance(operation, Copy) for operation in statement.operations):
        return ""  # Its rows stand in the file, or nowhere.
    again = ""
    if connection.in_transaction and not any(isinstance(one, TransactionControl) for one in statement.operations):
        connection.execute("SAVEPOINT driftflow_statement")
        again = "ROLLBACK TO SAVEPOINT driftflow_statement"
    fault = run_with_roles(place, connection, statement.sql, again=again)
    return fault.message if fault is not None and STOOD_IN not in fault.message else ""
