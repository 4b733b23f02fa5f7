"""What tests of `driftflow prove` share: the shop as a snapshot has it, and what is asked of a plan for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import planning
import wanted
from driftflow import pipeline
from driftflow.dialects.registry import dialect_named
from driftflow.drivers.catalogs import read_catalog
from driftflow.lab.proof.bench import Question
from driftflow.lab.scratch import scratch
from driftflow.lab.start_schema import StartSchema, build
from driftflow.model.catalog import TableStatistics
from driftflow.model.plan import Plan, RunSql
from driftflow.model.proof import Claim, Proof
from driftflow.model.record import replace
from driftflow.readers.sources import loose_migration
from driftflow.usage.recorded import Recorded

ROWS = 300
FAMILY = [pytest.param(name, marks=getattr(pytest.mark, name.partition("-")[0])) for name in wanted.mysql_family()]
VENDORS = [
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("sqlite", marks=pytest.mark.sqlite),
    *FAMILY,
]
"""`mariadb-10` and its like are that very version, where it is here."""


def flavour(vendor: str) -> str:
    return vendor.partition("-")[0]


def table(vendor: str, name: str) -> str:
    return f"{ {'postgresql': 'public', 'sqlite': 'main'}.get(flavour(vendor), 'shop') }.{name}"


def shop(vendor: str) -> StartSchema:
    """The shop's schema as a snapshot would have it, rights and all."""
    text = (planning.EXAMPLES / "shop" / f"{flavour(vendor)}.sql").read_text()
    if vendor == "postgresql":
        text += (planning.EXAMPLES / "shop" / "postgresql_roles.sql").read_text()
    return schema(text, vendor)


def schema(text: str, vendor: str) -> StartSchema:
    dialect = dialect_named(flavour(vendor))
    version = wanted.mysql_programs_of(vendor).version if "-" in vendor else None
    with scratch(dialect.name, version, database="shop") as place:
        assert build(StartSchema(name="file", setup=[loose_migration(text, dialect=dialect)]), place, dialect, rights=True) == ()
        catalog = read_catalog(place.connector)
    for table in catalog.tables.values():  # large enough for the safe forms
        catalog = catalog.with_table(
            replace(table, statistics=TableStatistics(rows=200_000, table_bytes=24_000_000, basis="test"))
        )
    return StartSchema(name="snapshot", catalog=catalog, version=catalog.version)


def question(
    sql: str | Path,
    start: StartSchema,
    root: Path,
    *,
    change: Callable[[Plan], Plan] | None = None,
    queries: Sequence[Recorded] = (),
    unwritten: frozenset[tuple[str, str]] = frozenset(),
    accepted: frozenset[str] = frozenset(),
    on: str = "",
) -> Question:
    """The plan of a migration (text, or a folder below `root`), perhaps tampered with, and what it is to be proved on."""
    assert start.catalog is not None
    dialect = dialect_named(start.catalog.vendor)
    folder = sql if isinstance(sql, Path) else root / "migrations"
    if isinstance(sql, str):
        folder.mkdir(exist_ok=True)
        (folder / "001.sql").write_text(sql)
    sources = pipeline.find_sources([folder], dialect=dialect, options={}, root=root)
    plan = pipeline.make_plan(sources, dialect=dialect, catalog=start.catalog, policy=planning.POLICY, root=root)
    return Question(
        plan=change(plan) if change is not None else plan,
        migrations=[migration for source in sources for migration in source.migrations],
        dialect=dialect,
        start=start,
        root=root,
        sources=sources,
        rows=ROWS,
        queries=queries,
        unwritten=unwritten,
        accepted=accepted,
        on=on,
    )


def claim(proof: Proof, name: str) -> Claim:
    return next(one for one in proof.claims if one.name == name)


def tampered(change: Callable[[RunSql], RunSql], *, naming: str) -> Callable[[Plan], Plan]:
    """The step whose statements name something is another one; everything else is as it was."""

    def changed(plan: Plan) -> Plan:
        steps = [
            change(step) if isinstance(step, RunSql) and naming in " ".join(step.statements) else step for step in plan.steps
        ]
        assert tuple(steps) != plan.steps
        return replace(plan, steps=tuple(steps))

    return changed
