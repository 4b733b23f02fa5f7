"""What an administrator set on the role for people's sessions neither stops a run nor changes what its statements mean."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import psycopg

from driftflow.drivers.urls import connector_for

HABITS = {
    "statement_timeout": "300ms",
    "lock_timeout": "10ms",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "idle_in_transaction_session_timeout": "300ms",
    "standard_conforming_strings": "off",
    "extra_float_digits": "-8",
    "datestyle": "SQL, DMY",
    "intervalstyle": "iso_8601",
}
NEWER = {14: {"idle_session_timeout": "300ms"}, 17: {"transaction_timeout": "300ms"}}


def test_a_session_of_ours_has_its_own_limits(postgresql_server: Any, postgresql_url: str) -> None:
    habits = HABITS | {
        name: value for since, some in NEWER.items() if postgresql_server.version >= since for name, value in some.items()
    }
    with psycopg.connect(postgresql_url, autocommit=True) as db:
        database = db.info.dbname
        for name, value in habits.items():
            db.execute(f"ALTER DATABASE \"{database}\" SET {name} = '{value}'".encode())
    with closing(connector_for(postgresql_url).connect("test")) as connection:
        time.sleep(0.6)
        connection.begin()
        connection.execute(
            r"CREATE TABLE k AS SELECT '\d'::text AS t, 1 / 3.0::float8 AS f, date '03/02/2030' AS d, interval '1 month' AS i"
        )
        connection.query("SELECT pg_sleep(0.6)")
        connection.commit()
        text, number, month, interval = connection.query("SELECT t, f::text, extract(month FROM d)::int, i::text FROM k")[0]
        assert (text, float(number), interval) == (r"\d", 1 / 3, "1 mon")
        assert month == 2, "in which order a date is read stays the database's own matter"
