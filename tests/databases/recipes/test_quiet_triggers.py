"""A backfill of ours is no change of the application's: what its own triggers do with a row stays undone, where that is sound, or is asked about."""

from __future__ import annotations

from contextlib import closing

import pytest
from recipes.rig import Database, Place, PlainSession, Recipe, apply, show, there_and_back

from driftflow.errors import RefusedError
from driftflow.model.plan import Backfill

KEY = {"postgresql": "bigint PRIMARY KEY", "sqlite": "INTEGER PRIMARY KEY", "mysql": "bigint PRIMARY KEY"}
TIME = {"postgresql": "timestamptz", "sqlite": "text", "mysql": "datetime"}
LONG_AGO = "'2001-01-01 00:00:00'"
STAMP = {
    "postgresql": (
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  -- when\n  NEW.updated_at = now();\n  RETURN NEW;\nEND $$;"
        "CREATE TRIGGER touched BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touch();"
    ),
    "sqlite": "CREATE TRIGGER touched AFTER UPDATE ON items BEGIN UPDATE items SET updated_at = datetime('now') WHERE id = NEW.id; END;",
    "mysql": "CREATE TRIGGER touched BEFORE UPDATE ON items FOR EACH ROW SET NEW.updated_at = now();",
}
AUDIT = {
    "postgresql": (
        "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO notes VALUES (NEW.id); RETURN NEW; END $$;"
        "CREATE TRIGGER noted BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION noted();"
    ),
    "sqlite": "CREATE TRIGGER noted AFTER UPDATE ON items BEGIN INSERT INTO notes VALUES (NEW.id); END;",
    "mysql": "CREATE TRIGGER noted BEFORE UPDATE ON items FOR EACH ROW INSERT INTO notes VALUES (NEW.id);",
}
ADD = "ALTER TABLE items ADD COLUMN size integer;"
FILL = '-- driftflow: backfill column=size set="low + 1"\n'


def schema(place: Place, more: dict[str, str], columns: str = "") -> str:
    rows = ", ".join(f"({n}, {n}, {LONG_AGO})" for n in range(1, 61))
    return (
        f"CREATE TABLE items (id {place.pick(KEY)}, low integer, updated_at {place.pick(TIME)}{columns});"
        "CREATE TABLE notes (id bigint);"
        f"INSERT INTO items (id, low, updated_at) VALUES {rows};{place.pick(more)}"
    )


def bumped(database: Database) -> object:
    return database.query(f"SELECT count(*) FROM items WHERE updated_at > {LONG_AGO}")


def rows(database: Database) -> object:
    return database.rows(without=("updated_at",)), bumped(database)


WRITES = (
    "INSERT INTO items (id, low, updated_at) VALUES (1000 + {n}, {n}, '2001-01-01 00:00:00')",
    "DELETE FROM items WHERE id = 1000 + {n} - 5",
    "UPDATE items SET low = low WHERE id = 3",
)


@pytest.mark.on("postgresql", "sqlite")
@pytest.mark.recipe(
    "quiet-backfill", "native", why="the application's trigger is kept from firing in the transaction of the chunk"
)
def test_the_time_of_change_stays(place: Place) -> None:
    """Under an application whose own changes do set it: on row 3, and on no other."""
    shown = show(
        place,
        Recipe(
            schema=schema(place, STAMP), migration=FILL + ADD, naive=ADD, old=WRITES, without=("updated_at",),
            expected=lambda database: (database.rows(without=("updated_at", "size")), bumped(database)),
        ),
    )  # fmt: skip
    assert bumped(shown.planned) == [(1,)]
    assert shown.planned.query("SELECT count(*) FROM items WHERE id <= 60 AND size = low + 1") == [(60,)]
    step = next(one for one in shown.plan.steps if isinstance(one, Backfill))
    assert "touched of the application does not fire" in step.purpose
    shown.planned.run("UPDATE items SET low = 5 WHERE id = 9")
    assert bumped(shown.planned) == [(2,)], "it fires again afterwards"


@pytest.mark.on("mysql", "mariadb")
@pytest.mark.recipe(
    "quiet-backfill", "native", why="ON UPDATE CURRENT_TIMESTAMP keeps what it holds; a trigger that does it is asked about"
)
def test_what_the_server_stamps_stays(place: Place) -> None:
    """Under an application whose own changes are stamped: row 3, and no other."""
    stamped = {"mysql": "ALTER TABLE items MODIFY updated_at datetime ON UPDATE CURRENT_TIMESTAMP;"}
    writes = (*WRITES[:2], "UPDATE items SET low = low + 1 WHERE id = 3")
    shown = show(
        place,
        Recipe(
            schema=schema(place, stamped), migration=FILL + ADD, naive=ADD, old=writes, without=("updated_at",),
            expected=lambda database: (database.rows(without=("updated_at", "size")), bumped(database)),
        ),
    )  # fmt: skip
    assert bumped(shown.planned) == [(1,)]
    assert shown.planned.query("SELECT count(*) FROM items WHERE id <= 60 AND id <> 3 AND size = low + 1") == [(59,)]


def test_a_function_fills_without_the_time_of_change(place: Place, tmp_path) -> None:
    (tmp_path / "fill.py").write_text("def size(rows):\n    return [{'size': row['low'] + 1} for row in rows]\n")
    stamp = {**STAMP, "mysql": "ALTER TABLE items MODIFY updated_at datetime ON UPDATE CURRENT_TIMESTAMP;"}
    database = place.fresh(schema(place, stamp))
    text = f"-- driftflow: backfill columns=size function=fill:size inputs=low path=fill.py\n{ADD}"
    assert apply(database.plan(text, folder=tmp_path), database, folder=tmp_path).state == "done"
    assert bumped(database) == [(0,)]
    assert database.query("SELECT count(*) FROM items WHERE size = low + 1") == [(60,)]


def test_what_else_a_trigger_does_is_asked_about(place: Place) -> None:
    database = place.fresh(schema(place, AUDIT))
    with pytest.raises(RefusedError, match="noted of items would fire") as refused:
        database.plan(FILL + ADD)
    assert refused.value.code == "DF-E744" and "triggers fire" in refused.value.hint
    assert ("triggers skip" in refused.value.hint) == (place.vendor in ("postgresql", "sqlite")), (
        "only what can be done is offered"
    )
    plan = database.plan(f"-- driftflow: triggers fire\n{FILL}{ADD}")
    assert apply(plan, database).state == "done"
    assert database.query("SELECT count(*) FROM notes") == [(60,)]


@pytest.mark.on("postgresql", "sqlite")
def test_any_trigger_is_left_out_where_its_author_says_so(place: Place) -> None:
    database = place.fresh(schema(place, AUDIT))
    assert apply(database.plan(f"-- driftflow: triggers skip\n{FILL}{ADD}"), database).state == "done"
    assert database.query("SELECT count(*) FROM notes") == [(0,)]
    database.run("UPDATE items SET low = 5 WHERE id = 9")
    assert database.query("SELECT count(*) FROM notes") == [(1,)]


@pytest.mark.on("postgresql", "sqlite")
def test_an_update_of_the_author_fires_unless_he_says_otherwise(place: Place) -> None:
    for said, count in (("", 60), ("-- driftflow: triggers fire\n", 60), ("-- driftflow: triggers skip\n", 0)):
        database = place.fresh(schema(place, AUDIT))
        assert apply(database.plan(f"{said}UPDATE items SET low = low + 100 WHERE low < 100;"), database).state == "done"
        assert database.query("SELECT count(*) FROM notes") == [(count,)]
        assert database.query("SELECT count(*) FROM items WHERE low > 100") == [(60,)]


@pytest.mark.on("mysql", "mariadb")
def test_where_no_trigger_can_be_left_out_it_is_said(place: Place) -> None:
    database = place.fresh(schema(place, STAMP))
    with pytest.raises(RefusedError, match="touched of items would fire") as asked:
        database.plan(FILL + ADD)
    assert asked.value.code == "DF-E744"
    with pytest.raises(RefusedError, match="cannot be kept from firing") as refused:
        database.plan(f"-- driftflow: triggers skip\n{FILL}{ADD}")
    assert refused.value.code == "DF-E745"
    assert apply(database.plan(f"-- driftflow: triggers fire\n{FILL}{ADD}"), database).state == "done"
    assert bumped(database) == [(60,)]


@pytest.mark.on("postgresql")
def test_a_key_that_triggers_of_the_server_keep_is_kept(place: Place) -> None:
    """In a session that says it replicates no foreign key is checked either."""
    database = place.fresh(schema(place, STAMP, ", size bigint REFERENCES items (id)"))
    text = FILL + "ALTER TABLE items ALTER COLUMN size SET NOT NULL;"
    for said, code in (("", "DF-E744"), ("-- driftflow: triggers skip\n", "DF-E745")):
        with pytest.raises(RefusedError) as refused:
            database.plan(said + text)
        assert refused.value.code == code and "items_size_fkey" in refused.value.why


@pytest.mark.on("postgresql")
def test_other_triggers_that_came_in_between_are_seen(place: Place) -> None:
    database = place.fresh(schema(place, STAMP))
    plan = database.plan(FILL + ADD)
    database.run(AUDIT["postgresql"])
    database.run("ALTER TABLE items DISABLE TRIGGER noted; ALTER TABLE items ENABLE TRIGGER noted;")
    with pytest.raises(RefusedError):
        apply(plan, database)
    assert database.query("SELECT count(*) FROM notes") == [(0,)]


@pytest.mark.on("postgresql")
def test_a_user_who_may_not_is_told_before(place: Place) -> None:
    database = place.fresh(schema(place, STAMP))
    database.run(
        "DROP ROLE IF EXISTS quiet_migrator; CREATE ROLE quiet_migrator LOGIN; GRANT CREATE ON SCHEMA public TO quiet_migrator;"
        "ALTER TABLE items OWNER TO quiet_migrator; ALTER FUNCTION touch() OWNER TO quiet_migrator;"
    )
    name = database.query("SELECT current_database()")[0][0]
    database.run(f'GRANT CREATE ON DATABASE "{name}" TO quiet_migrator;')
    plan = database.plan(FILL + ADD)
    as_migrator = Database(with_user(database.url, "quiet_migrator"), place.dialect)
    try:
        with pytest.raises(RefusedError, match="may not keep triggers") as refused:
            apply(plan, as_migrator)
        assert "GRANT SET ON PARAMETER" in refused.value.hint
        database.run("GRANT SET ON PARAMETER session_replication_role TO quiet_migrator")
        assert apply(plan, as_migrator).state == "done"
        assert bumped(database) == [(0,)]
    finally:
        with closing(PlainSession(database.url)) as session:
            session.run(("DROP OWNED BY quiet_migrator CASCADE",))


def with_user(url: str, user: str) -> str:
    """The same database for another user; the server trusts who connects by its socket."""
    head, _, rest = url.partition("://")
    tail = rest.rpartition("@")[2] if "@" in rest.partition("/")[0] or "@" in rest else rest
    return f"{head}://{user}@{tail}"


@pytest.mark.on("postgresql", "sqlite")
def test_a_column_with_two_names_is_filled_without_a_new_time_of_change(place: Place) -> None:
    """There and back: nobody has changed a row."""
    database, start = place.fresh(schema(place, STAMP)), place.fresh(schema(place, STAMP))
    plan = there_and_back(database, "-- driftflow: rename by=columns\nALTER TABLE items RENAME COLUMN low TO lowest;")
    assert {step.strategy for step in plan.steps} == {"dual_columns", "gate"}
    assert bumped(database) == [(0,)] and database.seen() == start.seen()
    database.run("UPDATE items SET low = 5 WHERE id = 9;")
    assert bumped(database) == [(1,)], "it fires again afterwards"


@pytest.mark.on("postgresql", "mysql", "sqlite")
def test_what_else_a_trigger_does_while_a_column_gets_two_names_is_asked(place: Place) -> None:
    database = place.fresh(schema(place, AUDIT))
    with pytest.raises(RefusedError, match="DF-E744"):
        database.plan("-- driftflow: rename by=columns\nALTER TABLE items RENAME COLUMN low TO lowest;")


@pytest.mark.on("postgresql", "sqlite")
def test_a_column_that_comes_back_from_its_archive_brings_no_new_time_of_change(place: Place) -> None:
    database = place.fresh(schema(place, STAMP, columns=", size integer DEFAULT 7"))
    there_and_back(database, "-- driftflow: archive\nALTER TABLE items DROP COLUMN size;")
    assert (database.query("SELECT count(*) FROM items WHERE size = 7"), bumped(database)) == ([(60,)], [(0,)])


@pytest.mark.on("postgresql", "sqlite", "mysql", "mariadb-10")
def test_other_triggers_see_a_row_that_comes_back_unless_they_are_to_be_left_out(place: Place) -> None:
    """A rollback asks nobody; who knows it beforehand says `triggers skip` where they can be. SQLite writes the table anew, where none fires."""
    for said, seen in (("", 0 if place.vendor == "sqlite" else 60), ("-- driftflow: triggers skip\n", 0)):
        if said and place.vendor not in ("postgresql", "sqlite"):
            continue
        database = place.fresh(schema(place, AUDIT, columns=", size integer DEFAULT 7"))
        there_and_back(database, f"{said}-- driftflow: archive\nALTER TABLE items DROP COLUMN size;")
        assert database.query("SELECT count(*) FROM notes") == [(seen,)]
