"""A catalog as the statements that make it: the schema of a database that only a snapshot, or somebody else's server, has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from driftflow.dialects.base import Dialect
from driftflow.dialects.mysql.keywords import quote_string
from driftflow.engine.ports import DatabaseFault
from driftflow.model.catalog import Catalog, Check, ForeignKey, KeptText, Table, View, is_ours
from driftflow.model.operations import (
    AddConstraint,
    CreateExtension,
    CreateFunction,
    CreateIndex,
    CreateSchema,
    CreateSequence,
    CreateTable,
    CreateTrigger,
    CreateType,
    CreateView,
    Operation,
)
from driftflow.model.operations.session import KEPT_IN_FILE
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex

Made = tuple[str, str]
"""(what it makes, SQL); without SQL, why it cannot be made."""


def statements_of(catalog: Catalog, dialect: Dialect, *, rights: bool = False) -> Iterator[Made]:
    """Everything that a query can name, roughly in an order that works; rights, owners, comments, policies and rows are left out. With `rights` what
    MySQL and MariaDB run as somebody runs as them, and somebody gives them rights."""
    for what, operation in _operations(catalog, rights=rights):
        if isinstance(operation, str):
            yield what, operation
            continue
        try:
            yield what, dialect.render(operation)
        except ValueError as fault:
            yield f"{what} ({fault})", ""


def in_any_order(made: Iterable[Made], run: Callable[[str], DatabaseFault | None]) -> tuple[list[str], tuple[str, ...]]:
    """Run until no more of it succeeds: what depends on another is made in a later round. (The SQL in the order that works; what could not be made.)"""
    left = list(made)
    done: list[str] = []
    faults: dict[str, str] = {}
    before = -1
    while left and len(done) > before:
        before, refused = len(done), []
        for what, sql in left:
            fault = run(sql)
            if fault is None:
                done.append(sql)
            else:
                faults[what] = fault.message
                refused.append((what, sql))
        left = refused
    return done, tuple(f"{what}: {faults[what]}" for what, _ in left)


def without_database(sql: str, database: str) -> str:
    """MySQL and MariaDB name a database in every text that they keep: the same statement for whichever database it runs in."""
    from driftflow.dialects.mysql.tokens import name_of, tokenize

    pieces, at = [], 0
    tokens, _ = tokenize(sql, mariadb=True)
    for before, token, dot in zip([None, *tokens], tokens, tokens[1:], strict=False):
        named = token.kind in ("word", "quoted") and name_of(token) == database
        if named and dot.key == "." and (before is None or before.key != "."):
            pieces.append(sql[at : token.start])
            at = dot.end
    return "".join((*pieces, sql[at:]))


def _operations(catalog: Catalog, *, rights: bool) -> Iterator[tuple[str, Operation | str]]:
    tables = [table for table in catalog.tables.values() if not is_ours(table.name.name) and not is_ours(table.name.schema)]
    match catalog.vendor:
        case "sqlite":
            yield from _sqlite(catalog, tables)
        case "mysql" | "mariadb":
            yield from _mysql(catalog, tables, rights=rights)
        case _:
            yield from _postgresql(catalog, tables)


def _sqlite(catalog: Catalog, tables: list[Table]) -> Iterator[tuple[str, Operation | str]]:
    """The file keeps the text of everything but our own rendering of indexes."""
    for table in tables:
        yield f"table {table.name.name}", table.definition or CreateTable(table=_bare(table))
    yield from _indexes(tables)
    for view in catalog.views.values():
        yield f"view {view.name.name}", CreateView(view=replace(view, triggers=()))
    holders: list[Table | View] = [*tables, *catalog.views.values()]
    for holder in holders:
        for trigger in holder.triggers:
            yield f"trigger {trigger.name}", trigger.definition
    for name in sorted(KEPT_IN_FILE):
        if catalog.settings.get(name, "0") != "0":
            yield f"PRAGMA {name}", f"PRAGMA {name} = {int(catalog.settings[name])}"


def _mysql(catalog: Catalog, tables: list[Table], *, rights: bool) -> Iterator[tuple[str, Operation | str]]:
    """Foreign keys are not looked at meanwhile, so tables come in any order."""
    for table in tables:
        yield f"table {table.name.name}", CreateTable(table=replace(table, triggers=()))
    for routine in catalog.routines.values():
        what = f"{routine.kind} {routine.name.name}"
        if routine.kept is None:
            yield f"{what} (the catalog holds its body, not its parameters)", ""
        else:
            yield from _to_the_letter(what, routine.kept, definer=rights)
    for view in _read_first(catalog.views.values()):
        what = f"view {view.name.name}"
        yield from ((what, CreateView(view=view)),) if view.kept is None else _to_the_letter(what, view.kept, definer=rights)
    for table in tables:
        for trigger in table.triggers:
            yield from (
                _to_the_letter(f"trigger {trigger.name}", trigger.kept)
                if trigger.kept is not None
                else ((f"trigger {trigger.name}", CreateTrigger(trigger=trigger)),)
            )


def _read_first(views: Iterable[View]) -> Iterator[View]:
    """In an order that works."""
    left = {view.name: view for view in views}
    while left:
        ready = [view for view in left.values() if not any(name in left and name != view.name for name in view.depends_on)]
        for view in ready or list(left.values()):
            yield left.pop(view.name)


NAME = r"(?:`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\")"
DEFINER = lazy_regex(rf" DEFINER={NAME}(?:@{NAME})?")


def _to_the_letter(what: str, kept: KeptText, *, definer: bool = True) -> Iterator[tuple[str, str]]:
    """As the database has it: a plan that makes it again looks whether it is the same."""
    modes = kept.settings
    yield what, f"SET {', '.join(f'@driftflow_{name} = @@SESSION.{name}' for name in modes)}"
    yield what, f"SET {', '.join(f'SESSION {name} = {quote_string(value)}' for name, value in modes.items())}"
    yield what, kept.statement if definer else DEFINER.sub("", kept.statement, count=1)
    yield what, f"SET {', '.join(f'SESSION {name} = @driftflow_{name}' for name in modes)}"


def _postgresql(catalog: Catalog, tables: list[Table]) -> Iterator[tuple[str, Operation | str]]:
    for schema in catalog.schemas:
        if schema != "public" and not is_ours(schema):
            yield f"schema {schema}", CreateSchema(name=schema, if_not_exists=True)
    for extension in catalog.extensions:
        yield (
            f"extension {extension.name}",
            CreateExtension(name=extension.name, schema=extension.schema, if_not_exists=True, cascade=True),
        )
    for type in catalog.types.values():
        yield f"{type.kind} type {type.name}", CreateType(type=replace(type, comment=""))
    for sequence in catalog.sequences.values():
        if not sequence.identity and not is_ours(sequence.name.schema):
            yield f"sequence {sequence.name}", CreateSequence(sequence=replace(sequence, owned_by="", owner="", comment=""))
    for routine in catalog.routines.values():
        if not is_ours(routine.name.schema):
            yield f"{routine.kind} {routine.name}", CreateFunction(routine=routine)
    for table in tables:
        yield f"table {table.name}", CreateTable(table=_bare(table))
    yield from _indexes([table for table in tables if table.partition_of is None])
    yield from _views(catalog)
    for table in tables:
        for key in table.foreign_keys if table.partition_of is None else ():
            yield f"foreign key {key.name} of {table.name}", AddConstraint(table=table.name, constraint=key)
    holders: list[Table | View] = [*tables, *catalog.views.values()]
    for holder in holders:
        for trigger in holder.triggers if not (isinstance(holder, Table) and holder.partition_of) else ():
            yield f"trigger {trigger.name} of {holder.name}", CreateTrigger(trigger=replace(trigger, comment=""))


def _views(catalog: Catalog) -> Iterator[tuple[str, Operation | str]]:
    for view in catalog.views.values():
        bare: View = replace(view, indexes=(), triggers=(), grants=(), owner="", comment="")
        yield f"view {view.name}", CreateView(view=bare)
        for index in view.indexes:
            yield f"index {index.name}", CreateIndex(index=replace(index, comment="", tablespace=""))


def _indexes(tables: list[Table]) -> Iterator[tuple[str, Operation | str]]:
    for table in tables:
        for index in table.indexes:
            if not index.constraint and index.valid:
                yield f"index {index.name.name}", CreateIndex(index=replace(index, comment="", tablespace="", bytes=None))


def _bare(table: Table) -> Table:
    """What CREATE TABLE says at once: no foreign keys, nothing that has a statement of its own, no place of storage."""
    constraints = tuple(
        replace(one, validated=True) if isinstance(one, Check) else one
        for one in table.constraints
        if not isinstance(one, ForeignKey)
    )
    if table.partition_of is not None:
        table = replace(table, columns=(), inherits=())
        constraints = ()
    columns = tuple(replace(column, comment="") for column in table.columns)
    return replace(
        table, columns=columns, constraints=constraints, indexes=(), triggers=(), policies=(), tablespace="", access_method="", comment=""
    )  # fmt: skip
