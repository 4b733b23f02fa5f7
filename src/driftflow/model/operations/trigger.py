"""Operations on triggers."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Trigger
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class CreateTrigger(BaseOperation, frozen=True, kw_only=True, tag="create_trigger"):
    trigger: Trigger
    or_replace: bool = False
    if_not_exists: bool = False
    touches: tuple[Name, ...] = ()
    """Relations that the body names (SQLite, MySQL); constraint triggers' FROM table."""


class DropTrigger(BaseOperation, frozen=True, kw_only=True, tag="drop_trigger"):
    name: str
    table: Name | None = None
    """PostgreSQL says it; SQLite and MySQL leave it to resolve."""
    schema: str = ""
    if_exists: bool = False
    cascade: bool = False


class AlterTrigger(BaseOperation, frozen=True, kw_only=True, tag="alter_trigger"):
    """RENAME TO, or DEPENDS ON EXTENSION."""

    name: str
    table: Name
    to: str = ""
    depends_on_extension: str = ""


class EnableTrigger(BaseOperation, frozen=True, kw_only=True, tag="enable_trigger"):
    """ALTER TABLE ... {ENABLE [REPLICA|ALWAYS]|DISABLE} TRIGGER {name|ALL|USER}."""

    table: Name
    name: str
    """A trigger, or ALL, or USER."""
    state: Literal["O", "D", "R", "A"]
