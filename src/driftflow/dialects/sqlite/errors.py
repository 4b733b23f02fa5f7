"""What SQLite's extended error names mean to the engine."""

from __future__ import annotations

from driftflow.dialects.base import ErrorKind

_EXACT: dict[str, ErrorKind] = {
    # A read snapshot that a writer has overtaken cannot be upgraded: only beginning anew helps.
    "SQLITE_BUSY_SNAPSHOT": ErrorKind.SERIALIZATION,
    # Returned at once, whatever the busy timeout, where waiting could never end.
    "SQLITE_LOCKED_SHAREDCACHE": ErrorKind.LOCK_TIMEOUT,
    "SQLITE_CONSTRAINT_UNIQUE": ErrorKind.DUPLICATE,
    "SQLITE_CONSTRAINT_PRIMARYKEY": ErrorKind.DUPLICATE,
    "SQLITE_CONSTRAINT_ROWID": ErrorKind.DUPLICATE,
    "SQLITE_IOERR_NOMEM": ErrorKind.OTHER,
    "SQLITE_IOERR_WRITE": ErrorKind.OTHER,
    "SQLITE_ERROR": ErrorKind.SYNTAX,
    "SQLITE_CANTOPEN_DIRTYWAL": ErrorKind.READ_ONLY,
}
_FAMILIES: tuple[tuple[str, ErrorKind], ...] = (
    ("SQLITE_BUSY", ErrorKind.LOCK_TIMEOUT),
    ("SQLITE_LOCKED", ErrorKind.LOCK_TIMEOUT),
    ("SQLITE_FULL", ErrorKind.DISK_FULL),
    ("SQLITE_READONLY", ErrorKind.READ_ONLY),
    ("SQLITE_INTERRUPT", ErrorKind.CANCELLED),
    ("SQLITE_ABORT", ErrorKind.CANCELLED),
    ("SQLITE_CONSTRAINT", ErrorKind.CONSTRAINT),
    ("SQLITE_MISMATCH", ErrorKind.CONSTRAINT),
    ("SQLITE_TOOBIG", ErrorKind.CONSTRAINT),
    ("SQLITE_PERM", ErrorKind.RIGHTS),
    ("SQLITE_AUTH", ErrorKind.RIGHTS),
    ("SQLITE_CANTOPEN", ErrorKind.CONNECTION_LOST),
    ("SQLITE_IOERR", ErrorKind.CONNECTION_LOST),
)


def error_kind(name: str) -> ErrorKind:
    """By the extended name, else by its family: SQLITE_BUSY_RECOVERY is a SQLITE_BUSY.

    SQLITE_ERROR is SQLite's word for everything that is wrong with the statement, a missing table as much as a comma too many.
    """
    if name in _EXACT:
        return _EXACT[name]
    return next((kind for family, kind in _FAMILIES if name == family or name.startswith(f"{family}_")), ErrorKind.OTHER)
