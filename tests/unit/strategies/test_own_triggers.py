"""What of a trigger's statement is its body, as the servers print it."""

from __future__ import annotations

import pytest

from driftflow.model.catalog import TriggerText
from driftflow.strategies.rebuild.own_triggers import body_of


def kept(statement: str) -> TriggerText:
    return TriggerText(
        statement=statement,
        body_sha256="",
        definer="root@localhost",
        sql_mode="",
        character_set="utf8mb4",
        collation="utf8mb4_general_ci",
        database_collation="utf8mb4_general_ci",
        order=1,
    )


@pytest.mark.parametrize(
    ("statement", "body"),
    [
        ("CREATE DEFINER=`root`@`localhost` TRIGGER `a` AFTER INSERT ON `t` FOR EACH ROW SET @a = 1", " SET @a = 1"),
        ("CREATE DEFINER=\"root\"@\"%\" TRIGGER \"a\" AFTER INSERT ON \"t\" FOR EACH ROW SET @a = '\\'", " SET @a = '\\'"),
        ("CREATE DEFINER=`FOR EACH ROW`@`h` TRIGGER `x FOR EACH ROW` BEFORE UPDATE ON t /* FOR EACH ROW */ for each\nROW/* c */BEGIN END", "/* c */BEGIN END"),
        ("CREATE DEFINER=`root`@`localhost` TRIGGER `a` AFTER INSERT ON `t` FOR EACH 'ROW SET @a = 1", ""),
    ],
)  # fmt: skip
def test_the_body_is_kept_to_the_letter(statement: str, body: str) -> None:
    assert body_of(kept(statement)) == body
