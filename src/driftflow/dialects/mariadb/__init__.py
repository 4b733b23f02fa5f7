"""MariaDB 10.4 to 11.8: what differs from MySQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from driftflow.dialects.base import Capability
from driftflow.dialects.mariadb import capabilities
from driftflow.dialects.mysql import MySQL
from driftflow.model.names import Version


class MariaDB(MySQL):
    name: ClassVar[str] = "mariadb"
    versions: ClassVar[tuple[Version, Version]] = (capabilities.OLDEST, capabilities.NEWEST)
    since: ClassVar[Mapping[Capability, Version]] = capabilities.SINCE
    mariadb: ClassVar[bool] = True
