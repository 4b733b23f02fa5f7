"""Rows that stand in the way of a key on MySQL and MariaDB: duplicates go and come back, and nobody makes new ones meanwhile."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from recipes.rig import Database, Place, PlainSession, Recipe, apply, show, take_back

from driftflow.errors import RefusedError
from driftflow.model.plan import Backfill, ChunkPolicy
from driftflow.model.record import replace

pytestmark = pytest.mark.on("mysql", "mariadb")

NUMBERS = "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300) SELECT n FROM s) AS x"
SHOP = f"""
CREATE TABLE users (id bigint PRIMARY KEY, email varchar(100), name varchar(100), seen integer, points integer, invited_by bigint,
    changed timestamp NOT NULL DEFAULT '2001-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, FOREIGN KEY (invited_by) REFERENCES users (id));
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, cents integer,
    changed timestamp NOT NULL DEFAULT '2001-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP,
    CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
INSERT INTO users (id, email, name, seen, points)
    SELECT n, CASE WHEN n % 29 = 0 THEN NULL WHEN n % 5 < 2 THEN concat('twice', n DIV 5) ELSE concat('once', n) END, concat('n', n), (n * 7) % 13, n
    FROM {NUMBERS};
UPDATE users SET invited_by = id - 1, changed = changed WHERE id % 10 = 7;
UPDATE users SET email = upper(email), changed = changed WHERE id % 10 = 1;
INSERT INTO orders (id, user_id, cents) SELECT n, n, n * 10 FROM {NUMBERS};
"""
"""Pairs (5k, 5k + 1) with the same email, some in capitals, each with an order; some were invited by one that goes."""
WRITES = (
    "UPDATE users SET points = points + 1, changed = changed WHERE id = {n} % 60 * 5 + 3",
    "INSERT INTO users (id, email, name, seen, points) VALUES (1000 + {n}, 'new{n}', 'n', 1, 1)",
    "INSERT INTO users (id, email) VALUES (1000 + {n} - 1, 'new{n}') ON DUPLICATE KEY UPDATE name = 'again', changed = users.changed",
    "INSERT INTO orders (id, user_id, cents) VALUES (1000 + {n}, {n} % 60 * 5 + 2, 5)",
    (
        "UPDATE users SET name = 'w{n}', changed = changed WHERE id = {n} % 60 * 5 + 4",
        "UPDATE orders SET cents = cents + 1, changed = changed WHERE id = {n} % 300 + 1",
    ),
)
"""The parent first: an ALTER of a table that others reference locks these too, and the server ends a transaction that comes from the other side."""
ADD = "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);"
BETTER = {"first": "k.id < g.id", "last": "(k.seen > g.seen OR k.seen = g.seen AND k.id > g.id)"}


def by_hand(keep: str, merge: str = "") -> str:
    """What a careful person would have typed, with the application stopped."""
    pairs = f"users AS g JOIN users AS k ON k.email = g.email AND {BETTER[keep]}"
    merged = (
        f"UPDATE users AS k JOIN (SELECT email, max({merge}) AS most FROM users GROUP BY email HAVING count(*) > 1) AS m ON m.email = k.email "
        f"SET k.{merge} = m.most, k.changed = k.changed;"
        if merge
        else ""
    )
    return (
        f"UPDATE orders JOIN ({pairs}) ON g.id = orders.user_id SET orders.user_id = k.id, orders.changed = orders.changed;"
        f"UPDATE users AS u JOIN ({pairs}) ON g.id = u.invited_by SET u.invited_by = k.id, u.changed = u.changed;{merged}"
        f"DELETE g FROM {pairs};{ADD}"
    )


@pytest.mark.recipe(
    "unique-conflicts",
    "emulated",
    on=("mysql", "mariadb"),
    why="triggers and a table of the keys that are written refuse new duplicates until the index does",
)
@pytest.mark.parametrize(
    ("said", "keep", "merge"),
    [
        ("keep=first", "first", ""),
        ("keep=last by=seen", "last", ""),
        ('keep=first merge="points=max(points)"', "first", "points"),
    ],
)
def test_duplicates_go_and_come_back(place: Place, said: str, keep: str, merge: str) -> None:
    """Times of change stay as they are: pointing a row elsewhere is no change of the application's."""
    show(place, Recipe(schema=SHOP, migration=f"-- driftflow: duplicates {said}\n{ADD}", naive=by_hand(keep, merge), old=WRITES))


@pytest.mark.parametrize("keep", ["first", "last"])
def test_what_is_merged_adds_up_over_many_chunks(place: Place, keep: str) -> None:
    """Thirty rows per key, twenty-five rows a chunk: the row that stays lies in another chunk than most of those that go; and all of it comes back."""
    schema = (
        "CREATE TABLE tags (part integer, id integer, name varchar(20), uses integer, best integer, PRIMARY KEY (part, id));"
        "CREATE TABLE links (id integer PRIMARY KEY, part integer, tag integer, FOREIGN KEY (part, tag) REFERENCES tags (part, id));"
        f"INSERT INTO tags SELECT n % 3, n, concat('t', n % 10), nullif(n, 40), n * 7 % 50 FROM {NUMBERS};"
        f"INSERT INTO links SELECT n, n % 3, n FROM {NUMBERS};"
    )
    database, start = place.fresh(schema), place.fresh(schema)
    said = f'-- driftflow: duplicates keep={keep} merge="uses=sum(uses), best=max(best)"\n'
    plan = database.plan(said + "CREATE UNIQUE INDEX tags_name ON tags (name);")
    small = ChunkPolicy(rows_first=25, rows_max=25, rest_percent=0)
    steps = tuple(replace(step, chunk=small) if isinstance(step, Backfill) else step for step in plan.steps)
    report = apply(replace(plan, steps=steps), database)
    assert report.state == "done"
    merged = "SELECT name, sum(uses), max(best) FROM tags GROUP BY name ORDER BY name"
    assert database.query(merged) == start.query(merged)
    assert database.query("SELECT count(*) FROM tags") == [(10,)]
    stays = f"SELECT name, {'min' if keep == 'first' else 'max'}(part * 1000 + id) AS k FROM tags GROUP BY name"
    asked = (
        "SELECT t.part * 1000 + t.id, count(*) FROM ({}) AS s JOIN tags AS t ON t.part * 1000 + t.id = s.k GROUP BY 1 ORDER BY 1"
    )
    assert [key for key, _ in database.query(asked.format(stays))] == [key for key, _ in start.query(asked.format(stays))]
    assert database.query("SELECT count(*) FROM links JOIN tags ON (tags.part, tags.id) = (links.part, links.tag)") == [(300,)]
    assert take_back(report.run, database).state == "rolled_back"
    assert (database.structure(), database.rows()) == (start.structure(), start.rows())


def until_protected(database: Database) -> None:
    """The plan up to the triggers, as it stands while duplicates are being removed."""
    plan = database.plan(f"-- driftflow: duplicates keep=first\n{ADD}")
    number = next(number for number, step in enumerate(plan.steps) if isinstance(step, Backfill))
    assert apply(replace(plan, steps=plan.steps[:number]), database).state == "done"


def test_no_new_duplicate_arises_while_the_old_ones_go(place: Place) -> None:
    database = place.fresh(SHOP)
    until_protected(database)
    with closing(PlainSession(database.url)) as session:
        for refused in (
            "INSERT INTO users (id, email) VALUES (5001, 'ONCE3')",
            "INSERT IGNORE INTO users (id, email) VALUES (5001, 'once3')",
            "UPDATE users SET email = 'once3' WHERE id = 4",
            "INSERT INTO users (id, email) VALUES (5001, 'x'), (5002, 'x')",
        ):
            with pytest.raises(Exception, match=r"Duplicate entry for key 'users\.users_email_key'"):
                session.run((refused,))
        for allowed in (
            "UPDATE users SET name = 'still free', email = upper(email) WHERE email = 'twice1'",
            "INSERT INTO users (id, email) VALUES (5003, NULL), (5004, NULL), (5005, 'free')",
            "UPDATE users SET email = 'freed' WHERE id = 5",
            "INSERT INTO users (id, email) VALUES (5005, 'free') ON DUPLICATE KEY UPDATE name = 'there'",
            "REPLACE INTO users (id, email) VALUES (5005, 'free')",
            "DELETE FROM users WHERE id = 5005",
            "INSERT INTO users (id, email) VALUES (5006, 'free')",
        ):
            session.run((allowed,))


REFUSED = {1062, 1213, 1205, 1020}
"""A duplicate, a deadlock, a wait that was too long, a snapshot that is too old: each undoes the whole statement."""


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_of_many_writers_of_one_key_one_gets_through(place: Place, isolation: str) -> None:
    """Each of them begins with a look at the table, so that under REPEATABLE READ its snapshot is older than what the others write."""
    database = place.fresh(SHOP)
    until_protected(database)
    codes: list[int] = []
    together = threading.Barrier(4)

    def write(writer: int) -> None:
        with closing(PlainSession(database.url)) as session:
            session.run((f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}",))
            for key in range(25):
                together.wait(30)
                try:
                    session.run(
                        (
                            "SELECT COUNT(*) FROM users",
                            f"INSERT INTO users (id, email) VALUES ({9000 + key * 10 + writer}, 'key{key}')",
                        )
                    )
                except Exception as error:
                    codes.append(error.args[0])

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join(60)
    assert set(codes) <= REFUSED
    assert database.query("SELECT email, COUNT(*) FROM users WHERE id >= 9000 GROUP BY email HAVING COUNT(*) <> 1") == []
    assert database.query("SELECT COUNT(*) FROM users WHERE id >= 9000") == [(25,)]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE UNIQUE INDEX users_email ON users (email(5));", "a part of a column"),
        ("ALTER TABLE parts ADD CONSTRAINT parts_k UNIQUE (id, k);", "partitioned"),
    ],
)
def test_where_the_key_cannot_be_protected_it_is_refused(place: Place, statement: str, why: str) -> None:
    schema = SHOP + "CREATE TABLE parts (id bigint PRIMARY KEY, k integer) PARTITION BY HASH (id) PARTITIONS 2;"
    with pytest.raises(RefusedError, match="cannot be removed by a plan") as refused:
        place.fresh(schema).plan(f"-- driftflow: duplicates keep=first\n{statement}")
    assert refused.value.code == "DF-E655"
    assert why in refused.value.why
