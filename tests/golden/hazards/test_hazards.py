"""Every known hazard on every database that has it: what driftflow says, on which axis, and that the safe form is silent.

A scene begins with `-- scene DIALECT VERSION option=value ...`; `-- given` adds to the tables that are there already (given/DIALECT.sql, large);
`-- speaks CODE AXIS ...` (or `AXIS/SEVERITY`) is followed by what must be found, `-- silent` by the form about which none of those codes may say anything.
`-- next migration` begins another file. docs/hazards.md is made from the scenes, so the table cannot claim what no scene shows.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog, TableStatistics
from driftflow.model.finding import Assessment
from driftflow.model.migration import Migration
from driftflow.model.names import Version
from driftflow.model.record import replace
from driftflow.plugins import discover

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs"
SCHEMA = {"postgresql": "public", "sqlite": "main", "mysql": "shop", "mariadb": "shop"}
DATA = tomllib.loads((DOCS / "hazards.toml").read_text(encoding="utf-8"))
SHORT = {"postgresql": "Pg", "mysql": "My", "mariadb": "Ma", "sqlite": "Sq"}


@dataclass
class Part:
    """What is run: `codes` and their axes that must be found, or none of the scene's codes where it is silent."""

    codes: dict[str, str]
    sql: str = ""


@dataclass
class Scene:
    hazard: str
    dialect: str
    version: str
    options: dict[str, str]
    given: str = ""
    parts: list[Part] = field(default_factory=list)

    @property
    def codes(self) -> set[str]:
        return {code for part in self.parts for code in part.codes}


def read_scenes(path: Path) -> Iterator[Scene]:
    for text in re.split(r"(?m)^-- scene ", path.read_text(encoding="utf-8"))[1:]:
        header, _, body = text.partition("\n")
        dialect, version, *options = header.split()
        scene = Scene(path.stem.lstrip("0"), dialect, version, dict(one.split("=", 1) for one in options))
        for piece in re.split(r"(?m)^-- (?=(?:given|speaks|silent)\b)", body)[1:]:
            words, _, sql = piece.partition("\n")
            kind, *said = words.split()
            if kind == "given":
                scene.given = sql
            else:
                assert bool(said) == (kind == "speaks"), header
                scene.parts.append(Part(dict(zip(said[::2], said[1::2], strict=True)), sql))
        yield scene


@cache
def scenes() -> tuple[Scene, ...]:
    return tuple(scene for path in sorted(HERE.glob("*.sql")) for scene in read_scenes(path))


def run(scene: Scene, part: Part) -> Assessment:
    dialect = dialect_named(scene.dialect)
    migrations = []
    for number, sql in enumerate(part.sql.split("-- next migration\n"), start=1):
        statements = tuple(dialect.parse(one) for one in dialect.split(SourceText(text=sql, file=f"{number}.sql")))
        mode: Any = scene.options.get("transaction", "single" if scene.dialect in ("postgresql", "sqlite") else "none")
        if len(statements) == 1 and "CONCURRENTLY" in sql and "alone" not in scene.options:
            mode = "none"
        migrations.append(
            Migration(
                id=str(number),
                source=scene.options.get("source", "plain"),
                path=f"{number}.sql",
                dialect=scene.dialect,
                statements=statements,
                checksum="",
                sha256="",
                transaction=mode,
            )
        )
    return assess(migrations, catalog=given_catalog(scene), dialect=dialect, policy=policy(scene))


def policy(scene: Scene) -> Policy:
    return Policy(applied_by_tool=scene.options.get("applied_by") == "tool")


@cache
def _base(dialect_name: str, version: str) -> Catalog:
    return _apply(
        Catalog(
            vendor=dialect_name,
            version=Version.parse(version),
            search_path=(SCHEMA[dialect_name],),
            schemas=(SCHEMA[dialect_name],),
        ),
        (HERE / "given" / f"{dialect_name}.sql").read_text(encoding="utf-8"),
    )


def _apply(catalog: Catalog, sql: str) -> Catalog:
    dialect = dialect_named(catalog.vendor)
    for statement in dialect.split(SourceText(text=sql)):
        for operation in dialect.parse(statement).operations:
            catalog = catalog.after(dialect.resolve(operation, catalog))
    return catalog


def given_catalog(scene: Scene) -> Catalog:
    """Every table as large as the scene says; `setting.NAME=value` is the server's, `published=NAME` carries them all."""
    catalog = _apply(_base(scene.dialect, scene.version), scene.given)
    rows = int(scene.options.get("rows", "2000000"))
    traffic = {f"{way}_per_second": float(scene.options[way]) for way in ("writes", "reads") if way in scene.options}
    versions = int(scene.options["row_versions"]) if "row_versions" in scene.options else None
    statistics = TableStatistics(
        rows=rows, bytes=rows * 200, table_bytes=rows * 140, basis="reltuples", row_versions=versions, **traffic
    )
    published = tuple(filter(None, scene.options.get("published", "").split(",")))
    tables = {
        key: replace(table, new=False, statistics=statistics, publications=published) for key, table in catalog.tables.items()
    }
    settings = {key.removeprefix("setting."): value for key, value in scene.options.items() if key.startswith("setting.")}
    return replace(catalog, tables=tables, settings={**catalog.settings, **settings})


@pytest.mark.parametrize("path", sorted(HERE.glob("*.sql")), ids=lambda path: path.stem)
def test_scenes(path: Path, update_golden: bool) -> None:
    lines = []
    wrong = []
    for number, scene in enumerate(read_scenes(path), start=1):
        lines.append(f"scene {number}: {scene.dialect} {scene.version}")
        for part in scene.parts:
            found = run(scene, part).findings
            lines.append("  speaks" if part.codes else "  silent")
            lines += [f"    {one.code} {one.severity} {one.axis}: {one.summary}" for one in found]
            have = {(one.code, said) for one in found for said in (one.axis, f"{one.axis}/{one.severity}")}
            wrong += [f"scene {number}: {one} is not said" for one in part.codes.items() if one not in have]
            if not part.codes:
                bad = [one.code for one in found if one.code in (scene.codes | {"DF001", "DF003", "DF005"})]
                wrong += [f"scene {number}: {code} is said of the safe form" for code in bad]
    got = "\n".join(lines) + "\n"
    expected = path.with_suffix(".txt")
    if update_golden:
        expected.write_text(got, encoding="utf-8")
    assert wrong == [], got
    assert got == expected.read_text(encoding="utf-8")


WHATEVER_THE_SIZE = {"DF408", "DF414", "DF601", "DF710"}
"""Who waits for a lock waits as long for a small table; a materialized view has no statistics, and a script of an extension no size."""


def test_severity_follows_the_size() -> None:
    """What blocks a table of two million rows blocks nobody for long where there are five hundred: at most worth knowing."""
    loud = set()
    for scene in scenes():
        small = dataclasses.replace(scene, options={**scene.options, "rows": "500"})
        for part in scene.parts if "rows" not in scene.options else ():
            speaks = {one.code for one in run(scene, part).findings if one.axis == "blocks" and one.severity != "info"}
            after = run(small, part).findings if speaks else ()
            new = [one for one in after if one.code == "DF204"]  # a table of this release: its future size is not known
            loud |= {one.code for one in after if one.axis == "blocks" and one.severity != "info" and one not in new}
    assert loud == WHATEVER_THE_SIZE


def covered() -> dict[str, dict[str, list[str]]]:
    """Hazard → code → the dialects on which a scene shows it."""
    found: dict[str, dict[str, list[str]]] = {}
    for scene in scenes():
        for code in sorted(scene.codes):
            shown = found.setdefault(scene.hazard, {}).setdefault(code, [])
            if scene.dialect not in shown:
                shown.append(scene.dialect)
    return found


def test_every_hazard_is_shown_or_says_why_not() -> None:
    known, shown = DATA["hazards"], covered()
    assert sorted(shown.keys() - known.keys()) == []
    silent = [key for key, one in known.items() if key not in shown and not (one.get("elsewhere") or one.get("not_covered"))]
    assert silent == []
    assert [key for key, one in known.items() if one.get("not_covered") and key in shown] == []


def test_a_scene_with_speech_has_a_silent_form_nearby() -> None:
    """Per hazard and dialect: a check that speaks of everything would pass otherwise. A few hazards have no safe form on a database."""
    speaks = {(scene.hazard, scene.dialect) for scene in scenes() if scene.codes}
    silent = {(scene.hazard, scene.dialect) for scene in scenes() if any(not part.codes for part in scene.parts)}
    without = {f"{hazard} {SHORT[dialect]}" for hazard, dialect in speaks - silent}
    assert without == set(DATA["no_safe_form"])


def test_the_table_in_the_documentation(update_golden: bool) -> None:
    page = DOCS / "hazards.md"
    got = "\n".join(page_lines()) + "\n"
    if update_golden:
        page.write_text(got, encoding="utf-8")
    assert got == page.read_text(encoding="utf-8"), "pytest tests/golden/hazards --update-golden writes it"


def page_lines() -> Iterator[str]:
    tools: dict[str, str] = DATA["tools"]
    yield "# Hazards and who detects them"
    yield ""
    yield "Known ways in which a migration hurts, and what detects each. The column of driftflow is made from scenes that the test suite runs"
    yield "(`tests/golden/hazards`): a code stands here because it spoke, on the databases named behind it, and was silent about the safe form."
    yield "The columns of the others are what their sources and their releases of 2026 do."
    yield ""
    yield "- x detects · r rewrites it or runs it safely · p in part · t only by running it on a server"
    yield f"- {' · '.join(f'{short} {dialect}' for dialect, short in SHORT.items())}"
    yield f"- {' · '.join(f'{short} {name}' for short, name in tools.items())}"
    yield ""
    yield from _table(lambda key: key.isdigit(), tools)
    yield ""
    yield "## What none of them detects"
    yield ""
    yield from _table(lambda key: not key.isdigit(), {})


def _table(wanted: Any, tools: dict[str, str]) -> Iterator[str]:
    shown = covered()
    pages = {entry.name: entry.info["page"] for entry in discover("check").of("check")}
    yield f"| | hazard | driftflow |{''.join(f' {tool} |' for tool in tools)}"
    yield f"|---|---|---|{'---|' * len(tools)}"
    for key, hazard in DATA["hazards"].items():
        if not wanted(key):
            continue
        said = [
            f"[{code}](checks/{pages[code]}.md) {' '.join(SHORT[one] for one in SHORT if one in dialects)}"
            for code, dialects in sorted(shown.get(key, {}).items())
        ]
        said += [hazard[word] for word in ("elsewhere",) if word in hazard]
        said += [f"no: {hazard[word]}" for word in ("not_covered",) if word in hazard]
        marks = dict(one.split(":") for one in hazard.get("tools", "").split())
        others = "".join(f" {marks.get(tool, '')} |" for tool in tools)
        yield f"| {key} | {hazard['name']} | {'; '.join(said)} |{others}"
