"""Statements about the session and its transaction."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Catalog
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation
from driftflow.model.record import replace


class TransactionControl(BaseOperation, frozen=True, kw_only=True, tag="transaction"):
    action: Literal["begin", "commit", "rollback", "savepoint", "release", "rollback_to", "prepare"]
    sql: str


class SetSetting(BaseOperation, frozen=True, kw_only=True, tag="set"):
    """SET, RESET, SET LOCAL, set_config at top level."""

    name: str
    value: str | None = None
    """None for RESET or TO DEFAULT."""
    local: bool = False
    sql: str
    for_statement: bool = False
    """MariaDB: SET STATEMENT ... FOR, an operation of the statement in which alone it holds."""


class LockTable(BaseOperation, frozen=True, kw_only=True, tag="lock_table"):
    tables: tuple[Name, ...]
    mode: str
    nowait: bool = False
    alias: str = ""
    """MySQL and MariaDB: the name by which the session's statements must call the (one) table."""
    wait_seconds: int | None = None
    """MariaDB: WAIT n; 0 for NOWAIT."""


KEPT_IN_FILE = frozenset({"user_version", "application_id"})
"""Numbers of the application's own, which a PRAGMA writes for good."""


class Pragma(BaseOperation, frozen=True, kw_only=True, tag="pragma"):
    """SQLite PRAGMA."""

    name: str
    value: str | None = None
    schema: str = ""
    sql: str

    def after(self, catalog: Catalog) -> Catalog:
        """Of the file's own numbers the last one counts."""
        if self.name not in KEPT_IN_FILE or self.value is None or self.schema not in ("", "main"):
            return catalog
        return replace(catalog, settings={**catalog.settings, self.name: self.value})
