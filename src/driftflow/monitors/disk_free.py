"""Room on the disk that holds a SQLite file: a rebuild writes the table twice. (A PostgreSQL server does not tell its disk's free space.)"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Self

from driftflow.config import Policy
from driftflow.engine.ports import Connection, Reading
from driftflow.monitors.base import monitor


@monitor("disk_free", dialects=("sqlite",))
class DiskFree:
    name = "disk_free"

    def __init__(self, wanted_bytes: int) -> None:
        self._wanted = wanted_bytes

    @classmethod
    def for_policy(cls, policy: Policy) -> Self | None:
        return cls(policy.disk_free_bytes) if policy.disk_free_bytes else None

    def read(self, connection: Connection) -> Reading:
        file = next(path for _, name, path in connection.query("PRAGMA database_list") if name == "main")
        return self.reading(shutil.disk_usage(Path(file).parent).free)

    def reading(self, free: int) -> Reading:
        megabyte = 1 << 20
        return Reading(
            signal=self.name, value=f"{free // megabyte} MiB free, {self._wanted // megabyte} MiB wanted", ok=free >= self._wanted
        )
