"""`row-security`: what stands for row-level security where the server has none, as a typed request. docs/directives.md describes it."""

from __future__ import annotations

import re

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import need, options_of
from driftflow.errors import ParseError, RefusedError
from driftflow.model.migration import Statement
from driftflow.model.names import Name, Span
from driftflow.model.operations import Operation, RawSql, SetRowSecurity
from driftflow.model.record import Record
from driftflow.patterns import lazy_regex

VERB = "row-security"
EXAMPLE = "-- driftflow: row-security column=tenant_id variable=app_tenant_id view=tenant_orders role=app"
VARIABLE = lazy_regex(r"@?([A-Za-z_][A-Za-z0-9_$]{0,62})")

ENABLES = lazy_regex(r"\bENABLE\s+ROW\s+LEVEL\s+SECURITY\b", re.IGNORECASE)


class RowSecurityRequest(Record, frozen=True, kw_only=True):
    column: str
    """The column that names a row's tenant."""
    variable: str
    """The user variable in which a session says who its tenant is, without `@`."""
    view: str
    roles: tuple[str, ...]
    """Accounts that are to see the table through the view alone: `app` (whatever the host), or `app@10.0.0.%`."""
    span: Span


def request_of(at: Situation) -> RowSecurityRequest | None:
    """None without the directive. Raises ParseError (DF-E212, DF-E213)."""
    for directive in at.directives(VERB):
        options_of(directive)
        variable = VARIABLE.fullmatch(need(directive, "variable"))
        roles = tuple(one.strip() for one in need(directive, "role").split(",") if one.strip())
        if variable is None or not roles:
            raise ParseError(
                "DF-E213",
                "`row-security` takes the name of a user variable" if variable is None else "`row-security` needs an account",
                where=str(directive.span),
                why="letters, digits, _ and $, with or without @ before it" if variable is None else "",
                hint=EXAMPLE,
            )
        return RowSecurityRequest(
            column=need(directive, "column"),
            variable=variable[1],
            view=need(directive, "view"),
            roles=roles,
            span=directive.span,
        )
    return None


def breaks(at: Situation, table: Name) -> str:
    """What stops working behind the gate, as a sentence."""
    request = request_of(at)
    if request is None:
        return ""
    return (
        f"{', '.join(request.roles)} loses the rights on {table.name}: code that does not say {request.view} is refused, "
        f"and where @{request.variable} was not set no row is seen"
    )


def check(statement: Statement) -> None:
    """Raise RefusedError (DF-E786) for the directive before a statement that enables no row-level security: it would be left out without a word."""
    if any(_enables(operation) for operation in statement.operations):
        return
    for directive in statement.directives:
        if directive.verb == VERB:
            raise RefusedError(
                "DF-E786",
                "the directive `row-security` speaks of ENABLE ROW LEVEL SECURITY, and the statement enables none",
                where=str(directive.span),
                hint="put it directly above ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
            )


def _enables(operation: Operation) -> bool:
    if isinstance(operation, RawSql):  # a dialect without the statement keeps its text
        return ENABLES.search(operation.sql) is not None
    return isinstance(operation, SetRowSecurity) and operation.action == "enable"


def refuse_elsewhere(at: Situation) -> None:
    """Raise RefusedError (DF-E788) where the server has policies of its own, for then they are what has to be written."""
    directives = at.directives(VERB)
    if directives and at.can(Capability.ROW_SECURITY):
        raise RefusedError(
            "DF-E788",
            f"{at.dialect.name} has row-level security: a view in its place would be less",
            where=str(directives[0].span),
            why="the directive `row-security` is for servers that have no policies",
            hint="write CREATE POLICY before ENABLE ROW LEVEL SECURITY, and leave the directive out for this server",
        )
