"""Row-level security."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Catalog, Policy
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.lookup import find_table, put, refuse
from driftflow.model.record import replace


class CreatePolicy(BaseOperation, frozen=True, kw_only=True, tag="create_policy"):
    policy: Policy
    reads: tuple[Name, ...] = ()
    """Relations that its expressions query."""

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.policy.table)
        if table is None:
            return catalog
        if any(one.name == self.policy.name for one in table.policies):
            refuse(catalog, f"policy {self.policy.name} of {table.name} exists already")
            return catalog
        return put(catalog, replace(table, policies=(*table.policies, self.policy)))


class AlterPolicy(BaseOperation, frozen=True, kw_only=True, tag="alter_policy"):
    """Empty fields leave as is; `to` renames."""

    name: str
    table: Name
    roles: tuple[str, ...] = ()
    using: str = ""
    check: str = ""
    to: str = ""
    reads: tuple[Name, ...] = ()

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table)
        if table is None:
            return catalog
        policy = next((one for one in table.policies if one.name == self.name), None)
        if policy is None:
            refuse(catalog, f"policy {self.name} of {self.table} does not exist")
            return catalog
        changed = replace(
            policy,
            name=self.to or policy.name,
            roles=self.roles or policy.roles,
            using=self.using or policy.using,
            check=self.check or policy.check,
        )
        return put(catalog, replace(table, policies=tuple(changed if one is policy else one for one in table.policies)))


class DropPolicy(BaseOperation, frozen=True, kw_only=True, tag="drop_policy"):
    name: str
    table: Name
    if_exists: bool = False
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.if_exists)
        if table is None:
            return catalog
        kept = tuple(one for one in table.policies if one.name != self.name)
        if len(kept) == len(table.policies) and not self.if_exists:
            refuse(catalog, f"policy {self.name} of {self.table} does not exist")
        return put(catalog, replace(table, policies=kept))


class SetRowSecurity(BaseOperation, frozen=True, kw_only=True, tag="set_row_security"):
    table: Name
    action: Literal["enable", "disable", "force", "no_force"]
    only: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        table = find_table(catalog, self.table, if_exists=self.table_if_exists)
        if table is None:
            return catalog
        match self.action:
            case "enable" | "disable":
                return put(catalog, replace(table, row_security=self.action == "enable"))
            case "force" | "no_force":
                return put(catalog, replace(table, row_security_forced=self.action == "force"))
