"""Indexes: built, dropped, renamed, rebuilt."""

from __future__ import annotations

from driftflow.dialects.numbers import whole
from driftflow.dialects.postgresql.effects import probes
from driftflow.dialects.postgresql.effects.index_method import needs_partition_key, refuse_by_method
from driftflow.dialects.postgresql.effects.locks import (
    ACCESS_EXCLUSIVE,
    ACCESS_SHARE,
    ROW_EXCLUSIVE,
    SHARE,
    SHARE_UPDATE_EXCLUSIVE,
)
from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.reads import refuse_query, refuse_unknown
from driftflow.dialects.postgresql.effects.relations import child_index, existing, index_names, tree, with_rows, with_storage
from driftflow.model.catalog import Catalog, Index, Table
from driftflow.model.names import Name
from driftflow.model.operations import AlterIndex, CreateIndex, DropIndex, Reindex, RenameIndex


def find_index(catalog: Catalog, name: Name) -> tuple[Table | None, Index | None]:
    """The index and its table (a materialized view has no table record)."""
    for holder, index in catalog.indexes_named(name):
        return holder if isinstance(holder, Table) else None, index
    return None, None


def create_index(p: Prediction, operation: CreateIndex) -> None:
    """SHARE keeps writers out for as long as the build takes; CONCURRENTLY lets them pass and cannot run in a transaction."""
    index = operation.index
    if find_index(p.catalog, index.name)[1] is not None and index.name.name:
        p.lock(index.table, SHARE)
        if not operation.if_not_exists:
            p.fails("exists", f'relation "{index.name.text}" exists already', relation=index.name, certain=True)
        return
    view = p.catalog.views.get(index.table.text)
    table = None if view is not None else existing(p, index.table)
    tables = tree(p, index.table, only=operation.only)
    p.transactional = not operation.concurrently
    p.lock(index.table, SHARE_UPDATE_EXCLUSIVE if operation.concurrently else SHARE)
    columns = [part.column for part in index.parts if part.column] + list(index.include)
    if view is not None and not view.materialized:
        p.fails("unsupported", f"{view.name.text} is a view: indexes are on tables", relation=view.name, certain=True)
    for expression in (index.predicate, *(part.expression for part in index.parts)):
        refuse_unknown(p, table, expression)
        refuse_query(p, table, expression, "an index")
    if view is not None and view.columns and not set(columns) <= set(view.columns):
        p.fails("missing", f"{view.name.name} has not all the columns of the index", relation=view.name, certain=True)
    if index.nulls_not_distinct:
        p.needs_version(15, "NULLS NOT DISTINCT")
    parent = table is not None and table.partitioning is not None
    if operation.concurrently and parent:
        p.fails(
            "unsupported",
            f'cannot create an index on the partitioned table "{index.table.text}" concurrently',
            relation=index.table,
            certain=True,
        )
        return
    refuse_by_method(p, index, table)
    if index.unique and table is not None:
        needs_partition_key(p, table, index.columns)
    p.created.add(index.name)
    p.lock(index.name, *((ROW_EXCLUSIVE,) if operation.concurrently else (ACCESS_EXCLUSIVE,)), why="the new index")
    if parent and not operation.only:
        if len(tables) > 1:
            p.lock(index.name, SHARE_UPDATE_EXCLUSIVE)
        _build_on_parts(p, index, tables)
    elif parent:
        pass  # ON ONLY: nothing is built, the index stays invalid until a part is attached for every partition
    else:
        p.does("scan", index.table, "the index is built from it")
        p.does("index_build", index.table, index.name.name)
    if index.unique:
        _may_repeat(p, index, tables)


def _build_on_parts(p: Prediction, index: Index, tables: tuple[Table, ...]) -> None:
    for part in tables[1:]:
        name = child_index(part, index)
        p.created.add(name)
        p.lock(part.name, SHARE, why="its part of the index is built")
        p.lock(name, ACCESS_EXCLUSIVE)
        if part.partitioning is None:
            p.does("scan", part.name, "the index is built from it")
            p.does("index_build", part.name, name.name)
        else:
            p.lock(name, SHARE_UPDATE_EXCLUSIVE)


def _may_repeat(p: Prediction, index: Index, tables: tuple[Table, ...]) -> None:
    if tables and all(table.new for table in with_storage(tables)):
        return
    p.fails(
        "duplicates",
        f"{index.table.name} holds rows with the same ({', '.join(part.column or part.expression for part in index.parts)})",
        relation=index.table,
        probe=probes.duplicates(
            index.table, probes.index_keys(index.parts), predicate=index.predicate, nulls_equal=index.nulls_not_distinct
        ),
    )


def drop_index(p: Prediction, operation: DropIndex) -> None:
    """ACCESS EXCLUSIVE on the *table*, if only for an instant; CONCURRENTLY takes SHARE UPDATE EXCLUSIVE."""
    table, index = find_index(p.catalog, operation.name)
    on = index.table if index is not None else operation.table
    p.transactional = not operation.concurrently
    if index is None and p.catalog.complete:
        if not operation.if_exists:
            p.fails("missing", f'index "{operation.name.text}" does not exist', relation=operation.name, certain=True)
        return
    mode = SHARE_UPDATE_EXCLUSIVE if operation.concurrently else ACCESS_EXCLUSIVE
    if on is not None:
        p.lock(on, mode, why=f"the table of {operation.name.name}")
    p.lock(operation.name, mode)
    if index is not None and index.constraint and not operation.cascade:
        p.fails(
            "dependency",
            f"constraint {index.constraint} needs the index: drop the constraint",
            relation=operation.name,
            certain=True,
        )
    if table is not None and table.partitioning is not None:
        if operation.concurrently:
            p.fails("unsupported", "a partitioned index cannot be dropped concurrently", relation=operation.name, certain=True)
        for part in tree(p, table.name)[1:]:
            p.lock(part.name, ACCESS_EXCLUSIVE, why="its part of the index goes too")
    p.loses(f"index {operation.name.name}: queries that use it become slow", on, reversible=True)


def rename_index(p: Prediction, operation: RenameIndex) -> None:
    """SHARE UPDATE EXCLUSIVE on the index alone (12 and later)."""
    if find_index(p.catalog, operation.name)[1] is None and p.catalog.complete and not operation.if_exists:
        p.fails("missing", f'relation "{operation.name.text}" does not exist', relation=operation.name, certain=True)
    p.lock(operation.name, SHARE_UPDATE_EXCLUSIVE)


def alter_index(p: Prediction, operation: AlterIndex) -> None:
    """Attaching a part is instant; a new tablespace copies the index."""
    table, index = find_index(p.catalog, operation.name)
    if index is None and p.catalog.complete and not operation.if_exists:
        p.fails("missing", f'index "{operation.name.text}" does not exist', relation=operation.name, certain=True)
    match operation.action:
        case "attach":
            p.lock(operation.name, SHARE_UPDATE_EXCLUSIVE)
            if table is not None:
                p.lock(table.name, ACCESS_SHARE)
            if operation.child is not None:
                p.lock(operation.child, ACCESS_EXCLUSIVE, why="attached")
                child, _ = find_index(p.catalog, operation.child)
                if child is not None:
                    p.lock(child.name, ACCESS_SHARE)
        case "tablespace":
            p.lock(operation.name, ACCESS_EXCLUSIVE)
            if index is None or (index.tablespace or "pg_default") != operation.value.strip('"'):
                p.does("rewrite", operation.name, f"copied to {operation.value}")
        case "statistics":
            p.lock(operation.name, SHARE_UPDATE_EXCLUSIVE)
            number = whole(operation.value.partition(" ")[0]) or 0
            if index is not None and 0 < number <= len(index.parts) and index.parts[number - 1].column:
                p.fails(
                    "dependency",
                    "statistics belong to the column of the table, not to the index",
                    relation=operation.name,
                    certain=True,
                )
        case "depends":
            p.lock(operation.name, ACCESS_EXCLUSIVE)
        case _:
            p.lock(operation.name, SHARE_UPDATE_EXCLUSIVE)


def reindex(p: Prediction, operation: Reindex) -> None:
    """Writers of the table wait, and so does every reader whose plan looks at the index: all of them. CONCURRENTLY (12) avoids both."""
    concurrently = operation.concurrently
    p.transactional = not concurrently and operation.kind in ("index", "table")
    if operation.kind == "index" and operation.name is not None:
        index = find_index(p.catalog, operation.name)[1]
        if index is None and p.catalog.complete:
            p.fails("missing", f'relation "{operation.name.text}" does not exist', relation=operation.name, certain=True)
        on = index.table if index is not None else None
        holder = p.catalog.table(on) if on is not None else None
        p.transactional = p.transactional and (holder is None or holder.partitioning is None)
        _rebuild(p, on, (operation.name,), concurrently=concurrently)
    elif operation.kind == "table" and operation.name is not None:
        table = with_rows(p, operation.name)
        if table is not None and table.partitioning is not None:
            p.transactional = False
            p.lock(table.name, SHARE_UPDATE_EXCLUSIVE if concurrently else SHARE)
            for part in tree(p, table.name)[1:]:  # even with CONCURRENTLY, and awaited like any other lock
                p.lock_for_a_moment(part.name, SHARE, why="while the partitions are listed")
        for part in with_storage((table, *tree(p, operation.name)[1:])) if table is not None else ():
            _rebuild(p, part.name, index_names(part), concurrently=concurrently)
    else:
        for part in p.catalog.tables.values():
            if (
                operation.kind != "schema"
                or operation.name is None
                or part.name.schema in (operation.name.name, operation.name.schema)
            ):
                _rebuild(p, part.name, index_names(part), concurrently=concurrently)


def _rebuild(p: Prediction, table: Name | None, indexes: tuple[Name, ...], *, concurrently: bool) -> None:
    if table is not None:
        p.lock(table, SHARE_UPDATE_EXCLUSIVE if concurrently else SHARE, why="its indexes are built anew")
        if indexes:
            p.does("scan", table, "the index is built from it")
    for index in indexes:
        p.lock(index, SHARE_UPDATE_EXCLUSIVE if concurrently else ACCESS_EXCLUSIVE)
        p.does("rewrite", index, "built anew")
