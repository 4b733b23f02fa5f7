"""Kill points on PostgreSQL 16 and 18. The server goes on after its client died, which SQLite's does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from engine_plans import POSTGRESQL_SCHEMA, postgresql_plan
from engine_rig import Meter, RunOptions, apply, fingerprinted, postgresql_state, sweep

from driftflow.model.plan import Plan
from driftflow.model.record import replace

pytestmark = [
    pytest.mark.postgresql,
    # Minutes each, and the same steps on both: the older one in `make soak`.
    pytest.mark.parametrize("postgresql_server", [pytest.param(16, marks=pytest.mark.slow), 18], indirect=True),
]
OPEN = RunOptions(open_gates=("deployed",))


class Databases:
    """One database, emptied and filled again for each try: CREATE DATABASE costs two checkpoints."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.url = server.create_database()

    def fresh(self) -> str:
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            db.execute(
                "DROP SCHEMA IF EXISTS driftflow CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + POSTGRESQL_SCHEMA
            )
        return self.url

    def remove(self) -> None:
        self.server.drop_database(self.url)


@pytest.fixture
def databases(postgresql_server: Any) -> Iterator[Databases]:
    made = Databases(postgresql_server)
    try:
        yield made
    finally:
        made.remove()


def some(plan: Plan, *ids: str) -> Plan:
    return replace(plan, steps=tuple(step for step in plan.steps if step.id in ids))


def shown(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n{text}")


def work(plan: Plan) -> Callable[[str, Meter | None], Any]:
    return lambda url, meter: apply(url, plan, meter, options=OPEN)


def test_kill_points(databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every call of a small plan: a transactional step, an exactly-once backfill, an index built outside a transaction."""
    plan = fingerprinted(databases.fresh(), some(postgresql_plan(tmp_path), "add", "stage", "join", "index"))
    found = sweep(databases.fresh, work(plan), postgresql_state)
    shown(capsys, f"PostgreSQL {databases.server.version}: {found.calls} calls, {len(found.points)} distinct kill points")
    assert found.wrong == []
    assert len(found.points) == 2 * found.calls


def test_lost_answers(databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The connection is cut after the server executed call k, COMMIT among them, and the executor lives: it finds out and goes on by itself."""
    plan = fingerprinted(databases.fresh(), some(postgresql_plan(tmp_path), "add", "count", "gate"))
    found = sweep(databases.fresh, work(plan), postgresql_state, moments=("cut",))
    shown(
        capsys, f"PostgreSQL {databases.server.version}: {len(found.points)} lost answers, {found.healed} healed without a person"
    )
    assert found.wrong == []
    assert len(found.points) == found.calls
    assert found.healed > found.calls // 2


@pytest.mark.slow
def test_every_kill_point_of_every_kind(databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = fingerprinted(databases.fresh(), postgresql_plan(tmp_path))
    found = sweep(databases.fresh, work(plan), postgresql_state)
    shown(
        capsys,
        f"PostgreSQL {databases.server.version}, every kind: {found.calls} calls, {len(found.points)} distinct kill points",
    )
    assert found.wrong == []
    assert len(found.points) == 2 * found.calls
