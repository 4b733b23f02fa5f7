"""`verify` and `isolation-test`: what must be true when a statement's steps are done, asked of the database itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.dialects.verbs import need
from driftflow.errors import ParseError
from driftflow.model.catalog import Table
from driftflow.model.migration import Directive
from driftflow.model.names import Name
from driftflow.model.operations import CreatePolicy, SetRowSecurity
from driftflow.model.plan import Expectation, Phase, UndoNothing, Verify

NAME = "verify_result"
REFUSED_BY_POLICY = "42501"
NO_CONTEXT = ("42704", "22P02", "42501")
"""No such setting; an empty text is no uuid; permission denied: a policy may answer a missing context with an error."""


def verifications(at: Situation, *, phase: Phase) -> Iterator[Verify]:
    """The checks that the author wrote before this statement, as one step each kind."""
    said = tuple(_expectation(directive) for directive in at.directives("verify"))
    if said:
        yield _step(
            at,
            said,
            purpose=said[0].summary if len(said) == 1 else f"Verify {len(said)} statements about the result",
            phase=phase,
        )
    for directive in at.directives("isolation-test"):
        table = _table(at, directive)
        tests = tuple(_isolation(at, table, directive))
        yield _step(at, tests, purpose=f"Test the isolation of {table.name.name} as {directive.options['role']}", phase=phase)


def _step(at: Situation, expectations: tuple[Expectation, ...], *, purpose: str, phase: Phase) -> Verify:
    return Verify(
        purpose=purpose,
        migration=at.migration.id,
        span=at.statement.span,
        strategy=NAME,
        phase=phase,
        lock_timeout_ms=at.policy.stall_budget_ms,
        statement_timeout_ms=0,
        expectations=expectations,
        undo=UndoNothing(reason="it changes nothing"),
    )


def _expectation(directive: Directive) -> Expectation:
    query, expect = need(directive, "query"), directive.options.get("expect")
    return Expectation(summary=directive.options.get("summary") or f"{query} gives {expect}", query=query, expect=expect)


def _table(at: Situation, directive: Directive) -> Table:
    """The table that the statement speaks of, or the one that `table=` names."""
    operation = at.operation
    name: Name | None = None
    if wanted := directive.options.get("table"):
        schema, _, bare = wanted.rpartition(".")
        name = next(
            (table.name for table in at.catalog.tables.values() if table.name.name == bare and schema in ("", table.name.schema)),
            None,
        )
    elif isinstance(operation, SetRowSecurity):
        name = operation.table
    elif isinstance(operation, CreatePolicy):
        name = operation.policy.table
    table = at.table(name) if name is not None else None
    if table is None or not at.can(Capability.ROW_SECURITY):
        raise ParseError(
            "DF-E215",
            "the isolation test speaks of no table" if table is None else "this server has no row-level security",
            where=str(directive.span),
            hint="put it before ENABLE ROW LEVEL SECURITY or CREATE POLICY, or name the table with table=",
        )
    return table


def _isolation(at: Situation, table: Table, directive: Directive) -> Iterator[Expectation]:
    """Own rows are seen, others are not; without a context nothing is seen; nobody writes for somebody else.

    The tenants are remembered in settings of the transaction before the role changes, for the role may not be allowed to look them up.
    """
    quote, literal = at.dialect.quote, at.dialect.literal
    target = at.dialect.quote_name(table.name)
    column_name = directive.options.get("column") or directive.options["setting"].rpartition(".")[2]
    column = table.column(column_name)
    if column is None:
        raise ParseError(
            "DF-E215",
            f"{table.name.name} has no column {column_name} to tell the tenants apart",
            where=str(directive.span),
            hint="name the column with column=",
        )
    setting, role = literal(directive.options["setting"]), quote(directive.options["role"])
    mine = f"{quote(column_name)} = current_setting('driftflow.own')::{column.type}"
    remember = (
        f"SELECT set_config('driftflow.own', ({_value(directive.options['own'])})::text, true)",
        f"SELECT set_config('driftflow.other', ({_value(directive.options['other'])})::text, true)",
        f"SELECT set_config('driftflow.rows', (SELECT EXISTS (SELECT 1 FROM {target} WHERE {mine}))::text, true)",
    )
    become = f"SET LOCAL ROLE {role}"
    as_own = (*remember, f"SELECT set_config({setting}, current_setting('driftflow.own'), true)", become)
    some = f"(SELECT count(*) FROM (SELECT 1 FROM {target} LIMIT 1) AS seen)"
    yield Expectation(
        summary="two different tenants are compared",
        setup=remember,
        query="SELECT current_setting('driftflow.own') <> current_setting('driftflow.other')",
        expect="true",
    )
    yield Expectation(
        summary="a tenant sees its own rows",
        setup=as_own,
        query=f"SELECT (EXISTS (SELECT 1 FROM {target} WHERE {mine}))::text = current_setting('driftflow.rows')",
        expect="true",
    )
    yield Expectation(
        summary="a tenant sees no row of another tenant",
        setup=as_own,
        query=f"SELECT count(*) FROM (SELECT 1 FROM {target} WHERE NOT ({mine}) LIMIT 1) AS seen",
        expect="0",
    )
    yield Expectation(
        summary="without a tenant's context nothing is seen",
        setup=(become,),
        query=f"SELECT {some}",
        expect="0",
        sqlstates=NO_CONTEXT,
    )
    yield Expectation(
        summary="with an empty context nothing is seen",
        setup=(f"SELECT set_config({setting}, '', true)", become),
        query=f"SELECT {some}",
        expect="0",
        sqlstates=NO_CONTEXT,
    )
    yield Expectation(
        summary="a row for another tenant is refused",
        setup=as_own,
        query=_insert(at, table, column_name, column.type, source=mine),
        sqlstates=(REFUSED_BY_POLICY,),
    )


def _insert(at: Situation, table: Table, column_name: str, type: str, *, source: str) -> str:
    """A copy of one of the tenant's own rows under the other tenant's name; with no rows, a row of NULLs: the policy looks before the constraints.

    PostgreSQL checks WITH CHECK before NOT NULL, unique and foreign keys, so nothing else can refuse it first.
    """
    quote, target = at.dialect.quote, at.dialect.quote_name(table.name)
    primary = table.primary_key.columns if table.primary_key is not None else ()
    kept = [
        column.name
        for column in table.columns
        if column.name != column_name and column.generated is None and column.identity is None and column.name not in primary
    ]
    listed = ", ".join(quote(name) for name in (*kept, column_name))
    values = ", ".join([*(f"o.{quote(name)}" for name in kept), f"current_setting('driftflow.other')::{type}"])
    only = f"SELECT 1) AS one LEFT JOIN LATERAL (SELECT * FROM {target} WHERE {source} LIMIT 1"
    return f"INSERT INTO {target} ({listed}) SELECT {values} FROM ({only}) AS o ON true"


def _value(text: str) -> str:
    """A query gives the tenant; anything else is the tenant itself."""
    return text if re.match(r"\s*(select|values|with)\b", text, re.IGNORECASE) else "SELECT '" + text.replace("'", "''") + "'"
