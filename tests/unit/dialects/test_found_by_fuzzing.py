"""Texts that once ended in an error of Python, found by `make fuzz`. Each is read, or refused with a place."""

from __future__ import annotations

import pytest

from fuzz.promises import lint

FOUND = {
    "attributes of no constraint": ("postgresql", "CREATE TABLE t (id bigint PRIMARY KEY, b int DEFERRABLE INITIALLY DEFERRED)"),
    "an attribute of another kind": ("postgresql", "CREATE TABLE t (a int CONSTRAINT n NOT NULL DEFERRABLE)"),
    "a key that is not enforced": ("postgresql", "CREATE TABLE t (a int PRIMARY KEY NOT ENFORCED)"),
    "a DELETE from nothing": ("mysql", "DELETE t )"),
    "a DELETE whose FROM is missing": ("mariadb", "DELETE t"),
    "a column called share": ("mysql", "SELECT 1 AS share"),
    "a length that is no number": ("mysql", "ALTER TABLE t ADD COLUMN f float(I0), ADD COLUMN g text(x), ADD COLUMN h blob(1.5)"),
    "a length beyond all numbers": ("mysql", f"ALTER TABLE t ADD COLUMN f float({'9' * 5_000}), AUTO_INCREMENT = {'9' * 5_000}"),
    "an owner that is no column": ("postgresql", "ALTER SEQUENCE s AS bigint OWNED BY t"),
    "an owner in another database": ("postgresql", "CREATE SEQUENCE s OWNED BY d.s.t.c"),
    "a step that is not whole": ("postgresql", "ALTER SEQUENCE s INCREMENT BY 1.5"),
    "a step of hexadecimal digits": ("postgresql", "ALTER SEQUENCE s INCREMENT BY 0x1FFFFFFFFFFFFFFFF"),
    "a default beyond all numbers": ("postgresql", f"ALTER TABLE t ALTER COLUMN a SET DEFAULT '{'9' * 5_000}'::bigint"),
    "a cast with a modifier that is text": ("postgresql", "SELECT a::pg_catalog.interval('x')"),
    "a column whose type has such a modifier": ("postgresql", "ALTER TABLE t ADD COLUMN a pg_catalog.interval('x')"),
    "a file directive inside the first statement": ("postgresql", "SELECT 1 -- driftflow: file"),
}


@pytest.mark.parametrize("kind", FOUND)
def test_found(kind: str) -> None:
    dialect, sql = FOUND[kind]
    lint(dialect, sql)
