"""GRANT and REVOKE taken back on PostgreSQL, whose catalog says who had which rights before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Catalog, Sequence, Table, View
from driftflow.model.names import Name
from driftflow.model.operations import Grant, Operation
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.strategies.grants import grants_again, only_of, roles_of

PRIVILEGES = lazy_regex(r'GRANT\s+(?P<privileges>(?:[\w ,()]|"(?:[^"]|"")*")+?)\s+ON\s', re.IGNORECASE)
CASCADE = lazy_regex(r"\bCASCADE\s*\Z", re.IGNORECASE)
SPOKEN = frozenset({"current_user", "current_role", "session_user"})
"""Roles that are no name: whoever runs the statement."""
PUBLIC = "public"
Holding = Table | View | Sequence


def taken_back(operation: Grant, before: Catalog, dialect: Dialect) -> tuple[Operation, ...]:
    """What gives everybody the rights of before; nothing where that is not known."""
    if dialect.name != "postgresql" or not (operation.relations and operation.roles):
        return ()
    if SPOKEN & {role.lower() for role in operation.roles} or "GRANTED BY" in operation.sql.upper():
        return ()
    found = {name: holding for name in operation.relations if (holding := _holding(before, name)) is not None}
    if len(found) < len(operation.relations) or not all(one.owner for one in found.values()):
        return ()
    return tuple(_given_again(operation, found, dialect)) if operation.revoke else _revoked(operation, found, dialect)


def _holding(catalog: Catalog, name: Name) -> Holding | None:
    return catalog.tables.get(name.text) or catalog.views.get(name.text) or catalog.sequences.get(name.text)


def _revoked(operation: Grant, found: Mapping[Name, Holding], dialect: Dialect) -> tuple[Operation, ...]:
    """REVOKE of the same; nothing where somebody had rights already, on a column too, which it would take along, or owns the relation."""
    privileges = PRIVILEGES.match(operation.sql)
    if privileges is None or PUBLIC in operation.roles:
        return ()
    for holding in found.values():
        had = {holding.owner, *roles_of(holding.grants)}
        if set(operation.roles) & had.union(*(roles_of(acl) for _, acl in _columns(holding))):
            return ()
    roles = ", ".join(map(dialect.quote, operation.roles))
    names = ", ".join(map(dialect.quote_name, found))
    sequence = "SEQUENCE " if any(isinstance(one, Sequence) for one in found.values()) else ""
    sql = f"REVOKE {privileges['privileges']} ON {sequence}{names} FROM {roles}"
    return (replace(operation, sql=sql, revoke=True),)


def _given_again(operation: Grant, found: Mapping[Name, Holding], dialect: Dialect) -> Iterator[Operation]:
    """All rights that those it names had, of which some may never have gone; with CASCADE, that anybody had."""
    wanted = None if CASCADE.search(operation.sql) else {"" if role == PUBLIC else role for role in operation.roles}
    for name, holding in found.items():
        kind = "SEQUENCE" if isinstance(holding, Sequence) else ""
        if not holding.grants and holding.owner in operation.roles:
            # Nobody had said anything of its rights: the owner had all.
            sql = f"GRANT ALL ON {f'{kind} {dialect.quote_name(name)}'.strip()} TO {dialect.quote(holding.owner)}"
            yield Grant(sql=sql, relations=(name,), roles=(holding.owner,))
        yield from grants_again(name, only_of(holding.grants, wanted), owner=None, dialect=dialect, kind=kind)
        for column, acl in _columns(holding):
            yield from grants_again(name, only_of(acl, wanted), owner=None, dialect=dialect, column=column)


def _columns(holding: Holding) -> list[tuple[str, tuple[str, ...]]]:
    """Of the columns that somebody has rights on, who has them."""
    match holding:
        case Table(columns=columns):
            return [(one.name, one.grants) for one in columns if one.grants]
        case View(said=said):
            return [(one.name, one.grants) for one in said if one.grants]
        case _:
            return []
