"""What all operations share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftflow.model.record import Record

if TYPE_CHECKING:
    from driftflow.model.catalog import Catalog


class BaseOperation(Record, frozen=True, kw_only=True, tag_field="op"):
    """One thing a statement does. Subclasses give their tag and their fields."""

    table_if_exists: bool = False
    """ALTER TABLE IF EXISTS (VIEW, POLICY, ...): nothing happens when the relation is missing. resolve clears it where the relation is there."""

    def after(self, catalog: Catalog) -> Catalog:
        """The catalog after this (resolved) operation. The base changes nothing.

        Raises `CatalogConflict` when the operation cannot apply: a missing table, a column that exists.
        """
        return catalog


class CatalogConflict(ValueError):
    """The operation does not fit the catalog; the text says why. Callers turn it into a finding (it will fail) or a refusal."""
