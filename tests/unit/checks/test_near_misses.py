"""Statements that hurt, each beside its near relative that does not: the check speaks of the one and is silent about the other."""

from __future__ import annotations

import pytest

from driftflow import pipeline
from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog, TableStatistics
from driftflow.model.migration import Migration
from driftflow.model.names import Version
from driftflow.model.record import replace

LARGE = TableStatistics(rows=2_000_000, bytes=400_000_000, table_bytes=280_000_000, basis="reltuples")
VERSIONS = {"postgresql": "16.4", "mysql": "9.7.4", "mariadb": "10.11.6", "sqlite": "3.40.1"}
SCHEMAS = {"postgresql": "public", "sqlite": "main", "mysql": "shop", "mariadb": "shop"}


def said(vendor: str, sql: str, given: str | None) -> list[str]:
    """The codes of the findings about the files (`-- next` parts them). Without `given` nothing but the files is known."""
    dialect = dialect_named(vendor)
    catalog = pipeline.empty_catalog(dialect, VERSIONS[vendor])
    if given is not None:
        catalog = Catalog(
            vendor=vendor,
            version=Version.parse(VERSIONS[vendor]),
            search_path=(SCHEMAS[vendor],),
            schemas=(SCHEMAS[vendor],),
        )
        for statement in dialect.split(SourceText(text=given)):
            for operation in dialect.parse(statement).operations:
                catalog = catalog.after(dialect.resolve(operation, catalog))
        tables = {key: replace(table, new=False, statistics=LARGE) for key, table in catalog.tables.items()}
        catalog = replace(catalog, tables=tables)
    migrations = [
        Migration(
            id=str(number),
            source="plain",
            path=f"{number}.sql",
            dialect=vendor,
            statements=tuple(dialect.parse(one) for one in dialect.split(SourceText(text=text, file=f"{number}.sql"))),
            checksum="",
            sha256="",
            transaction="single",
        )
        for number, text in enumerate(sql.split("-- next"))
    ]
    return [one.code for one in assess(migrations, catalog=catalog, dialect=dialect, policy=Policy()).findings]


FILES_ALONE = [
    ("DF404", "CLUSTER t USING i", "CREATE TABLE t (id int PRIMARY KEY); CLUSTER t USING t_pkey"),
    ("DF404", "ALTER TABLE t SET UNLOGGED", "CREATE TABLE t (id int); ALTER TABLE t SET UNLOGGED"),
    ("DF404", "ALTER TABLE t SET TABLESPACE fast", "CREATE TABLE t (id int); ALTER TABLE t SET TABLESPACE fast"),
    ("DF406", "CREATE TABLE f (u int REFERENCES users (id))", "CREATE TABLE f (id int PRIMARY KEY, u int REFERENCES f (id))"),
    (
        "DF406",
        "CREATE TABLE q PARTITION OF p FOR VALUES FROM (1) TO (2)",
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE q PARTITION OF p FOR VALUES FROM (1) TO (2)",
    ),
    (
        "DF407",
        "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1) TO (2)",
        "CREATE TABLE q (id int); ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1) TO (2)",
    ),
    ("DF409", "DROP DOMAIN d", "CREATE DOMAIN d AS int; DROP DOMAIN d"),
    ("DF409", "DROP TYPE ty CASCADE", "CREATE TYPE ty AS ENUM ('a'); DROP TYPE ty CASCADE"),
    (
        "DF504",
        "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE < 5)",
        "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE < 5) NOT VALID",
    ),
    ("DF504", "ALTER DOMAIN d SET NOT NULL", "CREATE DOMAIN d AS int; ALTER DOMAIN d SET NOT NULL"),
    ("DF505", "ALTER SEQUENCE s INCREMENT 5", "CREATE SEQUENCE s; ALTER SEQUENCE s INCREMENT 5"),
]


@pytest.mark.parametrize(("code", "hurts", "safe"), FILES_ALONE)
def test_without_a_catalog_every_table_of_others_counts_as_large(code: str, hurts: str, safe: str) -> None:
    assert code in said("postgresql", hurts, None)
    assert code not in said("postgresql", safe, None)
