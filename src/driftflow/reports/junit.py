"""JUnit XML: one suite per migration, one case per statement; findings at or above `fail_on` are failures."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from driftflow.model.finding import AssessedStatement, Assessment, Finding
from driftflow.plugins import register
from driftflow.reports.sarif import message
from driftflow.reports.text import Statements

RANK = ("info", "warning", "error")


@register("report", "junit")
def render(assessment: Assessment, *, fail_on: str = "error", **_: Any) -> str:
    root = Element("testsuites", name="driftflow")
    spoken = _by_statement(assessment)
    failures = 0
    for migration in dict.fromkeys(assessed.migration for assessed in assessment.statements):
        suite = SubElement(root, "testsuite", name=migration)
        for assessed in assessment.statements:
            if assessed.migration == migration:
                failures += _case(suite, assessed, spoken.get(id(assessed), []), fail_on)
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(sum(1 for case in suite if case.find("failure") is not None)))
    root.set("tests", str(len(assessment.statements)))
    root.set("failures", str(failures))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _by_statement(assessment: Assessment) -> dict[int, list[Finding]]:
    """Findings per statement; one that stands outside any belongs to the next statement of its migration, or the last."""
    statements = Statements(assessment)
    found: dict[int, list[Finding]] = {}
    for finding in assessment.findings:
        own = [one for one in assessment.statements if one.migration == finding.migration]
        after = [one for one in own if one.statement.span.start >= finding.span.start]
        assessed = statements.of(finding) or next(iter(after or own[-1:]), None)
        if assessed is not None:
            found.setdefault(id(assessed), []).append(finding)
    return found


def _case(suite: Element, assessed: AssessedStatement, findings: list[Finding], fail_on: str) -> int:
    span = assessed.statement.span
    first_line = _printable(assessed.statement.sql.strip().partition("\n")[0])
    case = SubElement(suite, "testcase", name=f"{span.line}: {first_line}", classname=span.file or assessed.migration)
    failing = [finding for finding in findings if RANK.index(finding.severity) >= RANK.index(fail_on)]
    if failing:
        text = "\n\n".join(f"{finding.code} {finding.span}\n{message(finding)}" for finding in failing)
        SubElement(case, "failure", message=_printable(failing[0].summary), type=failing[0].code).text = _printable(text)
    rest = [finding for finding in findings if finding not in failing]
    if rest:
        SubElement(case, "system-out").text = _printable("\n\n".join(f"{one.code} {message(one)}" for one in rest))
    return 1 if failing else 0


def _printable(text: str) -> str:
    """XML 1.0 has no room for control characters."""
    return "".join(character if character >= " " or character in "\t\n" else "�" for character in text)
