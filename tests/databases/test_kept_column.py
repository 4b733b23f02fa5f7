"""The offer for a stored generated column: a plain column, filled in chunks and kept by a trigger, with the values that the server would have computed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from example_runs import Shop, open_shop

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.model.plan import Backfill
from driftflow.planner.enhancements import chosen_edits, edited, offers

NAIVE = "ALTER TABLE orders ADD COLUMN label text GENERATED ALWAYS AS (status || ' \"x\" ' || quantity::text) STORED NOT NULL;\n"
EXPECTED = "status || ' \"x\" ' || quantity::text"


@pytest.fixture
def shop(postgresql_url: str, tmp_path: Path) -> Shop:
    return open_shop(postgresql_url, tmp_path)


def test_the_kept_column_is_what_the_server_would_have_computed(shop: Shop) -> None:
    folder = shop.root / "migrations"
    folder.mkdir()
    (folder / "001_label.sql").write_text(NAIVE)
    dialect, policy = dialect_named("postgresql"), Policy(small_table_rows=0)
    before = shop.fingerprint()

    naive = pipeline.find_sources([folder], dialect=dialect, options={}, root=shop.root)
    found = offers(naive[0].migrations, catalog=shop.catalog(), dialect=dialect, policy=policy)
    offer = next(one for one in found if one.name == "maintain_generated_column")
    text = edited({"migrations/001_label.sql": NAIVE}, chosen_edits(found, [offer.id]))["migrations/001_label.sql"]
    (folder / "001_label.sql").write_text(text)

    sources = pipeline.find_sources([folder], dialect=dialect, options={}, root=shop.root)
    plan = pipeline.make_plan(sources, dialect=dialect, catalog=shop.catalog(), policy=policy, root=shop.root)
    assert any(isinstance(step, Backfill) for step in plan.steps)
    assert not any(claim.held == "rewrite" for step in plan.steps for claim in step.claims)
    report = shop.apply(plan, open_gates=("deployed",))
    assert report.state == "done", report

    with closing(shop.connector.connect("test")) as connection:
        connection.execute("INSERT INTO orders (user_id, product_id, quantity, total_cents) VALUES (1, 1, 7, 70)")
        connection.execute("UPDATE orders SET quantity = 9, label = 'by hand' WHERE id = 5")
        assert connection.query(f"SELECT count(*) FROM orders WHERE label IS DISTINCT FROM {EXPECTED}") == [(0,)]
        assert connection.query("SELECT count(*) FROM orders WHERE label LIKE '%\"x\" 9'")[0][0] >= 1
    rolled = shop.roll_back(report.run, open_gates=("deployed-back",))
    assert rolled.state == "rolled_back", rolled
    assert shop.fingerprint() == before


def test_nothing_is_offered_where_nothing_is_rewritten(sqlite_file: Path, tmp_path: Path) -> None:
    shop = open_shop(f"sqlite:///{sqlite_file}", tmp_path)
    folder = shop.root / "migrations"
    folder.mkdir()
    (folder / "001.sql").write_text(
        "ALTER TABLE orders ADD COLUMN label TEXT GENERATED ALWAYS AS (status || quantity) VIRTUAL;\n"
    )
    dialect = dialect_named("sqlite")
    sources = pipeline.find_sources([folder], dialect=dialect, options={}, root=shop.root)
    found = offers(sources[0].migrations, catalog=shop.catalog(), dialect=dialect, policy=Policy(small_table_rows=0))
    assert "maintain_generated_column" not in {one.name for one in found}
