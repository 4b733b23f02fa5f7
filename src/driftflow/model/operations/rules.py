"""The few rules of structure in which vendors differ, asked by what they mean."""

from __future__ import annotations

from driftflow.model.catalog import Catalog, Column


def keys_have_indexes(catalog: Catalog) -> bool:
    """Whether a primary key, unique or exclusion constraint is an index of the same name."""
    return catalog.vendor == "postgresql"


def not_null_is_named(catalog: Catalog) -> bool:
    """PostgreSQL 18 keeps every NOT NULL as a constraint with a name."""
    return catalog.vendor == "postgresql" and catalog.version is not None and catalog.version.major >= 18


def partitions_share_identity(catalog: Catalog) -> bool:
    """Since PostgreSQL 17 partitions take part in the identity of the parent."""
    return catalog.vendor == "postgresql" and catalog.version is not None and catalog.version.major >= 17


def identity_has_sequence(catalog: Catalog) -> bool:
    return catalog.vendor == "postgresql"


def names_in_any_case(catalog: Catalog) -> bool:
    """Whether a column is the same in whatever letters it is said, quoted or not; else a bare name means the one in small letters (PostgreSQL)."""
    return catalog.vendor != "postgresql"


def tables_in_any_case(catalog: Catalog) -> bool:
    """Whether a table is the same in whatever letters it is said (SQLite; on MySQL and MariaDB the server's own setting decides)."""
    return catalog.vendor == "sqlite"


def dependents_block(catalog: Catalog) -> bool:
    """Whether the server keeps dependencies, so that DROP without CASCADE is refused while something depends on the object."""
    return catalog.vendor == "postgresql"


def parents_may_be_missing(catalog: Catalog) -> bool:
    """Whether a foreign key may point at a table that comes later: with the session's checks off (MySQL, MariaDB)."""
    checks = catalog.settings.get("foreign_key_checks", "1").upper()
    return catalog.vendor in {"mysql", "mariadb"} and checks in {"0", "OFF", "FALSE"}


def column_takes_keys_along(catalog: Catalog) -> bool:
    """Whether DROP COLUMN drops the constraints and indexes that contain the column; else it is refused while there are any (SQLite)."""
    return catalog.vendor != "sqlite"


def views_outlive_column(catalog: Catalog) -> bool:
    """Whether a view that reads a dropped column stays, and fails when it is read (MySQL, MariaDB); elsewhere it is in the way."""
    return catalog.vendor in {"mysql", "mariadb"}


def texts_read_by_name(catalog: Catalog) -> bool:
    """Whether a view or trigger means whatever bears the name that it says (MySQL, MariaDB); elsewhere it follows what it names to a new name."""
    return catalog.vendor in {"mysql", "mariadb"}


def names_said_alone(catalog: Catalog) -> bool:
    """Whether views, triggers and expressions are kept as text in which tables are said without their schema, and follow all the same (SQLite)."""
    return catalog.vendor == "sqlite"


def other_schemas_are_unseen(catalog: Catalog) -> bool:
    """Whether the catalog knows one database of a server that has several, so that a table may move where nothing is known (MySQL, MariaDB)."""
    return catalog.vendor in {"mysql", "mariadb"}


def columns_are_said_whole(catalog: Catalog) -> bool:
    """Whether NOT NULL goes and comes with the whole definition of the column, and in no clause of its own (MySQL, MariaDB)."""
    return catalog.vendor in {"mysql", "mariadb"}


def indexes_are_named_per_table(catalog: Catalog) -> bool:
    """Whether two tables may have indexes of one name, and an index may be called as a table is (MySQL, MariaDB)."""
    return catalog.vendor in {"mysql", "mariadb"}


def renames_to_itself(catalog: Catalog) -> bool:
    """Whether a column may be renamed to the name that it has (MySQL, MariaDB); elsewhere the name is taken."""
    return catalog.vendor in {"mysql", "mariadb"}


def longest_prefix(catalog: Catalog, column: Column) -> int | None:
    """How much of the column an index keeps that needs a length and has none: MariaDB cuts to what a key may hold (3,072 bytes)."""
    long = ("tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob")
    if catalog.vendor != "mariadb" or column.type not in long:
        return None
    width = {"utf8mb4": 4, "utf8mb3": 3, "utf16": 4, "utf32": 4, "ucs2": 2}.get(column.charset, 1)
    return 3072 // width


def index_outlives_column(catalog: Catalog) -> bool:
    """Whether an index over several columns goes on without the one that is dropped (MySQL, MariaDB); else it goes with it."""
    return catalog.vendor in {"mysql", "mariadb"}


def foreign_key_makes_index(catalog: Catalog) -> bool:
    """Whether the server makes an index over the referencing columns where none begins with them (MySQL, MariaDB)."""
    return catalog.vendor in {"mysql", "mariadb"}


def attached_keys_are_alike(catalog: Catalog) -> bool:
    """Whether a partition's own UNIQUE cannot stand for the parent's PRIMARY KEY, nor the other way round (measured: it can on 12, 14 and 16, not on 17.6 and 18)."""
    return catalog.vendor == "postgresql" and catalog.version is not None and catalog.version.major >= 17
