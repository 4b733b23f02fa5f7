"""`place`: every server on which a recipe is shown, one parameter each; databases are dropped with the test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from recipes.rig import Place

from driftflow.lab import mysql, mysql_programs, servers, sqlite

POSTGRESQL = ("postgresql-16", "postgresql-18")
WANTED_OF_MYSQL = ("mariadb-10",)
MORE_OF_MYSQL = ("mysql-9", "mariadb-11")


def _names() -> list[str]:
    here = {f"{one.flavour}-{one.version.major}" for one in mysql_programs.installed()}
    return ["sqlite", *POSTGRESQL, *WANTED_OF_MYSQL, *(name for name in MORE_OF_MYSQL if name in here)]


def _missing(message: str) -> None:
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a recipe is not about is left out, and not skipped: nobody asked for it."""
    left, out = [], []
    for item in items:
        wanted, name = item.get_closest_marker("on"), _server_of(item)
        about = wanted is None or not name or bool({name, name.partition("-")[0]} & set(wanted.args))
        (left if about else out).append(item)
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = left


def _server_of(item: pytest.Item) -> str:
    parameters = getattr(item, "callspec", None)
    return str(parameters.params.get("place", "")) if parameters is not None else ""


@pytest.fixture(scope="session")
def server_named() -> Iterator[Callable[[str], mysql.Server | servers.AnyServer]]:
    """`server_named("postgresql-16")`: started when it is first asked for, once per worker."""
    with ExitStack() as stack:
        started: dict[str, mysql.Server | servers.AnyServer] = {}

        def start(name: str) -> mysql.Server | servers.AnyServer:
            if name not in started:
                vendor, _, major = name.partition("-")
                if vendor == "postgresql":
                    found = servers.server(int(major))
                    if found is None:
                        _missing(f"no PostgreSQL {major}: pip install 'driftflow[lab]'")
                        raise AssertionError
                    started[name] = stack.enter_context(found.open())
                else:
                    flavour = "mysql" if vendor == "mysql" else "mariadb"
                    if not any(one.flavour == flavour and one.version.major == int(major) for one in mysql_programs.installed()):
                        _missing(f"no {name}: apt-get install --no-install-recommends mariadb-server")
                    programs = mysql_programs.find(flavour, int(major))
                    started[name] = stack.enter_context(mysql.begun(programs, folder=None, settings=None, durable=False))
            return started[name]

        yield start


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name.partition("-")[0]), id=name) for name in _names()])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, server_named: Callable[[str], mysql.Server | servers.AnyServer]
) -> Iterator[Place]:
    """A server of each kind. A test that is about some of them says so: `@pytest.mark.on("postgresql", "sqlite")`."""
    name: str = request.param
    made: list[str] = []
    if name == "sqlite":

        def make() -> str:
            made.append("")
            return f"sqlite:///{sqlite.create(tmp_path / f'{len(made)}.db')}"

        yield Place(name, make)
        return
    server = server_named(name)

    def create() -> str:
        made.append(server.create_database())
        return made[-1]

    try:
        yield Place(name, create)
    finally:
        for url in made:
            server.drop_database(url)
