"""ALTER TABLE statements made by chance from a grammar over the schema of `data/effects/mysql-setup.sql`. The same seed gives the same statements."""

from __future__ import annotations

import random
from collections.abc import Callable

TABLES: dict[str, tuple[str, ...]] = {
    "t": (
        "i",
        "u",
        "n",
        "vc",
        "vcb",
        "vc3",
        "ch",
        "tx",
        "dt",
        "ts",
        "js",
        "bl",
        "e",
        "st",
        "nn",
        "g",
        "gs",
        "b",
        "yr",
        "pid",
        "f",
    ),
    "p": ("id", "v"),
    "c": ("id", "pid"),
    "cs": ("id", "v"),
    "nopk": ("a", "b"),
    "rr": ("id", "a", "v"),
    "s1": ("id", "a", "b", "v", "j"),
    "ft": ("id", "a", "tx"),
    "cz": ("id", "a"),
    "pt": ("id", "k"),
}
INDEXES = {"t": ("k_i", "k_vc", "k_vc2", "uk"), "ft": ("tx",), "c": ("pid",)}
TYPES = (
    "int",
    "bigint",
    "smallint",
    "int unsigned",
    "varchar(5)",
    "varchar(10)",
    "varchar(20)",
    "varchar(50)",
    "varchar(60)",
    "varchar(63)",
    "varchar(64)",
    "varchar(300)",
    "varchar(400)",
    "varchar(60) character set latin1",
    "varchar(60) character set utf8mb4",
    "varchar(50) collate utf8mb4_bin",
    "char(10)",
    "char(12)",
    "text",
    "mediumtext",
    "decimal(10,2)",
    "decimal(12,2)",
    "datetime",
    "datetime(3)",
    "timestamp null",
    "date",
    "json",
    "blob",
    "varbinary(20)",
    "enum('a','b')",
    "enum('a','b','c')",
    "enum('b','a')",
    "set('a','b')",
    "set('a','b','c')",
    "double",
    "float",
    "bit(4)",
)
DEFAULTS = ("", "", "", " default null", " default 5", " not null", " not null default 1", " default 'x'", " comment 'said'")
OPTIONS = (
    "force",
    "engine=innodb",
    "row_format=dynamic",
    "row_format=compact",
    "row_format=redundant",
    "row_format=compressed",
    "key_block_size=8",
    "comment='new'",
    "auto_increment=500",
    "stats_persistent=1",
    "default character set latin1",
    "convert to character set utf8mb4",
    "convert to character set latin1",
    "convert to character set utf8mb4 collate utf8mb4_bin",
)


def statements(seed: int, count: int) -> list[str]:
    """`count` different statements."""
    chance = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        table = chance.choice(list(TABLES))
        clauses = [_clause(chance, table) for _ in range(chance.choice((1, 1, 1, 1, 2, 2, 3)))]
        if any(clause in OPTIONS for clause in clauses):
            clauses = clauses[-1:] if clauses[-1] in OPTIONS else clauses[:1]
        found.setdefault(f"alter table {table} {', '.join(clauses)}")
    return list(found)


def _clause(chance: random.Random, table: str) -> str:
    makers: list[tuple[int, Callable[[random.Random, str], str]]] = [
        (5, _add),
        (8, _modify),
        (2, _drop),
        (2, _rename),
        (2, _index),
        (1, _drop_index),
        (1, _default),
        (1, _constraint),
        (1, _primary),
        (2, _option),
    ]
    return chance.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0](chance, table)


def _position(chance: random.Random, table: str) -> str:
    return chance.choice(("", "", "", "", " first", f" after {chance.choice(TABLES[table])}"))


def _add(chance: random.Random, table: str) -> str:
    name = chance.choice(("x1", "x2", "x3"))
    kind = chance.randrange(8)
    first = TABLES[table][-1]
    if kind == 0:
        return f"add column {name} int as (1 + 1) virtual"
    if kind == 1:
        return f"add column {name} int as (2 + 1) stored{_position(chance, table)}"
    if kind == 2:
        return f"add column {name} int check ({name} > 0)"
    if kind == 3:
        return f"add column {name} int unique"
    type_ = chance.choice(("int", "varchar(20)", "text", "json", "datetime", "decimal(10,2)", "enum('a','b')"))
    default = (
        chance.choice(("", "", " not null"))
        if type_ != "int"
        else chance.choice(("", " default 5", " not null default 5", " not null"))
    )
    return f"add column {name} {type_}{default}{_position(chance, table) if first else ''}"


def _modify(chance: random.Random, table: str) -> str:
    column = chance.choice(TABLES[table])
    word = f"change column {column} {column}2" if chance.random() < 0.1 else f"modify column {column}"
    return f"{word} {chance.choice(TYPES)}{chance.choice(DEFAULTS)}{_position(chance, table) if chance.random() < 0.2 else ''}"


def _drop(chance: random.Random, table: str) -> str:
    return f"drop column {chance.choice((*TABLES[table], 'nowhere'))}"


def _rename(chance: random.Random, table: str) -> str:
    return f"rename column {chance.choice(TABLES[table])} to {chance.choice(('y1', 'y2', TABLES[table][0]))}"


def _index(chance: random.Random, table: str) -> str:
    columns = [one for one in TABLES[table] if one not in {"tx", "bl", "js", "j"}]
    name = chance.choice(("ix1", "ix2", "k_i"))
    kind = chance.choice(("index", "index", "unique index"))
    return f"add {kind} {name} ({', '.join(chance.sample(columns, min(len(columns), chance.choice((1, 1, 2)))))})"


def _drop_index(chance: random.Random, table: str) -> str:
    index = chance.choice((*INDEXES.get(table, ()), "nowhere"))
    return chance.choice((f"drop index {index}", f"rename index {index} to ix9"))


def _default(chance: random.Random, table: str) -> str:
    column = chance.choice(TABLES[table])
    return f"alter column {column} {chance.choice(('set default 5', 'drop default'))}"


def _constraint(chance: random.Random, table: str) -> str:
    column = chance.choice(TABLES[table])
    return chance.choice(
        (
            f"add constraint ck9 check ({column} is not null or 1 = 1)",
            "drop constraint ck",
            f"add constraint fk9 foreign key ({column}) references p (id)",
            "drop foreign key cfk",
        )
    )


def _primary(chance: random.Random, table: str) -> str:
    column = chance.choice(TABLES[table])
    return chance.choice((f"drop primary key, add primary key ({column})", "drop primary key", f"add primary key ({column})"))


def _option(chance: random.Random, table: str) -> str:
    return chance.choice(OPTIONS)
