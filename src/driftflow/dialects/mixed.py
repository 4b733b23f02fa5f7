"""Whose SQL a text looks like, where its own server's grammar rejects it: a guess for a hint, and for nothing else."""

from __future__ import annotations

import re
from functools import cache

LENGTH_MAX = 20_000
"""Characters that are looked at."""

_SIGNS = {
    "mysql": r"`[^`\n]*`|\bAUTO_INCREMENT\b|\bENGINE\s*=|^\s*DELIMITER\s|\bUNSIGNED\b|\bON\s+UPDATE\s+CURRENT_TIMESTAMP|\b(?:DEFAULT\s+)?CHARSET\s*="
    r"|\bCHARACTER\s+SET\s*=?\s*utf8|\bMODIFY\s+(?:COLUMN\s+)?[\w`]+\s|\bCHANGE\s+COLUMN\b|\bALGORITHM\s*=|\bFULLTEXT\b|/\*!\d{5}|\bSHOW\s+CREATE\b",
    "postgresql": r"::\s*\w|\$\w*\$|\b(?:BIG|SMALL)?SERIAL\b|\bJSONB\b|\bTIMESTAMPTZ\b|\bCREATE\s+EXTENSION\b|\bCONCURRENTLY\b|\bRETURNS\s+TRIGGER\b"
    r"|\bALTER\s+COLUMN\s+\S+\s+(?:SET\s+DATA\s+)?TYPE\b|\bLANGUAGE\s+'?plpgsql|\bFROM\s+stdin\b|^\\[a-z]+\b|\bOWNER\s+TO\b|\bUSING\s+(?:gin|gist|btree)\b"
    r"|\bDO\s+\$|\bILIKE\b|\bGENERATED\s+(?:ALWAYS|BY\s+DEFAULT)\s+AS\s+IDENTITY\b",
    "sqlite": r"\bAUTOINCREMENT\b|^\s*PRAGMA\s|\bWITHOUT\s+ROWID\b|\bINSERT\s+OR\s+(?:REPLACE|IGNORE|ABORT)\b|^\.[a-z]+(?:\s|$)|\bsqlite_\w+|\)\s*STRICT\s*;?\s*$",
    "SQL Server": r"^\s*GO\s*$|\[dbo\]|\bdbo\.|\bNVARCHAR\s*\(\s*MAX|\bIDENTITY\s*\(\s*1|\bCLUSTERED\b",
    "Oracle": r"\bVARCHAR2\b|\bNUMBER\s*\(|^\s*/\s*$|\bSYSDATE\b",
}
_FAMILY = {"mariadb": "mysql"}
_SPELLED = {"mysql": "MySQL", "postgresql": "PostgreSQL", "sqlite": "SQLite"}


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Compiled when something was rejected: most runs reject nothing."""
    return {name: re.compile(pattern, re.IGNORECASE | re.MULTILINE) for name, pattern in _SIGNS.items()}


def other_dialect(sql: str, own: str) -> str:
    """Name of the dialect (or of a product that driftflow does not know) that the text bears the marks of; empty when it bears none, or its own too."""
    text = sql[:LENGTH_MAX]
    family = _FAMILY.get(own, own)
    found = [name for name, pattern in _patterns().items() if pattern.search(text)]
    if family in found or not found:
        return ""
    return found[0]


def hint_for(sql: str, own: str, otherwise: str) -> str:
    """What to type next: another dialect where the text looks like that one's, else `otherwise`."""
    other = other_dialect(sql, own)
    if not other:
        return otherwise
    if other not in _SPELLED:
        return f"it looks like SQL of {other}, which driftflow does not read; {otherwise}"
    return f"it looks like SQL of {_SPELLED[other]}: --dialect {other}, or {otherwise}"


def reason_for(sql: str, own: str, reason: str) -> str:
    """The same for a statement that is shown and not read."""
    other = other_dialect(sql, own)
    return f"{reason}; it looks like SQL of {_SPELLED.get(other, other)}" if other else reason
