"""A recipe that keeps an old form until the gate, among other statements of the release about the same table: earlier ones that wait for the gate, later
ones that change the table before its old form goes. The way back is tried from the gate and from the end, and must lead to the form of the beginning; and
where somebody has accepted that values are gone, it must lead there without them."""

from __future__ import annotations

import re

import pytest
from recipes.rig import Database, Place, Recipe, Texts, accepted, apply, gates, show, take_back, there_and_back

from driftflow.config import Policy
from driftflow.model.catalog import Table
from driftflow.model.plan import Gate, Plan

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY);
INSERT INTO users VALUES (1), (2);
CREATE TABLE posts (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, title varchar(190) NOT NULL DEFAULT 'none', views int NOT NULL DEFAULT 0,
    score int NOT NULL DEFAULT 3, KEY posts_title (title));
INSERT INTO posts (title, views) VALUES ('a', 1), ('b', 2), ('c', 3);
ANALYZE TABLE posts;
"""
REBUILT = "ALTER TABLE posts MODIFY views bigint unsigned NOT NULL DEFAULT 0;"
OLD = (
    "UPDATE posts SET views = views + 1 WHERE id = {n} % 3 + 1",
    "INSERT INTO posts (views) VALUES ({n})",
    "DELETE FROM posts WHERE views = {n} - 9",
)
TITLED = (
    *OLD,
    "INSERT INTO posts (title, score) VALUES ('n{n}', {n} + 1)",
    "UPDATE posts SET title = 'm' WHERE id = {n} % 3 + 1",
)
MOVED = tuple(one.replace("posts", "articles") for one in OLD)


@pytest.mark.on("mysql", "mariadb-10")
@pytest.mark.recipe("rebuild", "native", on=("mysql", "mariadb"))
@pytest.mark.parametrize(
    ("migration", "old", "new"),
    [
        pytest.param(f"ALTER TABLE posts RENAME COLUMN title TO headline;\n{REBUILT}", OLD, OLD, id="behind a rename"),
        pytest.param(
            f"ALTER TABLE posts ALTER title DROP DEFAULT;\n{REBUILT}", TITLED[3:], TITLED[3:], id="behind a default that goes"
        ),
        pytest.param(f"-- driftflow: archive\nALTER TABLE posts DROP COLUMN score;\n{REBUILT}", OLD, OLD, id="behind a drop"),
        pytest.param(
            f"{REBUILT}\nALTER TABLE posts ADD COLUMN author bigint NULL;\n"
            "ALTER TABLE posts ADD CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES users (id);\n"
            "ALTER TABLE posts ADD UNIQUE KEY posts_both (id, title);\nALTER TABLE posts ALTER score SET DEFAULT 4;",
            TITLED[3:],
            TITLED[3:],
            id="before what only gives",
        ),
        pytest.param(
            f"{REBUILT}\nALTER TABLE posts ADD COLUMN late int NULL;\nCREATE INDEX posts_late ON posts (late);\n"
            "RENAME TABLE posts TO articles;",
            OLD,
            MOVED,
            id="before a rename of the table",
        ),
        pytest.param(
            f"{REBUILT}\nCREATE TABLE apart (id int PRIMARY KEY);\nALTER TABLE posts ADD CONSTRAINT posts_score CHECK (score > 0);\n"
            "ALTER TABLE posts DROP KEY posts_title;",
            TITLED,
            TITLED,
            id="before another rebuild",
        ),
        pytest.param(
            "ALTER TABLE posts ADD COLUMN slug varchar(50) DEFAULT 'none' NOT NULL;\nALTER TABLE posts ALTER COLUMN slug DROP DEFAULT;\n"
            f"CREATE INDEX posts_slug ON posts (slug);\n{REBUILT}\nRENAME TABLE posts TO articles;\n"
            "ALTER TABLE articles CHANGE title headline varchar(190) NOT NULL DEFAULT 'none';",
            (),
            (),
            id="as Django writes it",
        ),
    ],
)
def test_the_way_there_and_back(place: Place, migration: str, old: Texts, new: Texts) -> None:
    show(place, Recipe(schema=SCHEMA, migration=migration, old=old, new=new))


@pytest.mark.on("mysql", "mariadb-10")
def test_an_old_form_that_could_not_come_back_goes_before_the_table_changes(place: Place) -> None:
    """It asks first; and what the new application needs comes behind that, and before the new application is deployed."""
    database = place.fresh(SCHEMA)
    plan = database.plan(f"{REBUILT}\nRENAME TABLE posts TO articles;")
    purposes = [step.purpose for step in plan.steps]
    asked = next(number for number, step in enumerate(plan.steps) if isinstance(step, Gate))
    renamed = next(number for number, text in enumerate(purposes) if text.startswith("Rename posts to articles"))
    assert plan.steps[asked].phase == "migrate"
    assert "the new form of posts" in purposes[asked]
    assert (
        asked
        < next(number for number, text in enumerate(purposes) if text.startswith("Remove zzz_driftflow_old_posts"))
        < renamed
    )
    assert _gates_before(plan, renamed) == 1


def _gates_before(plan: Plan, number: int) -> int:
    return sum(isinstance(step, Gate) for step in plan.steps[:number])


@pytest.mark.on("mysql")
def test_what_a_column_has_from_its_table_is_not_said_of_the_column(place: Place) -> None:
    """SHOW CREATE TABLE would repeat it ever after, and so would every dump that a team keeps beside its migrations."""
    migration = (
        "ALTER TABLE posts ADD COLUMN slug varchar(50) NULL;\nALTER TABLE posts MODIFY title varchar(200) NOT NULL DEFAULT 'none';\n"
        "ALTER TABLE posts ADD COLUMN other varchar(50) CHARACTER SET latin1 NULL;\nALTER TABLE posts MODIFY views bigint NOT NULL DEFAULT 0;"
    )
    planned, naive, start = place.fresh(SCHEMA), place.fresh(SCHEMA), place.fresh(SCHEMA)
    plan = planned.plan(migration)
    report = apply(plan, planned, open_gates=gates(plan))
    naive.run(migration)
    assert shown(planned) == shown(naive)
    assert "utf8mb4" not in "".join(shown(planned)[1:-1])
    assert take_back(report.run, planned, open_gates=gates(plan)).state == "rolled_back"
    assert shown(planned) == shown(start)


def shown(database: Database) -> list[str]:
    ((_, text),) = database.query("SHOW CREATE TABLE posts")
    return re.sub(r" AUTO_INCREMENT=\d+", "", text).splitlines()


POSTS = """
CREATE TABLE posts (id bigint PRIMARY KEY, title varchar(100) NOT NULL DEFAULT 'none', views integer NOT NULL DEFAULT 0, score integer, label varchar(20) NOT NULL);
CREATE INDEX posts_score ON posts (score, title);
INSERT INTO posts (id, views, score, label) VALUES (1, 1, 7, 'a'), (2, 2, 8, 'b'), (3, 3, 9, 'c');
"""
WRITTEN = (
    "UPDATE posts SET views = views + 1 WHERE id = {n} % 3 + 1",
    "INSERT INTO posts (id, views, label) VALUES (100 + {n}, {n}, 'n')",
    "DELETE FROM posts WHERE id = 100 + {n} - 7",
)


@pytest.mark.on("postgresql")
@pytest.mark.parametrize(
    ("migration", "new"),
    [
        pytest.param(
            "ALTER TABLE posts ALTER COLUMN views TYPE bigint; ALTER TABLE posts RENAME TO articles;",
            tuple(one.replace("posts", "articles") for one in WRITTEN),
            id="a type, then another name",
        ),
        pytest.param(
            "ALTER TABLE posts ALTER COLUMN views TYPE bigint; CREATE TABLE apart (id integer); ALTER TABLE posts ALTER COLUMN views TYPE text USING views::text;",
            None,
            id="a type, and another one",
        ),
        pytest.param(
            "ALTER TABLE posts RENAME TO articles; ALTER TABLE articles RENAME TO entries;", (), id="a name, and another one"
        ),
        pytest.param(
            "ALTER TABLE posts RENAME COLUMN title TO headline; DROP INDEX posts_score; ALTER TABLE posts ALTER COLUMN score TYPE bigint;",
            WRITTEN,
            id="an index that goes behind a rename of its column",
        ),
    ],
)
def test_types_and_names_in_one_release(place: Place, migration: str, new: Texts | None) -> None:
    old = () if "entries" in migration or "USING" in migration else WRITTEN
    show(place, Recipe(schema=POSTS, migration=migration, old=old, new=new), back="USING" not in migration)


@pytest.mark.parametrize(
    "migration",
    [
        "ALTER TABLE posts DROP COLUMN score;",
        "ALTER TABLE posts DROP COLUMN title;",
        pytest.param(
            "ALTER TABLE posts DROP COLUMN score, ADD COLUMN rank integer;",
            marks=pytest.mark.on("postgresql", "mysql", "mariadb"),
        ),
        pytest.param(
            "ALTER TABLE posts MODIFY views bigint unsigned NOT NULL DEFAULT 0; ALTER TABLE posts DROP COLUMN title;",
            marks=pytest.mark.on("mysql", "mariadb-10"),
        ),
        pytest.param(
            "ALTER TABLE posts DROP COLUMN title; ALTER TABLE posts MODIFY views bigint unsigned NOT NULL DEFAULT 0;",
            marks=pytest.mark.on("mysql", "mariadb-10"),
        ),
    ],
)
def test_a_column_whose_values_are_gone_comes_back_without_them(place: Place, migration: str) -> None:
    """The old application names it, so it must be there; and so must its index. What came before the drop goes on the way back."""
    planned, start = place.fresh(POSTS), place.fresh(POSTS)
    there_and_back(planned, f"-- driftflow: cascade\n{migration}" if place.vendor == "sqlite" else migration)
    assert planned.structure() == start.structure()
    lost = "score" if "score" in migration else "title"
    assert planned.rows(without=(lost,)) == start.rows(without=(lost,))
    assert planned.query(f"SELECT DISTINCT {lost} FROM posts") == [(None if lost == "score" else "none",)]


def test_a_column_that_must_be_given_comes_back_without_that_promise(place: Place) -> None:
    planned = place.fresh(POSTS)
    there_and_back(planned, "ALTER TABLE posts DROP COLUMN label;")
    label = posts_of(planned).column("label")
    assert label is not None
    assert label.nullable


@pytest.mark.on("postgresql")
def test_a_type_that_cannot_come_back_stays_with_all_its_statement_did(place: Place) -> None:
    """The old values went behind the gate: without them nothing of the statement can be taken back, and what came before it can."""
    planned = place.fresh(POSTS)
    there_and_back(
        planned, "ALTER TABLE posts ADD COLUMN extra integer; ALTER TABLE posts ALTER COLUMN views TYPE numeric(20, 0);"
    )
    table = posts_of(planned)
    assert (table.column("extra"), getattr(table.column("views"), "type", "")) == (None, "numeric(20,0)")


@pytest.mark.on("postgresql")
def test_an_index_over_a_column_whose_type_stays_is_not_built_for_the_old_one(place: Place) -> None:
    planned = place.fresh(f"{POSTS} CREATE INDEX new_ones ON posts (id) WHERE label = 'a';")
    there_and_back(
        planned,
        "CREATE TYPE letter AS ENUM ('a', 'b', 'c', 'd'); DROP INDEX new_ones; ALTER TABLE posts ALTER COLUMN label TYPE letter USING label::letter;"
        " ALTER TABLE posts ADD COLUMN extra integer;",
        policy=Policy(),
    )
    assert posts_of(planned).column("extra") is None


def posts_of(database: Database) -> Table:
    (table,) = (one for one in database.catalog().tables.values() if one.name.name == "posts")
    return table


def test_the_only_copy_of_rows_is_not_dropped_on_the_way_back(place: Place) -> None:
    """Somebody has accepted that the old table is gone, and the rows are in the new one."""
    planned = place.fresh(POSTS)
    there_and_back(
        planned,
        "CREATE TABLE kept (id bigint PRIMARY KEY, label varchar(20)); INSERT INTO kept (id, label) SELECT id, label FROM posts WHERE id < 3;"
        "CREATE TABLE other (id bigint PRIMARY KEY); DROP TABLE posts;",
    )
    assert planned.query("SELECT id, label FROM kept ORDER BY id") == [(1, "a"), (2, "b")]
    assert not any(name.name.name == "other" for name in planned.catalog().tables.values())


def test_before_the_old_table_is_dropped_the_copy_goes(place: Place) -> None:
    planned = place.fresh(POSTS)
    before = planned.seen()
    plan = planned.plan(
        "CREATE TABLE kept (id bigint PRIMARY KEY); INSERT INTO kept (id) SELECT id FROM posts WHERE id < 3; DROP TABLE posts;"
    )
    report = apply(plan, planned)
    assert report.state == "waiting_at_gate"
    assert take_back(report.run, planned, open_gates=gates(plan)).state == "rolled_back"
    after = planned.seen()
    assert (after.structure, after.rows, after.left) == (before.structure, before.rows, [])


ROLES = """
CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN');
CREATE TABLE users (id bigint PRIMARY KEY, role "Role" NOT NULL DEFAULT 'USER', kind varchar(10));
INSERT INTO users (id, role, kind) VALUES (1, 'USER', 'x'), (2, 'ADMIN', 'y'), (3, 'USER', NULL);
"""
ENUM_AGAIN = """
BEGIN;
CREATE TYPE "Role_new" AS ENUM ('USER', 'OWNER', 'ADMIN');
ALTER TABLE users ALTER COLUMN role DROP DEFAULT;
ALTER TABLE users ALTER COLUMN role TYPE "Role_new" USING (role::text::"Role_new");
ALTER TYPE "Role" RENAME TO "Role_old";
ALTER TYPE "Role_new" RENAME TO "Role";
DROP TYPE "Role_old";
ALTER TABLE users ALTER COLUMN role SET DEFAULT 'USER';
COMMIT;
"""


@pytest.mark.on("postgresql")
def test_an_enum_that_is_made_again_under_its_name(place: Place) -> None:
    """As Prisma changes the values of one. On the way back the column keeps the new type, and with it the statements that this stands on."""
    writes = ("UPDATE users SET role = 'ADMIN' WHERE id = {n} % 3 + 1", "INSERT INTO users (id, role) VALUES (10 + {n}, 'USER')")
    shown = show(place, Recipe(schema=ROLES, migration=ENUM_AGAIN, old=writes, new=writes), back=False)
    assert accepted(shown.plan) == ("alter_column_type public.users.role",)
    planned = place.fresh(ROLES)
    there_and_back(planned, ENUM_AGAIN)
    assert planned.query("SELECT id, role::text FROM users ORDER BY id") == [(1, "USER"), (2, "ADMIN"), (3, "USER")]
    assert [name for name in planned.catalog().types if "Role" in name] == ["public.Role", "public.Role_new"]


@pytest.mark.on("postgresql")
def test_a_text_that_becomes_an_enum_comes_back(place: Place) -> None:
    migration = "CREATE TYPE kind AS ENUM ('x', 'y'); ALTER TABLE users ALTER COLUMN kind TYPE kind USING kind::kind;"
    writes = ("UPDATE users SET kind = 'x' WHERE id = {n} % 3 + 1", "INSERT INTO users (id, kind) VALUES (10 + {n}, 'y')")
    shown = show(place, Recipe(schema=ROLES, migration=migration, old=writes, new=writes))
    assert accepted(shown.plan) == ()
