"""A catalog as the statements that make it again."""

from __future__ import annotations

from driftflow.dialects.registry import dialect_named
from driftflow.lab.catalog_rights import rights_of
from driftflow.lab.catalog_sql import statements_of
from driftflow.model.catalog import Catalog, Column, PrimaryKey, Table, Trigger, TriggerText
from driftflow.model.names import Name

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
    given = [sql for _, sql in rights_of(catalog_with(KEPT), dialect_named("mysql"))]
    assert given == ["GRANT ALL ON shop.* TO 'keeper'@'%'"]
    assert list(rights_of(catalog_with(None), dialect_named("mysql"))) == []


def test_another_is_made_from_what_is_known_of_it() -> None:
    assert made(None)[-1] == "CREATE TRIGGER shop.noted AFTER INSERT ON shop.orders FOR EACH ROW SET @last = NEW.id"
