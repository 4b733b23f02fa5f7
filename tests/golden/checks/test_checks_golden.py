"""Every check says what it should about the example of its page, and nothing about the solution. The whole text output is the expected file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path

import pytest

from driftflow.checks.run import assess
from driftflow.checks.suppression.baseline import stale_entries
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.baseline import Baseline, without_known
from driftflow.model.catalog import Catalog, TableStatistics
from driftflow.model.finding import Assessment
from driftflow.model.migration import Migration
from driftflow.model.names import Version
from driftflow.model.record import decode, pretty, replace
from driftflow.plugins import discover
from driftflow.reports.text import render

HERE = Path(__file__).parent
PAGES = HERE.parents[2] / "docs" / "checks"
TODAY = "2026-06-01"


@dataclass(frozen=True)
class Case:
    """`-- given` is what is there already (large tables); `-- migration` what is assessed; `-- next migration` begins another file.
    `-- when the baseline was written`: what stood there instead of the migration at that time."""

    dialect: str
    given: str
    migrations: tuple[str, ...]
    version: str = ""
    transaction: str = "single"
    rows: int = 2_000_000
    published: tuple[str, ...] = ()
    applied_by_tool: bool = False
    known: str = ""


def read_case(text: str, header: str) -> Case:
    words = header.split()
    options = dict(word.split("=") for word in words[1:])
    given, _, rest = text.partition("-- migration\n")
    given, _, known = given.partition("-- when the baseline was written\n")
    return Case(
        dialect=words[0],
        given=given.replace("-- given\n", ""),
        migrations=tuple(rest.split("-- next migration\n")),
        version=options.get("version", ""),
        transaction=options.get("transaction", "single"),
        rows=int(options.get("rows", "2000000")),
        published=tuple(filter(None, options.get("published", "").split(","))),
        applied_by_tool=options.get("applied_by") == "tool",
        known=known,
    )


def run(case: Case, *, catalog: Catalog | None = None) -> Assessment:
    dialect = dialect_named(case.dialect)
    found = catalog or given_catalog(case)
    migrations = []
    for number, sql in enumerate(case.migrations, start=1):
        file = f"migrations/{number:03}.sql"
        statements = tuple(dialect.parse(one) for one in dialect.split(SourceText(text=sql, file=file)))
        alone = len(statements) == 1 and case.transaction == "single" and "CONCURRENTLY" in sql and len(case.migrations) > 1
        migrations.append(
            Migration(
                id=f"{number:03}",
                source="plain",
                path=file,
                dialect=case.dialect,
                statements=statements,
                checksum="",
                sha256="",
                transaction="none" if alone else case.transaction,
            )
        )
    assessment = assess(
        migrations, catalog=found, dialect=dialect, policy=Policy(applied_by_tool=case.applied_by_tool), today=TODAY
    )
    return against_baseline(assessment, case) if case.known else assessment


def against_baseline(assessment: Assessment, case: Case) -> Assessment:
    """As `--baseline` leaves it."""
    baseline = Baseline.of(run(replaced(case, migrations=(case.known,), known="")))
    left, stale = without_known(assessment, baseline, file="baseline.json")
    return replace(left, findings=(*left.findings, *stale_entries(stale, file="baseline.json", text=pretty(baseline))))


def given_catalog(case: Case) -> Catalog:
    """The catalog after the given statements, as if it had been there for long: every table large."""
    dialect = dialect_named(case.dialect)
    schema = "public" if case.dialect == "postgresql" else "main"
    catalog = Catalog(
        vendor=case.dialect,
        version=Version.parse(case.version or ("16.4" if case.dialect == "postgresql" else "3.40.1")),
        search_path=(schema,),
        schemas=(schema,),
    )
    for statement in dialect.split(SourceText(text=case.given)):
        for operation in dialect.parse(statement).operations:
            catalog = catalog.after(dialect.resolve(operation, catalog))
    statistics = TableStatistics(rows=case.rows, bytes=case.rows * 200, table_bytes=case.rows * 140, basis="reltuples")
    tables = {
        key: replace(table, new=False, statistics=statistics, publications=case.published)
        for key, table in catalog.tables.items()
    }
    return replace(catalog, tables=tables)


def block(page: str, heading: str) -> tuple[str, str]:
    """(SQL, header comment) of the first block below a heading."""
    part = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    match = re.search(r"(?:<!-- (?P<header>.*?) -->\n)?```sql\n(?P<sql>.*?)\n```", part, re.DOTALL)
    return (f"{match['sql']}\n", match["header"] or "") if match else ("", "")


def pages() -> Iterator[object]:
    for entry in discover("check").of("check"):
        yield pytest.param(entry.name, entry.info["page"], id=entry.name)


@pytest.mark.parametrize(("code", "page"), list(pages()))
def test_page(code: str, page: str, update_golden: bool) -> None:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {code}: ")
    assert re.findall(r"(?m)^## (.*)", text) == ["Problem", "Example", "Solution", "Links"]
    sql, header = block(text, "Example")
    case = read_case(sql, header)
    assessment = run(case)
    assert code in {finding.code for finding in assessment.findings}
    _compare(HERE / code / "example", f"{header}\n{sql}", render(assessment), update=update_golden)


@pytest.mark.parametrize(("code", "page"), list(pages()))
def test_solution(code: str, page: str) -> None:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    sql, header = block(text, "Example")
    solution, _ = block(text, "Solution")
    if not solution:
        pytest.skip("the page's solution is prose")
    case = read_case(sql, header)
    better = replace_migrations(case, solution)
    found = run(better).findings
    assert code not in {finding.code for finding in found}, render(run(better))
    assert not [finding.summary for finding in found if finding.code == "DF001"]


def test_remedies_name_strategies_that_exist() -> None:
    """A remedy ends with the name of a recipe only where `driftflow explain` knows it."""
    known = {entry.name for kind in ("strategy", "enhancement") for entry in discover(kind).of(kind)}
    sources = (HERE.parents[2] / "src" / "driftflow" / "checks").rglob("*.py")
    named = {name for file in sources for name in re.findall(r" \(([a-z]+(?:_[a-z]+)+)\)[\"{]", file.read_text(encoding="utf-8"))}
    assert named
    assert named <= known


def replace_migrations(case: Case, solution: str) -> Case:
    return dataclasses.replace(case, migrations=tuple(solution.split("-- next migration\n")))


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
@pytest.mark.parametrize("project", ["inventory", "two_factor", "tenants"])
def test_example(project: str, dialect: str, update_golden: bool) -> None:
    """The three examples as their authors would have written them, against the shop with 200,000 rows in each table."""
    examples = HERE.parents[2] / "examples"
    given = (examples / "shop" / f"{dialect}.sql").read_text(encoding="utf-8")
    files = sorted((examples / project / dialect / "naive").glob("*.sql"))
    case = Case(dialect, given, tuple(file.read_text(encoding="utf-8") for file in files), rows=200_000)
    _compare(HERE / "examples" / f"{project}-{dialect}", "", render(run(case)), update=update_golden)


def cases() -> Iterator[object]:
    for folder in sorted(HERE.glob("*/*/")):
        if (folder / "input.sql").is_file() and folder.name != "example":
            yield pytest.param(folder, id=f"{folder.parent.name}/{folder.name}")


@pytest.mark.parametrize("folder", list(cases()))
def test_case(folder: Path, update_golden: bool) -> None:
    """Cases beyond the pages: `catalog.json` beside the input takes the place of `-- given`."""
    header, _, sql = (folder / "input.sql").read_text(encoding="utf-8").partition("\n")
    snapshot = folder / "catalog.json"
    catalog = decode(snapshot.read_bytes(), Catalog) if snapshot.is_file() else None
    assessment = run(read_case(sql, header.removeprefix("-- ")), catalog=catalog)
    _compare(folder, "", render(assessment), update=update_golden)


def _compare(folder: Path, given: str, got: str, *, update: bool) -> None:
    expected = folder / "expected.txt"
    if update:
        folder.mkdir(parents=True, exist_ok=True)
        if given:
            (folder / "input.sql").write_text(f"-- {given}", encoding="utf-8")
        expected.write_text(got, encoding="utf-8")
    if given:
        assert (folder / "input.sql").read_text(encoding="utf-8") == f"-- {given}"
    assert got == expected.read_text(encoding="utf-8")
