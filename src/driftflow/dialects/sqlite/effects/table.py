"""Operations on whole tables."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.sqlite import mentions, probes
from driftflow.dialects.sqlite.capabilities import GENERATED_COLUMN, RENAME_FOLLOWS_REFERENCES, STRICT_TABLE
from driftflow.dialects.sqlite.effects.column import broken_objects_stop
from driftflow.dialects.sqlite.effects.prediction import Prediction
from driftflow.dialects.sqlite.keys import STRICT, WITHOUT_ROWID
from driftflow.dialects.sqlite.resolve import relation
from driftflow.dialects.sqlite.types import STRICT_TYPES
from driftflow.model.catalog import ForeignKey, PrimaryKey, Table, Unique
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, CreateTableAs, DropTable, RenameTable, RewriteTable

DATABASE = Name(schema="main", name="sqlite_schema")
"""What stands for the whole file where a statement names no table."""


def create_table(p: Prediction, operation: CreateTable) -> None:
    table = operation.table
    if _must_not_exist(p, table.name, if_not_exists=operation.if_not_exists):
        return
    if table.name.schema != "temp":
        p.writes(table.name)
    if table.name.name.lower().startswith("sqlite_"):
        p.fails("unsupported", "names that begin with sqlite_ are SQLite's own", relation=table.name, certain=True)
    if any(column.generated is not None for column in table.columns):
        p.since(GENERATED_COLUMN, "a generated column")
    if STRICT in table.options:
        p.since(STRICT_TABLE, "a STRICT table")
        for column in table.columns:
            if column.type.upper() not in STRICT_TYPES:
                what = f"{column.name} {column.type}".rstrip()
                p.fails("unsupported", f"a STRICT table does not take `{what}`", relation=table.name, certain=True)
    if WITHOUT_ROWID in table.options and table.primary_key is None:
        p.fails("unsupported", "a table WITHOUT ROWID needs a primary key", relation=table.name, certain=True)
    for kind, why in _refused(table):
        p.fails(kind, why, relation=table.name, certain=True)


def _refused(table: Table) -> Iterator[tuple[str, str]]:
    """What the server says of columns and keys; letter case tells no column from another."""
    names = [column.name.lower() for column in table.columns]
    yield from (("exists", f"the column {name} is said more than once") for name in dict.fromkeys(names) if names.count(name) > 1)
    if sum(isinstance(one, PrimaryKey) for one in table.constraints) > 1:
        yield "exists", f"{table.name.name} has more than one primary key"
    for column in table.columns:
        if column.autoincrement and (column.type.upper() != "INTEGER" or WITHOUT_ROWID in table.options):
            yield (
                "unsupported",
                f"AUTOINCREMENT is for an INTEGER PRIMARY KEY of a table with rowids alone, not for {column.name}",
            )
    for one in table.constraints:
        for name in one.columns if isinstance(one, PrimaryKey | Unique | ForeignKey) else ():
            if name.lower() not in names:
                yield "missing", f"{table.name.name} has no column {name}"


def _must_not_exist(p: Prediction, name: Name, *, if_not_exists: bool) -> bool:
    """True where it is there and that is allowed: nothing is done then."""
    known = relation(name, p.catalog)
    taken = known.text in p.catalog.tables or known.text in p.catalog.views
    if taken and not if_not_exists:
        p.fails("exists", f"{name.name} already exists", relation=name, certain=True)
    return taken and if_not_exists


def create_table_as(p: Prediction, operation: CreateTableAs) -> None:
    if _must_not_exist(p, operation.name, if_not_exists=operation.if_not_exists):
        return
    if not operation.temporary:
        p.writes(operation.name)
    for name in operation.reads:
        p.does("scan", name, "the query reads it")
    p.does("rows", operation.name, "every row of the query is written")
    p.loses("keys, constraints and defaults: CREATE TABLE AS keeps names and affinities alone", operation.name, reversible=True)


def drop_table(p: Prediction, operation: DropTable) -> None:
    name = operation.name
    table = p.catalog.table(name)
    if table is None and (not operation.if_exists or name.text in p.catalog.views):
        p.table(name)
    if operation.cascade:
        p.fails("unsupported", "SQLite's DROP TABLE has no CASCADE", relation=name, certain=True)
    p.writes(name)
    if table is None:
        return
    p.does("scan", name, "its pages go to the free list")
    p.loses(f"table {name.name} and its data", name)
    p.breaks(f"code that still uses {name.name}", name)
    for holder, key in p.catalog.referencing(name):
        if holder.name != name:
            _referenced(p, table, holder, key)
    for view in p.catalog.dependents(name):
        p.breaks(f"view {view.name.name} reads it and fails from then on; so does every RENAME in this database", view.name)
    for holder_of, trigger in mentions.triggers(p.catalog):
        if holder_of.name != name and mentions.trigger_mentions(trigger, name):
            p.breaks(f"trigger {trigger.name} on {holder_of.name.name} names it: writes there fail", holder_of.name)


def _referenced(p: Prediction, table: Table, holder: Table, key: ForeignKey) -> None:
    """With foreign_keys on, DROP TABLE deletes every row first, and the actions of the foreign keys fire (measured)."""
    columns = ", ".join(key.columns)
    if p.foreign_keys is not False and not table.new:
        given = "" if p.foreign_keys else "with foreign_keys on, "
        match key.on_delete:
            case "CASCADE":
                p.writes(holder.name, f"{given}ON DELETE CASCADE of {columns} fires for every row")
                p.does("rows", holder.name, "ON DELETE CASCADE")
                p.loses(f"{given}every row of {holder.name.name} whose {columns} points at {table.name.name}", holder.name)
            case "SET NULL" | "SET DEFAULT":
                p.writes(holder.name, f"{given}ON DELETE {key.on_delete} of {columns} fires for every row")
                p.does("rows", holder.name, f"ON DELETE {key.on_delete}")
                p.loses(f"{given}the references in {holder.name.name}.{columns}", holder.name)
            case _:
                p.fails(
                    "dependency",
                    f"{given}rows of {holder.name.name} still point at {table.name.name}",
                    relation=holder.name,
                    probe=probes.referencing_rows(holder.name, key),
                )
    p.breaks(
        f"{holder.name.name} still references {table.name.name}: with foreign_keys on, writes there fail (no such table)",
        holder.name,
    )


def rename_table(p: Prediction, operation: RenameTable) -> None:
    name = operation.name
    if name.text in p.catalog.views:
        p.fails("unsupported", f"{name.name} is a view: SQLite cannot rename it", relation=name, certain=True)
        return
    table = p.table(name)
    if operation.to.lower() == name.name.lower():
        # Not even another case of its own name is free (measured).
        why = f"{name.name} and {operation.to} are one name to SQLite, and it is taken: rename it to a third name first, and from that to {operation.to}"
        p.fails("exists", why, relation=name, certain=True)
    else:
        _must_not_exist(p, Name(schema=name.schema, name=operation.to), if_not_exists=False)
    if operation.to.lower().startswith("sqlite_"):
        p.fails("unsupported", "names that begin with sqlite_ are SQLite's own", relation=name, certain=True)
    broken_objects_stop(p)
    p.writes(name)
    p.breaks(f"code that still uses {name.name}", name)
    if table is None:
        return
    followers = [holder.name.name for holder, _ in p.catalog.referencing(name) if holder.name != name]
    followers += [view.name.name for view in p.catalog.dependents(name)]
    legacy = p.catalog.settings.get("legacy_alter_table") == "1"
    old = p.version is not None and p.version < RENAME_FOLLOWS_REFERENCES
    for follower in dict.fromkeys(followers):
        if legacy or old:
            p.breaks(f"{follower} keeps the old name and no longer finds the table", name)
        else:
            p.breaks(f"{follower} follows to {operation.to}: dropping {operation.to} later takes its reference away", name)


def rewrite_table(p: Prediction, operation: RewriteTable) -> None:
    target = operation.table or DATABASE
    match operation.action:
        case "vacuum_full":
            p.transactional = False
            p.exclusive = True
            p.writes(target, "VACUUM writes the whole file anew and needs it for itself")
            p.does("rewrite", target, "the whole file; needs as much free space again")
        case "vacuum":
            p.transactional = False
            p.does("scan", target, "the whole file is read into another one")
        case "analyze":
            if operation.table is not None and not _known_to_analyze(p, operation.table):
                p.fails("missing", f"there is neither a table nor an index {target.name}", relation=target, certain=True)
            p.writes(target, "sqlite_stat1 is written")
            p.does("scan", target, "indexes are read for their statistics")
        case _:
            p.fails("unsupported", f"SQLite has no statement for {operation.action}", certain=True)


def _known_to_analyze(p: Prediction, name: Name) -> bool:
    """A table, an index, a schema; a view is passed over in silence."""
    indexes = {index.name for table in p.catalog.tables.values() for index in table.indexes}
    if not p.catalog.complete or name.text in p.catalog.tables or name.text in p.catalog.views or name in indexes:
        return True
    return name.name.lower().startswith("sqlite_") or name.name.lower() in ("main", "temp")
