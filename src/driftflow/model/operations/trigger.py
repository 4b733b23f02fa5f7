"""Operations on triggers."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Catalog, KeptText, Table, Trigger, View
from driftflow.model.names import Name
from driftflow.model.operations import heirs
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.identifiers import rename_column
from driftflow.model.operations.lookup import put, put_holder, refuse
from driftflow.model.record import replace


class CreateTrigger(BaseOperation, frozen=True, kw_only=True, tag="create_trigger"):
    trigger: Trigger
    or_replace: bool = False
    if_not_exists: bool = False
    touches: tuple[Name, ...] = ()
    """Relations that the body names (SQLite, MySQL); constraint triggers' FROM table."""
    definer: str = ""
    """MySQL and MariaDB: whose rights it runs with, as written."""
    kept: KeptText | None = None
    """It is made again to this letter, whatever the rest says (MySQL, MariaDB)."""

    def after(self, catalog: Catalog) -> Catalog:
        """On a partitioned table a row trigger comes to every partition too."""
        trigger = self.trigger
        holder = catalog.tables.get(trigger.table.text) or catalog.views.get(trigger.table.text)
        if holder is None:
            refuse(catalog, f"table {trigger.table} does not exist")
            return catalog
        if any(one.name == trigger.name for one in holder.triggers):
            if not (self.or_replace or self.if_not_exists):
                refuse(catalog, f"trigger {trigger.name} of {trigger.table} exists already")
            if not self.or_replace:
                return catalog
        triggers = (*(one for one in holder.triggers if one.name != trigger.name), trigger)
        catalog = put_holder(catalog, replace(holder, triggers=triggers))
        if isinstance(holder, Table) and trigger.per_row:
            for partition in catalog.partitions(holder.name):
                catalog = heirs.give_trigger(catalog, partition.name, trigger)
        return catalog


class DropTrigger(BaseOperation, frozen=True, kw_only=True, tag="drop_trigger"):
    name: str
    table: Name | None = None
    """PostgreSQL says it; SQLite and MySQL leave it to resolve."""
    schema: str = ""
    if_exists: bool = False
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        holder = self._holder(catalog)
        if holder is None:
            if not (self.if_exists or self.table_if_exists):
                refuse(
                    catalog, f"trigger {self.name} does not exist" if self.table is None else f"table {self.table} does not exist"
                )
            return catalog
        if not any(one.name == self.name for one in holder.triggers):
            if not self.if_exists:
                refuse(catalog, f"trigger {self.name} of {holder.name} does not exist")
            return catalog
        triggers = tuple(one for one in holder.triggers if one.name != self.name)
        catalog = put_holder(catalog, replace(holder, triggers=triggers))
        for partition in catalog.partitions(holder.name):
            catalog = DropTrigger(name=self.name, table=partition.name, if_exists=True).after(catalog)
        return catalog

    def _holder(self, catalog: Catalog) -> Table | View | None:
        if self.table is not None:
            return catalog.tables.get(self.table.text) or catalog.views.get(self.table.text)
        for table in catalog.tables.values():
            if any(one.name == self.name for one in table.triggers):
                return table
        return next((view for view in catalog.views.values() if any(one.name == self.name for one in view.triggers)), None)


class AlterTrigger(BaseOperation, frozen=True, kw_only=True, tag="alter_trigger"):
    """RENAME TO, or DEPENDS ON EXTENSION."""

    name: str
    table: Name
    to: str = ""
    depends_on_extension: str = ""

    def after(self, catalog: Catalog) -> Catalog:
        """A new name on partitions too."""
        table = catalog.tables.get(self.table.text)
        if table is None or not self.to:
            return catalog
        if not any(one.name == self.name for one in table.triggers):
            refuse(catalog, f"trigger {self.name} of {self.table} does not exist")
            return catalog
        triggers = tuple(_renamed(one, self.to) if one.name == self.name else one for one in table.triggers)
        catalog = put(catalog, replace(table, triggers=triggers))
        for partition in catalog.partitions(self.table):
            if any(one.name == self.name for one in partition.triggers):
                catalog = AlterTrigger(name=self.name, table=partition.name, to=self.to).after(catalog)
        return catalog


class EnableTrigger(BaseOperation, frozen=True, kw_only=True, tag="enable_trigger"):
    """ALTER TABLE ... {ENABLE [REPLICA|ALWAYS]|DISABLE} TRIGGER {name|ALL|USER}."""

    table: Name
    name: str
    """A trigger, or ALL, or USER."""
    state: Literal["O", "D", "R", "A"]

    def after(self, catalog: Catalog) -> Catalog:
        table = catalog.tables.get(self.table.text)
        if table is None:
            refuse(catalog, f"table {self.table} does not exist")
            return catalog
        if self.name not in {"ALL", "USER"} and not any(one.name == self.name for one in table.triggers):
            refuse(catalog, f"trigger {self.name} of {self.table} does not exist")
            return catalog
        named = {one.name for one in table.triggers if self.name in {one.name, "ALL", "USER"}}
        triggers = tuple(replace(one, enabled=self.state) if one.name in named else one for one in table.triggers)
        catalog = put(catalog, replace(table, triggers=triggers))
        for partition in catalog.partitions(self.table):
            for name in sorted(named):
                if any(one.name == name for one in partition.triggers):
                    catalog = EnableTrigger(table=partition.name, name=name, state=self.state).after(catalog)
        return catalog


def _renamed(trigger: Trigger, to: str) -> Trigger:
    """The name stands behind the first TRIGGER of the definition."""
    head, word, rest = trigger.definition.partition(" TRIGGER ")
    name, space, tail = rest.partition(" ")
    return replace(trigger, name=to, definition=f"{head}{word}{rename_column(name, trigger.name, to)}{space}{tail}")
