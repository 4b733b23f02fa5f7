"""JUnit XML: one suite per migration, one case per statement; findings at or above `fail_on` are failures (`never`: none)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from driftflow.model.finding import AssessedStatement, Assessment, FileError, Finding, StatementIndex
from driftflow.patterns import lazy_regex
from driftflow.plugins import register
from driftflow.reports.errors import render_text
from driftflow.reports.sarif import message

Item = TypeVar("Item", AssessedStatement, Finding)

NOT_XML = lazy_regex("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
RANK = ("info", "warning", "error")


@register("report", "junit")
def render(assessment: Assessment, *, fail_on: str = "error", **_: Any) -> str:
    root = Element("testsuites", name="driftflow")
    spoken = _by_statement(assessment)
    failures = 0
    placed = {id(finding) for findings in spoken.values() for finding in findings}
    loose = [finding for finding in assessment.findings if id(finding) not in placed]
    statements, alones = _by_migration(assessment.statements), _by_migration(loose)
    for migration in {**statements, **alones}:
        suite = SubElement(root, "testsuite", name=_printable(migration))
        alone = alones.get(migration, [])
        if alone:  # a file that holds no statement can still be wrong
            failures += _case(suite, alone[0].span.line, "the file", alone[0].span.file or migration, alone, fail_on)
        for assessed in statements.get(migration, []):
            failures += _case_of(suite, assessed, spoken.get(id(assessed), []), fail_on)
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(sum(1 for case in suite if case.find("failure") is not None)))
    for error in assessment.errors:
        _unread(SubElement(root, "testsuite", name=_printable(error.place.file or "driftflow")), error)
    root.set("tests", str(sum(len(suite) for suite in root)))
    root.set("failures", str(failures))
    root.set("errors", str(len(assessment.errors)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _unread(suite: Element, error: FileError) -> None:
    """What cannot be read was not tested: an error, which is no failure."""
    place = error.place
    case = SubElement(suite, "testcase", name=f"{place.line}: can be read", classname=_printable(place.file or "driftflow"))
    text = _printable(render_text(error))
    SubElement(case, "error", message=_printable(error.summary), type=error.code).text = text
    for key, value in (("tests", "1"), ("failures", "0"), ("errors", "1")):
        suite.set(key, value)


def _by_statement(assessment: Assessment) -> dict[int, list[Finding]]:
    """Findings per statement; one that stands outside any belongs to the next statement of its migration, or the last."""
    statements = StatementIndex(assessment.statements)
    found: dict[int, list[Finding]] = {}
    by_migration = _by_migration(assessment.statements)
    for finding in assessment.findings:
        assessed = statements.of(finding)
        if assessed is None:
            own = by_migration.get(finding.migration, [])
            assessed = next((one for one in own if one.statement.span.start >= finding.span.start), own[-1] if own else None)
        if assessed is not None:
            found.setdefault(id(assessed), []).append(finding)
    return found


def _by_migration(items: Iterable[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.migration, []).append(item)
    return found


def _case_of(suite: Element, assessed: AssessedStatement, findings: list[Finding], fail_on: str) -> int:
    span = assessed.statement.span
    first_line = assessed.statement.sql.strip().partition("\n")[0]
    return _case(suite, span.line, first_line, span.file or assessed.migration, findings, fail_on)


def _case(suite: Element, line: int, name: str, place: str, findings: list[Finding], fail_on: str) -> int:
    case = SubElement(suite, "testcase", name=f"{line}: {_printable(name)}", classname=_printable(place))
    least = len(RANK) if fail_on == "never" else RANK.index(fail_on)
    failing = [finding for finding in findings if RANK.index(finding.severity) >= least]
    if failing:
        text = "\n\n".join(f"{finding.code} {finding.span}\n{message(finding)}" for finding in failing)
        SubElement(case, "failure", message=_printable(failing[0].summary), type=failing[0].code).text = _printable(text)
    rest = [finding for finding in findings if finding not in failing]
    if rest:
        SubElement(case, "system-out").text = _printable("\n\n".join(f"{one.code} {message(one)}" for one in rest))
    return 1 if failing else 0


def _printable(text: str) -> str:
    """XML 1.0 has no room for control characters, lone surrogates and the two last of the first plane."""
    return NOT_XML.sub("�", text)
