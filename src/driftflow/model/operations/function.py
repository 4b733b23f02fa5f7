"""Operations on functions and procedures."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, KeptText, Routine, Table
from driftflow.model.names import Name
from driftflow.model.operations import dependents
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.lookup import refuse
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex


class CreateFunction(BaseOperation, frozen=True, kw_only=True, tag="create_function"):
    routine: Routine
    or_replace: bool = False
    if_not_exists: bool = False
    definer: str = ""
    """MySQL and MariaDB: whose rights it runs with, as written."""
    kept: KeptText | None = None
    """It is made again to this letter, whatever the rest says (MySQL, MariaDB)."""

    def after(self, catalog: Catalog) -> Catalog:
        key = self.routine.key(catalog.vendor)
        if key in catalog.routines and not self.or_replace:
            if not self.if_not_exists:
                refuse(catalog, f"{self.routine.kind} {key.removesuffix(' procedure')} exists already")
            return catalog
        made, old = self.routine, catalog.routines.get(key)
        if old is not None and catalog.vendor == "postgresql":
            # OR REPLACE leaves what hangs on it.
            made = replace(made, owner=old.owner, grants=old.grants, comment=old.comment)
        return replace(catalog, routines={**catalog.routines, key: made})


class DropFunction(BaseOperation, frozen=True, kw_only=True, tag="drop_function"):
    name: Name
    arguments: str | None = None
    """None when the statement gave no argument list."""
    kind: str = "function"
    if_exists: bool = False
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """Triggers that call it go only with CASCADE."""
        keys = [key for key, one in catalog.routines.items() if self.is_meant(one)]
        if not keys:
            if not self.if_exists:
                refuse(catalog, f"{self.kind} {self.name} does not exist")
            return catalog
        if len(keys) > 1:
            refuse(catalog, f"{self.kind} {self.name} is not unique: say its arguments")
            return catalog
        callers = [table.name for table in catalog.tables.values() if any(one.function == self.name for one in table.triggers)]
        if callers and not self.cascade:
            refuse(catalog, f"{self.kind} {self.name} cannot be dropped without CASCADE: a trigger of {callers[0]} calls it")
        catalog = replace(catalog, routines={key: one for key, one in catalog.routines.items() if key not in keys})
        return dependents.rewrite_tables(catalog, self._without_triggers)

    def is_meant(self, routine: Routine) -> bool:
        """By name and types: names of arguments, and their defaults, tell no function from another."""
        if {self.kind, routine.kind} == {"function", "procedure"}:
            return False
        return routine.name == self.name and (self.arguments is None or self._same(routine))

    def _same(self, routine: Routine) -> bool:
        procedure = routine.kind == "procedure"
        return _types(self.arguments or "", procedure=procedure) == _types(routine.arguments, procedure=procedure)

    def _without_triggers(self, table: Table) -> Table:
        kept = tuple(one for one in table.triggers if one.function != self.name)
        return table if len(kept) == len(table.triggers) else replace(table, triggers=kept)


LONG = (
    "double precision",
    "character varying",
    "bit varying",
    *(f"{one} {how} time zone" for one in ("timestamp", "time") for how in ("with", "without")),
)
"""Types of several words, as the server spells them."""
PIECE = lazy_regex(r'"(?:[^"]|"")*"(?:\."(?:[^"]|"")*")?|[^\s,()"]+|\([^)]*\)|,')


def _types(arguments: str, *, procedure: bool) -> list[str]:
    """The type of every argument that tells the function from others: identity arguments may carry names, modes and modifiers, DROP FUNCTION usually does
    not. What a function only gives back (OUT, TABLE) takes no part."""
    found: list[list[str]] = [[]]
    for piece in PIECE.findall(all_arguments(arguments)):
        if piece == ",":
            found.append([])
        elif not piece.startswith("("):  # a modifier, which the server does not look at either
            found[-1].append(piece)
    return [_type(words) for words in found if words and (procedure or words[0].upper() not in ("OUT", "TABLE"))]


def all_arguments(arguments: str) -> str:
    """An aggregate's with those behind ORDER BY; a VARIADIC one that stands on both sides is one."""
    direct, by, ordered = (part.strip() for part in arguments.rpartition("ORDER BY "))
    return arguments if not by else ", ".join(part for part in dict.fromkeys((direct, ordered)) if part)


def _type(words: list[str]) -> str:
    text = " ".join(words)
    bare = text.rstrip("[]")
    name = next((one for one in LONG if bare.endswith(one)), words[-1].rstrip("[]"))
    return name.removeprefix("public.") + text[len(bare) :]  # The catalog names every schema but the server's own.
