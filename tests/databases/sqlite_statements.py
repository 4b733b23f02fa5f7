"""Statements of SQLite made by chance from a grammar over `SETUP`. The same seed gives the same statements."""

from __future__ import annotations

import random

SETUP = """
CREATE TABLE p(id INTEGER PRIMARY KEY, v TEXT, n INT NOT NULL DEFAULT 1);
CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT COLLATE NOCASE, c NUMERIC CHECK (c > 0), d REAL, p_id INT REFERENCES p (id), g INT AS (a + 1), UNIQUE (a, b));
CREATE TABLE s(id INTEGER PRIMARY KEY, v TEXT, n INT) STRICT;
CREATE TABLE w(k TEXT PRIMARY KEY, v INT) WITHOUT ROWID;
CREATE TABLE c(p_id INT REFERENCES p ON DELETE CASCADE, v TEXT);
CREATE TABLE e(x INT, y INT);
CREATE INDEX t_c ON t(c);
CREATE INDEX t_d ON t(lower(b)) WHERE d > 0;
CREATE UNIQUE INDEX s_v ON s(v);
CREATE VIEW pv AS SELECT id, v FROM p;
CREATE TRIGGER tg AFTER INSERT ON s BEGIN UPDATE p SET n = n + 1 WHERE id = new.n; END;
WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 2000) INSERT INTO p SELECT i, 'x' || i, i FROM k;
INSERT INTO t(id, a, b, c, d, p_id) SELECT id, id, 'b' || id, id, id / 2.0, id FROM p;
INSERT INTO s SELECT id, v, n FROM p;
INSERT INTO w SELECT v, n FROM p;
INSERT INTO c SELECT id, v FROM p;
INSERT INTO e SELECT id, n FROM p;
"""
TABLES = {
    "p": ("id", "v", "n"),
    "t": ("id", "a", "b", "c", "d", "p_id", "g"),
    "s": ("id", "v", "n"),
    "w": ("k", "v"),
    "c": ("p_id", "v"),
    "e": ("x", "y"),
}
TYPES = ("INT", "INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC", "VARCHAR(10)", "ANY", "")
EXTRAS = (
    "", "", "", " NOT NULL", " NOT NULL DEFAULT 1", " DEFAULT 5", " DEFAULT 'x'", " DEFAULT NULL", " DEFAULT CURRENT_TIMESTAMP", " DEFAULT (1 + 1)",
    " UNIQUE", " PRIMARY KEY", " CHECK (x1 > 0)", " DEFAULT 5 CHECK (x1 > 6)", " REFERENCES p (id)", " REFERENCES p DEFAULT 1", " COLLATE NOCASE",
    " AS (1 + 1)", " AS (1 + 1) STORED", " CHECK (x1 IS NOT NULL)",
)  # fmt: skip


def statements(seed: int, count: int) -> list[str]:
    """`count` different statements, two in three of them ALTER TABLE."""
    chance = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found.setdefault(_alter(chance) if chance.random() < 0.66 else _other(chance))
    return list(found)


def _alter(chance: random.Random) -> str:
    table = chance.choice((*TABLES, "t", "t", "pv", "nope"))
    columns = (*TABLES.get(table, ("id",)), "nope")
    column, other = chance.choice(columns), chance.choice(columns)
    name = chance.choice(("x1", "x1", "x1", "x1", other))
    return f"ALTER TABLE {table} " + chance.choice(
        (
            f"ADD COLUMN {name} {chance.choice(TYPES)}{chance.choice(EXTRAS)}".replace("x1", name),
            f"ADD COLUMN {name} {chance.choice(TYPES)}{chance.choice(EXTRAS)}".replace("x1", name),
            f"ADD COLUMN x1 {chance.choice(TYPES)}{chance.choice(EXTRAS)}",
            f"DROP COLUMN {column}",
            f"DROP COLUMN {column}",
            f"RENAME COLUMN {column} TO {chance.choice(('y1', other))}",
            f"RENAME TO {chance.choice(('other', 'p', 'sqlite_x', table))}",
        )
    )


def _other(chance: random.Random) -> str:
    table = chance.choice((*TABLES, "pv", "nope"))
    columns = (*TABLES.get(table, ("id",)), "nope")
    column, second = chance.choice(columns), chance.choice(columns)
    key = chance.choice((column, f"{column}, {second}", f"lower({column})", f"{column} COLLATE NOCASE DESC", "random()"))
    return chance.choice(
        (
            f"CREATE {chance.choice(('', 'UNIQUE '))}INDEX {chance.choice(('x', 't_c', 'IF NOT EXISTS t_c'))} ON {table}({key})",
            f"CREATE INDEX x ON {table}({column}) WHERE {columns[0]} IS NOT NULL",
            f"DROP INDEX {chance.choice(('t_c', 't_d', 's_v', 'nope', 'IF EXISTS nope', 'sqlite_autoindex_t_1'))}",
            f"DROP TABLE {chance.choice(('', 'IF EXISTS '))}{table}",
            f"DROP VIEW {chance.choice(('pv', 'nope', 'IF EXISTS nope', 'p'))}",
            f"DROP TRIGGER {chance.choice(('tg', 'nope', 'IF EXISTS nope'))}",
            f"CREATE TABLE {chance.choice(('n', table))}(id INTEGER PRIMARY KEY, v {chance.choice(TYPES)})",
            f"CREATE TABLE IF NOT EXISTS {table}(id)",
            f"CREATE TABLE n(a {chance.choice(TYPES)}, b REFERENCES {table}) {chance.choice(('', 'STRICT', 'WITHOUT ROWID'))}",
            f"CREATE VIEW {chance.choice(('v9', table))} AS SELECT {column} FROM {table}",
            f"CREATE TRIGGER {chance.choice(('g9', 'tg'))} {chance.choice(('AFTER', 'INSTEAD OF'))} INSERT ON {table} BEGIN SELECT 1; END",
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"REINDEX {chance.choice((table, 't_c'))}",
            f"ANALYZE {table}",
            "VACUUM",
        )
    )
