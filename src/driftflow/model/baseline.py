"""The findings that a team knows and lives with: a gate fails on what is not among them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from driftflow.model.finding import Assessment, Finding, StatementIndex, SuppressedFinding
from driftflow.model.names import Name
from driftflow.model.record import Record, digest, replace, to_builtins

FORMAT = 2
WITHOUT_SUBJECT = 1
"""The format of entries that any finding of their check on their statement matches."""

Key = tuple[str, str, str, str]


class KnownFinding(Record, frozen=True, kw_only=True):
    """One finding, by what stays when lines move: its rule, its migration, its statement and its subject. `summary` is for people and takes no part."""

    code: str
    migration: str
    statement: str
    """SHA-256 of the statement with its white space folded; of the summary where the finding speaks of no statement."""
    subject: str = ""
    """The table, column or other names that it speaks of, of those in the statement."""
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
        return cls(
            findings=tuple(sorted(known, key=lambda one: (one.migration, one.code, one.statement, one.subject, one.summary)))
        )


def without_known(assessment: Assessment, baseline: Baseline, *, file: str) -> tuple[Assessment, tuple[KnownFinding, ...]]:
    """(the assessment with what the baseline holds suppressed, entries that nothing matched). As many findings are covered as there are entries: a
    second one of the same kind on the same subject is new. `file` is the baseline's name, for the reason."""
    texts = _Texts(assessment)
    blind = baseline.format == WITHOUT_SUBJECT
    left = Counter(_key(one, blind=blind) for one in baseline.findings)
    kept: list[Finding] = []
    suppressed = list(assessment.suppressed)
    for finding in assessment.findings:
        key = _key(_known(finding, texts), blind=blind)
        if left[key] > 0:
            left[key] -= 1
            suppressed.append(SuppressedFinding(finding=finding, kind="external", reason=f"known: it is in {file}"))
        else:
            kept.append(finding)
    stale: list[KnownFinding] = []
    for one in reversed(baseline.findings):
        if left[_key(one, blind=blind)] > 0:
            left[_key(one, blind=blind)] -= 1
            stale.append(one)
    return replace(assessment, findings=tuple(kept), suppressed=tuple(suppressed)), tuple(reversed(stale))


def fingerprints(assessment: Assessment) -> tuple[str, ...]:
    """One per finding, then one per suppressed finding, no two alike: rule, migration, statement and subject, and which of several. Moved lines and
    grown tables change none of them."""
    texts, seen = _Texts(assessment), Counter[Key]()
    found = []
    for finding in (*assessment.findings, *(one.finding for one in assessment.suppressed)):
        key = _key(_known(finding, texts))
        seen[key] += 1
        found.append(digest((*key, seen[key]))[:32])
    return tuple(found)


def subject_of(finding: Finding) -> str:
    """The names that the finding's operation has for itself, and those inside it that the summary speaks of: `users.email`.

    Without schemas, which depend on the database that was asked; without the words of the summary, which may be written better one day.
    """
    if finding.operation is None:
        return ""
    said = frozenset(re.findall(r"\w[\w$]*", finding.summary))
    own = [name for field in finding.operation.__struct_fields__ for name in _own_names(getattr(finding.operation, field), field)]
    inner = sorted(said.intersection(_words(to_builtins(finding.operation))).difference(own))
    return ".".join(dict.fromkeys((*own, *inner)))


def _own_names(value: object, field: str) -> Iterator[str]:
    """Of a field of the operation itself: the table, the column, the constraint."""
    match value:
        case Name():
            yield value.name
        case str() if field in {"column", "name", "to", "constraint", "index"} and value:
            yield value
        case Record() if isinstance(name := getattr(value, "name", None), Name | str):
            yield from _own_names(name, "name")
        case _:
            pass


def _words(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from _words(one)
        case list() | tuple():
            for one in value:
                yield from _words(one)
        case _:
            pass


def _key(one: KnownFinding, *, blind: bool = False) -> Key:
    return (one.code, one.migration, one.statement, "" if blind else one.subject)


class _Texts:
    """The statement that a finding speaks of."""

    def __init__(self, assessment: Assessment) -> None:
        self._statements = StatementIndex(assessment.statements)

    def of(self, finding: Finding) -> str:
        """Its text with the white space folded; the summary where the finding speaks of no statement."""
        found = self._statements.of(finding)
        return " ".join(found.statement.sql.split()) if found is not None else finding.summary


def _known(finding: Finding, texts: _Texts) -> KnownFinding:
    return KnownFinding(
        code=finding.code,
        migration=finding.migration,
        statement=digest(texts.of(finding)),
        subject=subject_of(finding),
        summary=finding.summary,
    )
