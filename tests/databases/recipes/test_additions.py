"""New columns whose values come from somewhere: an expression, SQL, a file, another database, a function; and columns that the server keeps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from recipes.rig import Place, Recipe, Texts, apply, show

from driftflow.errors import ParseError, RefusedError
from driftflow.model.plan import Backfill, Plan, Stage

ROWS = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300)"
SCHEMA = {
    "postgresql": (
        "CREATE TABLE suppliers (id bigint PRIMARY KEY, country varchar(2) NOT NULL);"
        "CREATE TABLE parts (id bigint PRIMARY KEY, sku varchar(20) NOT NULL UNIQUE, supplier_id bigint NOT NULL, price integer NOT NULL, amount integer NOT NULL);"
        "INSERT INTO suppliers SELECT n, CASE WHEN n % 2 = 0 THEN 'de' ELSE 'fr' END FROM generate_series(1, 300) AS n;"
        "INSERT INTO parts SELECT n, 's' || n, n, n * 3, n % 7 FROM generate_series(1, 300) AS n;"
    ),
    "mysql": (
        "CREATE TABLE suppliers (id bigint PRIMARY KEY, country varchar(2) NOT NULL);"
        "CREATE TABLE parts (id bigint PRIMARY KEY, sku varchar(20) NOT NULL UNIQUE, supplier_id bigint NOT NULL, price int NOT NULL, amount int NOT NULL);"
        f"INSERT INTO suppliers {ROWS} SELECT n, CASE WHEN n % 2 = 0 THEN 'de' ELSE 'fr' END FROM s;"
        f"INSERT INTO parts {ROWS} SELECT n, concat('s', n), n, n * 3, n % 7 FROM s;"
    ),
    "sqlite": (
        "CREATE TABLE suppliers (id INTEGER PRIMARY KEY, country TEXT NOT NULL);"
        "CREATE TABLE parts (id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, supplier_id INTEGER NOT NULL, price INTEGER NOT NULL, amount INTEGER NOT NULL);"
        f"{ROWS} INSERT INTO suppliers SELECT n, CASE WHEN n % 2 = 0 THEN 'de' ELSE 'fr' END FROM s;"
        f"{ROWS} INSERT INTO parts SELECT n, 's' || n, n, n * 3, n % 7 FROM s;"
    ),
}
CALM = (
    "UPDATE suppliers SET country = 'es' WHERE id = 100000 + {n}",
    "DELETE FROM parts WHERE id = 20000 + {n}",
    "UPDATE parts SET sku = sku WHERE id = {n} % 300 + 1",
)
"""Writers that change nothing that the values are made of: what is compared is what the recipe gives to each row."""
BUSY = (
    "INSERT INTO parts (id, sku, supplier_id, price, amount) VALUES (1000 + {n}, 'new{n}', {n} % 300 + 1, {n}, 2)",
    "UPDATE parts SET price = price + 1 WHERE id = {n} % 300 + 1",
)


def said(
    text: str,
    naive: str = "",
    *,
    schema: Mapping[str, str] = SCHEMA,
    old: Texts = CALM,
    new: Texts | None = None,
    folder: Path = Path(),
) -> Recipe:
    return Recipe(schema=schema, migration=text, naive=naive, old=old, new=new, folder=folder)


def fills(plan: Plan) -> bool:
    return any(isinstance(step, Backfill) for step in plan.steps)


@pytest.mark.recipe("values-from-sql", "native")
def test_values_from_a_join(place: Place) -> None:
    text = (
        '-- driftflow: backfill column=country from="suppliers u" on="u.id = parts.supplier_id" set="u.country"\n'
        "ALTER TABLE parts ADD COLUMN country varchar(2);"
    )
    naive = (
        "ALTER TABLE parts ADD COLUMN country varchar(2);"
        "UPDATE parts SET country = (SELECT u.country FROM suppliers u WHERE u.id = parts.supplier_id);"
    )
    assert fills(show(place, said(text, naive)).plan)


@pytest.mark.recipe("values-from-csv", "native")
def test_values_from_a_file(place: Place, tmp_path: Path) -> None:
    lines = "".join(f"s{n},{n * 11}\n" for n in range(1, 301))
    (tmp_path / "stock.csv").write_text("sku,on_hand\n" + lines)
    text = (
        "-- driftflow: backfill column=on_hand csv=stock.csv key=sku value=on_hand\nALTER TABLE parts ADD COLUMN on_hand integer;"
    )
    naive = "ALTER TABLE parts ADD COLUMN on_hand integer; UPDATE parts SET on_hand = id * 11;"
    shown = show(place, said(text, naive, folder=tmp_path))
    assert any(isinstance(step, Stage) for step in shown.plan.steps)


@pytest.mark.parametrize(("said_as", "between"), [("tab", "\t"), ('";"', ";")])
def test_values_from_a_file_with_another_delimiter(place: Place, tmp_path: Path, said_as: str, between: str) -> None:
    lines = "".join(f"s{n}{between}{n * 11 if n % 7 else '-'}\n" for n in range(1, 301))
    (tmp_path / "stock.csv").write_text(f"sku{between}on_hand\n{lines}")
    database = place.fresh(SCHEMA)
    plan = database.plan(
        f"-- driftflow: backfill column=on_hand csv=stock.csv key=sku value=on_hand delimiter={said_as} null=-\n"
        "ALTER TABLE parts ADD COLUMN on_hand integer;",
        folder=tmp_path,
    )
    assert apply(plan, database, folder=tmp_path).state == "done"
    assert database.query("SELECT count(*) FROM parts WHERE on_hand = id * 11") == [(258,)]
    assert database.query("SELECT count(*) FROM parts WHERE on_hand IS NULL") == [(42,)]


@pytest.mark.on("sqlite")
@pytest.mark.parametrize("words", ['";;"', '""', '" "'])
def test_a_delimiter_that_is_none_is_an_error(place: Place, tmp_path: Path, words: str) -> None:
    (tmp_path / "stock.csv").write_text("sku,on_hand\n")
    with pytest.raises(ParseError) as refused:
        place.fresh(SCHEMA).plan(
            f"-- driftflow: backfill column=on_hand csv=stock.csv key=sku value=on_hand delimiter={words}\n"
            "ALTER TABLE parts ADD COLUMN on_hand integer;",
            folder=tmp_path,
        )
    assert refused.value.code == "DF-E213"


@pytest.mark.on("sqlite")
@pytest.mark.parametrize("first", ["sku,stock", "sku;on_hand", "SKU,on_hand", ""])
def test_a_file_without_the_named_columns_is_an_error_at_planning(place: Place, tmp_path: Path, first: str) -> None:
    (tmp_path / "stock.csv").write_text(f"{first}\ns1,5\n")
    with pytest.raises(ParseError, match=r"stock\.csv has no column") as refused:
        place.fresh(SCHEMA).plan(
            "-- driftflow: backfill column=on_hand csv=stock.csv key=sku value=on_hand\nALTER TABLE parts ADD COLUMN on_hand integer;",
            folder=tmp_path,
        )
    assert refused.value.code == "DF-E213" and (first or "nothing") in refused.value.why.replace(", ", ",")


@pytest.mark.on("sqlite", "mariadb-10")
def test_a_header_may_hold_what_separates_other_files(place: Place, tmp_path: Path) -> None:
    (tmp_path / "stock.csv").write_text('sku;"name, long";on_hand\n' + "".join(f"s{n};x;{n * 11}\n" for n in range(1, 301)))
    database = place.fresh(SCHEMA)
    plan = database.plan(
        '-- driftflow: backfill column=on_hand csv=stock.csv key=sku value=on_hand delimiter=";"\n'
        "ALTER TABLE parts ADD COLUMN on_hand integer;",
        folder=tmp_path,
    )
    assert apply(plan, database, folder=tmp_path).state == "done"
    assert database.query("SELECT count(*) FROM parts WHERE on_hand = id * 11") == [(300,)]


@pytest.mark.recipe("values-from-query", "native")
def test_values_from_another_database(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = place.fresh("CREATE TABLE stock (sku varchar(20) PRIMARY KEY, on_hand integer);")
    warehouse.run("".join(f"INSERT INTO stock VALUES ('s{n}', {n * 11});" for n in range(1, 301)))
    monkeypatch.setenv("WAREHOUSE_URL", warehouse.url)
    text = (
        '-- driftflow: backfill column=on_hand query="SELECT sku, on_hand FROM stock" url-env=WAREHOUSE_URL key=sku value=on_hand\n'
        "ALTER TABLE parts ADD COLUMN on_hand integer;"
    )
    naive = "ALTER TABLE parts ADD COLUMN on_hand integer; UPDATE parts SET on_hand = id * 11;"
    shown = show(place, said(text, naive))
    assert any(isinstance(step, Stage) for step in shown.plan.steps)


@pytest.mark.recipe("values-from-python", "native")
def test_values_from_a_function(place: Place, tmp_path: Path) -> None:
    (tmp_path / "labels.py").write_text(
        "def label(rows):\n    return [{'label': f\"{row['sku']}/{row['price']}\"} for row in rows]\n"
    )
    text = (
        "-- driftflow: backfill columns=label function=labels:label inputs=sku,price path=labels.py\n"
        "ALTER TABLE parts ADD COLUMN label varchar(60);"
    )
    joined = "concat(sku, '/', price)" if place.vendor in ("mysql", "mariadb") else "sku || '/' || price"
    naive = f"ALTER TABLE parts ADD COLUMN label varchar(60); UPDATE parts SET label = {joined};"
    assert fills(show(place, said(text, naive, folder=tmp_path)).plan)


@pytest.mark.on("sqlite", "mysql")
def test_an_input_that_is_no_column_is_an_error_at_planning(place: Place, tmp_path: Path) -> None:
    (tmp_path / "labels.py").write_text("def label(rows):\n    return [{'label': 'x'} for row in rows]\n")
    head = "-- driftflow: backfill columns=label function=labels:label path=labels.py inputs="
    database = place.fresh(SCHEMA)
    with pytest.raises(ParseError, match="parts has no column secret") as refused:
        database.plan(f"{head}sku,secret\nALTER TABLE parts ADD COLUMN label varchar(60);", folder=tmp_path)
    assert refused.value.code == "DF-E213" and "id, sku, supplier_id" in refused.value.why
    assert fills(database.plan(f"{head}SKU\nALTER TABLE parts ADD COLUMN label varchar(60);", folder=tmp_path))


@pytest.mark.recipe("computed-default", "native")
def test_a_default_made_of_other_columns(place: Place) -> None:
    """Kept for rows that the old application writes by a trigger of ours, until the new one writes the column itself."""
    text = (
        '-- driftflow: backfill column=total set="price * amount"\n'
        '-- driftflow: dual-write column=total set="NEW.price * NEW.amount"\n'
        "ALTER TABLE parts ADD COLUMN total integer;"
    )
    naive = "ALTER TABLE parts ADD COLUMN total integer; UPDATE parts SET total = price * amount;"
    new = ("UPDATE parts SET price = price + 1, total = (price + 1) * amount WHERE id = {n} % 300 + 1",)
    if place.vendor in ("mysql", "mariadb"):  # assignments are made from left to right there
        new = ("UPDATE parts SET price = price + 1, total = price * amount WHERE id = {n} % 300 + 1",)
    show(place, said(text, naive, old=BUSY, new=new))


@pytest.mark.recipe("computed-default", "native")
def test_a_default_made_of_a_text_whose_case_changes(place: Place) -> None:
    """A collation that knows no case takes the old text for the new one; what is made of it follows all the same."""
    text = (
        '-- driftflow: backfill column=label set="sku"\n'
        '-- driftflow: dual-write column=label set="NEW.sku"\n'
        "ALTER TABLE parts ADD COLUMN label varchar(20);"
    )
    naive = "ALTER TABLE parts ADD COLUMN label varchar(20); UPDATE parts SET label = sku;"
    old = (
        "UPDATE parts SET sku = upper(sku) WHERE id = {n} % 300 + 1",
        "UPDATE parts SET sku = lower(sku) WHERE id = {n} % 300 + 1",
    )
    new = ("UPDATE parts SET sku = upper(sku), label = upper(sku) WHERE id = {n} % 300 + 1",)
    schema = {**SCHEMA, "sqlite": SCHEMA["sqlite"].replace("sku TEXT", "sku TEXT COLLATE NOCASE")}
    show(place, said(text, naive, schema=schema, old=old, new=new))


@pytest.mark.recipe("generated-virtual", "native", on=("mysql", "mariadb", "sqlite", "postgresql"), why="PostgreSQL from 18 on")
@pytest.mark.on("mysql", "mariadb", "sqlite", "postgresql-18")
def test_a_virtual_column(place: Place) -> None:
    show(place, said("ALTER TABLE parts ADD COLUMN total integer GENERATED ALWAYS AS (price * amount) VIRTUAL;", old=BUSY))


@pytest.mark.recipe("generated-stored", "native", on=("postgresql", "mysql", "mariadb"))
@pytest.mark.recipe("generated-stored", "emulated", on=("sqlite",), why="the table is rebuilt")
def test_a_stored_column(place: Place) -> None:
    text = "ALTER TABLE parts ADD COLUMN total integer GENERATED ALWAYS AS (price * amount) STORED;"
    naive = text
    if place.vendor == "sqlite":
        naive = (
            "CREATE TABLE new (id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, supplier_id INTEGER NOT NULL, price INTEGER NOT NULL,"
            " amount INTEGER NOT NULL, total integer GENERATED ALWAYS AS (price * amount) STORED);"
            "INSERT INTO new SELECT id, sku, supplier_id, price, amount FROM parts; DROP TABLE parts; ALTER TABLE new RENAME TO parts;"
        )
    show(place, said(text, naive, old=BUSY))


@pytest.mark.recipe("several-columns", "native")
def test_several_columns_that_must_agree(place: Place) -> None:
    text = (
        '-- driftflow: backfill column=least set="amount"\n'
        '-- driftflow: backfill column=most set="amount + 5"\n'
        '-- driftflow: verify query="SELECT count(*) FROM parts WHERE least > most" expect=0 summary="No part has a least above its most"\n'
        "ALTER TABLE parts ADD COLUMN least integer, ADD COLUMN most integer;"
    )
    naive = "ALTER TABLE parts ADD COLUMN least integer; ALTER TABLE parts ADD COLUMN most integer; UPDATE parts SET least = amount, most = amount + 5;"
    if place.vendor == "sqlite":  # one column a statement there
        text = (
            '-- driftflow: backfill column=least set="amount"\nALTER TABLE parts ADD COLUMN least integer;\n'
            '-- driftflow: backfill column=most set="amount + 5"\n'
            '-- driftflow: verify query="SELECT count(*) FROM parts WHERE least > most" expect=0 summary="No part has a least above its most"\n'
            "ALTER TABLE parts ADD COLUMN most integer;"
        )
    shown = show(place, said(text, naive))
    assert any(type(step).__name__ == "Verify" for step in shown.plan.steps)


@pytest.mark.on("sqlite")
@pytest.mark.parametrize("default", ["(1 + 1)", "('a' || 'b')", "(1 IN (1, 2))", "(lower('X'))"])
def test_a_default_that_begins_like_a_constant_and_is_none(place: Place, default: str) -> None:
    """SQLite's ADD COLUMN takes no such default, so the table is made anew, whatever the expression begins with."""
    schema = "CREATE TABLE items (id INTEGER PRIMARY KEY); INSERT INTO items VALUES (1), (2);"
    naive = (
        f"CREATE TABLE made (id INTEGER PRIMARY KEY, made DEFAULT {default}); INSERT INTO made (id) SELECT id FROM items;"
        "DROP TABLE items; ALTER TABLE made RENAME TO items;"
    )
    show(place, Recipe(schema=schema, migration=f"ALTER TABLE items ADD COLUMN made DEFAULT {default};", naive=naive))


@pytest.mark.on("sqlite")
@pytest.mark.parametrize("default", ["(price * amount)", "((SELECT max(id) FROM suppliers))"])
def test_a_default_that_looks_at_columns_is_refused(place: Place, default: str) -> None:
    """The server would refuse the new form of the table, in the middle of the run."""
    with pytest.raises(RefusedError, match="a default cannot look at") as error:
        place.fresh(SCHEMA).plan(f"ALTER TABLE parts ADD COLUMN total INTEGER DEFAULT {default};")
    assert error.value.code == "DF-E321"


@pytest.mark.parametrize("name", ["unit price", "preis in €", 'the "real" one'])
def test_a_dual_write_follows_a_column_of_any_name(place: Place, name: str) -> None:
    """Of `NEW."unit price"` the word before the blank was taken for a column that is none: no change of it was followed."""
    mark = "`" if place.vendor in ("mysql", "mariadb") else '"'
    quoted = mark + name.replace(mark, mark * 2) + mark
    said = f"NEW.{quoted} * 2".replace('"', '\\"')
    database = place.fresh(f"CREATE TABLE items (id integer PRIMARY KEY, {quoted} integer); INSERT INTO items VALUES (1, 5);")
    plan = database.plan(f'-- driftflow: dual-write column=twice set="{said}"\nALTER TABLE items ADD COLUMN twice integer;')
    assert apply(plan, database).state == "waiting_at_gate"
    database.run(f"UPDATE items SET {quoted} = 5, twice = 10; UPDATE items SET {quoted} = 9;")
    assert [tuple(map(int, row)) for row in database.query("SELECT id, twice FROM items")] == [(1, 18)]
