"""golang-migrate: `<version>_name.up.sql` and `.down.sql`, in numeric order, each file sent to the server as one string.

Source: golang-migrate v4, `source/parse.go`, `database/postgres`, `database/sqlite`, `database/util.go`, `database/multistmt`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration, Statement
from driftflow.model.record import LocalState, field, replace
from driftflow.model.tool_lock import ToolLock
from driftflow.patterns import lazy_regex
from driftflow.readers.base import Applied, SourceOptions, reader
from driftflow.readers.common import build, check_options, duplicate, flag, locate, names_in, nothing_found, of_file, shown_below
from driftflow.readers.files import Faults, SourceFile, list_folder, read_file
from driftflow.readers.ledger import TableLedger

NAME = lazy_regex(r"(?P<version>[0-9]+)_(?P<rest>.*)\.(?P<way>up|down)\.sql")
PLACES = ("migrations", "db/migrations", "db/migration")
LOCK_SALT = 1_486_364_155
VERSION_MAX = 2**63 - 1
_OPTIONS = {"multi_statement", "no_transaction_wrap"}
_BOM = "golang-migrate would send it to the server, which refuses it"


class _Pair(LocalState):
    up: tuple[Path, re.Match[str]] | None = None
    down: tuple[Path, re.Match[str]] | None = None
    twice: list[tuple[str, str]] = field(default_factory=list)


@reader("golang-migrate")
class GolangMigrateReader:
    """`migrations/000001_name.up.sql`."""

    name = "golang-migrate"

    def detect(self, folder: Path) -> bool:
        return locate(folder, PLACES, _fits) is not None

    def read(self, folder: Path, dialect: Dialect, options: SourceOptions) -> tuple[Migration, ...]:
        if folder.is_file():
            return of_file(self, folder, dialect, options)
        check_options(self.name, options, _OPTIONS)
        found = locate(folder, PLACES, _fits) or folder
        pairs = _pairs(list_folder(found, options.path))
        if not pairs:
            raise nothing_found(self.name, options.path, "file like 000001_name.up.sql")
        faults = Faults()
        migrations: list[Migration] = []
        for version, pair in sorted(pairs.items()):
            with faults.collect():
                _refuse_pair(version, pair, shown=lambda name: shown_below(options, folder, found, name))
                before = migrations[-1].id if migrations else ""
                migrations.append(_migration(version, pair, folder, found, dialect, options, before=before))
        faults.settle(options.path, migrations)
        return tuple(migrations)

    def ledger(self, dialect: Dialect, options: SourceOptions, *, schema: str = "") -> GolangMigrateLedger:
        return GolangMigrateLedger(dialect, options, schema=schema)


class GolangMigrateLedger(TableLedger):
    """`schema_migrations(version, dirty)`: one row in all, the newest version."""

    tool = "golang-migrate"
    default_table = "schema_migrations"
    written_on_mysql = True

    def create(self) -> tuple[str, ...]:
        if self.on_postgresql or self.on_mysql:
            return (f"CREATE TABLE IF NOT EXISTS {self.sql_table} (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)",)
        return (
            f"CREATE TABLE IF NOT EXISTS {self.sql_table} (version uint64,dirty bool)",
            f"CREATE UNIQUE INDEX IF NOT EXISTS version_unique ON {self.sql_table} (version)",
        )

    def applied(self, rows: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> tuple[Applied, ...]:
        """The one row, and every earlier file: the table does not say more, and golang-migrate counts them as done."""
        self.columns_expected(rows, needed={"version", "dirty"}, foreign={})
        if not rows:
            return ()
        version, dirty = int(rows[0]["version"]), bool(rows[0]["dirty"])
        earlier = tuple(Applied(id=one.id) for one in migrations if int(one.id) < version)
        return (*earlier, Applied(id=str(version), ok=not dirty))

    def pending(self, applied: Sequence[Applied], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
        if not applied:
            return tuple(migrations)
        current = applied[-1]
        if not current.ok:
            raise self.failed(
                current,
                why=f"golang-migrate: Dirty database version {current.id}. Fix and force version.",
                hint=f"repair the schema by hand, then: migrate force {current.id}",
            )
        if current.id not in {one.id for one in migrations}:
            raise SourceError(
                "DF-E243",
                f"the database is at version {current.id}, and there is no such file",
                where=f"table {self._table}",
                why=f"golang-migrate: no migration found for version {current.id}",
                hint="check out the branch that has it",
            )
        return tuple(one for one in migrations if int(one.id) > int(current.id))

    def refuse_skipped(self, wanted: Iterable[Migration], applied: Sequence[Applied]) -> None:
        """Raise SourceError (DF-E242) for a wanted migration below the current version.

        golang-migrate would skip it without a word: its table knows only the newest version. Nor can driftflow tell whether it ran.
        """
        for migration in wanted:
            if applied and int(migration.id) <= int(applied[-1].id):
                raise self.out_of_order(
                    migration,
                    applied[-1].id,
                    why="golang-migrate keeps only the newest version and skips earlier files silently",
                    hint=f"if it has not run yet, give it a version later than {applied[-1].id}",
                )

    def record(self, migration: Migration) -> tuple[str, ...]:
        # The tool uses TRUNCATE; DELETE leaves the same row, and does not lock out those who only read the version.
        return (f"DELETE FROM {self.sql_table}", self._insert(migration.id))

    def unrecord(self, migration: Migration) -> tuple[str, ...]:
        """Back to the version before, which the reader noted as what this one depends on."""
        return (f"DELETE FROM {self.sql_table}", *(self._insert(before) for before in migration.depends_on))

    def lock(self, database: str) -> ToolLock | None:
        """The advisory lock of the PostgreSQL driver; on SQLite it has only a flag in its own process.

        The driver hashes the database's name: as the path of a URL, slash included (*measured* with 4.20), or as the server says it where an
        application hands over a connection. Both locks are taken, or none.
        """
        if self.on_mysql:
            # Its key is one text there: the database, a colon, and the table.
            return self.named_lock(str(zlib.crc32(f"{database}:{self._table.name}".encode()) * LOCK_SALT % 2**32))
        if not self.on_postgresql:
            return None
        by_url, by_name = (advisory_lock_key(f"{slash}{database}", self._table.schema, self._table.name) for slash in ("/", ""))
        return ToolLock(
            tool=self.tool,
            acquire=(
                f"SELECT CASE WHEN NOT pg_try_advisory_lock({by_url}) THEN false "
                f"WHEN pg_try_advisory_lock({by_name}) THEN true ELSE NOT pg_advisory_unlock({by_url}) END"
            ),
            release=f"SELECT pg_advisory_unlock({by_name}) AND pg_advisory_unlock({by_url})",
        )

    def _insert(self, version: str) -> str:
        return f"INSERT INTO {self.sql_table} (version, dirty) VALUES ({int(version)}, {self.literal(False)})"


def advisory_lock_key(database: str, schema: str, table: str) -> int:
    """CRC-32 of the three names with NUL between, times a salt, in 32 bits."""
    return zlib.crc32(f"{schema}\0{table}\0{database}".encode()) * LOCK_SALT % 2**32


def blind_statements(text: str) -> int:
    """How many pieces `x-multi-statement=true` makes: it cuts at every `;`, also inside quotes and bodies."""
    return sum(1 for piece in text.split(";") if piece.strip())


def _fits(folder: Path) -> bool:
    names = [name for name in names_in(folder) if ".up." in name]
    return any((match := NAME.fullmatch(name)) and match["way"] == "up" for name in names)


def _pairs(entries: Sequence[Path]) -> dict[int, _Pair]:
    pairs: dict[int, _Pair] = {}
    for path in entries:
        if (match := NAME.fullmatch(path.name)) is None:
            continue
        pair = pairs.setdefault(int(match["version"]), _Pair())
        held = pair.up if match["way"] == "up" else pair.down
        if held is not None:
            pair.twice.append((held[0].name, path.name))
        elif match["way"] == "up":
            pair.up = (path, match)
        else:
            pair.down = (path, match)
    return pairs


def _refuse_pair(version: int, pair: _Pair, *, shown: Any) -> None:
    faults = [duplicate("golang-migrate", str(version), shown(first), shown(second)) for first, second in pair.twice]
    if version > VERSION_MAX:
        faults.append(_too_large(version, pair, shown=shown))
    if pair.up is None and pair.down is not None:
        faults.append(
            SourceError(
                "DF-E232",
                f"the migration {version} has a down file, but no up file",
                where=shown(pair.down[0].name),
                why="golang-migrate would stop when it comes to it",
                hint="add the .up.sql file, or remove the .down.sql file",
            )
        )
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise ExceptionGroup(f"{len(faults)} faults in version {version}", faults)


def _too_large(version: int, pair: _Pair, *, shown: Any) -> SourceError:
    held = pair.up or pair.down
    return SourceError(
        "DF-E227",
        f"the version {version} is too large",
        where=shown(held[0].name) if held else "",
        why="the version column is a bigint",
        hint="rename the file",
    )


def _migration(
    version: int, pair: _Pair, folder: Path, found: Path, dialect: Dialect, options: SourceOptions, *, before: str
) -> Migration:
    assert pair.up is not None
    path, match = pair.up
    file = read_file(path, shown_below(options, folder, found, path.name), bom=_BOM)
    statements = _split(file, dialect, options)
    down: tuple[Statement, ...] = ()
    if pair.down is not None:
        down = _split(read_file(pair.down[0], shown_below(options, folder, found, pair.down[0].name), bom=_BOM), dialect, options)
    migration = build(
        source="golang-migrate",
        id=str(version),
        name=match["rest"],
        file=file,
        dialect=dialect,
        order_key=(version,),
        statements=statements,
        down=down,
        transaction=_transaction(dialect, options),
    )
    return replace(migration, depends_on=(before,)) if before else migration


def _split(file: SourceFile, dialect: Dialect, options: SourceOptions) -> tuple[Statement, ...]:
    statements = dialect.split(file.piece())
    if flag(options, "multi_statement") and blind_statements(file.text) > len(statements):
        raise SourceError(
            "DF-E233",
            "golang-migrate would cut this file in the wrong places",
            where=file.shown,
            why="x-multi-statement=true cuts at every semicolon, also inside quotes, comments and function bodies",
            hint="turn it off for this source, or move such statements into a file of their own without it",
        )
    return statements


def _transaction(dialect: Dialect, options: SourceOptions) -> str:
    """PostgreSQL makes one transaction of one string; the SQLite drivers open one, unless told not to; the MySQL driver sends statements."""
    if dialect.name == "postgresql":
        return "none" if flag(options, "multi_statement") else "implicit"
    if dialect.name in ("mysql", "mariadb"):
        return "none"
    return "none" if flag(options, "no_transaction_wrap") else "single"
