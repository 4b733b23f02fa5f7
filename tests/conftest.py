"""Fixtures that every test may use: real servers, started once per worker and version, with a database of its own for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import wanted
from driftflow.lab import mysql, servers, sqlite
from driftflow.lab.servers import AnyServer

# A busy machine is no finding: how long an example takes is not what the property tests are about.
# The same examples on every machine: a suite that fails by chance is not believed. `make soak` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("chance", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# Servers and files of tests live in memory where there is plenty: making a table takes a tenth of the time that a disk needs, and a kill loses no more.
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 6 << 30
if "PYTEST_XDIST_WORKER" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
    os.environ.setdefault("DRIFTFLOW_LAB_SERVERS", str(MEMORY))
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# Nothing of a test is kept for the next run, nor taken from the one before.
os.environ["DRIFTFLOW_CACHE"] = "off"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write what golden tests got as what they expect; review the diff"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether to write the expected files instead of comparing with them."""
    return bool(request.config.getoption("--update-golden"))


def postgresql_versions() -> list[int]:
    """Those that the suite must see; others join when the environment names them (DRIFTFLOW_TEST_POSTGRESQL_14_URL)."""
    given = {one.version for one in servers.available() if one.url}
    return sorted({*wanted.POSTGRESQL, *given})


@pytest.fixture(
    scope="session", params=[pytest.param(version, marks=pytest.mark.postgresql) for version in postgresql_versions()]
)
def postgresql_server(request: pytest.FixtureRequest) -> Iterator[AnyServer]:
    """A PostgreSQL server; tests that use it run once per version."""
    version: int = request.param
    found = servers.server(version)
    if found is None:
        wanted.missing(f"no PostgreSQL {version}: pip install 'driftflow[lab]', or set DRIFTFLOW_TEST_POSTGRESQL_{version}_URL")
    with found.open() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: AnyServer) -> Iterator[str]:
    """A fresh, empty database, dropped afterwards."""
    url = postgresql_server.create_database()
    try:
        yield url
    finally:
        postgresql_server.drop_database(url)


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """A new, empty SQLite database."""
    return sqlite.create(tmp_path / "test.db")


def mysql_family_parameters() -> list[object]:
    """One parameter per server of the family."""
    return [pytest.param(name, marks=getattr(pytest.mark, name.partition("-")[0]), id=name) for name in wanted.mysql_family()]


@pytest.fixture(scope="session", params=mysql_family_parameters())
def mysql_family(request: pytest.FixtureRequest) -> str:
    """`mariadb-10`, `mysql-9`, ...: a server that can be started here; tests that use it run once per server."""
    name: str = request.param
    wanted.mysql_programs_of(name)
    return name


@pytest.fixture(scope="session")
def mysql_server(mysql_family: str) -> Iterator[mysql.Server]:
    """A running server of the family, once per worker."""
    with mysql.begun(wanted.mysql_programs_of(mysql_family), folder=None, settings=None, durable=False) as server:
        yield server


@pytest.fixture
def mysql_url(mysql_server: mysql.Server) -> Iterator[str]:
    """A fresh, empty database of a server of the family, dropped afterwards."""
    url = mysql_server.create_database()
    try:
        yield url
    finally:
        mysql_server.drop_database(url)
