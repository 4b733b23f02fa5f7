"""The questions that every vendor answers. Text and rows in, records out: no dialect opens a connection.

Checks and strategies ask these questions and never compare a vendor's name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar

from driftflow.dialects.exact import Exact
from driftflow.dialects.lacking import Lack
from driftflow.dialects.source_text import SourceText
from driftflow.model.catalog import Catalog, Column
from driftflow.model.effects import Effects, LockClaim
from driftflow.model.migration import Statement
from driftflow.model.names import Name, Version
from driftflow.model.operations import Operation, RequestAlgorithm

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""What a driver read: one list of rows (column name to value) per catalog query."""


class Capability(StrEnum):
    """What a server may or may not be able to do, by version. `Dialect.can` answers; unknown version means the oldest supported one."""

    TRANSACTIONAL_DDL = "transactional_ddl"
    CONCURRENT_INDEX = "concurrent_index"
    NOT_VALID_CONSTRAINT = "not_valid_constraint"
    NOT_NULL_FROM_CHECK = "not_null_from_check"
    NOT_VALID_NOT_NULL = "not_valid_not_null"
    FAST_CONSTANT_DEFAULT = "fast_constant_default"
    STORED_GENERATED_COLUMN = "stored_generated_column"
    VIRTUAL_GENERATED_COLUMN = "virtual_generated_column"
    DROP_COLUMN = "drop_column"
    RENAME_COLUMN = "rename_column"
    ROW_SECURITY = "row_security"
    UNIQUE_USING_INDEX = "unique_using_index"
    PARTIAL_INDEX = "partial_index"
    EXPRESSION_INDEX = "expression_index"
    DEFERRABLE_CONSTRAINT = "deferrable_constraint"
    MATCH_FULL = "match_full"
    """A foreign key says MATCH FULL and is held to it; elsewhere the words are read, and forgotten."""
    DETACH_CONCURRENTLY = "detach_concurrently"
    BEFORE_ROW_TRIGGER_ON_PARENT = "before_row_trigger_on_parent"
    """A partitioned table takes BEFORE row triggers, for all its partitions (PostgreSQL 13)."""
    NULLS_NOT_DISTINCT = "nulls_not_distinct"
    TABLE_REBUILD_ONLY = "table_rebuild_only"
    """ALTER TABLE can do so little that most changes copy the table (SQLite)."""
    SINGLE_WRITER = "single_writer"
    """One writer per database at a time (SQLite)."""
    UPDATE_FROM = "update_from"
    REPLICA_ROLE = "replica_role"
    """A transaction may say that it replicates; then triggers do not fire for it, and for it alone (PostgreSQL)."""
    PARAMETER_PRIVILEGE = "parameter_privilege"
    """The right to SET one parameter can be granted (PostgreSQL 15)."""
    CASCADE_FIRES_TRIGGERS = "cascade_fires_triggers"
    """What a foreign key's action changes fires the triggers of its table."""
    JSON_TABLE = "json_table"
    """JSON_TABLE over a text, which a trigger may ask (MariaDB)."""
    JSON_SCHEMA_VALID = "json_schema_valid"
    """The function of that name, which a CHECK may call (MySQL 8.0.17, MariaDB 11.1)."""
    LOCK_NOWAIT = "lock_nowait"
    """A locking read may say that it waits for no row (FOR UPDATE NOWAIT)."""
    JOINED_UPDATE = "joined_update"
    """UPDATE and DELETE name several tables; a subquery in their WHERE would be carried out for every row of the table (MySQL, MariaDB)."""
    ENUM_TYPE = "enum_type"
    ENUM_BY_NUMBER = "enum_by_number"
    """An `enum` or `set` is ordered by number and compared as text, so that no range of its values holds the rows between two of them (MySQL, MariaDB)."""
    TRIGGER_WARNS = "trigger_warns"
    """A trigger may warn the client and let the statement go on (PostgreSQL's RAISE WARNING)."""
    INVISIBLE_COLUMN = "invisible_column"
    HIDDEN_INDEX = "hidden_index"
    """An index that is kept up to date and that no query uses (MySQL 8.0 INVISIBLE, MariaDB 10.6 IGNORED)."""
    QUERY_STATISTICS = "query_statistics"
    """pg_stat_statements, which says since when it counts and whether it forgot something."""
    QUERY_DIGESTS = "query_digests"
    """performance_schema's digests of statements, each with when it was last seen."""
    SET_INVISIBLE = "set_invisible"
    """ALTER COLUMN ... SET INVISIBLE (MySQL); elsewhere the column is defined anew (MariaDB)."""
    CHECK_NAMES_OF_SCHEMA = "check_names_of_schema"
    """The name of a CHECK is unique among those of all tables (MySQL)."""
    TIMESTAMP_BY_SESSION = "timestamp_by_session"
    """A TIMESTAMP that is written from another one goes through the session's time zone, and moves by an hour where clocks go back (MySQL)."""
    SELF_REFERENCE_STAYS = "self_reference_stays"
    """With foreign_key_checks off one statement may change the type of both ends of a table's foreign key to itself (MySQL)."""
    TRIGGER_LOCKS_PARENTS = "trigger_locks_parents"
    """CREATE TRIGGER and DROP TRIGGER wait for who writes what the table's foreign keys point at too (MariaDB)."""
    TRIGGER_LOCK_GROWS = "trigger_lock_grows"
    """CREATE TRIGGER and DROP TRIGGER take one lock and a stronger one a moment later, no lock can be asked for without waiting, and who holds one is seen (MySQL)."""
    STALE_TRIGGER_TABLES = "stale_trigger_tables"
    """A statement that has to start over opens the tables that a table's triggers wrote at its first attempt, whatever triggers there are by then (MariaDB)."""
    REPLACE_KEEPS_REFERENCED = "replace_keeps_referenced"
    """REPLACE deletes a row, with its triggers, but for foreign keys it changes it, where innodb_native_foreign_keys is off (MySQL)."""
    UPDATABLE_VIEW = "updatable_view"
    """A view of one table's columns can be written through."""
    SEQUENCE = "sequence"
    """CREATE SEQUENCE."""
    RENAME_TOGETHER = "rename_together"
    """Several relations, views among them, change their names in one statement (MySQL, MariaDB)."""
    SECURITY_INVOKER_VIEW = "security_invoker_view"
    """A view can look with the rights, and under the policies, of whoever asks."""


class ErrorKind(StrEnum):
    """What a server's error means to the engine."""

    LOCK_TIMEOUT = "lock_timeout"
    DEADLOCK = "deadlock"
    SERIALIZATION = "serialization"
    STATEMENT_TIMEOUT = "statement_timeout"
    CANCELLED = "cancelled"
    CONNECTION_LOST = "connection_lost"
    RIGHTS = "rights"
    DUPLICATE = "duplicate"
    CONSTRAINT = "constraint"
    SYNTAX = "syntax"
    DISK_FULL = "disk_full"
    READ_ONLY = "read_only"
    OTHER = "other"

    @property
    def retryable(self) -> bool:
        """Whether the same transaction may simply be tried again."""
        return self in {ErrorKind.LOCK_TIMEOUT, ErrorKind.DEADLOCK, ErrorKind.SERIALIZATION}


class Dialect(ABC):
    """One vendor. Stateless; every answer that depends on the server takes its version (None: unknown)."""

    name: ClassVar[str]
    versions: ClassVar[tuple[Version, Version]]
    """The oldest and the newest supported version."""
    since: ClassVar[Mapping[Capability, Version]]
    """The first version that can; without an entry none does."""
    booleans: ClassVar[tuple[str, str]] = ("FALSE", "TRUE")
    default_schema: ClassVar[str] = "public"
    """Where an unqualified name goes when nothing else is said."""
    one_pass: ClassVar[bool] = False
    """Whether the server carries out all clauses of an ALTER TABLE in one pass, so that one algorithm must serve all of them (MySQL)."""
    clauses_matter: ClassVar[bool] = False
    """Whether what a clause of a statement does depends on the others: then `together` is asked."""

    # text

    @abstractmethod
    def split(self, source: SourceText) -> tuple[Statement, ...]:
        """Cut a file into statements, with spans and directives, not yet parsed. Raises ParseError where the splitter must (an unterminated
        quote, NUL), with file, line and column."""

    @abstractmethod
    def parse(self, statement: Statement) -> Statement:
        """The statement with its operations. Raises ParseError where the server's own grammar rejects it; what only our reading does not
        understand becomes RawSql with the reason."""

    @abstractmethod
    def render(self, *operations: Operation) -> str:
        """The operations as one statement, without terminator. Several are allowed only where the server can combine them (ALTER TABLE).
        Raises ValueError when they cannot be combined."""

    def render_for(self, catalog: Catalog, *operations: Operation) -> str:
        """The same for the database that the statement finds: what a column has from its table is not said of the column."""
        return self.render(*operations)

    @abstractmethod
    def quote(self, identifier: str) -> str:
        """The identifier as SQL, quoted only where needed."""

    @abstractmethod
    def quote_name(self, name: Name) -> str: ...

    def literal(self, value: str | int | bool | None) -> str:
        """The value as SQL."""
        match value:
            case None:
                return "NULL"
            case bool():
                return self.booleans[value]
            case int():
                return str(value)
            case str():
                return self.quote_text(value)

    def differs(self, left: str, right: str) -> str:
        """A condition: two values are not the same, where two NULLs are."""
        return f"{left} IS DISTINCT FROM {right}"

    def differs_exactly(self, left: str, right: str, column: Column) -> str:
        """The same to the letter, whatever the collation of the column that both come from holds for equal."""
        return self.differs(left, right)

    @abstractmethod
    def exact(self) -> Exact:
        """How values are compared as a program compares them."""

    def check_refusal(self, table: Name, constraint: str) -> str:
        """The statement by which a trigger's body refuses a row as the CHECK of that name would; empty where a body cannot say it in one."""
        return ""

    @abstractmethod
    def quote_text(self, text: str) -> str:
        """The text as a string literal."""

    @abstractmethod
    def fold(self, identifier: str) -> str:
        """An unquoted identifier as the server stores it."""

    @abstractmethod
    def normal_expression(self, expression: str) -> str:
        """One spelling for equal expressions: white space, case of keywords, needless parentheses. Unparsable text comes back as it is."""

    @abstractmethod
    def normal_type(self, type: str) -> str:
        """The server's own spelling (`int4` → `integer`)."""

    # meaning

    @abstractmethod
    def resolve(self, operation: Operation, catalog: Catalog) -> Operation:
        """Everything implicit made explicit: schema, constraint and index names, referenced columns, owned sequences, LIKE."""

    @abstractmethod
    def effects(self, operation: Operation, catalog: Catalog, *, version: Version | None = None) -> Effects:
        """What the (resolved) operation locks, does, loses and breaks on this catalog. `version` defaults to the catalog's."""

    def together(
        self, operations: Sequence[Operation], catalogs: Sequence[Catalog], *, version: Version | None = None
    ) -> tuple[Effects, ...]:
        """The effects of the (resolved) operations of one statement, one record each; `catalogs` are what each of them finds.

        Where clauses matter to each other (`clauses_matter`) the answer is the statement's: on MySQL the weakest algorithm wins for all of them.
        On PostgreSQL the strongest lock does. Elsewhere each clause does what it does alone.
        """
        return tuple(
            self.effects(operation, catalog, version=version) for operation, catalog in zip(operations, catalogs, strict=True)
        )

    def altered_table(self, operation: Operation) -> Name | None:
        """The table whose ALTER the operation is a clause of, where the server carries out all clauses in one pass."""
        return None

    def held_to(self, operations: Sequence[Operation], effects: Effects, catalog: Catalog) -> RequestAlgorithm | None:
        """What the statement of these operations says so that the server refuses it, instead of doing more than `effects` foretells. None where
        a server has no words for that, or the statement none."""
        return None

    def implicit_default(self, column: Column, version: Version | None) -> str:
        """What the server silently puts into old rows when a NOT NULL column is added without a default, as a literal; empty where it refuses
        that, or the column takes no such default."""
        return ""

    def trigger_obstacles(self, table: Name, version: Version | None) -> tuple[tuple[str, str], ...]:
        """What may stand in the way of CREATE TRIGGER beside the right to alter the table: (query that counts it, sentence)."""
        return ()

    def function_obstacles(self, sql: str, version: Version | None) -> tuple[tuple[str, str], ...]:
        """The same of this CREATE FUNCTION."""
        return ()

    def locked_with(self, tables: Sequence[Name], catalog: Catalog) -> tuple[str, tuple[LockClaim, ...]]:
        """LOCK TABLES of the tables and of all that the server locks with it, and what that takes; nothing where that is not known, or too much."""
        return "", ()

    def lacking(self, sql: str) -> Lack | None:
        """Of a statement that the dialect does not read: what it asks for that the server does not have, where that is known."""
        return None

    def read_otherwise(self, statement: Statement, sql_mode: str) -> Lack | None:
        """What of the statement's text a session under this sql_mode reads otherwise than `parse` did."""
        return None

    def overlooks(self, operation: Operation, catalog: Catalog) -> bool:
        """Whether the clause drops a constraint in words that the server passes over, and says nothing, where the statement copies the table."""
        return False

    def lacking_rights(self, table: Name, rights: Sequence[str], version: Version | None) -> tuple[tuple[str, str], ...]:
        """The same of rights on the table's database; `GRANT OPTION` is the right to give others what one has."""
        return ()

    def rights_left(
        self, table: Name, user: str, host: str, version: Version | None, *, besides: Sequence[tuple[str, str]] = ()
    ) -> str:
        """A query that counts by how many rights an account can read or change the table, or undo what stands before it: on everything, on the
        database, through a role, and on the table itself, where they are not those of `besides` (user, host). Empty where nobody needs to ask."""
        return ""

    def more_children(self, tables: Sequence[Name]) -> tuple[tuple[str, str], ...]:
        """Whether foreign keys of others than these point at the first of them: (query that counts them, sentence)."""
        return ()

    def unfit(self, old: Column, new: Column, value: str) -> list[tuple[str, str]]:
        """(condition, what such a value is) for values of the old column, spelled `value`, that the new definition does not hold unchanged. Nothing
        where all fit, or where the server itself refuses such values whatever its settings are."""
        return []

    def keeps(self, old: Column, new: Column) -> bool:
        """Whether every old value that the new column holds comes back from there the same."""
        return old.type == new.type

    def assigns(self, old: str, new: str, catalog: Catalog, version: Version | None) -> bool:
        """Whether a value of the one type is assigned to a column of the other without a written cast: then a default goes on as it is spelled."""
        return True

    def conversion(self, old: Column, new: Column, value: str, *, zone: str, format: str, encoding: str) -> tuple[str, str]:
        """(there, back): how a value of the old column becomes one of the new column by a named time zone, format or encoding, and the old value over
        the new one, both spelled `value`. Empty where these words say nothing about these types, or the server has no expression for them."""
        return "", ""

    def unknown_zone(self, zone: str) -> str:
        """A query whose one number says that the server does not know the zone; empty where there is nothing to ask."""
        return ""

    def out_of_reach(self, old: Column, new: Column, value: str, *, zone: str, format: str) -> str:
        """A condition: a moment that the zone, or the new column, does not have; empty where none is known."""
        return ""

    def comes_twice(self, old: Column, new: Column, value: str, *, zone: str, format: str) -> str:
        """A condition: a value whose local time in the zone is that of two moments; empty where none can be."""
        return ""

    def mapped(self, pairs: Mapping[str, str], value: str) -> str:
        """The value, or what takes its place."""
        return value

    def members(self, column: Column) -> tuple[str, ...]:
        """The values that an enum lists; none for any other type."""
        return ()

    def cut(self, new: Column, value: str) -> str:
        """What the column holds of a value that is too long or too large for it; empty where nothing can be cut."""
        return ""

    def decoded(self, column: Column, value: str) -> str:
        """What a text of the column that was encoded twice was meant to be, and every other one as it is."""
        return value

    def mojibake(self, column: Column, value: str) -> str:
        """A condition: the text was encoded twice (UTF-8 whose bytes were taken for characters). Empty where that is not asked."""
        return ""

    def strict(self, sql_mode: str) -> Mapping[str, str]:
        """Settings under which the server refuses a value that it would change silently under this sql_mode; empty where it refuses anyway."""
        return {}

    def as_stored(self, column: Column, value: str) -> str:
        """The value as the column would compare it, where that is not plain: its character set and collation."""
        return value

    def held_rows(self, version: Version | None, *, exclusive: bool = False, waiting: bool = False) -> str:
        """What stands behind a SELECT so that the rows it reads are locked at once, or the statement fails (or `waiting` for them); empty where nothing of
        the kind is needed, or known."""
        return ""

    def can(self, capability: Capability, version: Version | None = None) -> bool:
        """Whether a server of that version can; unknown counts as the oldest supported one, a capability that is not listed as no."""
        first = self.since.get(capability)
        return first is not None and (version or self.versions[0]) >= first

    @abstractmethod
    def error_kind(self, code: str) -> ErrorKind:
        """`code` is the SQLSTATE, or SQLite's extended error name."""

    @abstractmethod
    def catalog(self, rows: Rows) -> Catalog:
        """The catalog from what the driver read."""

    @abstractmethod
    def volatile(self, expression: str, catalog: Catalog) -> bool:
        """Whether the expression may give another value for each row (`gen_random_uuid()`); an unknown function counts as volatile."""
