"""Keys that are too long and rows that are too large: predicted as each server takes or refuses them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from driftflow.dialects.registry import dialect_named
from driftflow.drivers.mysql_catalog import read_catalog
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.lab.mysql import Server
from driftflow.model.catalog import Catalog
from mysql_predictions import predicted

DATABASE = "d"
LATIN = "CHARACTER SET latin1"


def columns(count: int, type_: str) -> str:
    return ", ".join(f"c{number} {type_}" for number in range(count))


KEYS = (
    "CREATE TABLE k (v VARCHAR(768), KEY (v))",
    "CREATE TABLE k (v VARCHAR(769), KEY (v))",
    "CREATE TABLE k (v VARCHAR(769), UNIQUE KEY (v))",
    "CREATE TABLE k (v VARCHAR(768) PRIMARY KEY)",
    "CREATE TABLE k (v VARCHAR(769) PRIMARY KEY)",
    "CREATE TABLE k (v VARCHAR(400), w VARCHAR(368), KEY (v, w))",
    "CREATE TABLE k (v VARCHAR(400), w VARCHAR(369), KEY (v, w))",
    "CREATE TABLE k (v VARCHAR(400), w VARCHAR(369), UNIQUE KEY (v, w))",
    "CREATE TABLE k (v VARCHAR(400), w VARCHAR(368), i INT, KEY (v, w, i))",
    f"CREATE TABLE k (v VARCHAR(768) {LATIN}, w VARCHAR(2304) {LATIN}, KEY (v, w))",
    f"CREATE TABLE k (v VARCHAR(768) {LATIN}, w VARCHAR(2305) {LATIN}, KEY (v, w))",
    "CREATE TABLE k (v VARCHAR(191), KEY (v)) ROW_FORMAT=COMPACT",
    "CREATE TABLE k (v VARCHAR(192), KEY (v)) ROW_FORMAT=COMPACT",
    "CREATE TABLE k (v VARCHAR(192), UNIQUE KEY (v)) ROW_FORMAT=REDUNDANT",
    "CREATE TABLE k (v VARCHAR(192), w VARCHAR(100), KEY (w, v)) ROW_FORMAT=COMPACT",
    "CREATE TABLE k (v TEXT, KEY (v(768)))",
    "CREATE TABLE k (v TEXT, KEY (v(769)))",
    "CREATE TABLE k (v VARBINARY(3073), UNIQUE KEY (v))",
    "ALTER TABLE t ADD KEY (v)",
    "ALTER TABLE t ADD PRIMARY KEY (v)",
    "CREATE INDEX vw ON t (v, w)",
    "ALTER TABLE t ADD KEY (w), MODIFY w VARCHAR(900)",
    "ALTER TABLE t MODIFY l VARCHAR(3072)",
    "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4",
    "ALTER TABLE t ROW_FORMAT=COMPACT",
)
ROWS = (
    "CREATE TABLE k (a VARCHAR(16383))",
    "CREATE TABLE k (a VARCHAR(16384))",
    f"CREATE TABLE k (a VARCHAR(65532) {LATIN})",
    f"CREATE TABLE k (a VARCHAR(65533) {LATIN})",
    f"CREATE TABLE k (a VARCHAR(65523) {LATIN} NOT NULL, b TEXT NOT NULL)",
    f"CREATE TABLE k (a VARCHAR(65524) {LATIN} NOT NULL, b TEXT NOT NULL)",
    f"CREATE TABLE k (a VARCHAR(65529) {LATIN} NOT NULL, i INT NOT NULL)",
    f"CREATE TABLE k (a VARCHAR(65530) {LATIN} NOT NULL, i INT NOT NULL)",
    f"CREATE TABLE k (a VARCHAR(65516) {LATIN} NOT NULL, d DECIMAL(20,3) NOT NULL, m DATETIME(3) NOT NULL)",
    f"CREATE TABLE k (a VARCHAR(65517) {LATIN} NOT NULL, d DECIMAL(20,3) NOT NULL, m DATETIME(3) NOT NULL)",
    f"CREATE TABLE k ({columns(31, f'CHAR(255) {LATIN} NOT NULL')})",
    f"CREATE TABLE k ({columns(32, f'CHAR(255) {LATIN} NOT NULL')})",
    f"CREATE TABLE k ({columns(60, 'VARCHAR(255) NOT NULL')})",
    f"CREATE TABLE k ({columns(65, 'VARCHAR(255) NOT NULL')})",
    f"CREATE TABLE k ({columns(190, 'TEXT NOT NULL')})",
    f"CREATE TABLE k ({columns(10, 'TEXT NOT NULL')}) ROW_FORMAT=COMPACT",
    f"CREATE TABLE k ({columns(11, 'TEXT NOT NULL')}) ROW_FORMAT=COMPACT",
    f"CREATE TABLE k ({columns(815, f'VARCHAR(9) {LATIN} NOT NULL')})",
    f"ALTER TABLE t ADD COLUMN z VARCHAR(60000) {LATIN}",
    f"ALTER TABLE t ADD COLUMN z VARCHAR(50000) {LATIN}",
    "ALTER TABLE t MODIFY w VARCHAR(16000)",
)


@pytest.fixture
def connection(mysql_server: Server) -> Iterator[Connection]:
    mysql_server.drop_database(DATABASE)
    mysql_server.create_database(DATABASE)
    with closing(connector_for(mysql_server.url(DATABASE)).connect("sizes")) as opened:
        opened.execute(f"CREATE TABLE t (v VARCHAR(769) NOT NULL, w VARCHAR(300), l VARCHAR(1000) {LATIN}, KEY l (l))")
        yield opened
    mysql_server.drop_database(DATABASE)


@pytest.mark.parametrize("statements", [KEYS, ROWS], ids=["keys", "rows"])
def test_what_does_not_fit_is_known_before(connection: Connection, statements: tuple[str, ...]) -> None:
    catalog = read_catalog(connection)
    dialect = dialect_named(connection.dialect)
    differences, refusals = [], 0
    for sql in statements:
        foretold = predicted(dialect, catalog, sql).refused
        error = ""
        try:
            connection.execute("CREATE TABLE copied LIKE t")
            connection.execute(sql.replace(" t ", " copied "))
        except DatabaseFault as fault:
            error = fault.message
        connection.execute("DROP TABLE IF EXISTS copied, k")
        refusals += bool(error)
        if bool(error) != bool(foretold):
            differences.append(f"{sql[:160]}\n  predicted {foretold}\n  observed  {error}")
    assert differences == []
    assert 5 < refusals < len(statements)


def test_where_the_character_set_is_not_known_nothing_is_said() -> None:
    dialect = dialect_named("mysql")
    unknown = Catalog(vendor="mysql", database="d", search_path=("d",), schemas=("d",))
    assert predicted(dialect, unknown, "CREATE TABLE k (v VARCHAR(769) PRIMARY KEY)").refused == ()
