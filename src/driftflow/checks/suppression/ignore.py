"""`-- driftflow: ignore DF104 reason="..." until=2027-01-01`: one rule, one statement, a reason, and perhaps an end.

An ignore that nothing needs, that has expired, that says no reason, names no rule or cannot be read is a finding itself: silence must stay
honest. One in a down migration is among those that nothing needs: a way back is not assessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain

from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy, SuppressedFinding
from driftflow.model.migration import Directive, Migration
from driftflow.model.record import LocalState
from driftflow.plugins import discover, register

OPTIONS = ("reason", "until")


class _Ignore(LocalState, eq=False):
    directive: Directive
    migration: Migration
    code: str
    statement: object | None
    """The statement it is bound to; None for the whole file."""
    used: bool = False


class Ignores:
    """Every ignore of the migrations; remembers which of them something needed."""

    def __init__(self, migrations: Sequence[Migration], *, today: str) -> None:
        self._today = today
        self._all = [ignore for migration in migrations for ignore in _read(migration)]
        self._bound: dict[tuple[int, int], list[_Ignore]] = {}
        """By migration and statement (nobody's for the whole file)."""
        for ignore in self._all:
            self._bound.setdefault((id(ignore.migration), id(ignore.statement)), []).append(ignore)

    def covering(self, finding: Finding, at: Situation) -> SuppressedFinding | None:
        """The finding with the reason of whoever said to be silent about it, and may; None where nobody did."""
        if not self._all:
            return None
        covered: SuppressedFinding | None = None
        own = (self._bound.get((id(at.migration), id(one)), ()) for one in (None, at.statement))
        for ignore in chain.from_iterable(own):
            if ignore.code == finding.code:
                ignore.used = True
                if covered is None and not (fault_of(ignore.directive) or self._expired(ignore)):
                    reason = ignore.directive.options.get("reason", "").strip()
                    covered = SuppressedFinding(finding=finding, kind="inSource", reason=reason)
        return covered

    def _expired(self, ignore: _Ignore) -> bool:
        until = ignore.directive.options.get("until", "")
        return bool(until and self._today and date.fromisoformat(until) < date.fromisoformat(self._today))

    def findings(self) -> Iterator[Finding]:
        known = {entry.name for entry in discover("check").of("check")} if self._all else set()
        for ignore in self._all:
            if ignore.code not in known:
                yield unknown_code(ignore.directive, ignore.migration, ignore.code)
                continue
            if fault := fault_of(ignore.directive):
                yield unreadable(ignore.directive, ignore.migration, fault)
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
    for statement in (*migration.statements, *migration.down):
        for directive in statement.directives:
            if directive.verb == "ignore":
                for code in directive.arguments or ("",):
                    yield _Ignore(directive, migration, code.upper(), statement)


def fault_of(directive: Directive) -> str:
    """Why the ignore cannot be read; nothing where it can. A misspelled `until` must not be one without an end."""
    unknown = [key for key in directive.options if key not in OPTIONS]
    if unknown:
        return f"`{unknown[0]}` is no option of it; there are {' and '.join(OPTIONS)}"
    until = directive.options.get("until")
    try:
        _ = date.fromisoformat(until) if until is not None else None
    except ValueError:
        return f"`until={until}` is no date"
    return ""


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


_PAGES = {"DF901": "unused", "DF902": "expired", "DF903": "no-reason", "DF904": "unknown-code", "DF905": "unreadable"}


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


@register("check", "DF905", on=(), page=f"suppression/{_PAGES['DF905']}", title="An ignore that cannot be read", dialects=())
def unreadable(directive: Directive, migration: Migration, fault: str) -> Finding:
    return _finding(
        directive,
        migration,
        "DF905",
        f"the ignore hides nothing: {fault}",
        "an end that is misspelled would be no end at all",
        Remedy(summary='write it as: ignore CODE reason="..." until=YEAR-MONTH-DAY'),
        error=True,
    )
