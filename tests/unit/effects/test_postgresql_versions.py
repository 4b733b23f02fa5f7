"""A prediction that serves several versions is the one that each of them would have got by itself."""

from __future__ import annotations

from typing import get_args

import pytest

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.postgresql import effects
from driftflow.dialects.postgresql.effects.prediction import worst
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.walk import situations
from driftflow.model.operations import Operation
from driftflow.readers.sources import loose_migration

GIVEN = """
CREATE TABLE p (id bigint PRIMARY KEY, a int, b text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10);
CREATE TABLE c (id bigint PRIMARY KEY, p bigint, a int, v varchar(10));
CREATE TABLE h (x int) INHERITS (c);
"""

STATEMENTS = (
    "ALTER TABLE c ADD COLUMN u uuid DEFAULT uuidv7()",
    "ALTER TABLE c ADD COLUMN g int GENERATED ALWAYS AS (a + 1)",
    "ALTER TABLE c ADD COLUMN i bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE p ADD COLUMN i bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE c ALTER COLUMN a DROP NOT NULL",
    "ALTER TABLE ONLY c ALTER COLUMN a SET NOT NULL",
    "ALTER TABLE c ADD CONSTRAINT n NOT NULL a NOT VALID",
    "ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p (id)",
    "ALTER TABLE c ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a)",
    "ALTER TABLE c ALTER COLUMN v TYPE bytea USING v::bytea, ADD COLUMN w int DEFAULT 1",
    "ALTER TABLE c ALTER COLUMN a TYPE bytea",
    "ALTER TABLE p DETACH PARTITION p1",
    "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
    "CREATE UNIQUE INDEX ON c (a) NULLS NOT DISTINCT",
    "CREATE INDEX ON c USING brin (a) INCLUDE (v)",
    "CREATE INDEX ON c USING spgist (v) INCLUDE (a)",
    "CREATE MATERIALIZED VIEW m AS SELECT * FROM c",
    "CREATE TABLE n (LIKE c INCLUDING ALL)",
    "ALTER TABLE c SET ACCESS METHOD heap",
    "INSERT INTO p VALUES (1, 2, 'x')",
    "TRUNCATE p1",
    "MERGE INTO c USING p ON c.id = p.id WHEN MATCHED THEN DELETE",
)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_one_prediction_for_several_versions(sql: str) -> None:
    dialect = dialect_named("postgresql")
    migrations = [loose_migration(text, dialect=dialect) for text in (GIVEN, sql)]
    for at in situations(migrations, catalog=pipeline.empty_catalog(dialect), dialect=dialect, policy=Policy()):
        first = effects._on(at.operation, at.catalog, effects.OLDEST)
        every = [
            (major, effects._on(at.operation, at.catalog, major).effects()) for major in range(effects.OLDEST, effects.NEWEST + 1)
        ]
        assert effects.predict(at.operation, at.catalog) == (worst(every) if first.asked else every[0][1])


def test_every_operation_is_predicted() -> None:
    assert set(effects._PREDICTORS) == set(get_args(Operation))
