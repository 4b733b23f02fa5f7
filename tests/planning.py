"""What the planner's tests share: migrations from text, and the shop as a catalog of a given size."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from driftflow.config import Policy
from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog, TableStatistics
from driftflow.model.migration import Migration
from driftflow.model.names import Version
from driftflow.model.plan import Plan
from driftflow.model.record import replace
from driftflow.planner.compose import compose_plan
from driftflow.strategies.spoken import wanted_files

EXAMPLES = Path(__file__).parents[1] / "examples"
VERSIONS = {
    "postgresql": Version(major=16),
    "sqlite": Version(major=3, minor=40, patch=1),
    "mysql": Version(major=9, minor=7),
    "mariadb": Version(major=10, minor=11),
}
SCHEMAS = {"sqlite": "main", "mysql": "shop", "mariadb": "shop"}
ROWS = {"orders": 200_000, "users": 5_000, "products": 1_000, "tenants": 20}
POLICY = Policy(small_table_rows=0)


def migration_of(text: str, dialect: Dialect, *, id: str = "001", file: str = "001.sql", **more: object) -> Migration:
    """One parsed migration, as the plain reader would give it."""
    statements = tuple(dialect.parse(statement) for statement in dialect.split(SourceText(text, file=file)))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Migration(
        id=id, source="plain", path=file, dialect=dialect.name, statements=statements, checksum=digest, sha256=digest, **more
    )


def catalog_of(text: str, dialect: Dialect, *, version: Version | None = None, rows: dict[str, int] | None = None) -> Catalog:
    """The catalog that a schema file makes, with sizes."""
    schema = SCHEMAS.get(dialect.name, "public")
    catalog = Catalog(
        vendor=dialect.name, version=version or VERSIONS[dialect.name], search_path=(schema,), schemas=(schema,), database="shop"
    )
    for statement in migration_of(text, dialect).statements:
        for operation in statement.operations:
            catalog = catalog.after(dialect.resolve(operation, catalog))
    for table in catalog.tables.values():
        count = (rows if rows is not None else ROWS).get(table.name.name)
        statistics = TableStatistics(rows=count, table_bytes=None if count is None else count * 120, basis="reltuples")
        catalog = catalog.with_table(replace(table, statistics=statistics, new=False))
    return catalog


def shop(dialect: Dialect, **more: object) -> Catalog:
    return catalog_of((EXAMPLES / "shop" / f"{dialect.name}.sql").read_text(), dialect, **more)  # type: ignore[arg-type]


def plan_folder(folder: Path, dialect: Dialect, *, catalog: Catalog | None = None, policy: Policy = POLICY) -> Plan:
    """The plan of every migration in a folder."""
    migrations = [migration_of(path.read_text(), dialect, id=path.stem, file=path.name) for path in sorted(folder.glob("*.sql"))]
    inputs = {}
    for name in wanted_files(migrations):
        inputs[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return compose_plan(
        migrations, catalog=catalog or shop(dialect), dialect=dialect, policy=policy, folder=folder, inputs=inputs
    )


def plan_of(text: str, dialect: Dialect, *, catalog: Catalog | None = None, policy: Policy = POLICY, **more: object) -> Plan:
    """The plan of one migration given as text."""
    return compose_plan([migration_of(text, dialect)], catalog=catalog or shop(dialect), dialect=dialect, policy=policy, **more)  # type: ignore[arg-type]


PAGES = Path(__file__).parents[1] / "docs" / "strategies"
BESIDE_THE_SHOP = {
    "postgresql": "CREATE TABLE events (id bigint, kind text, at date) PARTITION BY RANGE (at);\n"
    "CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');\n"
    "CREATE TABLE visits (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);\n"
    "CREATE TABLE visits_2030 PARTITION OF visits FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');\n",
    "mariadb": "CREATE TABLE visits (id bigint PRIMARY KEY, page varchar(200) NOT NULL, seconds int);\n",
}
"""What some pages' examples speak of."""
HELD = "'shop_app'@'%'=DELETE, INSERT, SELECT, UPDATE"
"""On MySQL and MariaDB an account of the application has these rights on `users`, by its name."""


def page_examples(page: str) -> list[tuple[str, Plan]]:
    """The migrations on a strategy's page, planned on the shop: (dialect, plan), in the order of the page."""
    found = []
    for name, sql in re.findall(
        r"```sql (postgresql|sqlite|mysql|mariadb)\n(.*?)```", (PAGES / f"{page}.md").read_text(), re.DOTALL
    ):
        schema = EXAMPLES / "shop" / f"{name}.sql"
        catalog = catalog_of(schema.read_text() + BESIDE_THE_SHOP.get(name, ""), named(name))
        if name in ("mysql", "mariadb"):
            catalog = catalog.with_table(replace(catalog.tables["shop.users"], grants=(HELD,)))
        found.append((name, plan_of(sql, named(name), catalog=catalog)))
    return found


def named(name: str) -> Dialect:
    return dialect_named(name)
