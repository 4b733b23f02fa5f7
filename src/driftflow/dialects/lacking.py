"""What a statement may ask for that several servers have nothing for: by which words it is known, and what is said of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from driftflow.patterns import lazy_regex

ROW_SECURITY = lazy_regex(
    r"^\s*ALTER\s+TABLE\b.*\bROW\s+LEVEL\s+SECURITY\s*;?\s*$|^\s*(CREATE|ALTER|DROP)\s+POLICY\b", re.IGNORECASE | re.DOTALL
)
SEQUENCE = lazy_regex(r"^\s*(CREATE|ALTER|DROP)\s+SEQUENCE\b", re.IGNORECASE | re.DOTALL)
DEFERRABLE = lazy_regex(r"\b(UNIQUE|PRIMARY\s+KEY)\b.*\bDEFERRABLE\b", re.IGNORECASE | re.DOTALL)
DEFERRABLE_REFERENCE = lazy_regex(r"\bREFERENCES\b.*\bDEFERRABLE\b", re.IGNORECASE | re.DOTALL)


class Lack(NamedTuple):
    """What a server has nothing for: the error's code, sentence and reason, and what stands nearest to it."""

    code: str
    what: str
    why: str
    hint: str


def no_deferrable(dialect: str) -> Lack:
    return Lack(
        code="DF-E657",
        what=f"{dialect} has no deferrable unique constraint",
        why="it checks each row as it is written; a trigger could not look again at the end of the transaction",
        hint="leave DEFERRABLE out, and let values that change places pass through one that is free (NULL, or the negative number)",
    )
