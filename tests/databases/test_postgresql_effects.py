"""Predicted effects against a live server: every recorded statement, and statements made by chance from a grammar over the same schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgresql_comparison import catalog_of, difference
from postgresql_statements import statements

from driftflow.lab.servers import AnyServer
from driftflow.model.catalog import Catalog

DATA = Path(__file__).parent / "data" / "effects"
SEED, COUNT = 7, 170
"""Per server and run. `make soak` takes MORE."""
MORE_SEED, MORE = 11, 500
BUILD = frozenset({"alter table t alter column tx set compression lz4"})
"""What depends on how the server was built."""


@pytest.fixture(scope="module")
def schema(postgresql_server: AnyServer) -> Iterator[tuple[str, Catalog]]:
    url = postgresql_server.create_database()
    yield url, set_up(url)
    postgresql_server.drop_database(url)


def set_up(url: str) -> Catalog:
    """The recorded schema and rows; 12 has no gen_random_uuid() yet."""
    script = (DATA / "postgresql-setup.sql").read_text(encoding="utf-8").replace("gen_random_uuid()", "md5(g::text)::uuid")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())
    return catalog_of(url)


def recorded() -> list[str]:
    """The recorded statements, without those that depend on how the server was built."""
    found = [str(one["sql"]) for one in json.loads((DATA / "postgresql.json").read_text(encoding="utf-8"))]
    assert len(found) == 175
    return [sql for sql in found if sql not in BUILD]


def differences(schema: tuple[str, Catalog], wanted: list[str]) -> list[str]:
    url, catalog = schema
    return [f"{sql}\n    {told}" for sql in wanted if (told := difference(url, catalog, sql))]


def test_every_recorded_statement_is_predicted_as_this_server_does_it(schema: tuple[str, Catalog]) -> None:
    assert differences(schema, recorded()) == []


def test_statements_made_by_chance_are_predicted_as_this_server_does_them(schema: tuple[str, Catalog]) -> None:
    assert differences(schema, statements(SEED, COUNT)) == []


def test_a_column_that_is_written_must_be_there(schema: tuple[str, Catalog]) -> None:
    written = ("v = 'y'", "nope = 1", "V = 'y'", '"V" = 1', "(v, id) = ('y', 7)", "(v, nope) = (1, 2)", "ctid = null")
    wanted = [f"update p set {one} where id = 7" for one in written]
    wanted += [f"insert into p ({one}) values (-1)" for one in ("id", "nope", '"ID"')]
    wanted += [
        "update vt set i = 2 where id = 7",
        "update nowhere set i = 2",
        "delete from nowhere",
        "insert into nowhere values (1)",
    ]
    assert differences(schema, wanted) == []


@pytest.mark.slow
def test_many_statements_made_by_chance_are_predicted_as_this_server_does_them(schema: tuple[str, Catalog]) -> None:
    assert differences(schema, statements(MORE_SEED, MORE)) == []
