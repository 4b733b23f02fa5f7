"""The findings that a team knows and lives with: a gate fails on what is not among them."""

from __future__ import annotations

from collections import Counter

from driftflow.model.finding import AssessedStatement, Assessment, Finding
from driftflow.model.record import Record, digest, replace

FORMAT = 1


class KnownFinding(Record, frozen=True, kw_only=True):
    """One finding, by what stays when lines move: its rule, its migration and its statement. `summary` is for people and takes no part."""

    code: str
    migration: str
    statement: str
    """SHA-256 of the statement with its white space folded; of the summary where the finding speaks of no statement."""
    summary: str = ""


class Format(Record, frozen=True, kw_only=True):
    """What every format has: asked first, for a newer one may look different in all the rest."""

    format: int = FORMAT


class Baseline(Record, frozen=True, kw_only=True):
    format: int = FORMAT
    findings: tuple[KnownFinding, ...] = ()

    @classmethod
    def of(cls, assessment: Assessment) -> Baseline:
        """Everything that the assessment found, in one order on every machine."""
        texts = _Texts(assessment)
        known = [_known(finding, texts) for finding in assessment.findings]
        return cls(findings=tuple(sorted(known, key=lambda one: (one.migration, one.code, one.statement, one.summary))))


def without_known(assessment: Assessment, baseline: Baseline) -> tuple[Assessment, tuple[KnownFinding, ...]]:
    """(the assessment without what the baseline holds, entries that nothing matched). As many findings are covered as there are entries: a second
    one of the same kind on the same statement is new."""
    texts = _Texts(assessment)
    left = Counter(_key(one) for one in baseline.findings)
    kept: list[Finding] = []
    for finding in assessment.findings:
        key = _key(_known(finding, texts))
        if left[key] > 0:
            left[key] -= 1
        else:
            kept.append(finding)
    stale: list[KnownFinding] = []
    for one in reversed(baseline.findings):
        if left[_key(one)] > 0:
            left[_key(one)] -= 1
            stale.append(one)
    return replace(assessment, findings=tuple(kept)), tuple(reversed(stale))


def fingerprints(assessment: Assessment) -> tuple[str, ...]:
    """One per finding, no two alike: rule, migration and statement, and which of several. Moved lines and grown tables change none of them."""
    texts, seen = _Texts(assessment), Counter[tuple[str, str, str]]()
    found = []
    for finding in assessment.findings:
        key = _key(_known(finding, texts))
        seen[key] += 1
        found.append(digest((*key, seen[key]))[:32])
    return tuple(found)


def _key(one: KnownFinding) -> tuple[str, str, str]:
    return (one.code, one.migration, one.statement)


class _Texts:
    """The statement that a finding speaks of, looked for in its own migration only: a release may have thousands."""

    def __init__(self, assessment: Assessment) -> None:
        self._by_migration: dict[str, list[AssessedStatement]] = {}
        for assessed in assessment.statements:
            self._by_migration.setdefault(assessed.migration, []).append(assessed)

    def of(self, finding: Finding) -> str:
        """Its text with the white space folded; the summary where the finding speaks of no statement."""
        found = next((one for one in self._by_migration.get(finding.migration, ()) if _speaks_of(finding, one)), None)
        return " ".join(found.statement.sql.split()) if found is not None else finding.summary


def _known(finding: Finding, texts: _Texts) -> KnownFinding:
    return KnownFinding(
        code=finding.code, migration=finding.migration, statement=digest(texts.of(finding)), summary=finding.summary
    )


def _speaks_of(finding: Finding, assessed: AssessedStatement) -> bool:
    span = assessed.statement.span
    return span.file == finding.span.file and span.start <= finding.span.start < max(span.end, span.start + 1)
