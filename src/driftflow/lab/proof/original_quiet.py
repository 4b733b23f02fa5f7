"""The application's own triggers while the original's columns are filled: those that a plan keeps from firing by rule (`triggers skip`, or one that only says
when a row was changed) do not fire here either, by other means than the plan's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from driftflow.dialects.base import Dialect
from driftflow.engine.ports import Connection
from driftflow.model.catalog import Catalog, Table
from driftflow.model.migration import Statement
from driftflow.strategies.columns.quiet_triggers import kept_from_firing


@contextmanager
def quiet(
    table: Table, columns: Sequence[str], statement: Statement, catalog: Catalog, connection: Connection, dialect: Dialect
) -> Iterator[None]:
    """Inside a transaction. MySQL and MariaDB have no way around a trigger, and no plan has one there: what fires, fires for both."""
    triggers = () if dialect.one_pass else kept_from_firing(table, columns, statement, catalog)
    name = dialect.quote_name(table.name)
    for one in triggers:
        if dialect.name == "sqlite":
            connection.execute(f"DROP TRIGGER {dialect.quote(one.name)}")
        else:
            connection.execute(f"ALTER TABLE {name} DISABLE TRIGGER {dialect.quote(one.name)}")
    yield
    for one in triggers:
        if dialect.name == "sqlite":
            connection.execute(one.definition)
        else:
            always = "ALWAYS " if one.enabled == "A" else ""
            connection.execute(f"ALTER TABLE {name} ENABLE {always}TRIGGER {dialect.quote(one.name)}")
