"""What driftflow does not understand, with the reason."""

from __future__ import annotations

from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class RawSql(BaseOperation, frozen=True, kw_only=True, tag="raw"):
    """A statement that the server's grammar accepts and our reading does not. It is shown, planned as it stands, and never guessed about."""

    sql: str
    reason: str
    relations: tuple[Name, ...] = ()
    transactional: bool | None = None
    """False where the server is known to refuse it in a transaction block; None is unknown."""
