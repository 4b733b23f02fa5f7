"""DF803: a switch that may be on without what it needs: the row says "enabled", and there is nothing to check against."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.checks.remedies import quote
from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Check
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AddColumn
from driftflow.patterns import lazy_regex

_FLAG = lazy_regex(r"(?P<stem>(?:two_factor|2fa|tfa|mfa|totp|otp|sso|webauthn|passkey)\w*?)_(?:enabled|active|required|on)$")


@check("DF803", on=AddColumn, page="meaning/flag-without-enrolment", title="A switch without what it needs")
def flag_without_enrolment(operation: AddColumn, at: Situation) -> Iterator[Finding]:
    """Silent when a check of the finished release ties the flag to its columns."""
    column = operation.column
    match = _FLAG.search(column.name)
    after = (at.final or at.catalog).table(operation.table)
    items = (*operation.constraints, *(after.constraints if after is not None else ()))
    tied = any(
        isinstance(item, Check) and column.name in item.expression and "not null" in item.expression.lower() for item in items
    )
    if match is None or tied:
        return
    table, flag, stem = at.dialect.quote_name(operation.table), quote(at, column.name), match["stem"]
    cipher, key = quote(at, f"{stem}_ciphertext"), quote(at, f"{stem}_key_id")
    complete = f"CHECK (NOT {flag} OR ({cipher} IS NOT NULL AND {key} IS NOT NULL))"
    add = f"ALTER TABLE {table} ADD COLUMN {flag} boolean NOT NULL DEFAULT false"
    name = quote(at, f"{operation.table.name}_{stem}_complete")
    rebuilds = at.can(Capability.TABLE_REBUILD_ONLY)
    sql = (
        f"{add}\n    {complete};" if rebuilds else f"{add};\nALTER TABLE {table} ADD CONSTRAINT {name}\n    {complete} NOT VALID;"
    )
    later = "needs a rebuild (DF651)" if rebuilds else "reads the table unless a validated check proves it (DF104)"
    yield finding(
        at,
        f"{operation.table.name}.{column.name} may be true for somebody who never enrolled",
        axis="note",
        severity="warning",
        why=(
            "nothing ties the flag to the secret that it needs: such a user is locked out, or let in without the second factor. "
            f"The default false blocks nobody; SET NOT NULL in a later statement {later}"
        ),
        remedy=Remedy(
            summary="opt in: false for everybody, and true only together with what was enrolled",
            sql=sql,
            enhancement="encrypt_secret_column",
        ),
        known_by="rule",
        near=column.name,
    )
