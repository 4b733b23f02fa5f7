"""Flyway's history table, and what `flyway migrate` refuses when it validates.

Source: Flyway `JdbcTableSchemaHistory`, `PostgreSQLDatabase`, `SQLiteDatabase`, `PostgreSQLAdvisoryLockTemplate`, `MigrationInfoImpl.validate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.model.names import Name
from driftflow.model.tool_lock import ToolLock
from driftflow.readers.base import Applied
from driftflow.readers.common import flag
from driftflow.readers.files import Faults
from driftflow.readers.flyway_names import java_hash, version_key
from driftflow.readers.ledger import TableLedger

LOCK_BASE = 0x466C79776179  # "Flyway" in ASCII
REPEATABLE = "R:"
BASELINE_SCRIPT = "B:"
WRITTEN = (
    "installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success",
)  # fmt: skip


class FlywayLedger(TableLedger):
    """`flyway_schema_history`: one row for each run, numbered by `installed_rank`."""

    tool = "flyway"
    default_table = "flyway_schema_history"
    written_on_mysql = True

    def create(self) -> tuple[str, ...]:
        table, name = self.sql_table, self._table.name
        if self.on_mysql:
            columns = _columns(integer="INT", when="TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP").replace('"', "`")
            keys = f"CONSTRAINT {self.quoted(name + '_pk')} PRIMARY KEY (`installed_rank`), INDEX {self.quoted(name + '_s_idx')} (`success`)"
            return (f"CREATE TABLE IF NOT EXISTS {table} ({columns}, {keys}) ENGINE=InnoDB",)
        if self.on_postgresql:
            columns = _columns(integer="INTEGER", when="TIMESTAMP NOT NULL DEFAULT now()")
            key = f'CONSTRAINT {self.quoted(name + "_pk")} PRIMARY KEY ("installed_rank")'
            index = f'CREATE INDEX IF NOT EXISTS {self.quoted(name + "_s_idx")} ON {table} ("success")'
            return (f"CREATE TABLE IF NOT EXISTS {table} ({columns}, {key})", index)
        columns = _columns(integer="INT", when="TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now'))", key=" PRIMARY KEY")
        index = f'CREATE INDEX IF NOT EXISTS {self.quoted(name + "_s_idx")} ON {self.quoted(name)} ("success")'
        return (f"CREATE TABLE IF NOT EXISTS {table} ({columns})", index)

    def applied_query(self) -> str:
        return f"SELECT * FROM {self.sql_table} ORDER BY {self.quoted('installed_rank')}"

    def applied(self, rows: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> tuple[Applied, ...]:
        """The newest word on each version and each repeatable script; what was undone or deleted from the history is left out."""
        self.columns_expected(rows, needed={"installed_rank", "version", "success"}, foreign={})
        newest: dict[str, Applied] = {}
        for row in rows:
            kind, version = str(row["type"]), row["version"]
            key = _key(kind, version, str(row["description"]), migrations)
            newest.pop(key, None)
            if kind in {"UNDO_SQL", "UNDO_JDBC", "UNDO_SCRIPT", "DELETE", "SCHEMA"}:
                continue
            newest[key] = Applied(
                id=key,
                checksum="" if row["checksum"] is None else str(row["checksum"]),
                ok=bool(row["success"]),
                at=str(row["installed_on"]),
                name=f"{kind}: {row['description']}",
            )
        return tuple(newest.values())

    def pending(self, applied: Sequence[Applied], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
        """What `flyway migrate` would run, after the checks of `validateOnMigrate` (the option `validate`, true as in Flyway)."""
        faults = Faults()
        self._refuse_failed(applied, faults)
        if flag(self.options, "validate", default=True):
            self._refuse_changed(applied, migrations, faults)
            self._refuse_missing(applied, migrations, faults)
        baseline = max((_version(one.id) for one in applied if _is_baseline(one)), default=())
        pending = [*self._versioned(applied, migrations, baseline, faults), *_repeatable(applied, migrations)]
        faults.settle(str(self._table))
        return tuple(pending)

    def record(self, migration: Migration) -> tuple[str, ...]:
        version = None if migration.repeatable else migration.id.removeprefix(BASELINE_SCRIPT)
        values = ", ".join(
            (
                self.literal(version),
                self.literal(migration.name),
                self.literal(migration.native.get("type", "SQL")),
                self.literal(migration.native.get("script", migration.path.rpartition("/")[2])),
                str(int(migration.checksum)),
                "current_user" if self.on_postgresql else "SUBSTRING_INDEX(USER(), '@', 1)" if self.on_mysql else "''",
                "0",
                self.literal(True) if self.on_postgresql else "1",
            )
        )
        columns = ", ".join(self.quoted(name) for name in WRITTEN)
        rank = f"COALESCE(MAX({self.quoted('installed_rank')}), 0) + 1"
        return (f"INSERT INTO {self.sql_table} ({columns}) SELECT {rank}, {values} FROM {self.sql_table}",)

    def unrecord(self, migration: Migration) -> tuple[str, ...]:
        """The row is removed, so that Flyway sees the version as pending. `flyway undo` would add an UNDO_SQL row, and needs a U script."""
        name = self.quoted
        which = (
            f"{name('version')} IS NULL AND {name('description')} = {self.literal(migration.name)}"
            if migration.repeatable
            else f"{name('version')} = {self.literal(migration.id.removeprefix(BASELINE_SCRIPT))}"
        )
        newest = f"SELECT MAX({name('installed_rank')}) FROM {self.sql_table} WHERE {which}"
        if self.on_mysql:  # It reads the table that it changes only by way of a table of its own.
            newest = f"SELECT * FROM ({newest}) AS newest"
        return (f"DELETE FROM {self.sql_table} WHERE {name('installed_rank')} = ({newest})",)

    def lock(self, database: str) -> ToolLock | None:
        """Its advisory lock: a number for "Flyway" plus Java's hash of the quoted table name."""
        if self.on_mysql:
            return self.named_lock(f"Flyway-{java_hash(f'`{self._table.schema or database}`.`{self._table.name}`')}")
        return self.advisory_lock(advisory_lock_key(self._table)) if self.on_postgresql else None

    def _versioned(
        self, applied: Sequence[Applied], migrations: Sequence[Migration], baseline: tuple[int, ...], faults: Faults
    ) -> list[Migration]:
        done = {_version(one.id) for one in applied if not one.id.startswith(REPEATABLE)}
        newest = max(done, default=())
        scripts = [one for one in migrations if one.id.startswith(BASELINE_SCRIPT)]
        pending: list[Migration] = []
        if scripts and not done:
            # A baseline script stands for everything up to its version, and only on an empty history.
            pending, baseline = [scripts[-1]], _version(scripts[-1].id)
        for migration in migrations:
            if migration.repeatable or migration.id.startswith(BASELINE_SCRIPT):
                continue
            version = version_key(migration.id)
            if version in done or version <= baseline:
                continue
            if version < newest and not flag(self.options, "out_of_order"):
                faults.found.append(
                    self.out_of_order(
                        migration,
                        ".".join(map(str, newest)),
                        why="Flyway: Detected resolved migration not applied to database",
                        hint="give it a later version, or set out_of_order = true (as flyway -outOfOrder=true)",
                    )
                )
            pending.append(migration)
        return pending

    def _refuse_failed(self, applied: Iterable[Applied], faults: Faults) -> None:
        faults.found += [
            self.failed(
                row,
                why="Flyway: Detected failed migration; it runs nothing more until the row is repaired",
                hint="clean up what the script left behind, then: flyway repair",
            )
            for row in applied
            if not row.ok
        ]

    def _refuse_changed(self, applied: Iterable[Applied], migrations: Sequence[Migration], faults: Faults) -> None:
        rows = {row.id: row for row in applied}
        for migration in migrations:
            row = rows.get(migration.id)
            if row is not None and not migration.repeatable and row.checksum and row.checksum != migration.checksum:
                faults.found.append(
                    SourceError(
                        "DF-E241",
                        f"the migration {migration.id} was changed after it had been applied",
                        where=migration.path,
                        why=f"Flyway: Migration checksum mismatch: applied {row.checksum}, now {migration.checksum}",
                        hint="undo the change in the file; if the change is meant: flyway repair",
                    )
                )

    def _refuse_missing(self, applied: Iterable[Applied], migrations: Sequence[Migration], faults: Faults) -> None:
        """An applied script that is gone; one newer than every file is another branch's, and Flyway lets it be."""
        there = {one.id for one in migrations}
        versions = [version_key(one.id) for one in migrations if not one.repeatable and not one.id.startswith(BASELINE_SCRIPT)]
        for row in applied:
            repeatable = row.id.startswith(REPEATABLE)
            if row.id in there or _is_baseline(row):
                continue
            if not repeatable and _version(row.id) > max(versions, default=()):
                continue
            faults.found.append(
                SourceError(
                    "DF-E243",
                    f"the migration {row.id} is applied, and its file is gone",
                    where=f"table {self._table}",
                    why="Flyway: Detected applied migration not resolved locally",
                    hint="bring the file back, or: flyway repair",
                )
            )


def advisory_lock_key(table: Name) -> int:
    return LOCK_BASE + java_hash(f'"{table.schema}"."{table.name}"')


def _version(id: str) -> tuple[int, ...]:
    return version_key(id.removeprefix(BASELINE_SCRIPT))


def _is_baseline(row: Applied) -> bool:
    return row.name.partition(":")[0] in {"BASELINE", "SQL_BASELINE"}


def _repeatable(applied: Sequence[Applied], migrations: Sequence[Migration]) -> list[Migration]:
    ran = {one.id: one.checksum for one in applied}
    return [one for one in migrations if one.repeatable and ran.get(one.id) != one.checksum]


def _key(kind: str, version: object, description: str, migrations: Sequence[Migration]) -> str:
    """The row's id: that of the file with an equal version (`1.0` and `1` are one), else the version as it stands."""
    if version is None:
        return REPEATABLE + description
    if kind == "SQL_BASELINE":
        return BASELINE_SCRIPT + str(version)
    key = version_key(str(version))
    for migration in migrations:
        if not migration.repeatable and not migration.id.startswith(BASELINE_SCRIPT) and version_key(migration.id) == key:
            return migration.id
    return str(version)


def _columns(*, integer: str, when: str, key: str = "") -> str:
    return (
        f'"installed_rank" INT NOT NULL{key}, "version" VARCHAR(50), "description" VARCHAR(200) NOT NULL, "type" VARCHAR(20) NOT NULL, '
        f'"script" VARCHAR(1000) NOT NULL, "checksum" {integer}, "installed_by" VARCHAR(100) NOT NULL, "installed_on" {when}, '
        f'"execution_time" {integer} NOT NULL, "success" BOOLEAN NOT NULL'
    )
