"""DF907: a directive that nobody can follow, because its verb or an option is misspelled, does nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.verbs import check_words
from driftflow.errors import ParseError
from driftflow.model.finding import Finding, Remedy
from driftflow.model.migration import Migration
from driftflow.plugins import register

_PAGE = "suppression/directive"


@register("check", "DF907", on=(), page=_PAGE, title="A directive that cannot be followed", dialects=())
def unread_directives(migrations: Sequence[Migration]) -> Iterator[Finding]:
    """Those of the files and of all statements, of ways back too: what `driftflow plan` would stop at."""
    for migration in migrations:
        spoken = [one for statement in (*migration.statements, *migration.down) for one in statement.directives]
        for directive in (*migration.directives, *spoken):
            try:
                check_words(directive)
            except ParseError as fault:
                yield Finding(
                    code="DF907",
                    axis="note",
                    severity="error",
                    span=directive.span,
                    migration=migration.id,
                    summary=fault.summary,
                    why=fault.why or "whoever wrote it believes that it is followed",
                    remedy=Remedy(summary=fault.hint),
                    page=_PAGE,
                )
