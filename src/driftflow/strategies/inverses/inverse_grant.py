"""GRANT, REVOKE and ALTER DEFAULT PRIVILEGES taken back on PostgreSQL, whose catalog says who had which rights before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Catalog
from driftflow.model.operations import Grant, Operation
from driftflow.model.operations.object import Rights
from driftflow.model.record import replace
from driftflow.strategies.grants import PRIVILEGES, grants_again, letters_of, only_of
from driftflow.strategies.inverses.holdings import Held, holdings

SPOKEN = frozenset({"current_user", "current_role", "session_user"})
"""Roles that are no name: whoever runs the statement."""
PUBLIC = "public"
OF_COLUMNS = "arwx"
"""Rights that there are on a column: SELECT, INSERT, UPDATE, REFERENCES."""


def taken_back(operation: Grant, before: Catalog, dialect: Dialect) -> tuple[Operation, ...] | None:
    """What gives everybody the rights of before; None where that is not known."""
    said = operation.said
    if said is None or not operation.roles or SPOKEN & {role.lower() for role in (*operation.roles, *said.made_by)}:
        return None
    found = holdings(said, operation.relations, before, dialect)
    if found is None:
        return None
    back = _given_again if operation.revoke else _revoked
    return tuple(one for held in found for one in back(operation, said, held, dialect))


def _revoked(operation: Grant, said: Rights, held: Held, dialect: Dialect) -> Iterator[Operation]:
    """REVOKE of what somebody did not have already, who has it with GRANT OPTION now and did not before loses that.
    A right on the whole relation takes those on its columns along, so these are given again."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for role in operation.roles:
        had = letters_of(held.acl, _stored(role))
        whole = [letter for right in said.rights if not right.columns for letter in _letters(right.name, held.letters)]
        wanted = list(held.letters) if not said.rights else whole
        gone = "".join(letter for letter in wanted if letter not in had)
        passed = "".join(letter for letter in wanted if said.grantable and had.get(letter) is False)
        alike[gone, passed].append(role)
    for (gone, passed), roles in alike.items():
        if gone:
            yield _revoke("ALL" if not said.rights and gone == held.letters else _spelled(gone), roles, held, dialect)
        if passed:
            yield _revoke(f"GRANT OPTION FOR {_spelled(passed)}", roles, held, dialect)
        for column, acl in held.columns if gone else ():
            yield from grants_again(
                held.name, only_of(acl, {_stored(role) for role in roles}), owner=None, dialect=dialect, column=column
            )
    yield from _columns_revoked(operation, said, held, dialect)


def _columns_revoked(operation: Grant, said: Rights, held: Held, dialect: Dialect) -> Iterator[Operation]:
    acls = dict(held.columns)
    for role in operation.roles:
        gone: list[str] = []
        passed: list[str] = []
        for right in said.rights:
            for column in right.columns:
                had = letters_of(acls.get(column, ()), _stored(role))
                for letter in _letters(right.name, OF_COLUMNS):
                    text = f"{PRIVILEGES[letter]} ({dialect.quote(column)})"
                    if letter not in had:
                        gone.append(text)
                    elif said.grantable and not had[letter]:
                        passed.append(text)
        if gone:
            yield _revoke(", ".join(gone), [role], held, dialect)
        if passed:
            yield _revoke(f"GRANT OPTION FOR {', '.join(passed)}", [role], held, dialect)


def _given_again(operation: Grant, said: Rights, held: Held, dialect: Dialect) -> Iterator[Operation]:
    """All rights that those it names had, of which some may never have gone; with CASCADE, that anybody had."""
    wanted = None if said.cascade else {_stored(role) for role in operation.roles}
    again = list(
        grants_again(held.name, only_of(held.acl, wanted), owner=None, dialect=dialect, kind=held.kind, target=held.target)
    )
    for column, acl in held.columns:
        again += grants_again(held.name, only_of(acl, wanted), owner=None, dialect=dialect, column=column)
    for one in again:
        yield replace(one, sql=held.head + one.sql, relations=() if held.head else one.relations)


def _revoke(rights: str, roles: Sequence[str], held: Held, dialect: Dialect) -> Grant:
    whom = ", ".join(dialect.quote(role) if role != PUBLIC else "PUBLIC" for role in roles)
    where = f"{held.kind} {held.target or dialect.quote_name(held.name)}".strip()
    sql = f"{held.head}REVOKE {rights} ON {where} FROM {whom}"
    return Grant(sql=sql, revoke=True, relations=held.relations, roles=tuple(roles))


def _stored(role: str) -> str:
    """As an aclitem says it."""
    return "" if role == PUBLIC else role


def _letters(right: str, all_of_them: str) -> str:
    return "".join(letter for letter in all_of_them if right in ("", PRIVILEGES[letter]))


def _spelled(letters: str) -> str:
    return ", ".join(PRIVILEGES[letter] for letter in letters)
