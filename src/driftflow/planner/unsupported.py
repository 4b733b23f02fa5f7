"""What a statement asks of a server that has no such thing, and no equivalent: said before anything runs, and not left to the server's syntax error."""

from __future__ import annotations

import re

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.operations import RawSql

DEFERRABLE = re.compile(r"\b(UNIQUE|PRIMARY\s+KEY)\b.*\bDEFERRABLE\b", re.IGNORECASE | re.DOTALL)


def refuse_unsupported(at: Situation) -> None:
    """Raises RefusedError (DF-E657) for a unique constraint that is to be checked at the end of the transaction, where none can be."""
    operation = at.operation
    if isinstance(operation, RawSql) and DEFERRABLE.search(operation.sql):
        raise RefusedError(
            "DF-E657",
            f"{at.dialect.name} has no deferrable unique constraint",
            where=str(at.statement.span),
            why="it checks each row as it is written; a trigger could not look again at the end of the transaction",
            hint="leave DEFERRABLE out, and let values that change places pass through one that is free (NULL, or the negative number)",
        )
