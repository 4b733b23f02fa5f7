"""A catalog as the statements that make it again."""

from __future__ import annotations

from driftflow.dialects.registry import dialect_named
from driftflow.lab.catalog_rights import definers_of
from driftflow.lab.catalog_sql import statements_of
from driftflow.model.catalog import Catalog, Column, KeptText, PrimaryKey, Routine, Table, Trigger, TriggerText, View
from driftflow.model.names import Name
from driftflow.model.record import replace

NAME = Name(schema="shop", name="orders")
STATEMENT = (
    "CREATE DEFINER=`keeper`@`%` TRIGGER `noted` AFTER INSERT ON `orders` FOR EACH ROW  SET @last = NEW.id -- as it was written"
)
KEPT = TriggerText(
    statement=STATEMENT,
    body_sha256="",
    definer="keeper@%",
    sql_mode="ANSI_QUOTES",
    character_set="utf8mb4",
    collation="utf8mb4_bin",
    database_collation="utf8mb4_bin",
    order=1,
)


def catalog_with(kept: TriggerText | None) -> Catalog:
    trigger = Trigger(name="noted", table=NAME, definition="AFTER INSERT SET @last = NEW.id", events=("INSERT",), kept=kept)
    table = Table(
        name=NAME, columns=(Column(name="id", type="int"),), constraints=(PrimaryKey(name="PRIMARY", columns=("id",)),), triggers=(trigger,)
    )  # fmt: skip
    return Catalog(vendor="mysql", database="shop").with_table(table)


def made(kept: TriggerText | None) -> list[str]:
    return [sql for _, sql in statements_of(catalog_with(kept), dialect_named("mysql"))]


def test_a_trigger_that_the_server_has_shown_is_made_to_the_letter() -> None:
    """Under its mode, and what stood before stands again."""
    sql = made(KEPT)
    at = sql.index(STATEMENT)
    assert "SESSION sql_mode = 'ANSI_QUOTES'" in sql[at - 1]
    assert "SESSION sql_mode = @driftflow_sql_mode" in sql[at + 1]


def test_the_account_that_it_runs_as_may_do_everything() -> None:
    given = [sql for _, sql in definers_of(catalog_with(KEPT), dialect_named("mysql"))]
    assert given == ["GRANT ALL ON shop.* TO 'keeper'@'%'"]
    assert list(definers_of(catalog_with(None), dialect_named("mysql"))) == []


def test_another_is_made_from_what_is_known_of_it() -> None:
    assert made(None)[-1] == "CREATE TRIGGER shop.noted AFTER INSERT ON shop.orders FOR EACH ROW SET @last = NEW.id"


def text(statement: str) -> KeptText:
    return KeptText(statement=statement, definer="keeper@%", character_set="utf8mb4", collation="utf8mb4_bin")


def test_views_and_routines_run_as_their_account_only_where_that_gets_rights() -> None:
    head = "CREATE DEFINER=`keeper`@`%`"
    inner, outer = (Name(schema="shop", name=name) for name in ("inner", "outer"))
    routine = Routine(
        name=Name(schema="shop", name="plus"),
        kept=text(f'{head.replace("`", chr(34))} FUNCTION "plus"(a int) RETURNS int RETURN a'),
    )
    catalog = catalog_with(None).with_view(
        View(name=outer, definition="", depends_on=(inner,), kept=text(f"{head} VIEW `outer` AS select 1 from `inner`"))
    )
    catalog = catalog.with_view(
        View(name=inner, definition="", depends_on=(NAME,), kept=text(f"{head} VIEW `inner` AS select 1"))
    )
    catalog = replace(catalog, routines={"shop.plus()": routine})
    dialect = dialect_named("mysql")
    with_rights = [sql for _, sql in statements_of(catalog, dialect, rights=True) if "keeper" in sql]
    assert [sql.replace('"', "`").split("`")[5] for sql in with_rights] == ["plus", "inner", "outer"]
    without = [sql for _, sql in statements_of(catalog, dialect)]
    assert not any("keeper" in sql for sql in without) and "CREATE VIEW `inner` AS select 1" in without
