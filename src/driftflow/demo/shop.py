"""The shop: products, users, orders, tenants; realistic, seeded, the same on every machine.

Row generation is arithmetic in SQL (a linear congruence over the row number), so that the server makes the rows and Python moves none.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftflow.engine.ports import Connection


@dataclass(frozen=True)
class Size:
    """How many rows of each table."""

    orders: int = 200_000
    users: int = 20_000
    products: int = 2_000
    tenants: int = 40


def statements(dialect: str, part: str, size: Size) -> list[str]:
    """The statements of `sql/<dialect>_<part>.sql` (schema, fill, mirror), in order."""
    text = files("driftflow.demo").joinpath("sql", f"{dialect}_{part}.sql").read_text(encoding="utf-8")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    for name, count in vars(size).items():
        body = body.replace(f"{{{name}}}", str(count))
    return [piece.strip() for piece in body.split(";\n") if piece.strip().rstrip(";")]


def create_shop(connection: Connection, *, size: Size = Size(), mirror: bool = False) -> None:
    """Create and fill the shop on an empty database, each statement by itself."""
    if connection.dialect == "sqlite":
        connection.query("PRAGMA journal_mode=WAL")
    for part in ("schema", "fill", *(["mirror"] if mirror else [])):
        for statement in statements(connection.dialect, part, size):
            if statement.startswith("SELECT"):
                connection.query(statement)
            else:
                connection.execute(statement.rstrip(";"))
