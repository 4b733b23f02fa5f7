"""MariaDB 10.4 to 11.8: what differs from MySQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from driftflow.dialects.base import Capability
from driftflow.dialects.mariadb import capabilities
from driftflow.dialects.mysql import MySQL
from driftflow.model.catalog import Catalog, ForeignKey
from driftflow.model.names import Version
from driftflow.model.operations import DropConstraint, Operation


class MariaDB(MySQL):
    name: ClassVar[str] = "mariadb"
    versions: ClassVar[tuple[Version, Version]] = (capabilities.OLDEST, capabilities.NEWEST)
    since: ClassVar[Mapping[Capability, Version]] = capabilities.SINCE
    mariadb: ClassVar[bool] = True

    def overlooks(self, operation: Operation, catalog: Catalog) -> bool:
        """A foreign key that is dropped as a CONSTRAINT: it stays where the table is copied, and under foreign_key_checks the new key of an ALTER is
        such a copy (measured on 10.11.19 and 11.8.9; no page of MariaDB says so)."""
        if not isinstance(operation, DropConstraint) or operation.foreign_key:
            return False
        table = catalog.table(operation.table)
        return table is not None and isinstance(table.constraint(operation.name), ForeignKey)
