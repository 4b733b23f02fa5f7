"""What is predicted for a statement of MySQL or MariaDB on the schema of `databases/data/effects/mysql-setup.sql`; for tests with and without a
server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from driftflow.dialects.base import Dialect
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog
from driftflow.model.effects import Condition, Effects
from driftflow.model.names import Version
from driftflow.model.operations import CatalogConflict, Operation
from driftflow.model.record import replace

DATA = Path(__file__).parent / "databases" / "data" / "effects"
CHECKS_OFF = "set-fkc0 "
"""A recorded statement that begins so ran with foreign_key_checks=0."""

Pairs = Mapping[str, bool]
"""`INPLACE/NONE` → whether the table was written anew."""


@dataclass(frozen=True)
class Prediction:
    pairs: Pairs
    refused: tuple[str, ...]
    """Why it fails for certain."""
    conditions: tuple[Condition, ...]
    """What makes it fail on some data."""
    unknown: bool
    effects: tuple[Effects, ...] = ()


def setup_statements() -> list[str]:
    text = (DATA / "mysql-setup.sql").read_text(encoding="utf-8")
    return [statement for statement in text.split(";\n") if statement.strip()]


def catalog_of_setup(dialect: Dialect, version: Version, settings: Mapping[str, str] | None = None) -> Catalog:
    """The catalog that the setup leaves behind, without a server."""
    defaults = {"character_set_database": "utf8mb4"}
    catalog = Catalog(
        vendor=dialect.name,
        version=version,
        database="d",
        search_path=("d",),
        schemas=("d",),
        settings={**defaults, **(settings or {})},
    )
    for sql in setup_statements():
        if not sql.startswith(("drop database", "create database", "use ")):
            for operation in operations_of(dialect, sql):
                catalog = dialect.resolve(operation, catalog).after(catalog)
    return catalog


def operations_of(dialect: Dialect, sql: str) -> tuple[Operation, ...]:
    (statement,) = dialect.split(SourceText(sql))
    return dialect.parse(statement).operations


def predicted(dialect: Dialect, catalog: Catalog, sql: str) -> Prediction:
    if sql.startswith(CHECKS_OFF):
        sql = sql.removeprefix(CHECKS_OFF)
        catalog = replace(catalog, settings={**catalog.settings, "foreign_key_checks": "0"})
    resolved: list[Operation] = []
    catalogs: list[Catalog] = []
    conflicts: list[str] = []
    for operation in operations_of(dialect, sql):
        one = dialect.resolve(operation, catalog)
        resolved.append(one)
        catalogs.append(catalog)
        try:
            catalog = one.after(catalog)
        except CatalogConflict as conflict:
            conflicts.append(str(conflict))
    effects = dialect.together(resolved, catalogs)
    conditions = [condition for one in effects for condition in one.fails_if]
    refused = (*conflicts, *(condition.summary for condition in conditions if condition.certain))
    pairs = {spelled(pair.algorithm, pair.lock): pair.rebuilds for one in effects for pair in one.algorithms}
    return Prediction(
        pairs={} if refused else pairs,
        refused=refused,
        conditions=tuple(condition for condition in conditions if not condition.certain),
        unknown=any(one.unknown for one in effects),
        effects=effects,
    )


def spelled(algorithm: str, lock: str) -> str:
    """As the recording writes it."""
    return algorithm if algorithm == "INSTANT" else f"{algorithm}/{lock}"


def dialect_of(server: str) -> tuple[Dialect, Version]:
    """`mysql-9.7.4` → (MySQL, 9.7.4)."""
    flavour, _, version = server.partition("-")
    return dialect_named(flavour), Version.parse(version)


def hides_rebuild(sql: str) -> bool:
    """Whether the measurement cannot tell a rebuild: a renamed table is another one, and partitions have identities of their own."""
    return " rename to " in sql or sql.startswith("alter table pt ")
