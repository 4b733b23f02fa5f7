"""Predicted effects against what real servers of seven major versions did with each statement (recorded; see tests/databases/data/effects).

Compared: every lock by relation and mode, rewritten relations, tables read whole, and whether the statement fails. What is known to differ is
listed below with its reason; an entry that no longer differs fails the test, so the list can only shrink.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.situation import Situation
from driftflow.dialects.source_text import SourceText
from driftflow.dialects.walk import situations
from driftflow.model.catalog import Catalog
from driftflow.model.migration import Migration, Statement
from driftflow.model.names import Name, Version
from driftflow.model.record import decode, replace

DATA = Path(__file__).parents[2] / "databases" / "data" / "effects"
VERSIONS = ("12", "13", "14", "15", "16", "17", "18")

WILL_FAIL = frozenset({"DF001", "DF005", "DF304", "DF501", "DF705"})
"""Checks that say "the server refuses this": by the catalog, the version, or what came before in the transaction."""

DIFFERENCES: Mapping[str, str] = {
    "alter table t alter column tx set compression lz4": "whether the server was built with lz4 is not in any catalog",
}
"""statement -> why prediction and recording differ."""


@dataclass(frozen=True)
class Comparable:
    """The part of effects that a server can be asked about."""

    error: bool
    locks: frozenset[str] = frozenset()
    rewrite: frozenset[str] = frozenset()
    scan: frozenset[str] = frozenset()


@cache
def recorded() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / "postgresql.json").read_text(encoding="utf-8"))
    return found


@cache
def base_catalog() -> Catalog:
    return decode((DATA / "postgresql-catalog.json").read_bytes(), Catalog)


def observed(record: Mapping[str, Any]) -> Comparable:
    if "error" in record:
        return Comparable(error=True)
    return Comparable(
        error=False, locks=frozenset(record["locks"]), rewrite=frozenset(record["rewrite"]), scan=frozenset(record["scan"])
    )


def predicted(text: str, version: str) -> Comparable:
    """Of the last statement. The recording saw names as they are afterwards, no relation that was dropped, and no lock that was held before."""
    dialect = dialect_named("postgresql")
    catalog = replace(base_catalog(), version=Version(major=int(version)))
    statements = tuple(
        dialect.parse(Statement(sql=part.strip(), span=SourceText(text=part).span(0, len(part)))) for part in text.split(" ;; ")
    )
    migration = Migration(
        id="1",
        source="plain",
        path="1.sql",
        dialect="postgresql",
        statements=statements,
        checksum="",
        sha256="",
        transaction="single",
    )
    walked = list(situations([migration], catalog=catalog, dialect=dialect, policy=Policy()))
    last = [at for at in walked if at.statement is statements[-1]]
    before = [at for at in walked if at.statement is not statements[-1]]
    said = assess([migration], catalog=catalog, dialect=dialect, policy=Policy()).findings
    if any(finding.code in WILL_FAIL and finding.severity == "error" for finding in said):
        return Comparable(error=True)
    if any(offends(condition.probe) for at in walked for condition in at.effects.fails_if):
        return Comparable(error=True)
    after = last[-1].final or catalog
    held = {lock for at in before for lock in locks_of(at, after)}
    return Comparable(
        error=False,
        locks=frozenset(lock for at in last for lock in locks_of(at, after)) - held,
        rewrite=frozenset(seen(name, at, after) for at in last for name in at.effects.rewrites) - {""},
        scan=frozenset(seen(name, at, after) for at in last for name in at.effects.scans) - {""},
    )


def offends(probe: str) -> bool:
    """What the probe query answered on the data of the setup, kept beside it."""
    answers: dict[str, int] = json.loads((DATA / "postgresql-probes.json").read_text(encoding="utf-8"))
    return bool(probe) and answers.get(probe, 0) > 0


def locks_of(at: Situation, after: Catalog) -> list[str]:
    return [
        f"{name}:{''.join(word.capitalize() for word in claim.mode.split())}"
        for claim in at.effects.locks
        if (name := seen(claim.relation, at, after))
    ]


def seen(name: Name, at: Situation, after: Catalog) -> str:
    """How the recording called a relation: by its name afterwards; nothing for one that is gone."""
    operation = at.operation
    new = getattr(operation, "to", "") if getattr(operation, "name", None) == name else ""
    constraint = getattr(operation, "constraint", None)
    if getattr(constraint, "using_index", "") == name.name and constraint is not None and constraint.name:
        new = constraint.name
    name = Name(schema=name.schema, name=new) if new else name
    known = {index.name.text for table in after.tables.values() for index in table.indexes}
    known |= {index.name.text for view in after.views.values() for index in view.indexes}
    return name.name if name.text in {*after.tables, *after.views, *after.sequences, *known} else ""


def difference(text: str, version: str, record: Mapping[str, Any]) -> str:
    want, got = observed(record), predicted(text, version)
    if want == got:
        return ""
    if want.error or got.error:
        return f"{version}: error {'recorded: ' + record.get('error', '') if want.error else 'predicted'}"
    parts = []
    for part in ("locks", "rewrite", "scan"):
        missing, extra = getattr(want, part) - getattr(got, part), getattr(got, part) - getattr(want, part)
        parts += [f"{part} missing {sorted(missing)}"] if missing else []
        parts += [f"{part} extra {sorted(extra)}"] if extra else []
    return f"{version}: {'; '.join(parts)}"


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry["sql"][:80]) for entry in recorded()])
def test_prediction_equals_recording(entry: dict[str, Any]) -> None:
    found = [told for version, record in entry["observed"].items() if (told := difference(entry["sql"], version, record))]
    if entry["sql"] in DIFFERENCES:
        assert found, "this no longer differs: remove it from DIFFERENCES"
        return
    assert not found, "\n".join(found)


def test_most_are_equal() -> None:
    """The number is asserted, so that the list of differences cannot grow unseen."""
    assert len(recorded()) == 175
    assert len(DIFFERENCES) == 1
