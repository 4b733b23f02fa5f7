"""Operations on views and materialized views."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Catalog, KeptText, View
from driftflow.model.names import Name
from driftflow.model.operations import dependents
from driftflow.model.operations.base import BaseOperation
from driftflow.model.operations.lookup import put_view, refuse, taken
from driftflow.model.operations.rules import dependents_block
from driftflow.model.record import replace


class CreateView(BaseOperation, frozen=True, kw_only=True, tag="create_view"):
    view: View
    or_replace: bool = False
    if_not_exists: bool = False
    temporary: bool = False
    recursive: bool = False
    check_option: str = ""
    with_data: bool = True
    algorithm: Literal["", "UNDEFINED", "MERGE", "TEMPTABLE"] = ""
    """MySQL and MariaDB, as the next two."""
    definer: str = ""
    security: Literal["", "DEFINER", "INVOKER"] = ""
    kept: KeptText | None = None
    """It is made again to this letter, whatever the rest says (MySQL, MariaDB)."""
    views_again: bool = False
    """OR REPLACE with other columns: the plan drops the view, with those that read it, and makes all of them again; no statement says so."""

    def after(self, catalog: Catalog) -> Catalog:
        """OR REPLACE keeps what hangs on the view: triggers, grants, comment, owner."""
        name = self.view.name
        old = catalog.views.get(name.text)
        if old is not None and self.or_replace:
            if not self.views_again and self.view.columns and tuple(self.view.columns[: len(old.columns)]) != old.columns:
                refuse(catalog, f"view {name} cannot be replaced: its columns must stay as they are, new ones come last")
            kept = replace(
                self.view,
                triggers=old.triggers,
                rules=old.rules,
                said=old.said,
                grants=old.grants,
                comment=old.comment,
                owner=old.owner,
            )
            return put_view(catalog, kept)
        if taken(catalog, name.schema)(name.name):
            if not self.if_not_exists:
                refuse(catalog, f"relation {name} exists already")
            return catalog
        missing = [
            one for one in self.view.depends_on if one.schema and one.text not in catalog.tables and one.text not in catalog.views
        ]
        if missing and dependents_block(catalog) and all(one.schema in catalog.schemas for one in missing):
            refuse(catalog, f"view {name} cannot be created: {missing[0]} does not exist")
        return put_view(catalog, self.view if self.with_data else replace(self.view, populated=False))


class DropView(BaseOperation, frozen=True, kw_only=True, tag="drop_view"):
    name: Name
    materialized: bool = False
    if_exists: bool = False
    cascade: bool = False

    def after(self, catalog: Catalog) -> Catalog:
        if self.name.text not in catalog.views:
            if not self.if_exists:
                refuse(catalog, f"view {self.name} does not exist")
            return catalog
        above = catalog.dependents(self.name) if dependents_block(catalog) else ()
        if above and not self.cascade:
            refuse(catalog, f"view {self.name} cannot be dropped without CASCADE: view {above[0].name} depends on it")
        if not dependents_block(catalog):
            return catalog.without_views((self.name.text,))
        return dependents.drop_views(catalog, (self.name,))


class AlterView(BaseOperation, frozen=True, kw_only=True, tag="alter_view"):
    """SET (...), RESET (...), OWNER TO, ALTER COLUMN SET/DROP DEFAULT; `action` is the clause as rendered. Renames are RenameTable."""

    name: Name
    action: str
    materialized: bool = False


class RefreshView(BaseOperation, frozen=True, kw_only=True, tag="refresh_view"):
    name: Name
    concurrently: bool = False
    with_data: bool = True

    def after(self, catalog: Catalog) -> Catalog:
        view = catalog.views.get(self.name.text)
        return catalog if view is None else put_view(catalog, replace(view, populated=self.with_data))
