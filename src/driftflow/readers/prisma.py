"""Prisma Migrate (versions 5 to 7): `prisma/migrations/<timestamp>_name/migration.sql`, in the order of folder names, no down part.

Source: prisma-engines `schema-connector/src/migrations_directory.rs`, `sql-schema-connector/src/flavour`, `commands/apply_migrations.rs`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration, Statement
from driftflow.model.tool_lock import ToolLock
from driftflow.patterns import lazy_regex
from driftflow.readers.base import Applied, SourceOptions, reader
from driftflow.readers.common import (
    build,
    check_options,
    flag,
    folders_holding,
    locate,
    nothing_found,
    of_file,
    settings_in,
    shown_below,
)
from driftflow.readers.files import Faults, list_folder, read_file
from driftflow.readers.ledger import TableLedger

PLACES = ("prisma/migrations", "migrations")
SCRIPT = "migration.sql"
LOCK_FILE = "migration_lock.toml"
LOCK_KEY = 72_707_369
_CONCURRENTLY = lazy_regex(r"\bconcurrently\b", re.IGNORECASE)
_BOM = "Prisma would send it to the server, which refuses it"
_PROVIDERS: Mapping[str, str] = {"postgresql": "postgresql", "postgres": "postgresql", "sqlite": "sqlite"}


@reader("prisma")
class PrismaReader:
    """`prisma/migrations/20240101120000_name/migration.sql` beside `migration_lock.toml`."""

    name = "prisma"

    def detect(self, folder: Path) -> bool:
        return locate(folder, PLACES, lambda one: (one / LOCK_FILE).is_file(), above=2) is not None

    def read(self, folder: Path, dialect: Dialect, options: SourceOptions) -> tuple[Migration, ...]:
        if folder.is_file():
            return of_file(self, folder, dialect, options, above=2)
        check_options(self.name, options, {"splits_concurrently"})
        found = locate(folder, PLACES, _fits) or folder
        folders = [one for one in list_folder(found, options.path) if one.is_dir()]
        if not folders:
            raise nothing_found(self.name, options.path, f"folder like 20240101120000_name with a {SCRIPT}")
        faults = Faults()
        with faults.collect():
            _check_provider(found / LOCK_FILE, shown_below(options, folder, found, LOCK_FILE), dialect)
        migrations = []
        for one in folders:
            with faults.collect():
                migrations.append(_migration(one, shown_below(options, folder, found, one.name), dialect, options))
        faults.settle(options.path, migrations)
        return tuple(migrations)

    def ledger(self, dialect: Dialect, options: SourceOptions, *, schema: str = "") -> PrismaLedger:
        return PrismaLedger(dialect, options, schema=schema)


class PrismaLedger(TableLedger):
    """`_prisma_migrations`: one row for each attempt, with the SHA-256 of the script."""

    tool = "prisma"
    default_table = "_prisma_migrations"
    written_on_mysql = True

    def create(self) -> tuple[str, ...]:
        if self.on_mysql:
            columns = (
                "id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at DATETIME(3), "
                "migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at DATETIME(3), "
                "started_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0"
            )
            charset = "DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
            return (f"CREATE TABLE IF NOT EXISTS {self.sql_table} ({columns}) {charset}",)
        if self.on_postgresql:
            columns = (
                "id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ, "
                "migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ, "
                "started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0"
            )
        else:
            columns = (
                '"id" TEXT PRIMARY KEY NOT NULL, "checksum" TEXT NOT NULL, "finished_at" DATETIME, "migration_name" TEXT NOT NULL, '
                '"logs" TEXT, "rolled_back_at" DATETIME, "started_at" DATETIME NOT NULL DEFAULT current_timestamp, '
                '"applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0'
            )
        return (f"CREATE TABLE IF NOT EXISTS {self.sql_table} ({columns})",)

    def applied_query(self) -> str:
        return f"SELECT * FROM {self.sql_table} ORDER BY started_at"

    def applied(self, rows: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> tuple[Applied, ...]:
        """Finished rows, and those that neither finished nor were rolled back (failed); a rolled back row is as if it were not there."""
        self.columns_expected(rows, needed={"migration_name", "finished_at", "rolled_back_at"}, foreign={})
        return tuple(
            Applied(
                id=str(row["migration_name"]),
                checksum=str(row["checksum"]),
                ok=row["finished_at"] is not None,
                at=str(row["finished_at"] or row["started_at"]),
            )
            for row in rows
            if row["rolled_back_at"] is None
        )

    def pending(self, applied: Sequence[Applied], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
        faults = Faults()
        faults.found += [
            self.failed(
                row,
                why="Prisma: P3009, migrate found failed migrations in the target database; new ones will not be applied",
                hint=f"prisma migrate resolve --rolled-back {row.id} (or --applied)",
            )
            for row in applied
            if not row.ok
        ]
        faults.settle(str(self._table))
        return self.not_yet(applied, migrations)

    def record(self, migration: Migration) -> tuple[str, ...]:
        values = ", ".join((self._id, self.literal(migration.checksum), self._now, self.literal(migration.id), self._now, "1"))
        columns = "id, checksum, finished_at, migration_name, started_at, applied_steps_count"
        return (f"INSERT INTO {self.sql_table} ({columns}) VALUES ({values})",)

    def unrecord(self, migration: Migration) -> tuple[str, ...]:
        """Marked as rolled back, as `prisma migrate resolve --rolled-back` does: the row stays as history."""
        name = self.literal(migration.id)
        return (
            f"UPDATE {self.sql_table} SET rolled_back_at = {self._now} WHERE migration_name = {name} AND rolled_back_at IS NULL",
        )

    def lock(self, database: str) -> ToolLock | None:
        if self.on_mysql:
            return self.named_lock("prisma_migrate")
        return self.advisory_lock(LOCK_KEY) if self.on_postgresql else None

    @property
    def _id(self) -> str:
        """A random UUID, made by the server: a plan must not carry chance."""
        if self.on_mysql:
            return "UUID()"
        if self.on_postgresql:
            return "gen_random_uuid()::text"
        parts = ("hex(randomblob(4))", "hex(randomblob(2))", "'4' || substr(hex(randomblob(2)), 2)")
        variant = "substr('89ab', 1 + (abs(random()) % 4), 1) || substr(hex(randomblob(2)), 2)"
        return "lower(" + " || '-' || ".join((*parts, variant, "hex(randomblob(6))")) + ")"

    @property
    def _now(self) -> str:
        if self.on_mysql:
            return "UTC_TIMESTAMP(3)"
        # On SQLite the engine stores milliseconds since 1970 as an integer.
        return "now()" if self.on_postgresql else "CAST(strftime('%s', 'now') AS INTEGER) * 1000"


def _fits(folder: Path) -> bool:
    return (folder / LOCK_FILE).is_file() or any("_" in name for name in folders_holding(folder, SCRIPT))


def _check_provider(path: Path, shown: str, dialect: Dialect) -> None:
    """Raise SourceError (DF-E235) when the migrations were made for another database."""
    if not path.is_file():
        return
    provider = str(settings_in(path, shown).get("provider", ""))
    served = {"", dialect.name, *(["mysql"] if dialect.name == "mariadb" else ())}  # Prisma calls both mysql
    if _PROVIDERS.get(provider, provider) not in served:
        raise SourceError(
            "DF-E235",
            f"these migrations are for {provider}, not for {dialect.name}",
            where=shown,
            why=f'it says provider = "{provider}"',
            hint="correct dialect in [sources.NAME] of driftflow.toml",
        )


def _migration(folder: Path, shown: str, dialect: Dialect, options: SourceOptions) -> Migration:
    path = folder / SCRIPT
    if not path.is_file():
        raise SourceError(
            "DF-E232",
            f"the migration {folder.name} has no {SCRIPT}",
            where=shown,
            why=f"Prisma: P3015, could not find the migration file at {SCRIPT}",
            hint="restore the file, or remove the folder",
        )
    file = read_file(path, f"{shown}/{SCRIPT}", bom=_BOM)
    statements = dialect.split(file.piece())
    return build(
        source="prisma",
        id=folder.name,
        name=folder.name.partition("_")[2],
        file=file,
        dialect=dialect,
        order_key=(folder.name,),
        statements=statements,
        transaction=_transaction(statements, dialect, options),
    )


def _transaction(statements: Sequence[Statement], dialect: Dialect, options: SourceOptions) -> str:
    """A script is sent as one string. Prisma 7.4 and later (the option `splits_concurrently`) sends one with CONCURRENTLY piece by piece."""
    if dialect.name != "postgresql":
        return "none"
    pieces = flag(options, "splits_concurrently") and any(_CONCURRENTLY.search(one.sql) for one in statements)
    return "none" if pieces else "implicit"
