"""The rights on a relation as GRANT statements, from what the catalog keeps of them: what we make in a table's place gets the table's rights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Table
from driftflow.model.names import Name
from driftflow.model.operations import Grant
from driftflow.model.record import Record, replace
from driftflow.patterns import lazy_regex

PRIVILEGES = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "U": "USAGE",
    "X": "EXECUTE",
    "C": "CREATE",
}
"""PostgreSQL's letters. Source: PostgreSQL documentation, "Privileges", ACL privilege abbreviations."""
LETTER = lazy_regex(r"([A-Za-z])(\*?)")
ITEM = lazy_regex(r'(?P<role>"(?:[^"]|"")*"|[^=]*)=(?P<letters>[A-Za-z*]*)/')


def grants_again(
    name: Name, acl: Iterable[str], *, owner: str | None, dialect: Dialect, kind: str = "", target: str = "", column: str = ""
) -> Iterator[Grant]:
    """GRANT statements that give the rights of the aclitems `acl` on `name`; the owner has its own anyway
    (None: has lost some).

    `kind` is what stands before the name where it is no table (`SEQUENCE`), `target` what stands there in its place (a function's arguments too).
    With `column` they are rights on that column.
    """
    for item in acl:
        found = ITEM.match(item)
        if found is None:
            continue
        role = _unquoted(found["role"])
        if role == owner:
            continue
        for option in (False, True):
            rights = [
                PRIVILEGES[letter]
                for letter, star in LETTER.findall(found["letters"])
                if bool(star) == option and letter in PRIVILEGES
            ]
            if rights:
                if column:
                    rights = [f"{right} ({dialect.quote(column)})" for right in rights]
                where = f"{kind} {target or dialect.quote_name(name)}".strip()
                yield _grant(name, rights, role, option=option, dialect=dialect, target=where)


def roles_of(acl: Iterable[str]) -> Iterator[str]:
    """Those that the aclitems give something; empty for everybody."""
    return (_unquoted(found["role"]) for item in acl if (found := ITEM.match(item)) is not None)


def letters_of(acl: Iterable[str], role: str) -> dict[str, bool]:
    """The rights that the aclitems give the role, by their letters, and whether it may pass them on."""
    found: dict[str, bool] = {}
    for item in only_of(acl, {role}):
        for letter, star in LETTER.findall(said["letters"]) if (said := ITEM.match(item)) is not None else ():
            found[letter] = found.get(letter, False) or bool(star)
    return found


def only_of(acl: Iterable[str], roles: Collection[str] | None) -> Iterator[str]:
    """Those of the aclitems that give one of the roles something; None for all of them."""
    for item in acl:
        if (found := ITEM.match(item)) is not None and (roles is None or _unquoted(found["role"]) in roles):
            yield item


GRANTEE = lazy_regex(r"(?P<grantee>'(?P<user>.*)'@'(?P<host>[^']*)')=(?P<option>\*?)(?P<rights>.+)")
RIGHT = lazy_regex(r"(?P<kind>[A-Z][A-Z ]*[A-Z])(?: \((?:`(?:[^`]|``)+`|[^`)]+)\))?(?=, |$)")


class Holder(Record, frozen=True, kw_only=True):
    """An account, or a role, that holds rights on one table by the table's name (MySQL, MariaDB)."""

    user: str
    host: str
    """Empty for a role of MariaDB."""
    rights: tuple[str, ...]
    """`SELECT`, `UPDATE (price)`, ..."""
    grantable: bool = False

    @property
    def shown(self) -> str:
        return f"{self.user}@{self.host}" if self.host else self.user

    def only(self, kinds: Iterable[str]) -> Holder:
        """With the rights of these kinds alone, on columns too."""
        kept = tuple(right for right in self.rights if right.partition(" (")[0] in set(kinds))
        return replace(self, rights=kept)


def holders(table: Table) -> Iterator[Holder]:
    for held in table.grants:
        if found := GRANTEE.fullmatch(held):
            rights = tuple(one[0] for one in RIGHT.finditer(found["rights"]))
            yield Holder(user=found["user"], host=found["host"], rights=rights, grantable=bool(found["option"]))


def by_name(table: Table, name: Name, dialect: Dialect) -> Iterator[tuple[Grant, Grant]]:
    """What gives the rights on the table on the relation `name` too, and what takes them back: where rights go by names (MySQL, MariaDB)."""
    for holder in holders(table):
        yield given(holder, name, dialect)


def given(holder: Holder, name: Name, dialect: Dialect) -> tuple[Grant, Grant]:
    """What gives the holder its rights on the relation `name`, and what takes them."""
    target, rights = dialect.quote_name(name), ", ".join(holder.rights)
    host = f"@{dialect.quote_text(holder.host)}" if holder.host else ""
    who, option = f"{dialect.quote_text(holder.user)}{host}", " WITH GRANT OPTION" if holder.grantable else ""
    more = f", GRANT OPTION ON {target} FROM {who}" if holder.grantable else f" ON {target} FROM {who}"
    grant = Grant(sql=f"GRANT {rights} ON {target} TO {who}{option}", relations=(name,), roles=(holder.user,))
    held = f"'{holder.user}'@'{holder.host}'"
    revoke = Grant(sql=f"REVOKE {rights}{more}", revoke=True, relations=(name,), roles=(holder.user,), holder=held)
    return grant, revoke


def _grant(name: Name, rights: list[str], role: str, *, option: bool, dialect: Dialect, target: str) -> Grant:
    sql = f"GRANT {', '.join(rights)} ON {target} TO {dialect.quote(role) if role else 'PUBLIC'}"
    return Grant(sql=sql + (" WITH GRANT OPTION" if option else ""), relations=(name,), roles=(role or "public",))


def _unquoted(role: str) -> str:
    return role[1:-1].replace('""', '"') if role.startswith('"') else role
