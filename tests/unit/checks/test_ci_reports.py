"""Reports for machines: each is what its reader takes, and carries every finding."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from driftflow.checks.run import assess
from driftflow.config import Policy
from driftflow.dialects.registry import dialect_named
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog
from driftflow.model.finding import Assessment
from driftflow.model.migration import Migration
from driftflow.model.record import decode
from driftflow.reports import assessment_markdown, github, gitlab, junit, sarif
from driftflow.reports import json as json_report

SQL = """ALTER TABLE a DROP COLUMN "x,y:z%";
ALTER TABLE a ADD COLUMN n int DEFAULT 0;
CREATE INDEX i
    ON a (n);
"""


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    dialect = dialect_named("postgresql")
    statements = tuple(dialect.parse(one) for one in dialect.split(SourceText(text=SQL, file="db/1.sql")))
    migration = Migration(
        id="1",
        source="plain",
        path="db/1.sql",
        dialect="postgresql",
        statements=statements,
        checksum="",
        sha256="",
        transaction="none",
    )
    catalog = Catalog(vendor="postgresql", search_path=("public",), complete=False)
    found = assess([migration], catalog=catalog, dialect=dialect, policy=Policy())
    assert len(found.findings) >= 2
    return found


def test_sarif(assessment: Assessment) -> None:
    (run,) = json.loads(sarif.render(assessment))["runs"]
    assert [result["ruleId"] for result in run["results"]] == [finding.code for finding in assessment.findings]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {finding.code for finding in assessment.findings}
    for result in run["results"]:
        region = result["locations"][0]["physicalLocation"]["region"]
        assert (region["endLine"], region["endColumn"]) > (region["startLine"], region["startColumn"])
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "db/1.sql"


def test_gitlab(assessment: Assessment) -> None:
    entries = json.loads(gitlab.render(assessment))
    assert [entry["check_name"] for entry in entries] == [finding.code for finding in assessment.findings]
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)


def test_github(assessment: Assessment) -> None:
    lines = github.render(assessment).splitlines()
    assert len(lines) == len(assessment.findings)
    first = lines[0]
    assert first.startswith("::error ")
    properties, data = first.removeprefix("::error ").split("::", 1)
    assert "title=DF111%3A" in properties
    assert "%2C" in properties
    assert "\n" not in data


def test_junit(assessment: Assessment) -> None:
    root = ElementTree.fromstring(junit.render(assessment))
    assert root.get("tests") == "3"
    (suite,) = root
    assert suite.get("failures") == root.get("failures")
    failed = [case for case in suite if case.find("failure") is not None]
    assert {case.find("failure").get("type") for case in failed} == {"DF111", "DF301"}  # type: ignore[union-attr]
    everything = ElementTree.fromstring(junit.render(assessment, fail_on="info"))
    assert int(everything.get("failures") or 0) >= len(failed)


def test_json_is_the_record(assessment: Assessment) -> None:
    assert decode(json_report.render(assessment), Assessment) == assessment


def test_markdown(assessment: Assessment) -> None:
    text = assessment_markdown.render(assessment)
    assert text.startswith("### driftflow: ")
    assert text.count("<details>") == text.count("</details>") == len(assessment.findings)
    assert text.count("```") % 2 == 0
