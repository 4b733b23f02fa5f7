"""Rows that are made up for a proof: of types and CHECKs that a schema of today has."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import ROWS, VENDORS, flavour, question, schema, table

from driftflow.lab.proof.bench import open_bench, schema_gaps
from driftflow.lab.proof.prove import prove

POSTGRESQL = """
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE spread AS RANGE (subtype = float8);
CREATE TABLE papers (
    id integer PRIMARY KEY, doc jsonb NOT NULL CHECK (jsonb_typeof(doc) = 'object'), list jsonb NOT NULL CHECK (jsonb_typeof(list) = 'array'),
    day date NOT NULL CHECK (to_char(day, 'YYYY') > '2000'), status varchar(10) NOT NULL CHECK (status IN ('new', 'sent')),
    both_of pair NOT NULL, wide spread NOT NULL, many int4multirange NOT NULL, at pg_lsn NOT NULL, area box NOT NULL, round circle NOT NULL,
    tag uuid NOT NULL CHECK (tag <> '00000000-0000-0000-0000-000000000000'), words text[] NOT NULL CHECK (NOT 'bad' = ANY (words))
);
"""
SQLITE = """
CREATE TABLE papers (
    id INTEGER PRIMARY KEY, doc text NOT NULL CHECK (json_valid(doc)), more text NOT NULL CHECK (json_type(more) = 'object'),
    json_kind text NOT NULL CHECK (json_kind IN ('a', 'b'))
);
"""
MYSQL = """
CREATE TABLE papers (
    id int PRIMARY KEY, doc json NOT NULL, more json NOT NULL CHECK (json_type(more) = 'OBJECT'), list json NOT NULL CHECK (json_type(list) = 'ARRAY'),
    status varchar(10) NOT NULL CHECK (status IN ('new', 'sent'))
);
"""


@pytest.mark.parametrize("vendor", VENDORS)
def test_types_and_checks_of_today_have_rows(vendor: str, tmp_path: Path) -> None:
    """And the lab's schema is the snapshot's, however the server prints its own text when it has read it again."""
    text = {"postgresql": POSTGRESQL, "sqlite": SQLITE}.get(flavour(vendor), MYSQL)
    asked = question("ALTER TABLE papers ADD COLUMN seen integer;", schema(text, vendor), tmp_path)
    with open_bench(asked, tell=lambda text: None) as bench:
        assert (bench.not_built, schema_gaps(bench), bench.filled.impossible) == ((), (), {})
        assert bench.filled.rows == {table(vendor, "papers"): ROWS}


PARTITIONED = """
CREATE TABLE events (id bigint, kind text, at date) PARTITION BY RANGE (at);
CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
CREATE TABLE events_2031 PARTITION OF events FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');
"""


@pytest.mark.postgresql
def test_an_index_of_a_partitioned_table_is_proved(tmp_path: Path) -> None:
    """Its key may be NULL, for which there is no partition; and the way back drops the whole family at once, under locks that it claims."""
    proof = prove(question("CREATE INDEX events_kind ON events (kind);", schema(PARTITIONED, "postgresql"), tmp_path))
    assert [claim for claim in proof.claims if claim.state not in ("proved", "not_asked")] == []
    assert proof.not_proved == ()
