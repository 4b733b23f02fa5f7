"""Operations on sequences."""

from __future__ import annotations

from driftflow.model.catalog import Sequence, SequenceOptions
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class CreateSequence(BaseOperation, frozen=True, kw_only=True, tag="create_sequence"):
    sequence: Sequence
    if_not_exists: bool = False
    temporary: bool = False


class AlterSequence(BaseOperation, frozen=True, kw_only=True, tag="alter_sequence"):
    name: Name
    options: SequenceOptions = SequenceOptions()
    restart: int | None = None
    restarts: bool = False
    """RESTART, with or without a value."""
    owned_by: str | None = None
    """`schema.table.column`, or empty for NONE; None leaves as is."""
    if_exists: bool = False


class DropSequence(BaseOperation, frozen=True, kw_only=True, tag="drop_sequence"):
    name: Name
    if_exists: bool = False
    cascade: bool = False
