"""`-- driftflow: ignore DF104 reason="..." until=2027-01-01`: one rule, one statement, a reason, and perhaps an end.

An ignore that nothing needs, that has expired, that says no reason or names no rule is a finding itself: silence must stay honest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.migration import Directive, Migration
from driftflow.plugins import Registration, register


@dataclass(eq=False)
class _Ignore:
    directive: Directive
    migration: Migration
    code: str
    statement: object | None
    """The statement it is bound to; None for the whole file."""
    used: bool = False


class Ignores:
    """Every ignore of the migrations; remembers which of them something needed."""

    def __init__(self, migrations: Sequence[Migration], *, checks: Sequence[Registration], today: str) -> None:
        self._known = {entry.name for entry in checks}
        self._today = today
        self._all = [ignore for migration in migrations for ignore in _read(migration)]

    def covers(self, finding: Finding, at: Situation) -> bool:
        """Whether somebody said to be silent about this, and may."""
        covered = False
        for ignore in self._all:
            here = ignore.migration is at.migration and (ignore.statement is None or ignore.statement is at.statement)
            if here and ignore.code == finding.code:
                ignore.used = True
                covered = covered or not self._expired(ignore)
        return covered

    def _expired(self, ignore: _Ignore) -> bool:
        until = ignore.directive.options.get("until", "")
        return bool(until and self._today and until < self._today)

    def findings(self) -> Iterator[Finding]:
        for ignore in self._all:
            if ignore.code not in self._known:
                yield unknown_code(ignore.directive, ignore.migration, ignore.code)
                continue
            if not ignore.directive.options.get("reason", "").strip():
                yield no_reason(ignore.directive, ignore.migration, ignore.code)
            if not ignore.used:
                yield unused(ignore.directive, ignore.migration, ignore.code)
            elif self._expired(ignore):
                yield expired(ignore.directive, ignore.migration, ignore.code)


def _read(migration: Migration) -> Iterator[_Ignore]:
    for directive in migration.directives:
        if directive.verb == "file" and directive.arguments[:1] == ("ignore",):
            for code in directive.arguments[1:] or ("",):
                yield _Ignore(directive, migration, code.upper(), None)
    for statement in migration.statements:
        for directive in statement.directives:
            if directive.verb == "ignore":
                for code in directive.arguments or ("",):
                    yield _Ignore(directive, migration, code.upper(), statement)


def _finding(
    directive: Directive, migration: Migration, code: str, summary: str, why: str, remedy: Remedy, *, error: bool = False
) -> Finding:
    return Finding(
        code=code,
        axis="note",
        severity="error" if error else "warning",
        span=directive.span,
        migration=migration.id,
        summary=summary,
        why=why,
        remedy=remedy,
        page=f"suppression/{_PAGES[code]}",
    )


_PAGES = {"DF901": "unused", "DF902": "expired", "DF903": "no-reason", "DF904": "unknown-code"}


@register("check", "DF901", on=(), page=f"suppression/{_PAGES['DF901']}", title="An ignore that nothing needs", dialects=())
def unused(directive: Directive, migration: Migration, code: str) -> Finding:
    return _finding(
        directive,
        migration,
        "DF901",
        f"nothing here needs the ignore of {code}",
        "an ignore that is not needed would hide the next real one",
        Remedy(summary="remove the comment"),
    )


@register("check", "DF902", on=(), page=f"suppression/{_PAGES['DF902']}", title="An ignore whose time is over", dialects=())
def expired(directive: Directive, migration: Migration, code: str) -> Finding:
    until = directive.options.get("until", "")
    return _finding(
        directive,
        migration,
        "DF902",
        f"the ignore of {code} expired on {until}",
        "whoever wrote it wanted it looked at again by that day; it no longer hides anything",
        Remedy(summary="mend what it hid, or give it a new date and reason"),
    )


@register("check", "DF903", on=(), page=f"suppression/{_PAGES['DF903']}", title="An ignore without a reason", dialects=())
def no_reason(directive: Directive, migration: Migration, code: str) -> Finding:
    return _finding(
        directive,
        migration,
        "DF903",
        f"the ignore of {code} says no reason",
        "the next reader cannot tell whether it still holds",
        Remedy(summary="say why", sql=f'-- driftflow: ignore {code} reason="the table has 12 rows in every environment"'),
    )


@register(
    "check", "DF904", on=(), page=f"suppression/{_PAGES['DF904']}", title="An ignore of a rule that does not exist", dialects=()
)
def unknown_code(directive: Directive, migration: Migration, code: str) -> Finding:
    return _finding(
        directive,
        migration,
        "DF904",
        f"there is no rule {code}" if code else "the ignore names no rule",
        "a misspelled code hides nothing, and its writer believes that it does",
        Remedy(summary="name one of `driftflow list checks`"),
        error=True,
    )
