"""What must be true of a tenant's view before anybody is confined to it, asked of the rows that are there."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.situation import Situation
from driftflow.model.plan import Expectation
from driftflow.strategies.security.tenant_view import REFUSED_BY_VIEW, TenantView

OWN = "@driftflow_own"
NO_ROW_YET = "1048"
"""A column may not be NULL: in a table without rows there is none to copy."""


def isolated(at: Situation, view: TenantView) -> Iterator[Expectation]:
    """Own rows are seen, others are not; nobody writes for somebody else; without a context nothing is seen.

    The view is read with its definer's rights whoever reads it, so what is seen here is what the application sees. A user variable outlives the
    transaction: the last question leaves it unset.
    """
    quote, variable = at.dialect.quote, f"@{view.request.variable}"
    table, shown, column = at.dialect.quote_name(view.table.name), at.dialect.quote_name(view.name), quote(view.column.name)
    one, two = ("1", "2") if view.returns.startswith("bigint") else _texts(view.returns)
    remember = f"SET {OWN} = COALESCE((SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {column} LIMIT 1), {one})"
    as_own = (remember, f"SET {variable} = {OWN}")
    some = f"SELECT count(*) FROM (SELECT 1 FROM {shown} LIMIT 1) AS seen"
    yield Expectation(
        summary="a tenant sees its own rows",
        setup=as_own,
        query=f"SELECT ({some}) = (SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {column} = {OWN} LIMIT 1) AS there)",
        expect="1",
    )
    yield Expectation(
        summary="a tenant sees no row of another tenant",
        setup=as_own,
        query=f"SELECT count(*) FROM (SELECT 1 FROM {shown} WHERE NOT ({column} <=> {OWN}) LIMIT 1) AS seen",
        expect="0",
    )
    yield Expectation(
        summary="a row for another tenant is refused",
        setup=as_own,
        query=_insert(view, shown, table, other=f"IF({OWN} = {one}, {two}, {one})"),
        sqlstates=(str(REFUSED_BY_VIEW), NO_ROW_YET),
    )
    yield Expectation(summary="with an empty context nothing is seen", setup=(f"SET {variable} = ''",), query=some, expect="0")
    yield Expectation(
        summary="without a tenant's context nothing is seen",
        setup=(f"SET {OWN} = NULL, {variable} = NULL",),
        query=some,
        expect="0",
    )


def _texts(returns: str) -> tuple[str, str]:
    if returns.lower() == "uuid":
        return "'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"
    return "'1'", "'2'"


def _insert(view: TenantView, shown: str, table: str, *, other: str) -> str:
    """A copy of one of the tenant's rows under another tenant's name. The view's condition is looked at before keys are."""
    name, written = view.at.dialect.quote, [one.name for one in view.table.columns if one.generated is None]
    values = [other if one == view.column.name else f"own.{name(one)}" for one in written]
    only = f"(SELECT 1 AS one) AS alone LEFT JOIN (SELECT * FROM {table} WHERE {name(view.column.name)} = {OWN} LIMIT 1) AS own ON 1 = 1"
    return f"INSERT INTO {shown} ({', '.join(map(name, written))}) SELECT {', '.join(values)} FROM {only}"
