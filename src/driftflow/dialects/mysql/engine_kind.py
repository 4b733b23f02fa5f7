"""Who answers on MySQL's protocol: MySQL, MariaDB, or something that only speaks like them. Nothing is predicted for the others."""

from __future__ import annotations

LOOK_ALIKES: tuple[tuple[str, str], ...] = (
    ("aurora", "Amazon Aurora"),
    ("tidb", "TiDB"),
    ("vitess", "Vitess (PlanetScale)"),
    ("planetscale", "Vitess (PlanetScale)"),
    ("oceanbase", "OceanBase"),
    ("singlestore", "SingleStore"),
    ("memsql", "SingleStore"),
    ("dolt", "Dolt"),
    ("polardb", "PolarDB"),
    ("tdsql", "TDSQL"),
    ("starrocks", "StarRocks"),
    ("doris", "Apache Doris"),
    ("clickhouse", "ClickHouse"),
    ("matrixone", "MatrixOne"),
    ("manticore", "Manticore"),
    ("xpand", "MariaDB Xpand"),
    ("columnstore", "MariaDB ColumnStore"),
    ("heatwave", "MySQL HeatWave"),
    ("ndbcluster", "MySQL NDB Cluster"),
    ("-ndb-", "MySQL NDB Cluster"),
    ("-cluster", "MySQL NDB Cluster"),
    ("databend", "Databend"),
    ("greptime", "GreptimeDB"),
    ("go-mysql-server", "go-mysql-server"),
)
"""A fragment of `@@version` with `@@version_comment` (lower case), and the product's name. The first match counts.

Percona Server and the managed offers of RDS, Azure and Google run MySQL or MariaDB itself."""


def engine_kind(version: str, comment: str = "") -> str:
    """`mysql`, `mariadb`, or the name of the look-alike that gave these two texts."""
    text = f"{version} {comment}".lower()
    for fragment, name in LOOK_ALIKES:
        if fragment in text:
            return name
    if "mariadb" in text:
        return "mariadb"
    return "mysql" if version[:1].isdigit() else version.split(" ", 1)[0] or "unknown"
