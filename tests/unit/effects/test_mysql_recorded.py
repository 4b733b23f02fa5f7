"""Predicted algorithms against what MySQL 9.7, MariaDB 10.11 and 11.8 did with each statement (recorded in tests/databases/data/effects).

Compared: which ALGORITHM and LOCK pairs are accepted, whether each writes the table anew, and whether the statement is refused.
"""

from __future__ import annotations

import json
from functools import cache

import pytest

from driftflow.model.catalog import Catalog
from mysql_predictions import DATA, catalog_of_setup, dialect_of, hides_rebuild, predicted

SERVERS = ("mysql-9.7.4", "mariadb-10.11.19", "mariadb-11.8.6")
ON_THESE_ROWS = ("Invalid use of NULL", "Data truncated", "Invalid JSON", "CONSTRAINT `t.tx` failed")
"""Refusals that speak of the recorded rows: the server took the pair, and a condition must have been foretold."""


@cache
def recorded() -> list[dict[str, dict[str, dict[str, str]]]]:
    found: list[dict[str, dict[str, dict[str, str]]]] = json.loads((DATA / "mysql.json").read_text(encoding="utf-8"))
    return found


@cache
def setup(server: str) -> Catalog:
    dialect, version = dialect_of(server)
    return catalog_of_setup(dialect, version)


def cases() -> list[tuple[str, str]]:
    """Without what says nothing: clauses on partitions that the recording itself could not put behind an ALGORITHM (a syntax error)."""
    return [
        (server, str(one["sql"]))
        for one in recorded()
        for server in SERVERS
        if not any("error in your SQL syntax" in said for said in one["observed"][server].values())
    ]


@pytest.mark.parametrize(("server", "sql"), cases())
def test_the_prediction_is_what_was_recorded(server: str, sql: str) -> None:
    dialect, _ = dialect_of(server)
    prediction = predicted(dialect, setup(server), sql)
    observed = next(one["observed"][server] for one in recorded() if one["sql"] == sql)
    accepted = {pair: "rebuild" in said for pair, said in observed.items() if said.startswith("ok")}
    on_rows = {pair.partition("/")[0] for pair, said in observed.items() if any(text in said for text in ON_THESE_ROWS)}
    if on_rows:
        assert prediction.conditions
        assert {pair.partition("/")[0] for pair in prediction.pairs} == on_rows
    elif hides_rebuild(sql):
        assert set(prediction.pairs) == set(accepted)
    else:
        assert prediction.pairs == accepted
    assert bool(prediction.refused) == (not accepted and not on_rows)


def test_nearly_everything_recorded_is_compared() -> None:
    assert len(cases()) == 265
