"""What a team says of a check decides what counts."""

from __future__ import annotations

import pytest

from driftflow.model.finding import Assessment, Finding
from driftflow.model.names import Span
from driftflow.model.rules import Rule, matches, ruled


def found(*codes: str, file: str = "db/1.sql") -> Assessment:
    findings = tuple(Finding(code=code, axis="blocks", severity="error", span=Span(file=file), summary=code) for code in codes)
    return Assessment(dialect="postgresql", findings=findings)


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("db/1.sql", "db/1.sql", True),
        ("db/*.sql", "db/1.sql", True),
        ("db/*.sql", "db/old/1.sql", False),
        ("db/**", "db/old/1.sql", True),
        ("**/1.sql", "1.sql", True),
        ("**/1.sql", "db/old/1.sql", True),
        ("**/1.sql", "db/x1.sql", False),
        ("db/?.sql", "db/1.sql", True),
        ("db/?.sql", "db//.sql", False),
        ("db.1", "dbx1", False),
    ],
)
def test_a_pattern_means_paths(pattern: str, path: str, meant: bool) -> None:
    assert matches(pattern, path) is meant


def test_a_rule_weighs_silences_and_excludes() -> None:
    assert ruled(found("DF104"), {"DF104": Rule(severity="warning", reason="x")}).findings[0].severity == "warning"
    assert ruled(found("DF104", "DF105"), {"DF104": Rule(severity="off", reason="x")}).findings[0].code == "DF105"
    off = ruled(found("DF104", "DF105"), {"DF104": Rule(severity="off", reason="x")}).suppressed
    assert [(one.finding.code, one.kind, one.reason) for one in off] == [("DF104", "external", "x")]
    here = {"DF104": Rule(exclude=("db/*",), reason="x")}
    assert ruled(found("DF104"), here).findings == ()
    assert ruled(found("DF104", file="other/1.sql"), here).findings[0].severity == "error"


def test_select_and_ignore() -> None:
    both = found("DF104", "DF105")
    assert [one.code for one in ruled(both, {}, select=("DF105",)).findings] == ["DF105"]
    assert [one.code for one in ruled(both, {}, ignore=("DF105",)).findings] == ["DF104"]
    assert ruled(both, {}, select=("DF105",), ignore=("DF105",)).findings == ()
