"""diesel: `migrations/<version>_name/up.sql`, `down.sql`, `metadata.toml`, in the order of versions.

Source: diesel `migrations_internals` (version: the name before the first underscore, dashes removed), `diesel_migrations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration, Statement
from driftflow.readers.base import Applied, SourceOptions, reader
from driftflow.readers.common import (
    build,
    check_options,
    folders_holding,
    locate,
    nothing_found,
    of_file,
    refuse_duplicates,
    settings_in,
    shown_below,
)
from driftflow.readers.files import Faults, SourceFile, list_folder, read_file
from driftflow.readers.ledger import TableLedger

PLACES = ("migrations",)
UP, DOWN, METADATA = "up.sql", "down.sql", "metadata.toml"
_BOM = "diesel would send it to the server, which refuses it"


@reader("diesel")
class DieselReader:
    """`migrations/2024-01-01-120000_name/up.sql`."""

    name = "diesel"

    def detect(self, folder: Path) -> bool:
        return locate(folder, PLACES, _fits, above=2) is not None

    def read(self, folder: Path, dialect: Dialect, options: SourceOptions) -> tuple[Migration, ...]:
        if folder.is_file():
            return of_file(self, folder, dialect, options, above=2)
        check_options(self.name, options, ())
        found = locate(folder, PLACES, _fits) or folder
        folders = [one for one in list_folder(found, options.path) if one.is_dir()]
        if not folders:
            raise nothing_found(self.name, options.path, f"folder like 2024-01-01-120000_name with an {UP}")
        faults = Faults()
        migrations: list[Migration] = []
        for one in folders:
            with faults.collect():
                migrations.append(_migration(one, shown_below(options, folder, found, one.name), dialect))
        migrations.sort(key=lambda one: one.order_key)
        faults.found += refuse_duplicates(self.name, migrations)
        faults.settle(options.path, migrations)
        return tuple(migrations)

    def ledger(self, dialect: Dialect, options: SourceOptions, *, schema: str = "") -> DieselLedger:
        return DieselLedger(dialect, options, schema=schema)


class DieselLedger(TableLedger):
    """`__diesel_schema_migrations(version, run_on)`: no checksum, no lock; whatever is in no row is pending."""

    tool = "diesel"
    default_table = "__diesel_schema_migrations"
    written_on_mysql = True

    def create(self) -> tuple[str, ...]:
        columns = "version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"
        return (f"CREATE TABLE IF NOT EXISTS {self.sql_table} ({columns})",)

    def applied_query(self) -> str:
        return f"SELECT * FROM {self.sql_table} ORDER BY version"

    def applied(self, rows: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> tuple[Applied, ...]:
        self.columns_expected(rows, needed={"version", "run_on"}, foreign={})
        return tuple(Applied(id=str(row["version"]), at=str(row["run_on"])) for row in rows)

    def pending(self, applied: Sequence[Applied], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
        return self.not_yet(applied, migrations)

    def record(self, migration: Migration) -> tuple[str, ...]:
        return (f"INSERT INTO {self.sql_table} (version) VALUES ({self.literal(migration.id)})",)

    def unrecord(self, migration: Migration) -> tuple[str, ...]:
        return (f"DELETE FROM {self.sql_table} WHERE version = {self.literal(migration.id)}",)


def version_of(folder_name: str) -> str:
    return folder_name.partition("_")[0].replace("-", "")


def _fits(folder: Path) -> bool:
    return any("_" in name for name in folders_holding(folder, UP))


def _migration(folder: Path, shown: str, dialect: Dialect) -> Migration:
    if not (folder / UP).is_file():
        raise SourceError(
            "DF-E232",
            f"the folder {folder.name} has no {UP}",
            where=shown,
            why="diesel: unable to find migration version / unknown migration format",
            hint=f"add {UP}, or move the folder elsewhere",
        )
    up = read_file(folder / UP, f"{shown}/{UP}", bom=_BOM)
    _refuse_empty(up)
    down = read_file(folder / DOWN, f"{shown}/{DOWN}", bom=_BOM) if (folder / DOWN).is_file() else None
    statements = dialect.split(up.piece())
    return build(
        source="diesel",
        id=version_of(folder.name),
        name=folder.name.partition("_")[2],
        file=up,
        dialect=dialect,
        order_key=(version_of(folder.name),),
        statements=statements,
        down=dialect.split(down.piece()) if down is not None else (),
        transaction=_transaction(folder, shown, statements, dialect),
    )


def _refuse_empty(file: SourceFile) -> None:
    if not file.data:
        raise SourceError(
            "DF-E221",
            "the migration is empty",
            where=file.shown,
            why="diesel refuses to run an empty file",
            hint="write the migration, or delete its folder",
        )


def _transaction(folder: Path, shown: str, statements: Sequence[Statement], dialect: Dialect) -> str:
    """A transaction unless metadata.toml says no; a metadata.toml that does not speak of it says no (diesel: a missing bool is false)."""
    path = folder / METADATA
    if not path.is_file():
        return "single"
    if settings_in(path, f"{shown}/{METADATA}", tool="; diesel would ignore it without a word").get("run_in_transaction", False):
        return "single"
    return "implicit" if dialect.name == "postgresql" and len(statements) > 1 else "none"
