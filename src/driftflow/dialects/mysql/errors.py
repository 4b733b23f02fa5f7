"""The server's error number to what it means for the engine. The SQLSTATE says less: most numbers share HY000."""

from __future__ import annotations

from driftflow.dialects.base import ErrorKind

_NUMBERS: dict[ErrorKind, tuple[int, ...]] = {
    # 1205 is a metadata lock as well as a row lock; 3572 and 1205 answer NOWAIT.
    ErrorKind.LOCK_TIMEOUT: (1205, 3572),
    # 1614 is a deadlock inside an XA transaction, 3058 one of user-level locks.
    ErrorKind.DEADLOCK: (1213, 1614, 3058),
    # 1020 "record has changed since last read": MariaDB 11.6 and later with innodb_snapshot_isolation.
    ErrorKind.SERIALIZATION: (1020,),
    # 3024 MySQL max_execution_time, 1969 MariaDB max_statement_time, 4192 its own wait limit.
    ErrorKind.STATEMENT_TIMEOUT: (3024, 1969),
    ErrorKind.CANCELLED: (1317,),
    # 1053 and 1079 shutdown, 1927 and 3169 the session was killed; from 2000 on they are the client's own.
    ErrorKind.CONNECTION_LOST: (
        1053,
        1079,
        1080,
        1152,
        1158,
        1159,
        1160,
        1161,
        1184,
        1927,
        3169,
        2002,
        2003,
        2006,
        2013,
        2055,
    ),
    ErrorKind.RIGHTS: (1044, 1045, 1142, 1143, 1227, 1370, 1419, 1698, 3118, 1130),
    ErrorKind.SYNTAX: (1064, 1149),
    # A row (1062, 1586, 1022), or an object that is there already.
    ErrorKind.DUPLICATE: (1062, 1586, 1022, 1007, 1050, 1060, 1061, 1304, 1359, 1517, 1537, 1826, 3822, 4161),
    # NOT NULL (1048, 1364), foreign keys (1216, 1217, 1451, 1452, 1557), CHECK of MySQL (3819) and of MariaDB (4025), partition (1526, 1748).
    ErrorKind.CONSTRAINT: (1048, 1364, 1216, 1217, 1451, 1452, 1557, 3819, 4025, 1526, 1748),
    ErrorKind.DISK_FULL: (1021, 1114, 3017),
    # 1290 is any option that forbids it; nearly always --read-only.
    ErrorKind.READ_ONLY: (1290, 1792, 1836, 3100),
}
_IDLE = "4031"
"""MySQL ends a session that was idle for too long with it; on MariaDB a trigger that FOLLOWS another does not find it."""
_BY_NUMBER = {str(number): kind for kind, numbers in _NUMBERS.items() for number in numbers}


def error_kind(code: str, *, mariadb: bool) -> ErrorKind:
    """What an error number (`"1205"`) means."""
    if code == _IDLE and not mariadb:
        return ErrorKind.CONNECTION_LOST
    return _BY_NUMBER.get(code, ErrorKind.OTHER)
