"""SQLSTATE to what it means for the engine. Source: PostgreSQL 18 documentation, appendix A."""

from __future__ import annotations

from driftflow.dialects.base import ErrorKind

_EXACT: dict[str, ErrorKind] = {
    "55P03": ErrorKind.LOCK_TIMEOUT,
    "40P01": ErrorKind.DEADLOCK,
    "40001": ErrorKind.SERIALIZATION,
    # 57014 is both a statement_timeout and pg_cancel_backend; the message alone tells, so the driver refines it.
    "57014": ErrorKind.CANCELLED,
    "57P01": ErrorKind.CONNECTION_LOST,
    "57P02": ErrorKind.CONNECTION_LOST,
    "57P03": ErrorKind.CONNECTION_LOST,
    "57P04": ErrorKind.CONNECTION_LOST,
    "57P05": ErrorKind.CONNECTION_LOST,
    "25P03": ErrorKind.CONNECTION_LOST,
    "25P04": ErrorKind.CONNECTION_LOST,
    "25P02": ErrorKind.OTHER,
    "25006": ErrorKind.READ_ONLY,
    "42501": ErrorKind.RIGHTS,
    "53100": ErrorKind.DISK_FULL,
    "42P06": ErrorKind.DUPLICATE,
    "42P07": ErrorKind.DUPLICATE,
    "42P03": ErrorKind.DUPLICATE,
    "42P04": ErrorKind.DUPLICATE,
    "42P05": ErrorKind.DUPLICATE,
    "42701": ErrorKind.DUPLICATE,
    "42710": ErrorKind.DUPLICATE,
    "42712": ErrorKind.DUPLICATE,
    "42723": ErrorKind.DUPLICATE,
    "44000": ErrorKind.CONSTRAINT,
    "42601": ErrorKind.SYNTAX,
    "42P02": ErrorKind.SYNTAX,
}

_CLASSES: dict[str, ErrorKind] = {
    "08": ErrorKind.CONNECTION_LOST,
    "23": ErrorKind.CONSTRAINT,
    "28": ErrorKind.RIGHTS,
}


def error_kind(code: str) -> ErrorKind:
    """What a SQLSTATE means; a statement timeout and a cancel share 57014, which counts as cancelled until the driver read the message."""
    return _EXACT.get(code) or _CLASSES.get(code[:2]) or ErrorKind.OTHER
