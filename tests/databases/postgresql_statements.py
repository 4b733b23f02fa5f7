"""Statements made by chance from a grammar over the schema of `data/effects/postgresql-setup.sql`. The same seed gives the same statements.

Most make sense; some name what is not there or what is already there, because whether a statement fails is compared too. ALTER TABLE is here,
the rest in `postgresql_other_statements.py`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from postgresql_other_statements import other

TABLES: dict[str, tuple[str, ...]] = {
    "t": (
        "i",
        "n",
        "vc",
        "vcu",
        "tx",
        "ch",
        "ts",
        "tz",
        "js",
        "jb",
        "by",
        "nn",
        "m",
        "u",
        "s",
        "r",
        "b",
        "vb",
        "tm",
        "ip",
        "cidr_",
        "nul",
        "bo",
        "d",
    ),
    "p": ("id", "v"),
    "nnv": ("id", "a", "b"),
    "fk": ("id", "p_id"),
    "fknv": ("id", "p_id"),
    "pt": ("id", "k", "v"),
    "pt1": ("id", "k", "v"),
    "ptd": ("id", "k", "v"),
    "ptn": ("id", "k", "v"),
    "ptn2": ("id", "k", "v"),
    "idt": ("id", "v"),
    "ser": ("id", "v"),
    "dt": ("id", "d"),
    "un": ("id",),
    "gen": ("id", "a", "g"),
}
WEIGHTS = {"t": 8, "p": 2, "nnv": 2, "pt": 3}
NUMBERS = {"id", "i", "nn", "s", "nul", "a", "b", "p_id", "k", "g", "d", "n"}
TYPES = (
    "int", "bigint", "smallint", "numeric", "numeric(10,2)", "numeric(12,2)", "numeric(12,4)", "text", "varchar", "varchar(5)", "varchar(20)",
    "char(20)", "boolean", "date", "timestamp", "timestamptz", "timestamp(3)", "time", "interval", "json", "jsonb", "uuid", "bytea", "inet",
    "cidr", "mood", "dm", "dmc", "real", "double precision", "int[]", "varbit", "varbit(16)", "bit(8)", "time(3)", "name", "int4range",
)  # fmt: skip
DEFAULTS: dict[str, tuple[str, ...]] = {
    "int": ("5", "0", "nextval('sq')", "(random() * 10)::int", "length('abc')", "null", "'7'"),
    "bigint": ("5", "extract(epoch from now())::bigint", "nextval('sq')"),
    "text": ("'x'", "current_user", "now()::text", "md5(random()::text)", "gen_random_uuid()::text", "''"),
    "timestamptz": ("now()", "clock_timestamp()", "current_timestamp", "'2020-01-01'", "statement_timestamp()", "now() + interval '1 day'"),
    "date": ("current_date", "'2020-01-01'", "now()::date"),
    "uuid": ("gen_random_uuid()", "'00000000-0000-0000-0000-000000000000'"),
    "jsonb": ("'{}'", "'[]'::jsonb", "jsonb_build_object('a', 1)"),
    "boolean": ("false", "true", "random() > 0.5"),
    "numeric(10,2)": ("0", "1.5", "random()"),
    "mood": ("'a'", "'a'::mood"),
    "dm": ("1",),
    "dmc": ("1", "-1"),
    "int[]": ("'{}'", "array[1,2]"),
    "varchar(5)": ("'x'", "'toolong'"),
}  # fmt: skip
CONSTRAINTS = {
    "t": ("t_pkey", "t_i_pos"),
    "p": ("p_pkey",),
    "nnv": ("nnv_pkey", "a_nn"),
    "fk": ("fk_pkey", "fk_p_id_fkey"),
    "fknv": ("fknv_pkey", "fknv_fk", "c_nv"),
    "pt": ("pt_pkey",),
    "pt1": ("pt1_pkey",),
    "ptd": ("ptd_pkey",),
    "ptn2": ("ptn2_id_check",),
    "gen": ("gen_pkey",),
    "un": ("un_pkey",),
}
INDEXES = {
    "t": ("t_i", "t_vc", "uq_idx", "uq_null_idx", "t_pkey"),
    "p": ("p_pkey",),
    "pt": ("pt_k",),
    "pt1": ("pt1_k_idx",),
    "fk": ("fk_pkey",),
}
STORAGE = ("plain", "main", "external", "extended")
OPTIONS = (
    "set (fillfactor = 80)", "set (autovacuum_enabled = false)", "reset (fillfactor)", "set (toast.autovacuum_enabled = false)",
    "set logged", "set unlogged", "set without cluster", "set tablespace pg_default", "owner to current_user", "replica identity full",
    "replica identity nothing", "replica identity default", "enable row level security", "disable row level security",
    "force row level security", "no force row level security", "disable trigger user", "enable trigger all", "set without oids",
    "set access method heap", "disable trigger tr", "enable replica trigger tr", "not of",
)  # fmt: skip

Maker = Callable[[random.Random, str], str]


def statements(seed: int, count: int) -> list[str]:
    """`count` different statements, about half of them ALTER TABLE with one to three clauses."""
    chance = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found.setdefault(alter_table(chance) if chance.random() < 0.55 else other(chance))
    return list(found)


def alter_table(chance: random.Random) -> str:
    table = chance.choices(list(TABLES), [WEIGHTS.get(one, 1) for one in TABLES])[0]
    only = "only " if chance.random() < 0.04 else ""
    if chance.random() < 0.12:
        return f"alter table {only}{table} {_alone(chance, table)}"
    clauses: list[str] = []
    for _ in range(chance.choice((1, 1, 1, 1, 2, 2, 3))):
        clause = _clause(chance, table)
        if not any(_speak_of_the_same(clause, one, table) for one in clauses):
            clauses.append(clause)
    return f"alter table {only}{table} {', '.join(clauses)}"


def _speak_of_the_same(clause: str, other: str, table: str) -> bool:
    """The server carries out clauses by kind and not as written: those that change one column twice are left out, but for drops."""
    if "drop constraint" in (clause[:15], other[:15]) or "using index" in clause + other:
        return True
    if "drop column" in (clause[:11], other[:11]):
        return not all(one.startswith(("drop column", "add column", "alter column")) for one in (clause, other))
    names = set(re.findall(r"\w+", clause)) & set(re.findall(r"\w+", other))
    return bool(names & {*TABLES[table], "id", "x1", "x2", "x3"})


def _alone(chance: random.Random, table: str) -> str:
    """What cannot stand beside other clauses."""
    column = chance.choice(TABLES[table])
    constraint = chance.choice((*CONSTRAINTS.get(table, ()), "nope"))
    return chance.choice(
        (
            f"rename column {column} to {chance.choice(('y1', 'id'))}",
            f"rename constraint {constraint} to c9",
            f"rename to {chance.choice(('other', 'p', 'vt'))}",
            "set schema nowhere",
            f"rename {column} to y2",
        )
    )


def _clause(chance: random.Random, table: str) -> str:
    makers: list[tuple[int, Maker]] = [
        (7, _add_column),
        (9, _type),
        (3, _drop_column),
        (4, _default),
        (4, _not_null),
        (6, _add_constraint),
        (4, _constraint),
        (2, _identity),
        (2, _generated),
        (3, _column_option),
        (4, _option),
        (1, _inherit),
    ]
    return chance.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0](chance, table)


def _add_column(chance: random.Random, table: str) -> str:
    name = chance.choice(("x1", "x2", "x3"))
    again = chance.choice(("", "", "", "if not exists "))
    source = chance.choice(TABLES[table])
    kind = chance.randrange(12)
    if kind == 0:
        return f"add column {again}{name} {chance.choice(('serial', 'bigserial', 'smallserial'))}"
    if kind == 1:
        return f"add column {name} int generated {chance.choice(('always', 'by default'))} as identity"
    if kind == 2:
        return (
            f"add column {name} int generated always as ({chance.choice(('1 + 1', 'id * 2', f'length({source}::text)'))}) stored"
        )
    if kind == 3:
        return f"add column {name} int generated always as ({chance.choice(('1 + 1', 'id * 2'))}) virtual"
    if kind == 4:
        return f"add column {name} {chance.choice(TYPES)}{chance.choice(('', '', ' not null', ' null'))}"
    if kind == 5:
        collation, default = chance.choice(("c_coll", '"C"')), chance.choice(("", " default 'x'"))
        return f"add column {name} text collate {collation}{default}"
    type_ = chance.choice(list(DEFAULTS))
    default = f" default {chance.choice(DEFAULTS[type_])}"
    extra = chance.choice(("", "", "", " not null", " not null", f" check ({name} is not null)", " unique", " primary key"))
    if type_ == "int" and chance.random() < 0.25:
        extra = chance.choice(
            (
                " references p (id)",
                " references p",
                " references p on delete cascade",
                " references nowhere",
                " references pt (id)",
            )
        )
        default = chance.choice(("", "", " default 1", " default 0"))
    return f"add column {again}{name} {type_}{chance.choice((default, default, ''))}{extra}"


def _type(chance: random.Random, table: str) -> str:
    column, type_ = chance.choice((*TABLES[table], "id")), chance.choice(TYPES)
    using = chance.choice(
        ("", "", "", f" using {column}::{type_}", f" using {column}::text::{type_}", f" using ({column})", " using null")
    )
    collate = chance.choice(("", "", " collate c_coll", ' collate "C"')) if type_ in {"text", "varchar", "varchar(20)"} else ""
    return f"alter column {column} {chance.choice(('', 'set data '))}type {type_}{collate}{using}"


def _drop_column(chance: random.Random, table: str) -> str:
    column = chance.choice((*TABLES[table], *TABLES[table], "nope"))
    return f"drop column {chance.choice(('', '', 'if exists '))}{column}{chance.choice(('', '', ' cascade', ' restrict'))}"


def _default(chance: random.Random, table: str) -> str:
    column = chance.choice(TABLES[table])
    value = (
        chance.choice(("5", "0", "nextval('sq')"))
        if column in NUMBERS and (table, column) != ("t", "b")
        else chance.choice(("null", "null", "'x'"))
    )
    return f"alter column {column} {chance.choice((f'set default {value}', 'drop default'))}"


def _not_null(chance: random.Random, table: str) -> str:
    column = chance.choice((*TABLES[table], "id"))
    return f"alter column {column} {chance.choice(('set not null', 'set not null', 'drop not null'))}"


def _add_constraint(chance: random.Random, table: str) -> str:
    column, second = chance.choice(TABLES[table]), chance.choice(TABLES[table])
    named = chance.choice(("", "constraint c9 ", "constraint c8 "))
    late = chance.choice(("", "", " not valid"))
    check = f"{column} > 0" if column in NUMBERS and (table, column) != ("t", "b") else f"{column} is not null"
    waits = chance.choice(("", "", "", " deferrable", " deferrable initially deferred"))
    return "add " + chance.choice(
        (
            f"{named}check ({check}){late}",
            f"{named}check ({check}){late}",
            f"{named}check ({column} is null or {second} is not null){chance.choice((late, ' no inherit'))}",
            f"{named}check ({check}) not enforced",
            f"{named}foreign key ({column}) references p{chance.choice((' (id)', '', ' (v)'))}{waits}{late}",
            f"{named}foreign key ({column}) references {chance.choice(('p', 't', 'nnv', 'pt', 'un', 'vt'))} (id){late}",
            f"{named}foreign key ({column}) references p (id) on delete {chance.choice(('cascade', 'set null', 'restrict'))} not enforced",
            f"{named}unique ({column}){waits}",
            f"{named}unique ({column}, {second}){chance.choice(('', ' include (id)', ''))}",
            f"{named}unique nulls not distinct ({column})",
            f"{named}primary key ({column})",
            f"constraint c7 {chance.choice(('unique', 'primary key'))} using index {chance.choice((*INDEXES.get(table, ('t_i',)), 'nope'))}",
            f"{named}exclude using gist ({column} with &&)",
            f"{named}exclude using btree ({column} with =)",
            f"{chance.choice(('constraint c6 ', ''))}not null {column}{late}",
        )
    )


def _constraint(chance: random.Random, table: str) -> str:
    name = chance.choice((*CONSTRAINTS.get(table, ("id",)), *CONSTRAINTS.get(table, ("id",)), "nope"))
    return chance.choice(
        (
            f"validate constraint {name}",
            f"drop constraint {name}",
            f"drop constraint if exists {name}",
            f"drop constraint {name} cascade",
            f"alter constraint {name} {chance.choice(('deferrable', 'not deferrable', 'deferrable initially deferred', 'not enforced'))}",
        )
    )


def _identity(chance: random.Random, table: str) -> str:
    column = chance.choice(("id", "id", TABLES[table][-1]))
    return f"alter column {column} " + chance.choice(
        (
            "add generated always as identity",
            "add generated by default as identity (start with 5000)",
            "set generated always",
            "set increment by 2",
            "restart with 9000",
            "drop identity",
            "drop identity if exists",
        )
    )


def _generated(chance: random.Random, table: str) -> str:
    column = "g" if table == "gen" else chance.choice(TABLES[table])
    return (
        f"alter column {column} {chance.choice(('drop expression', 'drop expression if exists', 'set expression as (id * 3)'))}"
    )


def _column_option(chance: random.Random, table: str) -> str:
    column = chance.choice(TABLES[table])
    return f"alter column {column} " + chance.choice(
        (
            f"set statistics {chance.choice((-1, 100, 500))}",
            f"set storage {chance.choice(STORAGE)}",
            "set compression pglz",
            "set (n_distinct = 5)",
            "reset (n_distinct)",
        )
    )


def _option(chance: random.Random, table: str) -> str:
    index = chance.choice((*INDEXES.get(table, ("nope",)),))
    return chance.choice((*OPTIONS, f"cluster on {index}", f"replica identity using index {index}"))


def _inherit(chance: random.Random, table: str) -> str:
    return f"{chance.choice(('inherit', 'no inherit'))} {chance.choice(('un', 'p', 'nnv', 'ptn'))}"
