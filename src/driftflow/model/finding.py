"""What is wrong, or worth knowing, about a statement on this database."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Literal

from driftflow.errors import DriftflowError
from driftflow.model.effects import Effects, Estimate
from driftflow.model.migration import Statement
from driftflow.model.names import Span
from driftflow.model.operations import Operation
from driftflow.model.record import Record
from driftflow.patterns import lazy_regex

Axis = Literal["blocks", "breaks", "loses", "note"]
"""blocks: lock x duration x traffic. breaks: fails on data, or breaks running code. loses: data or objects gone.
note: neither; worth knowing (naming, meaning, secrets, suppressions)."""
Severity = Literal["info", "warning", "error"]
KnownBy = Literal["rule", "catalog", "server"]
"""Which knowledge decided: the statement alone, the catalog of this database, or the server itself."""


class Remedy(Record, frozen=True, kw_only=True):
    """A safer way, ready to paste. `enhancement` names what `driftflow enhance` would do, if it can."""

    summary: str
    sql: str = ""
    enhancement: str = ""


class Finding(Record, frozen=True, kw_only=True):
    code: str
    """`DF` and three digits; stable."""
    axis: Axis
    severity: Severity
    span: Span
    migration: str = ""
    operation: Operation | None = None
    summary: str
    why: str = ""
    remedy: Remedy | None = None
    known_by: KnownBy = "rule"
    estimate: Estimate | None = None
    page: str = ""
    """Path of the documentation page below docs/checks, without `.md`."""


class SuppressedFinding(Record, frozen=True, kw_only=True):
    """A finding that somebody said to be silent about. It does not count, and reports still carry it."""

    finding: Finding
    kind: Literal["inSource", "external"]
    """By SARIF's words: a comment beside the statement; or what stands elsewhere, a baseline or a rule of driftflow.toml."""
    reason: str = ""
    """What its writer said; of a baseline, which one."""


class Reference(Record, frozen=True, kw_only=True):
    """A place in the application that mentions what a migration changes: a line of a file, or a recorded query with its number of calls."""

    name: str
    file: str
    line: int = 0
    calls: int = 0
    text: str = ""


class AssessedStatement(Record, frozen=True, kw_only=True):
    """One statement with its effects: of each operation, in order."""

    migration: str
    statement: Statement
    effects: tuple[Effects, ...] = ()


class StatementIndex:
    """The statements of an assessment, found by the findings that speak of them. A release may have thousands, and one file too."""

    def __init__(self, statements: Iterable[AssessedStatement]) -> None:
        self._by_file: dict[tuple[str, str], list[AssessedStatement]] = {}
        for one in statements:
            self._by_file.setdefault((one.migration, one.statement.span.file), []).append(one)
        for those in self._by_file.values():
            those.sort(key=_start)

    def of(self, finding: Finding) -> AssessedStatement | None:
        """The statement that the finding stands in; None for a comment outside any."""
        those = self._by_file.get((finding.migration, finding.span.file), [])
        at = bisect_right(those, finding.span.start, key=_start)
        found = None
        # Several statements can come from one place in the file: a variable holds them all, and the first one counts.
        while at and finding.span.start < max(those[at - 1].statement.span.end, _start(those[at - 1]) + 1):
            at -= 1
            found = those[at]
        return found


def _start(assessed: AssessedStatement) -> int:
    return assessed.statement.span.start


_PLACE = lazy_regex(r"(.+?)(?::([0-9]{1,9}):([0-9]{1,9}))?", re.DOTALL)


class FileError(Record, frozen=True, kw_only=True):
    """A file, or a statement of it, that could not be read: the same fields as every error that a command prints."""

    code: str
    summary: str
    where: str
    """`file:line:column`, then the source line and a caret under the place; less where less is known."""
    why: str
    hint: str
    exit_code: int

    @classmethod
    def of(cls, error: DriftflowError) -> FileError:
        return cls(
            code=error.code,
            summary=error.summary,
            where=error.where,
            why=error.why,
            hint=error.hint,
            exit_code=error.exit_code,
        )

    @property
    def place(self) -> Span:
        """The position that `where` begins with; the file's first character where it says none."""
        found = _PLACE.fullmatch(self.where.partition("\n")[0])
        if found is None:
            return Span()
        line, column = int(found[2] or 1), int(found[3] or 1)
        return Span(file=found[1], line=line, column=column, end_line=line, end_column=column)


class Assessment(Record, frozen=True, kw_only=True):
    """Everything that is known about the migrations before a plan is made."""

    dialect: str
    server_version: str = ""
    """Empty when unknown: then every supported version was considered and the worst one counts."""
    statements: tuple[AssessedStatement, ...] = ()
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[SuppressedFinding, ...] = ()
    """Those that a comment, a rule or a baseline covers; no verdict counts them."""
    facts: tuple[str, ...] = ()
    """Sentences that calm: "blocks nobody: ...", distributions, sizes. Never row values."""
    references: tuple[Reference, ...] = ()
    """What the application still uses, as a checklist. Evidence, not proof."""
    errors: tuple[FileError, ...] = ()
    """What could not be read. The findings are those of everything else, which may depend on it."""

    def verdict(self, threshold: Severity = "error") -> bool:
        """True when nothing at or above the threshold was found."""
        rank = ("info", "warning", "error")
        return all(rank.index(finding.severity) < rank.index(threshold) for finding in self.findings)
