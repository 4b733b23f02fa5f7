"""A new user's first ten minutes, in a terminal: lint, effects, snapshot, plan, apply, Ctrl-C, resume."""

from __future__ import annotations

import importlib.util
import json
import re
from contextlib import closing
from pathlib import Path
from types import ModuleType

from driftflow.drivers.urls import connector_for

ROWS = 200_000
SCHEMA = (
    "CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL)",
    "CREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL, balance integer NOT NULL DEFAULT 0)",
)
FILL = {
    "postgresql": (
        "INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 1000) AS n",
        f"INSERT INTO orders SELECT n, 1 + n % 1000, 0 FROM generate_series(1, {ROWS}) AS n",
        "ANALYZE",
    ),
    "sqlite": (
        "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1000) INSERT INTO users SELECT n, 'user ' || n FROM s",
        f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {ROWS}) INSERT INTO orders SELECT n, 1 + n % 1000, 0 FROM s",
        "ANALYZE",
    ),
}
MIGRATIONS = {
    "001_note.sql": "ALTER TABLE orders ADD COLUMN note text;\n",
    "002_balance.sql": "UPDATE orders SET balance = balance + 1;\n",
    "003_index.sql": "CREATE INDEX orders_user_id_idx ON orders (user_id);\n",
}
SLOWLY = {"DRIFTFLOW_CHUNK_TARGET_MS": "60", "DRIFTFLOW_REST_PERCENT": "300"}
"""The pace is part of the plan, so it is said when the plan is made."""
FOREIGN_KEY = "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id)"


def load_terminal() -> ModuleType:
    """The pseudo-terminal beside this file: test folders are no packages."""
    spec = importlib.util.spec_from_file_location("terminal", Path(__file__).with_name("terminal.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


terminal = load_terminal()


def execute(url: str, *statements: str) -> None:
    with closing(connector_for(url).connect("test")) as connection:
        for statement in statements:
            connection.begin()
            connection.execute(statement)
            connection.commit()


def value(url: str, query: str) -> object:
    with closing(connector_for(url).connect("test")) as connection:
        return connection.query(query)[0][0]


def project(folder: Path) -> Path:
    migrations = folder / "migrations"
    migrations.mkdir(parents=True)
    for name, text in MIGRATIONS.items():
        (migrations / name).write_text(text)
    return folder


def objects(url: str) -> object:
    """How many tables there are: driftflow's own ones would show."""
    if url.startswith("sqlite"):
        return value(url, "SELECT count(*) FROM sqlite_master")
    return value(
        url, "SELECT count(*) FROM pg_class WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg_%')"
    )


def walk(url: str, folder: Path) -> None:
    """The ten minutes. Every output ends with the next command, and nothing is written before `apply`."""
    vendor = "sqlite" if url.startswith("sqlite") else "postgresql"
    execute(url, *SCHEMA, *FILL[vendor])
    before = objects(url)

    code, said = terminal.run(["lint", "migrations", "--dialect", vendor, "--fail-on", "never"], folder=folder)
    assert (code, "next: driftflow " in said) == (0, True), said
    assert "002_balance.sql" in said

    code, said = terminal.run(
        ["effects", FOREIGN_KEY if vendor == "postgresql" else MIGRATIONS["003_index.sql"], "--dialect", vendor], folder=folder
    )
    assert code == 0, said
    assert "orders" in said
    if vendor == "postgresql":
        assert "users" in said, "the foreign key locks the referenced table too"
        assert "SHARE ROW EXCLUSIVE" in said

    code, said = terminal.run(["snapshot", "--url", url, "-o", "shop.json"], folder=folder)
    assert code == 0, said
    assert "user 17" not in (folder / "shop.json").read_text(), "no row values"

    code, said = terminal.run(["plan", "migrations", "--snapshot", "shop.json"], folder=folder, environ=SLOWLY)
    assert code == 0, said
    made = json.loads((folder / "driftflow-plan.json").read_text())
    digest = made["digest"]
    assert digest[:12] in said
    for word in ("stall", "undo", "next: driftflow apply"):
        assert word in said, said
    assert objects(url) == before, "nothing is written before apply"

    irreversible = [step["undo"]["name"] for step in made["plan"]["steps"] if step["undo"]["undo"] == "irreversible"]
    assert len(irreversible) == 1, "nobody keeps the balances as they were"
    code, said = terminal.run(["apply", "driftflow-plan.json", "--url", url], folder=folder)
    assert code == 3 and irreversible[0] in said, said
    assert objects(url) == before, "nothing is written when it is refused"

    words = ["apply", "driftflow-plan.json", "--url", url, "--accept", irreversible[0]]
    with terminal.Terminal(words, folder=folder) as running:
        running.wait_for(r"chunk ([2-9]|\d\d+):")
        running.interrupt()
        code = running.end(seconds=20)
    assert code == 4, running.text
    assert re.search(r"driftflow resume", running.text.splitlines()[-1]), running.text
    done = value(url, "SELECT count(*) FROM orders WHERE balance = 1")
    assert isinstance(done, int) and 0 < done < ROWS, "interrupted in the middle of the backfill"

    code, said = terminal.run(["resume", "--url", url, "--accept", irreversible[0]], folder=folder, seconds=120)
    assert code == 0, said
    assert re.search(r"continued at chunk \d+; 0 rows repeated", said), said
    assert value(url, "SELECT count(*) FROM orders WHERE balance <> 1") == 0, "every row exactly once"
    assert "next: driftflow " in said.splitlines()[-1] or "or: driftflow " in said.splitlines()[-1]


def test_the_first_ten_minutes_on_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    walk(postgresql_url, project(tmp_path / "project"))


def test_the_first_ten_minutes_on_sqlite(sqlite_file: Path, tmp_path: Path) -> None:
    walk(f"sqlite:///{sqlite_file}", project(tmp_path / "project"))
