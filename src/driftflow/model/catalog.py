"""The structure of one database as a value: what is there, how big it is, and (through operations' `after`) what it becomes.

Keys of the mappings are `Name.text` (`public.orders`); `Catalog.after(operation)` takes *resolved* operations only and costs the change,
not the catalog. Statistics are facts about a moment and take no part in fingerprints or digests.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from driftflow.model.names import Name, Version
from driftflow.model.record import Record, digest, replace
from driftflow.model.versioned import Key, Links, Versioned, having_link
from driftflow.patterns import lazy_regex

if TYPE_CHECKING:
    from driftflow.model.operations import Operation

QUOTED_NUMBER = lazy_regex(r"'(-?[0-9]+(?:\.[0-9]+)?)'")
"""PostgreSQL prints the bounds of a bigint partition key in quotes, whichever way they were written."""

Action = Literal["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"]


class Generated(Record, frozen=True, kw_only=True):
    expression: str
    stored: bool = True


class SequenceOptions(Record, frozen=True, kw_only=True):
    """What CREATE SEQUENCE takes; None is the server's default for the type."""

    type: str = ""
    start: int | None = None
    increment: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    cache: int | None = None
    cycle: bool | None = None


class Identity(Record, frozen=True, kw_only=True):
    always: bool = False
    options: SequenceOptions = SequenceOptions()
    sequence: Name | None = None
    """PostgreSQL's SEQUENCE NAME, as pg_dump writes it; resolve leaves it out where the server would choose the same."""


class Column(Record, frozen=True, kw_only=True):
    """A column, in the catalog and in CREATE TABLE or ADD COLUMN alike.

    `type` is the server's own spelling after resolve (`character varying(255)`; on SQLite the declared type as written).
    `default` is an expression in the dialect's normal form.
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    generated: Generated | None = None
    identity: Identity | None = None
    collation: str = ""
    comment: str = ""
    storage: str = ""
    compression: str = ""
    statistics: int | None = None
    """PostgreSQL's SET STATISTICS; None is the server's default."""
    options: tuple[str, ...] = ()
    """PostgreSQL: n_distinct and the like."""
    grants: tuple[str, ...] = ()
    """PostgreSQL: rights on the column alone; aclitems in text, sorted."""
    autoincrement: bool = False
    """SQLite AUTOINCREMENT, MySQL AUTO_INCREMENT."""
    on_update: str = ""
    """MySQL ON UPDATE CURRENT_TIMESTAMP."""
    visible: bool = True
    serial: bool = False
    """Only before resolve: PostgreSQL smallserial, serial, bigserial."""
    charset: str = ""
    unversioned: bool = False
    """MariaDB: WITHOUT SYSTEM VERSIONING, in a table that keeps the history of its rows."""


class IndexPart(Record, frozen=True, kw_only=True):
    """One key of an index: a column, or an expression."""

    column: str = ""
    expression: str = ""
    descending: bool = False
    nulls_first: bool | None = None
    """None is the default of the direction."""
    collation: str = ""
    opclass: str = ""
    prefix: int | None = None
    """MySQL key prefix length."""


class PrimaryKey(Record, frozen=True, kw_only=True, tag_field="constraint", tag="primary_key"):
    name: str = ""
    columns: tuple[str, ...]
    include: tuple[str, ...] = ()
    deferrable: bool = False
    initially_deferred: bool = False
    using_index: str = ""
    """ALTER TABLE ... USING INDEX; empty in the catalog."""
    parts: tuple[IndexPart, ...] = ()
    """Only where a key carries more than its name (SQLite collation or direction)."""
    on_conflict: str = ""
    comment: str = ""
    method: str = ""
    """MySQL and MariaDB, as of an index: btree or hash where it is not the engine's own."""


class Unique(Record, frozen=True, kw_only=True, tag_field="constraint", tag="unique"):
    name: str = ""
    columns: tuple[str, ...]
    include: tuple[str, ...] = ()
    nulls_not_distinct: bool = False
    deferrable: bool = False
    initially_deferred: bool = False
    using_index: str = ""
    parts: tuple[IndexPart, ...] = ()
    on_conflict: str = ""
    comment: str = ""


class Check(Record, frozen=True, kw_only=True, tag_field="constraint", tag="check"):
    name: str = ""
    expression: str
    validated: bool = True
    enforced: bool = True
    no_inherit: bool = False
    column: str = ""
    """The column it was written behind; empty for a table constraint."""
    on_conflict: str = ""
    comment: str = ""


class ForeignKey(Record, frozen=True, kw_only=True, tag_field="constraint", tag="foreign_key"):
    name: str = ""
    columns: tuple[str, ...]
    referenced: Name
    referenced_columns: tuple[str, ...] = ()
    """Empty only before resolve: the referenced table's primary key."""
    on_delete: Action = "NO ACTION"
    on_update: Action = "NO ACTION"
    set_columns: tuple[str, ...] = ()
    """ON DELETE SET NULL (columns)."""
    match: str = ""
    deferrable: bool = False
    initially_deferred: bool = False
    validated: bool = True
    enforced: bool = True
    comment: str = ""


class NotNull(Record, frozen=True, kw_only=True, tag_field="constraint", tag="not_null"):
    """PostgreSQL 18: a named NOT NULL. Elsewhere nullability is on the column alone."""

    name: str = ""
    column: str
    validated: bool = True
    no_inherit: bool = False
    on_conflict: str = ""
    """SQLite: NOT NULL ON CONFLICT ...; there a NOT NULL that is named or says this has a constraint of its own too."""
    comment: str = ""


class Exclusion(Record, frozen=True, kw_only=True, tag_field="constraint", tag="exclusion"):
    name: str = ""
    definition: str
    """The text behind EXCLUDE in the dialect's normal form."""
    columns: tuple[str, ...] = ()
    deferrable: bool = False
    initially_deferred: bool = False
    comment: str = ""


Constraint = PrimaryKey | Unique | Check | ForeignKey | NotNull | Exclusion


class Index(Record, frozen=True, kw_only=True):
    """An index that is not the implementation of a constraint, unless `constraint` names the one it implements."""

    name: Name
    table: Name
    parts: tuple[IndexPart, ...]
    include: tuple[str, ...] = ()
    unique: bool = False
    nulls_not_distinct: bool = False
    method: str = ""
    """btree, hash, gin, ...; empty is the default."""
    predicate: str = ""
    options: tuple[str, ...] = ()
    tablespace: str = ""
    valid: bool = True
    constraint: str = ""
    comment: str = ""
    parent: Name | None = None
    bytes: int | None = None
    visible: bool = True
    implied: bool = False
    """Made by the server for a foreign key of this release (MySQL, MariaDB). No server says of an index that was there before whether it is so."""
    clustered: bool = False
    """Whether CLUSTER ON names it (PostgreSQL)."""
    identifies: bool = False
    """Whether it is the replica identity of its table (PostgreSQL)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The plain columns among the keys."""
        return tuple(part.column for part in self.parts if part.column)


class KeptText(Record, frozen=True, kw_only=True):
    """A view, trigger, function or procedure of MySQL or MariaDB to the letter, with what it runs under: as it has to be to be made again."""

    statement: str
    """As SHOW CREATE gives it, to whoever is in its database."""
    definer: str
    """user@host"""
    sql_mode: str | None = None
    """None: the server does not keep it (of a view)."""
    character_set: str
    """Of the client that made it."""
    collation: str
    """Of that connection."""

    @property
    def account(self) -> tuple[str, str]:
        """User and host of the definer; no user for what is no account."""
        user, _, host = self.definer.rpartition("@")
        return user, host

    @property
    def settings(self) -> dict[str, str]:
        """Of the session that makes it: what the server keeps with it."""
        mode = {} if self.sql_mode is None else {"sql_mode": self.sql_mode}
        return {**mode, "character_set_client": self.character_set, "collation_connection": self.collation}


class TriggerText(KeptText, frozen=True, kw_only=True):
    body_sha256: str
    """Of what information_schema says of the body."""
    database_collation: str
    order: int
    """Among those of the same event and time."""


class Trigger(Record, frozen=True, kw_only=True):
    name: str
    table: Name
    definition: str
    """The whole CREATE TRIGGER statement in normal form."""
    function: Name | None = None
    timing: Literal["BEFORE", "AFTER", "INSTEAD OF"] = "AFTER"
    events: tuple[str, ...] = ()
    """INSERT, UPDATE, DELETE, TRUNCATE."""
    update_columns: tuple[str, ...] = ()
    per_row: bool = True
    constraint: bool = False
    enabled: str = "O"
    """PostgreSQL's tgenabled: O origin, D disabled, R replica, A always."""
    comment: str = ""
    kept: TriggerText | None = None
    """None where no server was asked (MySQL, MariaDB), or a statement of the release has changed it since."""


class Policy(Record, frozen=True, kw_only=True):
    name: str
    table: Name
    permissive: bool = True
    command: Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"] = "ALL"
    roles: tuple[str, ...] = ("public",)
    using: str = ""
    check: str = ""
    comment: str = ""


class Rule(Record, frozen=True, kw_only=True):
    """CREATE RULE of a table or view, but for the one that a view is made of (PostgreSQL)."""

    name: str
    target: str = ""
    """What DROP RULE and COMMENT ON RULE say: `name ON schema.table`, as the server spells it."""
    definition: str
    """The whole CREATE RULE statement in normal form."""
    enabled: str = "O"
    """As of a trigger."""
    comment: str = ""
    depends_on_columns: tuple[str, ...] = ()
    """`schema.table.column` of what it names: the server changes the type of none of them, and drops them only with the rule."""


class Partitioning(Record, frozen=True, kw_only=True):
    """On a partitioned parent."""

    strategy: Literal["RANGE", "LIST", "HASH", "KEY"]
    key: tuple[str, ...]
    """Columns or expressions."""
    definition: str = ""
    """MySQL: the whole PARTITION BY clause, with the partitions."""


class ColumnStatistics(Record, frozen=True, kw_only=True):
    """How the values of a column are spread: numbers only, never one of the values. None is unknown."""

    column: str
    distinct: int | None = None
    """Values that differ, NULL not among them."""
    null_fraction: float | None = None
    """Of all rows, 0 to 1."""
    frequencies: tuple[float, ...] = ()
    """Fractions of all rows that the most common values have, the most common one first."""
    basis: str = ""
    """pg_stats, a histogram, an index's cardinality, the first rows, ..."""


class TableStatistics(Record, frozen=True, kw_only=True):
    """How big and how busy. None is unknown, which is not zero."""

    rows: int | None = None
    bytes: int | None = None
    """Heap, TOAST and indexes."""
    table_bytes: int | None = None
    last_analyze: str = ""
    writes_per_second: float | None = None
    reads_per_second: float | None = None
    average_row_bytes: int | None = None
    row_versions: int | None = None
    """MySQL 8.0.29 and later: instant changes of columns that the table has used up (TOTAL_ROW_VERSIONS)."""
    basis: str = ""
    """reltuples, count(*), sqlite_stat1, max(rowid), ..."""
    columns: tuple[ColumnStatistics, ...] = ()
    """Only in a snapshot: nobody else asks for them."""

    def column(self, name: str) -> ColumnStatistics | None:
        return next((one for one in self.columns if one.column == name), None)


class ExtendedStatistics(Record, frozen=True, kw_only=True):
    """CREATE STATISTICS: what the planner is told about columns together."""

    name: Name
    columns: tuple[str, ...] = ()
    """Those that it depends on; empty: not known (made by a pending migration)."""
    definition: str = ""
    """The whole CREATE STATISTICS statement."""
    spelled: str = ""
    """Its name, as the server spells it."""
    target: int | None = None
    """ALTER STATISTICS ... SET STATISTICS; None is the server's default."""
    owner: str = ""
    comment: str = ""


class Table(Record, frozen=True, kw_only=True):
    name: Name
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    """Including those that implement a constraint (`Index.constraint`)."""
    triggers: tuple[Trigger, ...] = ()
    policies: tuple[Policy, ...] = ()
    rules: tuple[Rule, ...] = ()
    row_security: bool = False
    row_security_forced: bool = False
    partitioning: Partitioning | None = None
    partition_of: Name | None = None
    partition_bound: str = ""
    of_type: str = ""
    """CREATE TABLE ... OF type."""
    inherits: tuple[Name, ...] = ()
    kind: Literal["table", "foreign", "virtual", "temporary"] = "table"
    unlogged: bool = False
    owner: str = ""
    comment: str = ""
    options: tuple[str, ...] = ()
    """reloptions; on SQLite STRICT and WITHOUT ROWID; on MySQL ENGINE=..., ROW_FORMAT=..., ..."""
    tablespace: str = ""
    access_method: str = ""
    replica_identity: str = ""
    """d default, n nothing, f full, i index (PostgreSQL's relreplident)."""
    grants: tuple[str, ...] = ()
    """aclitems in text, sorted."""
    publications: tuple[str, ...] = ()
    """Publications that carry it, by FOR ALL TABLES and IN SCHEMA too."""
    extended_statistics: tuple[ExtendedStatistics, ...] = ()
    """PostgreSQL; takes no part in fingerprints."""
    definition: str = ""
    """The CREATE TABLE text where the server keeps one (SQLite, MySQL); takes no part in fingerprints."""
    statistics: TableStatistics = TableStatistics()
    partial: bool = False
    """Not all columns are known (CREATE TABLE AS: they are the server's to say)."""
    new: bool = False
    """Made by a pending migration: empty, and nobody reads or writes it yet."""

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def constraint(self, name: str) -> Constraint | None:
        return next((constraint for constraint in self.constraints if constraint.name == name), None)

    def index(self, name: str) -> Index | None:
        return next((index for index in self.indexes if index.name.name == name), None)

    @property
    def primary_key(self) -> PrimaryKey | None:
        return next((constraint for constraint in self.constraints if isinstance(constraint, PrimaryKey)), None)

    @property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        return tuple(constraint for constraint in self.constraints if isinstance(constraint, ForeignKey))

    def keys_like(self, key: ForeignKey) -> list[ForeignKey]:
        """Its foreign keys that are the same but for the name: what a partition has of its parent's among them."""
        return [one for one in self.foreign_keys if replace(one, name=key.name, comment=key.comment) == key]


class ViewColumn(Record, frozen=True, kw_only=True):
    """What is said of a column of a view beside its query (PostgreSQL)."""

    name: str
    comment: str = ""
    default: str | None = None
    statistics: int | None = None
    options: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    """aclitems in text, sorted."""


class View(Record, frozen=True, kw_only=True):
    name: Name
    definition: str
    """The query in normal form."""
    materialized: bool = False
    columns: tuple[str, ...] = ()
    depends_on: tuple[Name, ...] = ()
    depends_on_columns: tuple[str, ...] = ()
    """`schema.table.column`, where the server says so."""
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    options: tuple[str, ...] = ()
    owner: str = ""
    comment: str = ""
    grants: tuple[str, ...] = ()
    kept: KeptText | None = None
    rules: tuple[Rule, ...] = ()
    said: tuple[ViewColumn, ...] = ()
    """Of those columns of which something is said."""
    populated: bool = True
    """Of a materialized view: whether it holds rows, and may be read."""
    given: tuple[str, ...] = ()
    """PostgreSQL: roles that would be given rights by default if who reads the catalog made it again; empty for everybody."""


class Sequence(Record, frozen=True, kw_only=True):
    name: Name
    options: SequenceOptions = SequenceOptions()
    owned_by: str = ""
    """`schema.table.column`"""
    identity: bool = False
    owner: str = ""
    comment: str = ""
    grants: tuple[str, ...] = ()
    """PostgreSQL: aclitems in text, sorted."""


class Routine(Record, frozen=True, kw_only=True):
    """A function or procedure that is not the server's own."""

    name: Name
    arguments: str = ""
    """Identity arguments, as in DROP FUNCTION name(arguments)."""
    kind: Literal["function", "procedure", "aggregate", "window"] = "function"
    volatility: Literal["immutable", "stable", "volatile"] = "volatile"
    language: str = ""
    returns: str = ""
    definition: str = ""
    security_definer: bool = False
    depends_on: tuple[Name, ...] = ()
    depends_on_columns: tuple[str, ...] = ()
    """`schema.table.column` of what a body of SQL (BEGIN ATOMIC, RETURN) names: the server holds it to them."""
    comment: str = ""
    kept: KeptText | None = None
    """MySQL and MariaDB, read from the server: arguments and volatility stand nowhere else."""
    owner: str = ""
    """PostgreSQL, as the next."""
    grants: tuple[str, ...] | None = None
    """aclitems; None where nobody has changed what everybody may do."""

    def key(self, vendor: str) -> str:
        """In `Catalog.routines`. On MySQL and MariaDB a function and a procedure may have one name, and names are not overloaded."""
        if vendor == "postgresql":
            return f"{self.name}({self.arguments})"
        return f"{self.name}()" if self.kind == "function" else f"{self.name}() {self.kind}"


class TypeDefinition(Record, frozen=True, kw_only=True):
    name: Name
    kind: Literal["enum", "domain", "composite", "range", "base", "shell"]
    labels: tuple[str, ...] = ()
    base: str = ""
    nullable: bool = True
    default: str | None = None
    checks: tuple[Check, ...] = ()
    attributes: tuple[Column, ...] = ()
    collation: str = ""
    definition: str = ""
    comment: str = ""
    owner: str = ""
    grants: tuple[str, ...] | None = None
    """aclitems; None where nobody has changed what everybody may do."""


class Schema(Record, frozen=True, kw_only=True):
    """What is said of a schema beside its name (PostgreSQL)."""

    name: str
    owner: str = ""
    comment: str = ""
    grants: tuple[str, ...] | None = None
    """aclitems; None where nobody has changed what its owner alone may do."""


class DefaultRights(Record, frozen=True, kw_only=True):
    """What ALTER DEFAULT PRIVILEGES has said (PostgreSQL)."""

    role: str
    """Of what it makes."""
    schema: str = ""
    """Empty for all of them."""
    kind: str
    """table, sequence, function, type, schema, large_object"""
    grants: tuple[str, ...] = ()
    """aclitems in text, sorted."""


class Extension(Record, frozen=True, kw_only=True):
    name: str
    version: str = ""
    schema: str = ""
    comment: str = ""


class Publication(Record, frozen=True, kw_only=True):
    name: str
    all_tables: bool = False
    schemas: tuple[str, ...] = ()
    tables: tuple[Name, ...] = ()
    columns: tuple[str, ...] = ()
    """`schema.table.column` of what its column lists and row filters name: such a column cannot be dropped."""
    narrowed: tuple[str, ...] = ()
    """Of each of its tables, in their order: the column list and the row filter as they stand behind its name."""
    options: tuple[str, ...] = ()
    """As SET takes them: `publish = 'insert'`."""
    comment: str = ""


class Catalog(Record, frozen=True, kw_only=True):
    """One database. `vendor` is the dialect's name (postgresql, sqlite)."""

    vendor: str
    version: Version | None = None
    database: str = ""
    search_path: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    schemas_said: tuple[Schema, ...] = ()
    """PostgreSQL: of those that the database has now."""
    tables: Mapping[str, Table] = {}
    views: Mapping[str, View] = {}
    sequences: Mapping[str, Sequence] = {}
    routines: Mapping[str, Routine] = {}
    """Keyed by `schema.name(arguments)`."""
    types: Mapping[str, TypeDefinition] = {}
    extensions: tuple[Extension, ...] = ()
    publications: tuple[Publication, ...] = ()
    subscriptions: tuple[str, ...] = ()
    default_rights: tuple[DefaultRights, ...] = ()
    settings: Mapping[str, str] = {}
    """Server settings that predictions need: wal_level, max_standby_streaming_delay, foreign_keys, journal_mode, ..."""
    captured_at: str = ""
    complete: bool = True
    """False for a catalog built from migration files alone: a table that is not here may still exist."""
    unseen: tuple[str, ...] = ()
    """What the connecting role may not see or read, as sentences."""

    def table(self, name: Name) -> Table | None:
        schema = name.schema  # not `name.text`: nothing is asked as often
        return self.tables.get(f"{schema}.{name.name}" if schema else name.name)

    def after(self, operation: Operation) -> Catalog:
        """The catalog as `operation` (resolved) leaves it. Pure."""
        return operation.after(self)

    def after_all(self, operations: Iterable[Operation]) -> Catalog:
        catalog = self
        for operation in operations:
            catalog = operation.after(catalog)
        return catalog

    def in_versions(self) -> Catalog:
        """The same catalog, ready for many changes after one another: each costs itself, and what hangs together is found without a search."""
        return replace(
            self,
            tables=Versioned.of(self.tables, _TABLE_LINKS),
            views=Versioned.of(self.views, _VIEW_LINKS),
            sequences=Versioned.of(self.sequences, _SEQUENCE_LINKS),
        )

    def detached(self) -> Catalog:
        """The same catalog for comparisons with others: see `Versioned`."""
        return replace(
            self,
            tables=self.tables.detached() if isinstance(self.tables, Versioned) else self.tables,
            views=self.views.detached() if isinstance(self.views, Versioned) else self.views,
            sequences=self.sequences.detached() if isinstance(self.sequences, Versioned) else self.sequences,
        )

    def with_table(self, table: Table) -> Catalog:
        return replace(self, tables=Versioned.of(self.tables, _TABLE_LINKS).having(table.name.text, table))

    def with_tables(self, tables: Iterable[Table]) -> Catalog:
        catalog = self
        for table in tables:
            catalog = catalog.with_table(table)
        return catalog

    def without_tables(self, names: Iterable[Name]) -> Catalog:
        return replace(self, tables=Versioned.of(self.tables, _TABLE_LINKS).without(name.text for name in names))

    def with_view(self, view: View) -> Catalog:
        return replace(self, views=Versioned.of(self.views, _VIEW_LINKS).having(view.name.text, view))

    def without_views(self, keys: Iterable[str]) -> Catalog:
        """`keys` as in `views`."""
        return replace(self, views=Versioned.of(self.views, _VIEW_LINKS).without(keys))

    def with_sequence(self, sequence: Sequence) -> Catalog:
        return replace(self, sequences=Versioned.of(self.sequences, _SEQUENCE_LINKS).having(sequence.name.text, sequence))

    def without_sequences(self, keys: Iterable[str]) -> Catalog:
        """`keys` as in `sequences`."""
        return replace(self, sequences=Versioned.of(self.sequences, _SEQUENCE_LINKS).without(keys))

    def sequences_of(self, table: Name) -> tuple[Sequence, ...]:
        """Sequences that the table's columns own."""
        return having_link(self.sequences, _SEQUENCE_LINKS, "owned", table.text)

    def _tables_linked(self, kind: str, to: Hashable) -> tuple[Table, ...]:
        return having_link(self.tables, _TABLE_LINKS, kind, to)

    def readers_of(self, name: Name) -> tuple[View, ...]:
        """Views that read the relation themselves."""
        return having_link(self.views, _VIEW_LINKS, "reads", name)

    def children(self, name: Name) -> tuple[Table, ...]:
        """Direct partitions and inheritance children."""
        return self._tables_linked("under", name)

    def indexes_named(self, name: Name) -> tuple[tuple[Table | View, Index], ...]:
        """Indexes of that name, with the relations that they are on: no more than one, but where each table names its own."""
        found: list[Table | View] = [*self._tables_linked("index", name)]
        if self.views:
            found += having_link(self.views, _VIEW_LINKS, "index", name)
        return tuple((holder, index) for holder in found for index in holder.indexes if index.name == name)

    def rules_on(self, *names: Name) -> tuple[tuple[Table | View, Rule], ...]:
        """Rules that name a column of one of the relations, with the relations that they are on."""
        found: dict[tuple[Name, str], tuple[Table | View, Rule]] = {}
        for name in names:
            holders: list[Table | View] = [*self._tables_linked("ruled", name.text)]
            if self.views:
                holders += having_link(self.views, _VIEW_LINKS, "ruled", name.text)
            found |= {(holder.name, rule.name): (holder, rule) for holder in holders for rule in holder.rules}
        return tuple(found.values())

    def has_constraint(self, schema: str, name: str) -> bool:
        """Whether a table of the schema has a constraint of that name."""
        return bool(self._tables_linked("constraint", (schema, name)))

    def dependents(self, name: Name) -> tuple[View, ...]:
        """Views that read the relation, directly or through another view, nearest first."""
        found: list[View] = []
        wanted = [name]
        while wanted and self.views:
            for view in self.readers_of(wanted.pop(0)):
                if view not in found:
                    found.append(view)
                    wanted.append(view.name)
        return tuple(found)

    def referencing(self, name: Name) -> tuple[tuple[Table, ForeignKey], ...]:
        """Foreign keys that point at the table, with the tables that hold them (itself among them)."""
        holders = self._tables_linked("references", name)
        return tuple((table, key) for table in holders for key in table.foreign_keys if key.referenced == name)

    def partitions(self, name: Name) -> tuple[Table, ...]:
        """Direct partitions of a partitioned table."""
        return tuple(table for table in self.children(name) if table.partition_of == name)

    def fingerprint(self, relations: Iterable[Name] = ()) -> str:
        """SHA-256 of the structure of the given relations and what depends on them; of everything when none is given.

        Statistics, sizes, owners' texts and driftflow's own objects take no part.
        """
        wanted = {relation.text for relation in relations}
        everything = not wanted
        tables = {key: structure(table) for key, table in self.tables.items() if everything or key in wanted}
        views = {
            key: view_structure(view)
            for key, view in self.views.items()
            if everything or key in wanted or any(name.text in wanted for name in view.depends_on)
        }
        rest: tuple[object, ...] = ()
        if everything:
            sequences = {key: replace(sequence, owner="", grants=()) for key, sequence in self.sequences.items()}
            rest = (
                sequences,
                {key: routine_structure(one) for key, one in self.routines.items()},
                {key: type_structure(one) for key, one in self.types.items()},
            )
        return digest((self.vendor, tables, views, rest))


def _made_by_constraints(table: Table) -> list[Key]:
    schema = table.name.schema
    found: list[Key] = [("constraint", (schema, one.name)) for one in table.constraints]
    return found + [("references", one.referenced) for one in table.constraints if isinstance(one, ForeignKey)]


def _made_by_rules(holder: Table | View) -> list[Key]:
    # By what stands before each dot of `schema.table.column`: a name may have one too.
    named = [name for rule in holder.rules for name in rule.depends_on_columns]
    return [("ruled", name[:at]) for name in named for at, sign in enumerate(name) if sign == "."]


def _made_by_indexes(holder: Table | View) -> list[Key]:
    return [("index", index.name) for index in holder.indexes if index.name.schema == holder.name.schema]


_TABLE_LINKS: Links = (
    (attrgetter("constraints"), _made_by_constraints),
    (attrgetter("indexes"), _made_by_indexes),
    (attrgetter("partition_of"), lambda table: [("under", table.partition_of)] if table.partition_of is not None else ()),
    (attrgetter("inherits"), lambda table: [("under", name) for name in table.inherits]),
    (attrgetter("rules"), _made_by_rules),
)
_VIEW_LINKS: Links = (
    (attrgetter("depends_on"), lambda view: [("reads", name) for name in view.depends_on]),
    (attrgetter("indexes"), _made_by_indexes),
    (attrgetter("rules"), _made_by_rules),
)


_SEQUENCE_LINKS: Links = (
    # By what stands before each dot of `schema.table.column`: a name may have one too.
    (attrgetter("owned_by"), lambda one: [("owned", one.owned_by[:at]) for at, sign in enumerate(one.owned_by) if sign == "."]),
)


def structure(table: Table) -> Table:
    """The table without what changes by itself or differs between two environments that hold the same schema: statistics, index sizes, kept
    texts, owner, grants, publications, extended statistics, cluster marks, driftflow's own triggers. The default replica identity is spelled as nothing."""
    return replace(
        table,
        statistics=TableStatistics(),
        definition="",
        new=False,
        partial=False,
        owner="",
        grants=(),
        publications=(),
        extended_statistics=(),
        replica_identity="" if table.replica_identity == "d" else table.replica_identity,
        partition_bound=QUOTED_NUMBER.sub(r"\1", table.partition_bound),
        columns=tuple(replace(one, grants=()) if one.grants else one for one in table.columns),
        indexes=_ordered_indexes(table.indexes),
        constraints=tuple(
            sorted(
                table.constraints,
                key=lambda constraint: (type(constraint).__name__, constraint.name, digest(constraint)),
            )
        ),
        triggers=_ordered_triggers(table.triggers),
        policies=tuple(sorted(table.policies, key=lambda policy: policy.name)),
        rules=_ordered_rules(table.rules),
    )


def view_structure(view: View) -> View:
    """The view without index sizes, owner, grants, kept text, whether it holds rows, and driftflow's own triggers."""
    return replace(
        view,
        owner="",
        kept=None,
        grants=(),
        populated=True,
        given=(),
        rules=_ordered_rules(view.rules),
        said=tuple(bare for one in view.said if (bare := replace(one, grants=())) != ViewColumn(name=one.name)),
        indexes=_ordered_indexes(view.indexes),
        triggers=_ordered_triggers(view.triggers),
        depends_on=tuple(sorted(view.depends_on)),
        depends_on_columns=tuple(sorted(view.depends_on_columns)),
    )


def type_structure(type: TypeDefinition) -> TypeDefinition:
    """The type without owner and grants."""
    return replace(type, owner="", grants=None)


def routine_structure(routine: Routine) -> Routine:
    """The routine without owner, grants and kept text."""
    return replace(routine, owner="", grants=None, kept=None)


def _ordered_indexes(indexes: Iterable[Index]) -> tuple[Index, ...]:
    return tuple(
        sorted(
            (replace(index, bytes=None, implied=False, clustered=False) for index in indexes), key=lambda index: index.name.text
        )
    )


def _ordered_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(
        sorted(
            (replace(rule, depends_on_columns=tuple(sorted(rule.depends_on_columns))) for rule in rules),
            key=lambda rule: rule.name,
        )
    )


def _ordered_triggers(triggers: Iterable[Trigger]) -> tuple[Trigger, ...]:
    found = (replace(trigger, kept=None) for trigger in triggers if not is_ours(trigger.name))
    return tuple(sorted(found, key=lambda trigger: trigger.name))


OUR_PREFIX = "driftflow_"


def is_ours(name: str) -> bool:
    """Whether a relation, schema or trigger belongs to driftflow itself (schema `driftflow`, `_driftflow_*`, `zzz_driftflow_*`)."""
    return name == "driftflow" or name.startswith((OUR_PREFIX, "_driftflow_", "zzz_driftflow_"))
