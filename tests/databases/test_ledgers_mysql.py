"""The version tables of migration tools on MySQL and MariaDB: a plan of each tool's files, run, seen as applied, and taken back."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from engine_rig import apply, take_back
from mysql_rig import session

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.catalogs import catalog_of
from driftflow.drivers.urls import connector_for
from driftflow.errors import RefusedError
from driftflow.lab.mysql import Server, database_of
from driftflow.model.plan import Plan
from driftflow.readers.sources import Source

DDL = "CREATE TABLE item (id INT PRIMARY KEY);\n"
MORE = "ALTER TABLE item ADD COLUMN name VARCHAR(20);\n"
PROJECTS = {
    "plain": {"001_item.sql": DDL, "002_name.sql": MORE},
    "dbmate": {
        "20260101000000_item.sql": f"-- migrate:up\n{DDL}\n-- migrate:down\nDROP TABLE item;\n",
        "20260102000000_name.sql": f"-- migrate:up\n{MORE}\n-- migrate:down\nALTER TABLE item DROP COLUMN name;\n",
    },
    "goose": {"00001_item.sql": f"-- +goose Up\n{DDL}", "00002_name.sql": f"-- +goose Up\n{MORE}"},
    "golang-migrate": {
        "1_item.up.sql": DDL,
        "1_item.down.sql": "DROP TABLE item;\n",
        "2_name.up.sql": MORE,
        "2_name.down.sql": "ALTER TABLE item DROP COLUMN name;\n",
    },
    "flyway": {
        "V1__item.sql": DDL,
        "V2__name.sql": MORE,
        "R__again.sql": "CREATE OR REPLACE VIEW items AS SELECT id FROM item;\n",
    },
    "prisma": {
        "migration_lock.toml": 'provider = "mysql"\n',
        "20260101000000_item/migration.sql": DDL,
        "20260102000000_name/migration.sql": MORE,
    },
    "diesel": {"2026-01-01-000000_item/up.sql": DDL, "2026-01-02-000000_name/up.sql": MORE},
}


def project(tool: str, folder: Path) -> Path:
    place = folder / "migrations"
    for name, text in PROJECTS[tool].items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


def planned(url: str, place: Path) -> tuple[Plan, tuple[Source, ...]]:
    with session(url) as db:
        catalog, dialect = catalog_of(db), dialect_named(db.dialect)
    sources = pipeline.find_sources([place], dialect=dialect, options={}, root=place.parent)
    return pipeline.make_plan(sources, dialect=dialect, catalog=catalog, policy=Policy(), root=place.parent), sources


def pending(url: str, sources: tuple[Source, ...]) -> int:
    (status,) = pipeline.read_status(sources, connector_for(url))
    return len(status.pending)


@pytest.mark.parametrize("tool", PROJECTS)
def test_what_ran_stands_in_the_tools_own_table(tool: str, mysql_url: str, tmp_path: Path) -> None:
    plan, sources = planned(mysql_url, project(tool, tmp_path))
    assert sources[0].reader.name == tool
    files = len(sources[0].migrations)
    assert pending(mysql_url, sources) == files
    report = apply(mysql_url, plan)
    assert report.state == "done" and pending(mysql_url, sources) == 0
    assert take_back(mysql_url, report.run).state == "rolled_back"
    assert pending(mysql_url, sources) == files
    with session(mysql_url) as db:
        db.execute("DROP DATABASE driftflow")
        assert "item" not in {name for (name,) in db.query("SHOW TABLES")}


@pytest.mark.parametrize("tool", ["flyway", "golang-migrate", "prisma"])
def test_the_tools_own_lock_is_taken(tool: str, mysql_url: str, tmp_path: Path) -> None:
    plan, _ = planned(mysql_url, project(tool, tmp_path))
    assert plan.tool_lock is not None
    with session(mysql_url) as db:
        assert db.query(plan.tool_lock.acquire) == [(1,)]
        with pytest.raises(RefusedError) as caught:
            apply(mysql_url, plan)
        assert caught.value.code == "DF-E317"
        db.execute("DROP DATABASE driftflow")


def test_dbmate_goes_on_where_driftflow_stopped(
    mysql_server: Server, mysql_url: str, tmp_path: Path, npm_packages: Callable[..., Path]
) -> None:
    """The tool itself reads the table that we made and wrote."""
    program = npm_packages("dbmate@2.36.0") / "node_modules" / ".bin" / "dbmate"
    place = project("dbmate", tmp_path)
    plan, _ = planned(mysql_url, place)
    apply(mysql_url, plan)
    url = mysql_server.tcp_url(database_of(mysql_url)).replace("mariadb://", "mysql://", 1)
    said = subprocess.run(
        [str(program), "--url", url, "--migrations-dir", str(place), "status"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert re.findall(r"^\[(.)\] ", said.stdout, re.MULTILINE) == ["X", "X"], said.stdout
    with closing(connector_for(mysql_url).connect("test")) as db:
        db.execute("DROP DATABASE driftflow")
