"""Backfills: from a request or a default to the steps that fill a column in chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import ParseError, RefusedError
from driftflow.model.catalog import Column, Index, Table, Unique
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations.dependents import heirs_of
from driftflow.model.operations.rules import names_in_any_case
from driftflow.model.plan import (
    Backfill,
    ChunkPolicy,
    CsvSource,
    Phase,
    PythonFunction,
    QuerySource,
    Stage,
    Step,
    Undo,
    UndoNothing,
    UndoSteps,
)
from driftflow.model.record import replace
from driftflow.strategies import spoken
from driftflow.strategies.columns.quiet_triggers import quiet
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.spoken import BackfillRequest

ROWID = "rowid"


def chunk_key(at: Situation, table: Table) -> tuple[str, ...]:
    """The columns of a unique NOT NULL key to walk along: the primary key before any other; empty when there is none."""
    primary = table.primary_key
    if (
        primary is not None
        and _ordered(at, table, primary.columns)
        and _all_not_null(table, primary.columns, implied=not _keeps_null_keys(at, table))
    ):
        return primary.columns
    for constraint in table.constraints:
        if not isinstance(constraint, Unique) or constraint.deferrable or not _ordered(at, table, constraint.columns):
            continue
        if _all_not_null(table, constraint.columns):
            return constraint.columns
    for index in table.indexes:
        if _is_key(index) and _ordered(at, table, index.columns) and _all_not_null(table, index.columns):
            return index.columns
    has_rowid = at.can(Capability.TABLE_REBUILD_ONLY) and table.kind == "table" and "WITHOUT ROWID" not in table.options
    return (ROWID,) if has_rowid else ()


def lasting_key(at: Situation, table: Table) -> tuple[str, ...]:
    """By what a row is found again when the run is long over: not by a rowid that no column holds, since VACUUM numbers such rows anew. A primary key of
    SQLite may hold NULL in rows that nobody would find by it: `null_keys` says which. Empty when there is none."""
    key = chunk_key(at, table)
    if key != (ROWID,):
        return key
    return table.primary_key.columns if table.primary_key is not None else ()


def null_keys(at: Situation, table: Table, key: tuple[str, ...]) -> str:
    """The condition for rows that no key tells from the others; empty where there is none."""
    if key == chunk_key(at, table):
        return ""
    return " OR ".join(f"{at.dialect.quote(column)} IS NULL" for column in key)


def can_walk(at: Situation, table: Table) -> bool:
    return bool(chunk_key(at, table))


def _keeps_null_keys(at: Situation, table: Table) -> bool:
    """SQLite lets a primary key hold NULL, but for INTEGER PRIMARY KEY, WITHOUT ROWID and STRICT: such rows lie on no way along the key."""
    primary = table.primary_key
    if not at.can(Capability.TABLE_REBUILD_ONLY) or primary is None or {"WITHOUT ROWID", "STRICT"} & set(table.options):
        return False
    first = table.column(primary.columns[0])
    return len(primary.columns) > 1 or first is None or first.type.upper() != "INTEGER"


def _ordered(at: Situation, table: Table, names: tuple[str, ...]) -> bool:
    """Whether a range of the key holds the rows between its ends."""
    found = [table.column(name) for name in names]
    return not at.can(Capability.ENUM_BY_NUMBER) or not any(
        column is not None and column.type.lower().startswith(("enum(", "set(")) for column in found
    )


def _is_key(index: Index) -> bool:
    plain = all(part.column and part.prefix is None for part in index.parts)
    return index.unique and index.valid and plain and not index.predicate


def _all_not_null(table: Table, columns: tuple[str, ...], *, implied: bool = False) -> bool:
    found = [table.column(name) for name in columns]
    return all(column is not None and (implied or not column.nullable) for column in found) and bool(found)


def chunk_policy(at: Situation) -> ChunkPolicy:
    """SQLite has one writer and no queue, so its chunks are shorter and its rests as long as the chunk."""
    single = at.can(Capability.SINGLE_WRITER)
    return ChunkPolicy(
        target_ms=at.policy.chunk_target_ms or (35 if single else 150),
        rest_percent=at.policy.rest_percent or (100 if single else 20),
    )


def fill(
    recipe: Recipe,
    table: Table,
    request: BackfillRequest,
    *,
    phase: Phase = "migrate",
    partial: bool,
    undo: Undo | None = None,
    again: bool = False,
) -> Iterator[Step]:
    """The steps that carry out one request. `again` is the second pass after the new application is everywhere: nothing is staged then."""
    at = recipe.at
    if request.function:
        yield _by_function(recipe, table, request, phase=phase, partial=partial, undo=undo, again=again)
        return
    if not request.csv and not request.query:
        expression = request.expression
        source = request.from_clause
        yield backfill(
            recipe,
            table,
            assignments=((request.columns[0], expression),),
            from_clause=f"FROM {source}" if source else "",
            join=request.join,
            predicate=_predicate(
                at, table, request.columns[0], request.where, expression if source or _reads(expression, table) else ""
            ),
            phase=phase,
            partial=partial,
            undo=undo,
            again=again,
            own=request.columns,
        )
        return
    staged = staging_name(at, table.name, request.columns[0])
    yield _stage(recipe, table, request, staged, phase=phase)
    key, value = at.dialect.quote(request.key), at.dialect.quote(request.value)
    target = at.dialect.quote(table.name.name)
    yield backfill(
        recipe,
        table,
        assignments=((request.columns[0], f"s.{value}"),),
        from_clause=f"FROM {at.dialect.quote_name(staged)} AS s",
        join=f"s.{key} = {target}.{at.dialect.quote(request.match)}",
        predicate=_predicate(at, table, request.columns[0], request.where, f"s.{value}"),
        phase=phase,
        partial=True,
        undo=undo,
        again=again,
        own=request.columns,
    )
    yield recipe.text(
        f"DROP TABLE IF EXISTS {at.dialect.quote_name(staged)}",
        purpose=f"Remove the staging table {staged.name}",
        phase=phase,
        claims=(LockClaim(relation=staged, mode="EXCLUSIVE", why="our own staging table"),),
        undo=UndoNothing(reason="the staging table is ours and can be loaded again"),
    )


def backfill(
    recipe: Recipe,
    table: Table,
    *,
    assignments: tuple[tuple[str, str], ...],
    predicate: str,
    phase: Phase,
    from_clause: str = "",
    join: str = "",
    partial: bool = False,
    undo: Undo | None = None,
    again: bool = False,
    purpose: str = "",
    own: tuple[str, ...] = (),
    beside: tuple[str, ...] = (),
) -> Backfill:
    """One chunked UPDATE. Raises RefusedError (DF-E663) where the table has no key to walk along. `own` are columns that the application does not know yet: its triggers need
    not fire for them (raises RefusedError where they would all the same); `beside` are triggers of ours that keep the same columns."""
    at = recipe.at
    columns = ", ".join(f"{table.name.name}.{column}" for column, _ in assignments)
    key = chunk_key(at, table)
    if not key:
        raise RefusedError(
            "DF-E663",
            f"{columns} cannot be filled in chunks",
            where=str(at.statement.span),
            why=f"{table.name.name} has no unique key to walk along whose columns are all NOT NULL",
            hint="give the table a primary key in a migration before this one",
        )
    step = Backfill(
        **recipe.common(purpose or (f"Fill what is still missing in {columns}" if again else f"Fill {columns} in chunks"), phase),
        table=table.name,
        key=key,
        assignments=(*assignments, *unmoved(at, table, assignments)),
        from_clause=from_clause,
        join=join,
        predicate=predicate,
        chunk=chunk_policy(at),
        rows_estimate=at.rows(table.name),
        remaining_query=remaining(at, table, from_clause=from_clause, join=join, predicate=predicate),
        partial=partial,
        claims=row_claims(at, table.name),
        statement_timeout_ms=at.policy.statement_timeout_ms,
        undo=undo or UndoNothing(reason=f"the values go with the column: the undo that drops {columns}"),
    )
    return quiet(recipe, table, step, own, beside=beside) if own else step


def unmoved(at: Situation, table: Table, assignments: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Columns that the server sets to now with every UPDATE (ON UPDATE CURRENT_TIMESTAMP), kept as they are: no application has changed the row."""
    set_already = {column for column, _ in assignments}
    names = [column.name for column in table.columns if column.on_update and column.name not in set_already]
    quote = at.dialect.quote
    return tuple((name, f"{quote(table.name.name)}.{quote(name)}") for name in names)


def row_claims(at: Situation, table: Name) -> tuple[LockClaim, ...]:
    """What a chunk of row changes locks: one writer on SQLite, row locks elsewhere, also in the partitions."""
    if at.can(Capability.SINGLE_WRITER):
        return (LockClaim(relation=table, mode="RESERVED", blocks=("writes", "ddl"), held="statement", queues=False),)
    mode = "SHARED_WRITE" if at.dialect.one_pass else "ROW EXCLUSIVE"
    names = (table, *(one.name for one in heirs_of(at.catalog, table)))
    return tuple(LockClaim(relation=name, mode=mode, blocks=("ddl",), held="statement", queues=False) for name in names)


def remaining(at: Situation, table: Table, *, from_clause: str, join: str, predicate: str) -> str:
    """Counts the rows that the backfill would still change."""
    target = at.dialect.quote_name(table.name)
    if not predicate and not join:
        return ""
    if from_clause:
        source = from_clause.removeprefix("FROM ").strip()
        where = " AND ".join(f"({part})" for part in (join, predicate) if part)
        return f"SELECT count(*) FROM {target} WHERE EXISTS (SELECT 1 FROM {source} WHERE {where})"
    return f"SELECT count(*) FROM {target} WHERE {predicate}"


def staging_name(at: Situation, table: Name, column: str) -> Name:
    """Where an external source is loaded: our own schema, or a prefixed table where a database has only one."""
    name = f"stage_{table.name}_{column}"[:50]
    if at.can(Capability.TABLE_REBUILD_ONLY) or at.dialect.one_pass:
        return Name(schema=table.schema, name=f"_driftflow_{name}")
    return Name(schema="driftflow", name=name)


def _stage(recipe: Recipe, table: Table, request: BackfillRequest, staged: Name, *, phase: Phase) -> Stage:
    at = recipe.at
    target, matched = _type(table, request.columns[0], recipe), _type(table, request.match, recipe)
    drop = recipe.text(
        f"DROP TABLE IF EXISTS {at.dialect.quote_name(staged)}",
        purpose=f"Remove the staging table {staged.name}",
        phase=phase,
        undo=UndoNothing(reason="the staging table is ours"),
    )
    source: CsvSource | QuerySource
    if request.csv:
        path = spoken.input_path(at.migration, request.csv)
        source = CsvSource(
            path=path,
            sha256=spoken.pinned(at, path, request.span),
            columns=_header(at, path, request),
            delimiter=request.delimiter,
            null=request.null,
        )
    else:
        source = QuerySource(
            sql=request.query,
            sha256=hashlib.sha256(request.query.encode()).hexdigest(),
            url_env=request.url_env,
            columns=(request.key, request.value),
        )
    return Stage(
        **recipe.common(f"Load {request.csv or 'the answer of ' + request.url_env} into a staging table", phase),
        table=staged,
        columns=((request.key, matched), (request.value, target)),
        key=(request.key,),
        source=source,
        statement_timeout_ms=0,
        undo=UndoSteps(steps=(drop,)),
    )


def _header(at: Situation, path: str, request: BackfillRequest) -> tuple[str, ...]:
    """The names in the file's first line, where the pipeline told them; without it the file has the key and the value, in that order.
    Raises ParseError (DF-E213) where it lacks one of the two: in the run it would be too late."""
    said = (at.inputs or {}).get(f"{path}#columns")
    if said is None:
        return request.key, request.value
    header = tuple(said.split("\n")) if said else ()
    lacking = [name for name in (request.key, request.value) if name not in header]
    if lacking:
        delimiter = "tab" if request.delimiter == "\t" else request.delimiter
        raise ParseError(
            "DF-E213",
            f"{request.csv} has no column {' and no column '.join(lacking)}",
            where=str(request.span),
            why=f"its first line says {', '.join(header) or 'nothing'}, read with the delimiter {delimiter}",
            hint="key=, value= and delimiter= of the backfill are as the first line of the file spells them",
        )
    return header


def _by_function(
    recipe: Recipe, table: Table, request: BackfillRequest, *, phase: Phase, partial: bool, undo: Undo | None, again: bool
) -> Backfill:
    """Raises ParseError (DF-E213) where an input is no column: the function would be asked when the first column is there already."""
    at = recipe.at
    path = spoken.input_path(at.migration, request.path)
    columns = [column.name for column in (recipe.catalog.table(table.name) or table).columns]
    same = str.lower if names_in_any_case(at.catalog) else str
    lacking = [name for name in request.inputs if same(name) not in {same(one) for one in columns}]
    if lacking:
        raise ParseError(
            "DF-E213",
            f"{table.name.name} has no column {' and no column '.join(lacking)}",
            where=str(request.span),
            why=f"inputs= names what {request.function} gets; there are {', '.join(columns)}",
            hint="inputs= names columns of the table, as the catalog spells them",
        )
    step = backfill(
        recipe,
        table,
        assignments=(),
        predicate=_predicate(at, table, request.columns[0], request.where, ""),
        phase=phase,
        partial=partial,
        undo=undo or UndoNothing(reason="the values go with the columns that they fill"),
        again=again,
        own=request.columns,
        purpose=f"Fill {', '.join(request.columns)} of {table.name.name} with {request.function}, in chunks"
        + (" (what is still missing)" if again else ""),
    )

    return replace(
        step,
        function=PythonFunction(
            reference=request.function,
            path=path.rpartition("/")[0] or ".",
            sha256=spoken.pinned(at, path, request.span),
            inputs=request.inputs,
            outputs=request.columns,
        ),
    )


def _predicate(at: Situation, table: Table, column: str, where: str, value: str) -> str:
    """Only rows that are not filled yet, and only those for which the source has a value: so that the end can be counted."""
    target = f"{at.dialect.quote(table.name.name)}.{at.dialect.quote(column)}"
    parts = [f"{target} IS NULL"]
    parts += [f"({value}) IS NOT NULL"] if value else []
    parts += [f"({where})"] if where else []
    return " AND ".join(parts)


def _reads(expression: str, table: Table) -> bool:
    """Whether the expression speaks of a column of the table (and so may be NULL for some rows)."""
    return any(column.name in expression for column in table.columns) or "select" in expression.lower()


def _type(table: Table, column: str, recipe: Recipe) -> str:
    """The column's type: of the table as the recipe has made it by now."""
    now = recipe.catalog.table(table.name) or table
    found: Column | None = now.column(column) or table.column(column)
    if found is None:
        return "text"
    # Without its character set and collation a staged key could not be compared with the column by its index.
    charset = f" CHARACTER SET {found.charset} COLLATE {found.collation}" if found.charset and found.collation else ""
    return f"{found.type}{charset}"
