"""Who mentions a table or a column: by tokens, because SQLite keeps views, triggers, checks and indexes as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from driftflow.dialects.sqlite.parse import parse_sql
from driftflow.dialects.sqlite.resolve import relations_of
from driftflow.dialects.sqlite.tokens import TokenFault, name_of, tokenize
from driftflow.model.catalog import Catalog, Check, Index, Table, Trigger, View, is_ours
from driftflow.model.names import Name
from driftflow.model.operations import CreateTrigger

_EPONYMOUS = frozenset(
    {"dbstat", "json_each", "json_tree", "jsonb_each", "jsonb_tree", "generate_series", "bytecode", "tables_used"}
)


@lru_cache(maxsize=4096)
def words(text: str) -> frozenset[str]:
    """Every word and quoted name of the text, in lower case. Strings are none."""
    try:
        tokens, _ = tokenize(text)
    except TokenFault:
        return frozenset()
    return frozenset(name_of(token).lower() for token in tokens if token.kind in {"word", "quoted"})


def names_column(text: str, column: str) -> bool:
    return column.lower() in words(text)


@lru_cache(maxsize=4096)
def touched_by(definition: str) -> tuple[Name, ...]:
    """Relations that a trigger's body names. When it is not read: none, and `words` must do."""
    try:
        operations = parse_sql(definition)
    except TokenFault:
        return ()
    match operations:
        case (CreateTrigger() as created,):
            return created.touches
        case _:
            return ()


def trigger_mentions(trigger: Trigger, table: Name) -> bool:
    touched = touched_by(trigger.definition)
    if touched:
        return any(name.name.lower() == table.name.lower() for name in touched)
    return names_column(trigger.definition, table.name)


def triggers(catalog: Catalog) -> Iterator[tuple[Table | View, Trigger]]:
    """All triggers with what they hang on."""
    for holder in relations_of(catalog):
        for trigger in holder.triggers:
            yield holder, trigger


def indexes_naming(table: Table, column: str) -> Iterator[Index]:
    """Indexes that somebody created and that a column is part of, its expressions and predicate included."""
    for index in table.indexes:
        texts = (index.predicate, *(part.expression for part in index.parts))
        if not index.constraint and (
            column.lower() in {name.lower() for name in index.columns} or any(names_column(text, column) for text in texts)
        ):
            yield index


def checks_naming(table: Table, column: str) -> Iterator[Check]:
    for constraint in table.constraints:
        if isinstance(constraint, Check) and names_column(constraint.expression, column):
            yield constraint


def missing_relations(catalog: Catalog, names: Iterable[Name]) -> list[Name]:
    """Those of the names that nothing is called. What a catalog leaves out is there all the same: SQLite's own tables, driftflow's, those in which
    a virtual table keeps its content, and table-valued functions called without arguments."""
    known = {held.name.name.lower() for held in relations_of(catalog)}
    virtual = tuple(f"{table.name.name.lower()}_" for table in catalog.tables.values() if table.kind == "virtual")

    def is_there(name: str) -> bool:
        return name in known or name in _EPONYMOUS or is_ours(name) or name.startswith(("sqlite_", "pragma_", *virtual))

    return [name for name in names if name.schema in {"", "main"} and not is_there(name.name.lower())]


def broken_objects(catalog: Catalog) -> Iterator[tuple[str, str, Name]]:
    """(kind, name, what it lacks) for views and triggers that already name a relation which does not exist.

    One of them, wherever it is, makes every RENAME and DROP COLUMN of the database fail (measured).
    """
    if not catalog.complete:
        return
    for view in catalog.views.values():
        for name in missing_relations(catalog, view.depends_on):
            yield "view", view.name.name, name
    for _, trigger in triggers(catalog):
        for name in missing_relations(catalog, touched_by(trigger.definition)):
            yield "trigger", trigger.name, name
