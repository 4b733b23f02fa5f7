"""Another type for a column of a partitioned table: beside it in every partition, while rows are written and move from one partition to another."""

from __future__ import annotations

import pytest
from recipes.rig import Place, Recipe, apply, back_from_gate, gates, show

from driftflow.errors import RefusedError
from driftflow.model.plan import BuildIndex, Gate

LOG = """
    CREATE TABLE log (id int, day date, count int NOT NULL DEFAULT 7 CONSTRAINT counted CHECK (count >= 0), size numeric(8, 2), note text,
                      PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE log_early PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
    CREATE TABLE log_late PARTITION OF log FOR VALUES FROM ('2026-07-01') TO ('2027-01-01') PARTITION BY HASH (id);
    CREATE TABLE log_late_0 PARTITION OF log_late FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE log_late_1 PARTITION OF log_late FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE log_rest PARTITION OF log DEFAULT;
    CREATE INDEX log_by_count ON log (count DESC, day) WHERE count < 1000000;
    CREATE UNIQUE INDEX log_once ON log (id, day, count);
    CREATE INDEX log_by_size ON log (size);
    COMMENT ON COLUMN log.count IS 'of lines';
    COMMENT ON COLUMN log_early.count IS 'of lines, early';
    INSERT INTO log (id, day, count, size, note)
        SELECT n, date '2026-01-01' + n % 400, n, n / 7.0, 'note ' || n FROM generate_series(1, 400) AS n;
"""
COMMENTS = """
    COMMENT ON INDEX log_by_count IS 'the largest first';
    COMMENT ON INDEX log_early_count_day_idx IS 'early ones';
    COMMENT ON INDEX log_late_count_day_idx IS NULL;
"""
WRITES = (
    "INSERT INTO log (id, day, count, size) VALUES ({n} + 1000, date '2026-01-01' + {n} % 400, {n}, {n} / 4.0)",
    "INSERT INTO log (id, day) VALUES ({n} + 1000, date '2026-01-01' + {n} % 300)",
    "UPDATE log SET count = count + 1, size = size + 1 WHERE id = {n} % 300 + 1",
    "UPDATE log SET day = day + 190 WHERE id = {n} % 200 + 1 AND day < '2026-07-01'",
    "DELETE FROM log WHERE id = {n} % 100 + 301",
)


@pytest.mark.on("postgresql")
@pytest.mark.recipe(
    "int-to-bigint", "native", why="of a partitioned table: a second column in every partition, swapped on the parent"
)
def test_a_column_of_every_partition(place: Place) -> None:
    shown = show(place, Recipe(schema=LOG, migration="ALTER TABLE log ALTER COLUMN count TYPE bigint;", old=WRITES))
    built = [step.index.table.name for step in shown.plan.steps if isinstance(step, BuildIndex)]
    assert sorted(set(built)) == ["log_early", "log_late_0", "log_late_1", "log_rest"]
    assert [step.name for step in shown.plan.steps if isinstance(step, Gate)] == ["deployed"]
    [(valid,)] = shown.planned.query(
        "SELECT bool_and(indisvalid) FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid WHERE relname LIKE 'log%'"
    )
    assert valid


@pytest.mark.on("postgresql")
def test_a_row_that_moves_keeps_what_the_old_type_does_not_hold(place: Place) -> None:
    """It is inserted into the other partition with both values, and the old one is the shorter. Who inserts without naming columns writes the old one."""
    planned, naive = place.fresh(LOG), place.fresh(LOG)
    migration = "ALTER TABLE log ALTER COLUMN size TYPE numeric(12, 4);"
    plan = planned.plan(migration)
    written = """
        UPDATE log SET size = 1.2345 WHERE id = 7;
        UPDATE log SET day = day + 190 WHERE id = 7;
        UPDATE log SET day = day + 190, size = 2.3456 WHERE id = 8;
        UPDATE log SET day = day + 190 WHERE id = 9;
        INSERT INTO log VALUES (2000, '2026-08-01', 1, 3.25, 'by place');
    """
    assert apply(plan, planned).state == "waiting_at_gate"
    planned.run(written)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    naive.run(migration + written)
    assert planned.rows() == naive.rows()
    back_from_gate(place, Recipe(schema=LOG, migration=migration, old=WRITES))


@pytest.mark.on("postgresql")
def test_a_partition_that_is_made_meanwhile_takes_part(place: Place) -> None:
    """Comments on indexes stay with each; what the plain statement makes of a partition's differs from version to version."""
    planned, naive = place.fresh(LOG + COMMENTS), place.fresh(LOG)
    migration = "ALTER TABLE log ALTER COLUMN count TYPE bigint;"
    plan = planned.plan(migration)
    later = """
        CREATE TABLE log_next PARTITION OF log FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
        INSERT INTO log (id, day, count) VALUES (1, '2028-02-02', 5000);
    """
    assert apply(plan, planned).state == "waiting_at_gate"
    planned.run(later)
    assert apply(plan, planned, open_gates=gates(plan)).state == "done"
    naive.run(migration + COMMENTS + later)
    # The server named that partition's indexes after the column as it was called then.
    for columns in ("{}_day", "id_day_{}"):
        made, plain = columns.format("driftflow_new_count"), columns.format("count")
        planned.run(f"ALTER INDEX log_next_{made}_idx RENAME TO log_next_{plain}_idx")
    assert planned.rows() == naive.rows()
    assert planned.structure() == naive.structure()


@pytest.mark.on("postgresql")
@pytest.mark.parametrize("change", ["day TYPE timestamp", "id TYPE bigint"], ids=["at the top", "of a partition"])
def test_a_column_of_the_partition_key_keeps_its_type(place: Place, change: str) -> None:
    with pytest.raises(RefusedError) as error:
        place.fresh(LOG).plan(f"ALTER TABLE log ALTER COLUMN {change};")
    assert "partition key" in str(error.value)


@pytest.mark.on("postgresql")
@pytest.mark.parametrize(
    "own",
    [
        "ALTER TABLE log_early ADD CONSTRAINT own CHECK (count < 1000000)",
        "ALTER TABLE log_early ALTER COLUMN count SET DEFAULT 8",
        "CREATE VIEW own AS SELECT count FROM log_early",
        "CREATE STATISTICS own ON count, note FROM log_early",
        "CREATE TABLE far (id int PRIMARY KEY); ALTER TABLE log_early ADD CONSTRAINT own FOREIGN KEY (count) REFERENCES far (id) NOT VALID",
        "ALTER TABLE log_early ADD CONSTRAINT own UNIQUE (count); CREATE TABLE far (id int REFERENCES log_early (count))",
    ],
)
def test_what_a_partition_has_of_its_own_leaves_the_statement_whole(place: Place, own: str) -> None:
    database = place.fresh(f"{LOG}{own};")
    plan = database.plan("ALTER TABLE log ALTER COLUMN count TYPE bigint;")
    assert "shadow_column" not in {step.strategy for step in plan.steps}
