"""How a throw-away MySQL or MariaDB is configured: small, bounded, and able to do what the tests ask for."""

from __future__ import annotations

from collections.abc import Mapping

from driftflow.lab.mysql_programs import Flavour, Programs

DISPOSABLE = "driftflow-disposable"
"""The mark that says a server may be thrown away: `SELECT @@report_host` gives it. Nobody can set it but who starts the server, and without
a replication source it means nothing else."""

DEFAULTS: Mapping[str, str] = {
    "report-host": DISPOSABLE,
    "server-id": "1",
    "log-bin": "binlog",
    "binlog-format": "ROW",
    # CREATE TRIGGER and CREATE FUNCTION by a user who is not root
    "log-bin-trust-function-creators": "ON",
    "local-infile": "ON",
    "performance-schema": "ON",
    "performance-schema-instrument": "wait/lock/metadata/sql/mdl=ON",
    "max-connections": "100",
    "innodb-buffer-pool-size": "64M",
    # bounds: no statement waits or runs for ever and none fills the disk
    "lock-wait-timeout": "60",
    "innodb-lock-wait-timeout": "30",
    "innodb-temp-data-file-path": "ibtmp1:12M:autoextend:max:1G",
    "max-binlog-size": "64M",
    "default-time-zone": "+00:00",
}
MYSQL: Mapping[str, str] = {
    "mysqlx": "OFF",
    # The folder that the package would have made is not there, which stops the start.
    "secure-file-priv": "",
    "innodb-redo-log-capacity": "16M",
    "max-execution-time": "120000",
    "log-error-verbosity": "2",
}
MARIADB: Mapping[str, str] = {"innodb-log-file-size": "32M", "max-statement-time": "120", "log-warnings": "1"}
FAST: Mapping[str, str] = {"innodb-flush-log-at-trx-commit": "2", "sync-binlog": "0", "innodb-doublewrite": "OFF"}
"""Safe against a crash of the server, not of the machine."""
DURABLE: Mapping[str, str] = {"innodb-flush-log-at-trx-commit": "1", "sync-binlog": "1", "innodb-doublewrite": "ON"}

UNSYNCED: Mapping[Flavour, Mapping[str, str]] = {
    "mysql": {"innodb-flush-method": "nosync"},
    "mariadb": {"innodb-flush-method": "nosync", "sync-frm": "OFF"},
}
"""Where databases are made and dropped all the time, and nobody needs them after a crash of the machine: two to three times as fast."""


def settings_of(programs: Programs) -> dict[str, str]:
    """Every server's settings and those of this one. MySQL 9.6 knows one binlog format only, and complains of the option before that."""
    own = {**DEFAULTS, **(MARIADB if programs.flavour == "mariadb" else MYSQL)}
    if programs.flavour == "mysql":
        del own["binlog-format"]
    return own
