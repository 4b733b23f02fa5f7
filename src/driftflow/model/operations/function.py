"""Operations on functions and procedures."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, KeptText, Routine, Table
from driftflow.model.names import Name
from driftflow.model.operations import dependents
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.lookup import refuse
from driftflow.model.record import replace


class CreateFunction(BaseOperation, frozen=True, kw_only=True, tag="create_function"):
    routine: Routine
    or_replace: bool = False
    if_not_exists: bool = False
    definer: str = ""
    """MySQL and MariaDB: whose rights it runs with, as written."""
    kept: KeptText | None = None
    """It is made again to this letter, whatever the rest says (MySQL, MariaDB)."""

    def after(self, catalog: Catalog) -> Catalog:
        key = f"{self.routine.name}({self.routine.arguments})"
        if key in catalog.routines and not self.or_replace:
            if not self.if_not_exists:
                refuse(catalog, f"{self.routine.kind} {key} exists already")
            return catalog
        return replace(catalog, routines={**catalog.routines, key: self.routine})


class DropFunction(BaseOperation, frozen=True, kw_only=True, tag="drop_function"):
    name: Name
    arguments: str | None = None
    """None when the statement gave no argument list."""
    kind: str = "function"
    if_exists: bool = False
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        """Triggers that call it go only with CASCADE."""
        keys = [key for key, one in catalog.routines.items() if one.name == self.name and self._is_meant(one)]
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

    def _is_meant(self, routine: Routine) -> bool:
        return self.arguments is None or _types(self.arguments) == _types(routine.arguments)

    def _without_triggers(self, table: Table) -> Table:
        kept = tuple(one for one in table.triggers if one.function != self.name)
        return table if len(kept) == len(table.triggers) else replace(table, triggers=kept)


def _types(arguments: str) -> list[str]:
    """The last word of every argument: identity arguments may carry names and modes, DROP FUNCTION usually does not."""
    return [one.strip().split(" ")[-1] for one in arguments.split(",") if one.strip()]
