"""What the version tables of all tools have in common: a name, quoting, and the words for refusing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.model.names import Name
from driftflow.model.tool_lock import ToolLock
from driftflow.readers.base import Applied, SourceOptions


class TableLedger:
    """A tool's version table. Subclasses say its columns, its rows, and what the tool refuses."""

    tool: str = ""
    default_table: str = ""
    written_on_mysql: bool = False
    """Whether its form on MySQL and MariaDB is known: what the tool itself makes and writes there."""

    def __init__(self, dialect: Dialect, options: SourceOptions, *, schema: str = "") -> None:
        self.dialect = dialect
        self.options = options
        self.schema = schema or ("public" if self.on_postgresql else "" if self.on_mysql else "main")
        self._table = self.named(options.table or self.default_table)

    @property
    def on_postgresql(self) -> bool:
        return self.dialect.name == "postgresql"

    @property
    def on_mysql(self) -> bool:
        """MySQL and MariaDB: every statement of `create` commits by itself."""
        return self.dialect.one_pass

    @property
    def table(self) -> Name:
        return self._table

    def named(self, text: str) -> Name:
        """`table` in the current schema, or `schema.table`."""
        schema, dot, name = text.rpartition(".")
        return Name(schema=schema if dot else self.schema, name=name)

    @property
    def sql_table(self) -> str:
        """The table's name as SQL. On SQLite without `main.`, so that the stored CREATE TABLE reads as the tool writes it; on MySQL without the
        database that the session is in."""
        if self.on_mysql and self._table.schema != self.schema:
            return self.dialect.quote_name(self._table)
        return self.dialect.quote_name(self._table) if self.on_postgresql else self.quoted(self._table.name)

    def quoted(self, identifier: str) -> str:
        mark = "`" if self.on_mysql else '"'
        return mark + identifier.replace(mark, mark * 2) + mark

    def literal(self, value: str | int | bool | None) -> str:
        return self.dialect.literal(value)

    def applied_query(self) -> str:
        return f"SELECT * FROM {self.sql_table}"

    def applied(self, rows: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> tuple[Applied, ...]:
        return tuple(Applied(id=str(row["version"])) for row in rows)

    def lock(self, database: str) -> ToolLock | None:
        """None: the tool takes no lock."""
        return None

    def fitted(self, migrations: Sequence[Migration]) -> Self:
        """The same table for every generation of the tool."""
        return self

    def advisory_lock(self, key: int) -> ToolLock:
        """The tool's own PostgreSQL advisory lock, asked for without waiting."""
        return ToolLock(
            tool=self.tool,
            acquire=f"SELECT pg_try_advisory_lock({key})",
            release=f"SELECT pg_advisory_unlock({key})",
        )

    def named_lock(self, name: str) -> ToolLock:
        """The tool's own named lock of MySQL, asked for without waiting."""
        text = self.literal(name)
        return ToolLock(tool=self.tool, acquire=f"SELECT GET_LOCK({text}, 0)", release=f"SELECT RELEASE_LOCK({text})")

    def columns_expected(self, rows: Sequence[Mapping[str, Any]], *, needed: Iterable[str], foreign: Mapping[str, str]) -> None:
        """Raise SourceError (DF-E244) when the table is another tool's: several tools call theirs schema_migrations."""
        if not rows:
            return
        columns = set(rows[0])
        owner = next((tool for column, tool in foreign.items() if column in columns), "")
        missing = sorted(set(needed) - columns)
        if owner or missing:
            raise SourceError(
                "DF-E244",
                f"the table {self._table} is not {self.tool}'s",
                where=f"table {self._table}, columns {', '.join(sorted(columns))}",
                why=f"it looks like {owner}'s" if owner else f"the column {missing[0]} is missing",
                hint="set tool (and table) in [sources.NAME] of driftflow.toml",
            )

    def not_yet(self, applied: Iterable[Applied], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
        """The migrations whose id is in no row, in order."""
        done = {one.id for one in applied if one.ok}
        return tuple(one for one in migrations if one.id not in done)

    def failed(self, row: Applied, *, why: str, hint: str) -> SourceError:
        return SourceError(
            "DF-E240", f"{self.tool} marks the migration {row.id} as failed", where=f"table {self._table}", why=why, hint=hint
        )

    def out_of_order(self, migration: Migration, newest: str, *, why: str, hint: str) -> SourceError:
        return SourceError(
            "DF-E242",
            f"the migration {migration.id} comes before {newest}, which is already applied",
            where=migration.path,
            why=why,
            hint=hint,
        )
