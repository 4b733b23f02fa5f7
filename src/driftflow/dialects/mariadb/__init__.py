"""MariaDB 10.4 to 11.8: what differs from MySQL."""

from __future__ import annotations

from typing import ClassVar

from driftflow.dialects.base import Capability
from driftflow.dialects.mariadb import capabilities
from driftflow.dialects.mysql import MySQL
from driftflow.model.names import Version


class MariaDB(MySQL):
    name: ClassVar[str] = "mariadb"
    versions: ClassVar[tuple[Version, Version]] = (capabilities.OLDEST, capabilities.NEWEST)
    mariadb: ClassVar[bool] = True

    def can(self, capability: Capability, version: Version | None = None) -> bool:
        return capabilities.can(capability, version)
