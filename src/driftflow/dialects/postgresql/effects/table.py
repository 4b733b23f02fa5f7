"""Whole tables: created, dropped, renamed, moved, set, written anew."""

from __future__ import annotations

from driftflow.dialects.postgresql.effects import partition
from driftflow.dialects.postgresql.effects.column_default import fits_type
from driftflow.dialects.postgresql.effects.foreign_key import add_foreign_key
from driftflow.dialects.postgresql.effects.locks import (
    ACCESS_EXCLUSIVE,
    ACCESS_SHARE,
    ROW_EXCLUSIVE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
)
from driftflow.dialects.postgresql.effects.partition_keys import own_keys
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.reads import refuse_columns, refuse_unknown
from driftflow.dialects.postgresql.effects.relations import (
    default_partition,
    descendants,
    existing,
    index_names,
    made_sequence,
    owned_sequences,
    rewrite,
    tree,
    with_rows,
    with_storage,
)
from driftflow.dialects.postgresql.effects.statistics import made_again
from driftflow.model.catalog import Catalog, Check, Exclusion, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import (
    AlterTableOption,
    CreateTable,
    CreateTableAs,
    DropTable,
    MoveTable,
    RenameTable,
    RewriteTable,
)


def _taken(catalog: Catalog, name: Name) -> bool:
    return name.text in catalog.tables or name.text in catalog.views or name.text in catalog.sequences


def create_table(p: Prediction, operation: CreateTable) -> None:
    """Nobody waits for a new table; but foreign keys lock the tables they point at, and a new partition locks its parent and the default."""
    table = operation.table
    if _taken(p.catalog, table.name):
        if not operation.if_not_exists:
            p.fails("exists", f'relation "{table.name.text}" exists already', relation=table.name, certain=True)
        return
    p.created.add(table.name)
    p.lock(table.name, ACCESS_EXCLUSIVE, why="the new table")
    for column in table.columns:
        sequence = made_sequence(p.catalog, table.name, column)
        if sequence is not None:
            p.created.add(sequence)
            p.lock(table.name, ACCESS_SHARE)
            p.lock(sequence, ACCESS_EXCLUSIVE, ROW_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, why=f"numbers for {column.name}")
    for index in table.indexes:  # LIKE … INCLUDING INDEXES
        if not index.constraint:
            p.created.add(index.name)
            p.lock(table.name, SHARE)
            p.lock(index.name, ACCESS_EXCLUSIVE, why="the new index")
            p.does("scan", table.name, "empty")
    made_again(p, table)  # LIKE … INCLUDING STATISTICS
    for source in (*(source for source, _ in operation.like), *operation.copied_from):
        p.lock(source, ACCESS_SHARE, why="copied from")
    for item in table.constraints:
        if isinstance(item, PrimaryKey | Unique | Exclusion):
            _new_index(p, table, item)
    _refuse_columns(p, operation)
    for key in table.foreign_keys:
        add_foreign_key(p, table.name, key, (table,), scans=False)
    if table.partition_of is not None:
        partition.create_partition(p, table)
    for parent in table.inherits:
        partition.may_be_parent(p, existing(p, parent))
        p.lock(parent, SHARE_UPDATE_EXCLUSIVE, why="inherited from")


def _refuse_columns(p: Prediction, operation: CreateTable) -> None:
    """What the server refuses of the columns and their expressions; columns that come from elsewhere are not all known."""
    table = operation.table
    names = [column.name for column in table.columns]
    for name in dict.fromkeys(one for one in names if names.count(one) > 1):
        p.fails("exists", f'column "{name}" is said more than once', relation=table.name, certain=True)
    for column in table.columns:
        if column.default is not None:
            fits_type(p, table.name, column.default, column.type)
            refuse_columns(p, table, column.default)
    if operation.like or operation.copied_from or table.inherits or table.partition_of is not None or table.of_type:
        return
    texts = [column.generated.expression for column in table.columns if column.generated is not None]
    texts += [item.expression for item in table.constraints if isinstance(item, Check)]
    for text in texts:
        refuse_unknown(p, table, text)


def _new_index(p: Prediction, table: Table, item: PrimaryKey | Unique | Exclusion) -> None:
    name = Name(schema=table.name.schema, name=item.name)
    p.created.add(name)
    p.lock(table.name, SHARE)
    p.lock(name, ACCESS_EXCLUSIVE, why="the constraint's index")
    if table.partitioning is None:
        p.does("scan", table.name, "empty")


def create_table_as(p: Prediction, operation: CreateTableAs) -> None:
    """Reads as an ordinary query does."""
    if _taken(p.catalog, operation.name):
        if not operation.if_not_exists:
            p.fails("exists", f'relation "{operation.name.text}" exists already', relation=operation.name, certain=True)
        return
    p.created.add(operation.name)
    p.lock(operation.name, ACCESS_EXCLUSIVE, why="the new table")
    read(p, operation.reads, scan=operation.with_data, planned=operation.with_data)


def read(p: Prediction, relations: tuple[Name, ...], *, scan: bool, planned: bool = True, mode: str = ACCESS_SHARE) -> None:
    """Relations that a query reads: the lock of a SELECT on each, and on every index that the planner looks at."""
    for name in relations:
        view = p.catalog.views.get(name.text)
        table = existing(p, name)
        p.lock(name, mode, why="read")
        if view is not None and not view.materialized and planned:
            read(p, view.depends_on, scan=scan, mode=mode)
        for part in tree(p, name) if table is not None and planned else ():
            if part.partitioning is not None:
                if p.at_least(16):  # since 16 the planner looks at the indexes of a partitioned table too
                    p.lock_all(index_names(part), mode, why="the planner looks at it")
                continue
            p.lock(part.name, mode, why="read")
            p.lock_all(index_names(part), mode, why="the planner looks at it")
            if scan:
                p.does("scan", part.name, "read by the query")


def drop_table(p: Prediction, operation: DropTable) -> None:
    """The data is gone. Every table that a foreign key connects is locked too, and the parent of a partition with its default."""
    table = existing(p, operation.name, if_exists=operation.if_exists)
    if table is None and p.catalog.complete:
        return
    p.lock(operation.name, ACCESS_EXCLUSIVE)
    p.loses(f"table {operation.name.name} and its data", operation.name)
    p.breaks(f"code that uses {operation.name.name}", operation.name)
    if table is None:
        return
    made_again(p, table)
    for part in descendants(p.catalog, table.name):
        p.lock(part.name, ACCESS_EXCLUSIVE, why=f"dropped with {table.name.name}")
        p.loses(f"table {part.name.name} and its data", part.name)
    for sequence in owned_sequences(p.catalog, table.name):
        p.lock(sequence, ACCESS_EXCLUSIVE, why="owned by the table, dropped with it")
    for key in own_keys(p.catalog, table):
        if key.referenced != table.name:
            p.lock(key.referenced, ACCESS_EXCLUSIVE, why=f"referenced by {key.name}")
    if table.partition_of is not None:
        p.lock(table.partition_of, ACCESS_EXCLUSIVE, why=f"{table.name.name} is a partition of it")
        default = default_partition(p.catalog, table.partition_of)
        if default is not None and default.name != table.name:
            p.lock(default.name, ACCESS_EXCLUSIVE, why="the default partition's constraint changes")
    _leaning(p, table, cascade=operation.cascade)


def _leaning(p: Prediction, table: Table, *, cascade: bool) -> None:
    """Foreign keys and views of others: in the way, or gone too."""
    for holder, key in p.catalog.referencing(table.name):
        if holder.name == table.name:
            continue
        if cascade:
            p.lock(holder.name, ACCESS_EXCLUSIVE, why=f"its foreign key {key.name} goes with CASCADE")
            p.loses(f"foreign key {key.name} of {holder.name.name}", holder.name)
        else:
            p.fails(
                "dependency",
                f"foreign key {key.name} of {holder.name.name} depends on {table.name.name}",
                relation=holder.name,
                certain=True,
            )
    for view in p.catalog.dependents(table.name):
        if cascade:
            p.lock(view.name, ACCESS_EXCLUSIVE, why="goes with CASCADE")
            p.loses(f"view {view.name.text}", view.name)
        else:
            p.fails("dependency", f"view {view.name.text} depends on {table.name.name}", relation=view.name, certain=True)


def rename_table(p: Prediction, operation: RenameTable) -> None:
    """Instant, and the old name is gone at once for code that is running. An index takes a weaker lock."""
    if operation.relation_kind == "index":
        p.lock(operation.name, SHARE_UPDATE_EXCLUSIVE)
        return
    _known(p, operation.name, if_exists=operation.if_exists)
    p.lock(operation.name, ACCESS_EXCLUSIVE)
    to = Name(schema=operation.name.schema, name=operation.to)
    if _taken(p.catalog, to):
        p.fails("exists", f'relation "{to.text}" exists already', relation=to, certain=True)
    p.breaks(f"code that uses {operation.name.name}", operation.name)


def move_table(p: Prediction, operation: MoveTable) -> None:
    """SET SCHEMA: instant, and the old qualified name is gone."""
    _known(p, operation.name, if_exists=operation.if_exists)
    p.lock(operation.name, ACCESS_EXCLUSIVE)
    for sequence in owned_sequences(p.catalog, operation.name):
        p.lock(sequence, ACCESS_EXCLUSIVE, why="moved with the table that owns it")
    p.breaks(f"code that uses {operation.name.text}", operation.name)


def _known(p: Prediction, name: Name, *, if_exists: bool) -> None:
    if not _taken(p.catalog, name) and p.catalog.complete and not if_exists:
        p.fails("missing", f'relation "{name.text}" does not exist', relation=name, certain=True)


def alter_table_option(p: Prediction, operation: AlterTableOption) -> None:
    """Options and the cluster mark take SHARE UPDATE EXCLUSIVE; owner, identity, rules ACCESS EXCLUSIVE. Only the catalog changes."""
    table = existing(p, operation.table)
    match operation.option:
        case "set" | "reset" | "without_cluster":
            p.lock(operation.table, SHARE_UPDATE_EXCLUSIVE)
            own = any(not name.strip().startswith("toast.") for name in operation.value.strip("()").split(","))
            if operation.option == "set" and own and table is not None and table.partitioning is not None:
                p.fails("unsupported", "a partitioned table has no storage parameters", relation=table.name, certain=True)
        case "cluster_on":
            p.lock(operation.table, SHARE_UPDATE_EXCLUSIVE)
            p.lock(_named_index(p, table, operation.table, operation.value), SHARE_UPDATE_EXCLUSIVE)
            if table is not None and table.partitioning is not None:
                p.fails("unsupported", "a partitioned table has no CLUSTER mark", relation=table.name, certain=True)
        case "replica_identity":
            p.lock(operation.table, ACCESS_EXCLUSIVE)
            if operation.value.upper().startswith("USING INDEX "):
                name = _named_index(p, table, operation.table, operation.value[12:])
                p.lock(name, SHARE)
                _identifies(p, table, name)
        case "owner":
            p.lock(operation.table, ACCESS_EXCLUSIVE)
            p.lock_all(owned_sequences(p.catalog, operation.table), ACCESS_EXCLUSIVE, why="changes owner with its table")
        case "not_of":
            p.lock(operation.table, ACCESS_EXCLUSIVE)
            if table is not None and not table.of_type:
                p.fails("missing", f"{operation.table.name} is no typed table", relation=operation.table, certain=True)
        case _:
            p.lock(operation.table, ACCESS_EXCLUSIVE)


def _named_index(p: Prediction, table: Table | None, on: Name, text: str) -> Name:
    name = Name(schema=on.schema, name=text.strip().strip('"'))
    if table is not None and name not in index_names(table):
        p.fails("missing", f'index "{name.name}" of "{on.text}" does not exist', relation=on, certain=p.catalog.complete)
    return name


def _identifies(p: Prediction, table: Table | None, name: Name) -> None:
    """REPLICA IDENTITY wants a unique index over all rows and NOT NULL columns, checked at once."""
    index = table.index(name.name) if table is not None else None
    if table is None or index is None:
        return
    key = table.constraint(index.constraint) if index.constraint else None
    nullable = [column for column in index.columns if (found := table.column(column)) is not None and found.nullable]
    plain = len(index.columns) == len(index.parts) and not index.predicate
    if not (index.unique and plain) or nullable or (isinstance(key, PrimaryKey | Unique) and key.deferrable):
        p.fails("unsupported", f"{name.name} is not unique over all rows and NOT NULL columns", relation=name, certain=True)


_WRITES_ANEW = frozenset({"logged", "unlogged", "tablespace", "access_method", "cluster", "vacuum_full"})
"""What is assumed of a table that nobody has described."""


def rewrite_table(p: Prediction, operation: RewriteTable) -> None:
    """Everything that writes a whole table anew on purpose, and VACUUM and ANALYZE, which do not."""
    tables = (with_rows(p, operation.table),) if operation.table is not None else tuple(p.catalog.tables.values())
    if operation.table is not None:
        p.lock(operation.table, SHARE_UPDATE_EXCLUSIVE if operation.action in ("vacuum", "analyze") else ACCESS_EXCLUSIVE)
    p.transactional = operation.action not in ("vacuum", "vacuum_full") and not (
        operation.action == "cluster" and operation.table is None
    )
    for table in tables:
        if table is not None:
            _rewrite_one(p, table, operation)
        elif operation.table is not None and operation.action in _WRITES_ANEW:
            p.does("rewrite", operation.table, "unless it is already what the statement wants")


def _analyze(p: Prediction, table: Table) -> None:
    """A sample, not a scan. A partitioned table is analysed through its partitions, and each of them by itself."""
    for part in (table, *tree(p, table.name)[1:]):
        p.lock(part.name, SHARE_UPDATE_EXCLUSIVE, why="" if part is table else f"below {table.name.name}")
        if part.partitioning is None:
            p.lock_all(index_names(part), ACCESS_SHARE)
            if part.name != table.name:
                p.lock(part.name, ACCESS_SHARE)


def _set_logged(p: Prediction, table: Table, *, unlogged: bool) -> None:
    """A new file for the table and its indexes, and since 15 for the sequences that it owns. A partitioned table has no file: 18 refuses."""
    if table.partitioning is not None:
        if p.at_least(18):
            p.fails("unsupported", "a partitioned table is neither LOGGED nor UNLOGGED", relation=table.name, certain=True)
        return
    if table.unlogged == unlogged:
        return
    _tied_to_other_kind(p, table, unlogged=unlogged)
    rewrite(p, table, f"SET {'UNLOGGED' if unlogged else 'LOGGED'}")
    if p.at_least(15):
        for sequence in owned_sequences(p.catalog, table.name):
            p.lock(sequence, ACCESS_EXCLUSIVE, ROW_EXCLUSIVE, why="owned by the table, written with it")
            p.does("rewrite", sequence, "the sequence's one row")


def _tied_to_other_kind(p: Prediction, table: Table, *, unlogged: bool) -> None:
    """A logged table may not reference an unlogged one: its rows would outlive those that they point at."""
    if unlogged:
        tied = [holder for holder, _ in p.catalog.referencing(table.name)]
    else:
        tied = [found for key in table.foreign_keys if (found := p.catalog.table(key.referenced)) is not None]
    for other in tied:
        if other.name != table.name and other.unlogged != unlogged:
            what = (
                f"the logged table {other.name.name} references it"
                if unlogged
                else f"it references the unlogged {other.name.name}"
            )
            p.fails("dependency", what, relation=table.name, certain=True)


def _rewrite_one(p: Prediction, table: Table, operation: RewriteTable) -> None:
    match operation.action:
        case "logged" | "unlogged":
            _set_logged(p, table, unlogged=operation.action == "unlogged")
            if operation.action == "unlogged":
                p.loses(f"the contents of {table.name.name} after a crash, and on every replica", table.name)
        case "tablespace":
            if (table.tablespace or "pg_default") != operation.value.strip('"'):
                p.lock(table.name, ACCESS_EXCLUSIVE)
                p.does("rewrite", table.name, f"copied to {operation.value}")
        case "access_method":
            p.needs_version(15, "SET ACCESS METHOD")
            if (table.access_method or "heap") != operation.value.strip('"'):
                rewrite(p, table, f"stored by {operation.value}")
        case "cluster" if not operation.value and not any(index.valid for index in table.indexes):
            p.fails("missing", f"no index of {table.name.name} is marked for CLUSTER", relation=table.name, certain=True)
        case "cluster" | "vacuum_full":
            index = operation.value.strip('"')
            if operation.action == "cluster" and index and all(one.name.name != index for one in table.indexes):
                p.fails("missing", f"{table.name.name} has no index {index}", relation=table.name, certain=p.catalog.complete)
            if operation.action == "cluster" and not operation.value:
                p.fails("missing", f"no index of {table.name.name} may be marked for CLUSTER", relation=table.name)
            for part in with_storage(tree(p, table.name) if table.partitioning is not None else (table,)):
                rewrite(p, part, "CLUSTER" if operation.action == "cluster" else "VACUUM FULL")
                p.lock_all(index_names(part), ACCESS_SHARE)
        case "vacuum":
            for part in tree(p, table.name) if table.partitioning is not None else (table,):
                p.lock(part.name, SHARE_UPDATE_EXCLUSIVE, why="" if part is table else f"below {table.name.name}")
                if part.partitioning is None:
                    p.lock_all(index_names(part), ROW_EXCLUSIVE)
        case "analyze":
            _analyze(p, table)
        case _:
            p.unknown = f"{operation.action} is no PostgreSQL statement"
