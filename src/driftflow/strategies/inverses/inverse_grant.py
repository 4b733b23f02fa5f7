"""GRANT taken back, where whoever was given the rights had none at all on the relation before: PostgreSQL, whose catalog says so."""

from __future__ import annotations

import re

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Catalog
from driftflow.model.operations import Grant, Operation
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.strategies.grants import roles_of

PRIVILEGES = lazy_regex(r"GRANT\s+(?P<privileges>[A-Za-z ,]+?)\s+ON\s", re.IGNORECASE)
SPOKEN = frozenset({"public", "current_user", "current_role", "session_user"})
"""Roles that are no name: everybody, or whoever runs the statement."""


def revoked(operation: Grant, before: Catalog, dialect: Dialect) -> tuple[Operation, ...]:
    """REVOKE of the same; nothing where somebody had rights already, which it would take too, or owns the relation."""
    found = PRIVILEGES.match(operation.sql)
    if dialect.name != "postgresql" or operation.revoke or found is None or not (operation.relations and operation.roles):
        return ()
    if SPOKEN & {role.lower() for role in operation.roles} or "GRANTED BY" in operation.sql.upper():
        return ()
    for name in operation.relations:
        relation = before.tables.get(name.text) or before.views.get(name.text)
        if relation is None or not relation.owner or set(operation.roles) & {relation.owner, *roles_of(relation.grants)}:
            return ()
    names = ", ".join(map(dialect.quote_name, operation.relations))
    roles = ", ".join(map(dialect.quote, operation.roles))
    return (replace(operation, sql=f"REVOKE {found['privileges']} ON {names} FROM {roles}", revoke=True),)
