"""Operations on functions and procedures."""

from __future__ import annotations

from driftflow.model.catalog import Routine
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class CreateFunction(BaseOperation, frozen=True, kw_only=True, tag="create_function"):
    routine: Routine
    or_replace: bool = False


class DropFunction(BaseOperation, frozen=True, kw_only=True, tag="drop_function"):
    name: Name
    arguments: str | None = None
    """None when the statement gave no argument list."""
    kind: str = "function"
    if_exists: bool = False
    cascade: bool = False
