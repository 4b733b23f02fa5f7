"""The online rebuild on MySQL and MariaDB under what applications do all day: how they write, with which rights, and to tables of which make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pymysql
import pytest
from recipes.rig import Place, PlainSession
from recipes.test_rebuild_hurt import COMPARED, COPIED, LONGER, SCHEMA, SWAP, Trial

from driftflow.lab.plain_driver import plain_connection

pytestmark = pytest.mark.on("mysql", "mariadb-10")
NUMBERS = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400)"
REBUILT = "rebuild_online"


def rebuilt(place: Place, schema: str, migration: str, *writes: str) -> None:
    """Forth and back, with the writes at every moment that differs from the others to them; and the same writes to a table that nobody rebuilds."""
    trial, other = Trial(place, migration, schema), place.fresh(schema)
    assert REBUILT in {step.strategy for step in trial.plan.steps}
    numbers, copied = iter(range(1, 1000)), f"Copy {migration.split()[2]} into"
    with closing(PlainSession(trial.database.url)) as one, closing(PlainSession(other.url)) as two:

        def write() -> None:
            for number in (next(numbers), next(numbers)):
                for text, session in product(writes, (one, two)):
                    session.run((text.replace("{n}", str(number)),))

        begins = (
            ("ChunkDone", copied),
            ("StepDone", copied),
            ("StepDone", "Write rows"),
            ("StepDone", COMPARED),
            ("StepDone", SWAP),
        )
        assert trial.forward(*((kind, begin, write) for kind, begin in begins)).state == "waiting_at_gate"
        write()
        rows = trial.database.rows()
        assert [rows[name] for name in other.rows()] == list(other.rows().values())
        moments = [("StepDone", begin, write) for begin in ("back: Write rows", "back: Write the last", "back: Take away")]
        assert trial.back(*moments).state == "rolled_back"
        write()
    assert next(numbers) == 21
    assert trial.database.rows() == other.rows()
    assert trial.database.structure() == other.structure()
    assert trial.left() == []


@contextmanager
def administration(place: Place) -> Iterator[Callable[[str], Any]]:
    """The lab's administrator, who may give rights."""
    url = urlsplit(place.make())
    with closing(
        plain_connection(url._replace(netloc="root@localhost").geturl(), application="root", lock_timeout_ms=1000)
    ) as root:

        def run(sql: str) -> Any:
            with closing(root.cursor()) as cursor:
                cursor.execute(sql)
                return cursor.fetchall()

        yield run


def test_ways_to_write(place: Place) -> None:
    """Statements that change one row or many, that are inserts to one trigger and updates or deletes to another."""
    rebuilt(
        place,
        SCHEMA,
        LONGER,
        "INSERT INTO orders VALUES ({n} % 1100 + 1, {n}, 'c{n}') ON DUPLICATE KEY UPDATE total = total + 1",
        "INSERT INTO orders VALUES ({n} % 1100 + 1, 1, 'c5') ON DUPLICATE KEY UPDATE id = 100000 + {n}, code = concat(code, 'x{n}')",
        "REPLACE INTO orders VALUES ({n} % 1100 + 1, {n}, 'r{n}')",
        "REPLACE INTO orders VALUES ({n} + 20000, {n}, coalesce((SELECT code FROM (SELECT code FROM orders WHERE id = {n} % 900 + 1) AS one), 'gone{n}'))",
        "INSERT IGNORE INTO orders VALUES ({n} % 1000 + 1, 1, 'i{n}'), ({n} + 30000, 1, 'i{n}')",
        "UPDATE orders JOIN digits ON digits.n = orders.id % 50 SET orders.total = orders.total + digits.n, digits.n = digits.n + 0 WHERE orders.id % 7 = {n} % 7",
        "DELETE orders FROM orders JOIN digits ON orders.id = digits.n * 100 + {n} % 100 WHERE digits.n IN (3, 4)",
        "UPDATE IGNORE orders SET code = 'c9' WHERE id IN (9, 10)",
        "INSERT INTO orders SELECT id + 50000 + {n} * 10, total, concat('s{n}-', id) FROM orders WHERE id <= 3",
        "UPDATE orders SET id = id + 0, total = total WHERE id < 40 ORDER BY id DESC LIMIT 5",
    )


@pytest.mark.parametrize("word", ["REPLACE", "IGNORE"])
def test_rows_are_loaded_from_a_file(place: Place, tmp_path: Path, word: str) -> None:
    """While rows are copied, behind the comparison, and behind the swap; beside it the same on a table that nobody rebuilds."""
    file = tmp_path / "rows.csv"
    text = f"LOAD DATA LOCAL INFILE '{file}' {word} INTO TABLE orders FIELDS TERMINATED BY ',' (id, total, code)"
    trial, other = Trial(place, LONGER), place.fresh(SCHEMA)
    with administration(place) as root:
        ((before,),) = root("SELECT @@GLOBAL.local_infile")
        root("SET GLOBAL local_infile = 1")
        try:
            with closing(loading(trial.database.url)) as one, closing(loading(other.url)) as two:
                turns = iter(range(9))

                def load() -> None:
                    turn = next(turns)
                    rows = (f"{key},{turn},l{key + turn}\n" for key in range(980 + turn, 1020 + 5 * turn))
                    file.write_text("".join(rows))
                    for session in (one, two):
                        session.cursor().execute(text)

                moments = [("ChunkDone", COPIED, load), ("StepDone", COPIED, load), ("StepDone", COMPARED, load)]
                assert trial.forward(*moments).state == "waiting_at_gate"
                load()
                assert trial.database.rows()["database.orders"] == other.rows()["database.orders"]
                assert trial.back(("StepDone", "back: Write rows", load)).state == "rolled_back"
                assert trial.database.rows() == other.rows()
                assert next(turns) == 5
        finally:
            root(f"SET GLOBAL local_infile = {before}")


def loading(url: str) -> Any:
    """A session that may send files."""
    parts = urlsplit(url)
    socket = parse_qs(parts.query)["unix_socket"][0]
    who = {"user": parts.username, "password": parts.password, "database": parts.path.lstrip("/")}
    return pymysql.connect(unix_socket=socket, autocommit=True, local_infile=True, **who)


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_a_prepared_transaction_keeps_the_swap_waiting(place: Place, end: str) -> None:
    """And what it wrote is in the new form when it commits; where it rolls back, nowhere."""
    expected = [(41,), (41,)] if end == "COMMIT" else [(7,)]
    trial, waited = Trial(place, LONGER), []
    with trial.session() as one, trial.session() as other:
        one("UPDATE orders SET total = 7 WHERE id = 5")

        def prepare() -> None:
            one("XA START 'x'", "UPDATE orders SET total = 41 WHERE id = 5", "INSERT INTO orders VALUES (5000, 41, 'xa')")
            one("XA END 'x'", "XA PREPARE 'x'")

        def finish() -> None:
            waited.append(one(f"XA {end} 'x'"))

        assert trial.forward(("StepDone", "Wait for", prepare), ("LockWaited", SWAP, finish)).state == "waiting_at_gate"
        assert waited
        assert other("SELECT total FROM orders WHERE id IN (5, 5000)") == expected
        assert trial.back().state == "rolled_back"
        assert other("SELECT total FROM orders WHERE id IN (5, 5000)") == expected


RIGHTS = (
    "GRANT SELECT, INSERT ON {schema}.orders TO {role}",
    "GRANT UPDATE (total), REFERENCES (id) ON {schema}.orders TO {role}",
    "GRANT DELETE ON {schema}.orders TO {role}",
)


def test_rights_of_the_application_stay(place: Place) -> None:
    """RENAME TABLE leaves rights with the name; the triggers run with the rights of who made them, so the application needs none on what is ours."""
    trial = Trial(place, LONGER)
    parts = urlsplit(trial.database.url)
    schema, role = parts.path.lstrip("/"), f"app_{parts.path.lstrip('/')[-8:]}"
    with administration(place) as owner:
        owner(f"CREATE USER {role}@localhost IDENTIFIED BY 'weak-and-local'")
        try:
            for right in RIGHTS:
                owner(right.format(schema=schema, role=f"{role}@localhost"))
            before = owner(f"SHOW GRANTS FOR {role}@localhost")
            url = parts._replace(netloc=f"{role}:weak-and-local@localhost").geturl()
            with closing(PlainSession(url)) as application:
                numbers = iter(range(6000, 7000))

                def write() -> None:
                    number = next(numbers)
                    application.run((f"INSERT INTO orders VALUES ({number}, 1, 'w{number}')",))
                    application.run((f"UPDATE orders SET total = {number} WHERE id = {number}",))
                    application.run((f"DELETE FROM orders WHERE id = {number} - 2",))

                moments = [
                    ("StepDone", begin, write) for begin in ("Note the keys", COPIED, COMPARED, SWAP, "Verify that no row")
                ]
                assert trial.forward(*moments, ("ChunkDone", COPIED, write)).state == "waiting_at_gate"
                write()
                with pytest.raises(Exception, match="denied"):
                    application.run(("UPDATE orders SET code = 'no' WHERE id = 1",))
                assert owner(f"SHOW GRANTS FOR {role}@localhost") == before
                assert trial.back(("StepDone", "back: Write rows", write)).state == "rolled_back"
                write()
                assert owner(f"SHOW GRANTS FOR {role}@localhost") == before
                last = next(numbers) - 1
                found = trial.database.query("SELECT id FROM orders WHERE id >= 6000 ORDER BY id")
                assert found == [(last - 1,), (last,)]
        finally:
            owner(f"DROP USER {role}@localhost")


def table(columns: str, values: str, *, name: str = "things") -> str:
    return f"CREATE TABLE {name} ({columns}); INSERT INTO {name} {NUMBERS} SELECT {values} FROM s;"


UPDATED = "UPDATE things SET v = v + 1 WHERE v % 5 = {n} % 5"
WIDER = "ALTER TABLE things MODIFY v bigint;"
MAKES = {
    "an invisible column": (
        table("id int PRIMARY KEY, v int, hidden int {invisible} DEFAULT 7", "n, n", name="things").replace(
            "INTO things ", "INTO things (id, v) "
        ),
        "INSERT INTO things (id, v, hidden) VALUES (1000 + {n}, 1, {n})",
        "INSERT INTO things VALUES (3000 + {n}, 1)",
        "UPDATE things SET hidden = hidden + 1 WHERE id = {n} % 400 + 1",
    ),
    "generated columns": (
        table(
            "id int PRIMARY KEY, v int, s int AS (id * 2) STORED, w int AS (id + 1) VIRTUAL, KEY things_s (s), KEY things_w (w)",
            "n, n",
        ).replace("INTO things ", "INTO things (id, v) "),
        "INSERT INTO things (id, v) VALUES (1000 + {n}, 1)",
        "UPDATE things SET id = id + 5000 WHERE id = {n} % 400 + 1",
    ),
    "indexes over the beginning of texts": (
        table(
            "id int PRIMARY KEY, v int, t varchar(100), b blob, UNIQUE KEY things_t (t(8)), KEY things_b (b(4))",
            "n, n, concat('t', n), repeat(n, 20)",
        ),
        "INSERT INTO things VALUES (1000 + {n}, 1, 'u{n}', x'00ff')",
        "UPDATE things SET t = concat(t, '-longer') WHERE id = {n} % 400 + 1",
        "UPDATE things SET t = 'moved' WHERE id = 17",
        "UPDATE things SET t = 'x{n}' WHERE id = 17",
        "UPDATE things SET t = 'moved' WHERE id = 391",
        "UPDATE things SET t = 'y{n}' WHERE id = 391",
    ),
    "a counter in the middle of the key": (
        table(
            "firm int NOT NULL, id int NOT NULL AUTO_INCREMENT, v int, PRIMARY KEY (firm, id), KEY things_id (id)", "n % 7, n, n"
        ),
        "INSERT INTO things (firm, v) VALUES ({n} % 7, 1)",
        "UPDATE things SET firm = firm + 10 WHERE id = {n} % 400 + 1",
        "DELETE FROM things WHERE id = {n} % 90 + 300",
    ),
    "negative and huge keys": (
        table(
            "id bigint PRIMARY KEY, v int",
            "CASE n % 4 WHEN 0 THEN -9223372036854775808 + n WHEN 1 THEN 9223372036854775807 - n WHEN 2 THEN -n ELSE n END, n",
        ),
        "INSERT INTO things VALUES (-9223372036854770000 + {n}, 1)",
        "INSERT INTO things VALUES (9223372036854770000 + {n}, 1)",
        "UPDATE things SET id = -id WHERE id BETWEEN 1 AND {n} % 100",
    ),
    "huge keys without a sign": (
        table("id bigint unsigned PRIMARY KEY, v int", "18446744073709551615 - n * 461168601842738, n"),
        "INSERT INTO things VALUES (18446744073709541615 + {n}, 1)",
        "UPDATE things SET id = id - 5000 WHERE id = 18446744073709541615 + {n} - 9",
    ),
    "a key of three columns": (
        table(
            "a int NOT NULL, b varchar(20) NOT NULL, c date NOT NULL, v int, PRIMARY KEY (a, b, c)",
            "n % 3, concat('b', n % 11), '2020-01-01' + INTERVAL n DAY, n",
        ),
        "INSERT INTO things VALUES ({n} % 3, 'B{n}', '2030-01-01', 1)",
        "UPDATE things SET c = c + INTERVAL 2 YEAR WHERE a = {n} % 3 AND b = 'b5' AND c < '2022-01-01' LIMIT 1",
        "DELETE FROM things WHERE a = 1 AND b = 'b{n}'",
    ),
    "decimal and binary keys": (
        table(
            "a decimal(20,4) NOT NULL, b varbinary(8) NOT NULL, v int, PRIMARY KEY (a, b)",
            "n * 1.0001 - 200, unhex(lpad(hex(n), 8, '0')), n",
        ),
        "INSERT INTO things VALUES ({n} + 0.5, x'00', 1)",
        "UPDATE things SET b = concat(b, x'00') WHERE v = {n} % 400 + 1 AND length(b) < 7",
    ),
    "a key of text, without regard to case and accents": (
        table(
            "id varchar(30) COLLATE utf8mb4_unicode_ci PRIMARY KEY, v int", "concat(ELT(n % 4 + 1, 'É', 'ß', '😀', 'a '), n), n"
        ).replace("INTO things ", "INTO things "),
        "INSERT INTO things VALUES ('Zoë{n}', 1) ON DUPLICATE KEY UPDATE v = v + 1",
        "UPDATE things SET id = upper(id) WHERE v = {n} % 400 + 1",
        "DELETE FROM things WHERE id = 'zoe{n}'",
    ),
    "a key of text, to the letter": (
        table("id varchar(30) COLLATE utf8mb4_bin PRIMARY KEY, v int", "concat(ELT(n % 4 + 1, 'É', 'e', '😀', 'E'), n), n"),
        "INSERT INTO things VALUES ('zoe{n}', 1), ('Zoe{n}', 1)",
        "UPDATE things SET id = concat(id, ' ') WHERE v = {n} % 400 + 1",
    ),
    "a full-text index": (
        table("id int PRIMARY KEY, v int, t text, FULLTEXT KEY things_t (t)", "n, n, concat('word', n, ' and more')"),
        "INSERT INTO things VALUES (1000 + {n}, 1, 'another text')",
        "UPDATE things SET t = 'changed words' WHERE id = {n} % 400 + 1",
    ),
    "a spatial index": (
        table(
            "id int PRIMARY KEY, v int, p point NOT NULL {srid}, SPATIAL KEY things_p (p)",
            "n, n, ST_GeomFromText(concat('POINT(', n % 80, ' ', n % 90, ')') {as_srid})",
        ),
        "INSERT INTO things VALUES (1000 + {n}, 1, ST_GeomFromText('POINT(1 2)' {as_srid}))",
        "UPDATE things SET p = ST_GeomFromText('POINT(3 4)' {as_srid}) WHERE id = {n} % 400 + 1",
    ),
    "dates of zero": (
        "SET SESSION sql_mode = ''; "
        + table(
            "id int PRIMARY KEY, v int, d date NOT NULL, at datetime NOT NULL",
            "n, n, IF(n % 3, '2020-01-01', '0000-00-00'), IF(n % 5, '2020-01-01', '2020-00-00')",
        ),
        "UPDATE things SET v = v + 2 WHERE d = 0 AND id = {n} % 400 + 1",
        "INSERT INTO things VALUES (1000 + {n}, 1, '2021-01-01', '2021-01-01')",
    ),
}


def worded(place: Place, text: str) -> str:
    mysql = place.vendor == "mysql"
    words = {"{invisible}": "INVISIBLE", "{srid}": "SRID 4326" if mysql else "", "{as_srid}": ", 4326" if mysql else ""}
    for word, meant in words.items():
        text = text.replace(word, meant)
    return text


@pytest.mark.parametrize("make", MAKES)
def test_tables_of_many_makes(place: Place, make: str) -> None:
    schema, *writes = (worded(place, text) for text in MAKES[make])
    rebuilt(place, schema, WIDER, *writes, *(() if "things SET v = v + 2" in "".join(writes) else (UPDATED,)))
