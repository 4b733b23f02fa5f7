"""The other ends of foreign keys: tables that a statement locks without naming them.

All of it measured on MySQL 9.7, MariaDB 10.11 and 11.8. MySQL keeps both ends of a foreign key in its dictionary since 8.0 and locks the other
end to keep it there; MariaDB leaves the other end alone, but opens the children of a table whose rows change.
"""

from __future__ import annotations

from driftflow.dialects.mysql.capabilities import EIGHT
from driftflow.dialects.mysql.effects.prediction import (
    EXCLUSIVE,
    SHARED_NO_READ_WRITE,
    SHARED_NO_WRITE,
    SHARED_READ,
    SHARED_READ_ONLY,
    SHARED_UPGRADABLE,
    SHARED_WRITE,
    Prediction,
)
from driftflow.model.catalog import ForeignKey, Table
from driftflow.model.effects import NO_PARENT
from driftflow.model.names import Name

CASCADING = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


def in_dictionary(p: Prediction) -> bool:
    """Whether the server keeps the other end of a foreign key up to date."""
    return p.since(EIGHT, None)


def beside_altered(p: Prediction, name: Name) -> None:
    """ALTER TABLE, CREATE and DROP INDEX, OPTIMIZE: parents may not change meanwhile, and children are told of the new definition."""
    if not in_dictionary(p):
        return
    for parent, key in _parents(p.catalog.table(name)):
        p.lock(parent, SHARED_UPGRADABLE, why=f"referenced by {name.name} ({key.name})")
    for child, key in p.catalog.referencing(name):
        if child.name != name:
            p.lock(child.name, EXCLUSIVE, why=f"its foreign key {key.name} references {name.name}; at the end")


def beside_copied(p: Prediction, name: Name) -> None:
    """MariaDB, ALGORITHM=COPY: the copy takes the table's place by two renames, and takes no lock of the children. Who looks up a parent between
    the two finds no table (measured on 10.11 and 11.8, ten failures for each ALTER with three writers; none in place, none on MySQL, which locks the
    children; none in the table itself, where the ALTER keeps its own writers out)."""
    if not p.mariadb:
        return
    for child in dict.fromkeys(child.name for child, _ in p.catalog.referencing(name)):
        if child != name:
            what = (
                f"for a moment, as the copy takes the place of {name.name}: an INSERT or UPDATE of {child.name} fails with {NO_PARENT}, "
                "though the parent is there"
            )
            p.breaks(what, child, error=NO_PARENT)


def beside_gone(p: Prediction, name: Name, *, why: str) -> None:
    """DROP TABLE and renaming: both ends of each foreign key."""
    if not in_dictionary(p):
        return
    for parent, key in _parents(p.catalog.table(name)):
        p.lock(parent, EXCLUSIVE, why=f"{name.name} references it ({key.name}), {why}")
    for child, key in p.catalog.referencing(name):
        if child.name != name:
            p.lock(child.name, EXCLUSIVE, why=f"its foreign key {key.name} references {name.name}, {why}")


def beside_added_key(p: Prediction, key: ForeignKey, child: Name) -> None:
    """ADD FOREIGN KEY: with the check on, nobody may write the parent while the child is copied."""
    why = f"referenced by {child.name}"
    if p.checks_foreign_keys:
        p.lock(key.referenced, SHARED_READ_ONLY if in_dictionary(p) else SHARED_NO_WRITE, held="copy", why=why)
    if in_dictionary(p):
        p.lock(key.referenced, EXCLUSIVE, why=why)


def beside_rows(p: Prediction, name: Name, *, deletes: bool = False, updates: bool = False, inserts: bool = False) -> None:
    """INSERT, UPDATE, DELETE: children whose rows go or change with them. MariaDB opens every other child as well, for reading; MySQL the
    parents, once it has to open a child, and it may leave out a child that has no children itself."""
    if not p.mariadb and not in_dictionary(p):
        return
    seen = {name}
    opened = False
    waiting = [name]
    while waiting:
        parent = waiting.pop()
        for child, key in p.catalog.referencing(parent):
            if child.name in seen:
                continue
            follows = (deletes and key.on_delete in CASCADING) or (updates and key.on_update in CASCADING)
            if follows:
                p.lock(child.name, SHARED_WRITE, held="statement", why=f"its rows follow those of {parent.name} ({key.name})")
            elif p.mariadb:
                p.lock(child.name, SHARED_READ, held="statement", why=f"references {parent.name} ({key.name})")
            seen.add(child.name)
            opened = opened or follows
            if follows and p.mariadb:
                waiting.append(child.name)
    if opened and (inserts or updates) and not p.mariadb:
        for above, key in _parents(p.catalog.table(name)):
            p.lock(above, SHARED_READ, held="statement", why=f"referenced by {name.name} ({key.name})")


def beside_locked(p: Prediction, name: Name) -> None:
    """LOCK TABLES ... WRITE: whatever a statement on its rows may then need. MySQL locks the children whose rows follow as firmly, and with them the
    parents against writers, whatever foreign_key_checks says."""
    if p.mariadb:
        beside_rows(p, name, deletes=True, updates=True)
        return
    if not in_dictionary(p):
        return
    opened = False
    for child, key in p.catalog.referencing(name):
        if child.name != name and CASCADING & {key.on_delete, key.on_update}:
            why = f"its rows follow those of {name.name} ({key.name}), until UNLOCK TABLES"
            p.lock(child.name, SHARED_NO_READ_WRITE, held="statement", why=why)
            opened = True
    for parent, key in _parents(p.catalog.table(name)) if opened else ():
        p.lock(parent, SHARED_READ_ONLY, held="statement", why=f"referenced by {name.name} ({key.name}), until UNLOCK TABLES")


def _parents(table: Table | None) -> list[tuple[Name, ForeignKey]]:
    if table is None:
        return []
    return [(key.referenced, key) for key in table.foreign_keys if key.referenced != table.name]
