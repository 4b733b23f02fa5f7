"""The shop: products, users, orders, tenants; realistic, seeded, the same on every machine.

Row generation is arithmetic in SQL (a linear congruence over the row number), so that the server makes the rows and Python moves none.
"""

from __future__ import annotations

import sys
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
    family = "mysql" if dialect == "mariadb" else dialect
    text = files("driftflow.demo").joinpath("sql", f"{family}_{part}.sql").read_text(encoding="utf-8")
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


def main(url: str) -> None:
    """`python -m driftflow.demo.shop URL`: the shop in an empty database, for trying things out. A SQLite file is made."""
    from contextlib import closing
    from pathlib import Path

    from driftflow.drivers.urls import connector_for

    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).touch(exist_ok=False)
    size = Size()
    with closing(connector_for(url).connect("demo")) as connection:
        create_shop(connection, size=size)
        if connection.dialect == "postgresql":
            _application_role(connection)
    print(f"{size.orders:,} orders, {size.users:,} users, {size.products:,} products, {size.tenants} tenants")


def _application_role(connection: Connection) -> None:
    """The role that the application connects as: it owns nothing, so that policies bind it."""
    if not connection.query("SELECT 1 FROM pg_roles WHERE rolname = 'shop_app'"):
        connection.execute("CREATE ROLE shop_app LOGIN")
    connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop_app")
    connection.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO shop_app")


if __name__ == "__main__":
    main(sys.argv[1])
