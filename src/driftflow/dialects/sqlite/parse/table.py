"""CREATE TABLE, CREATE TABLE AS and CREATE VIRTUAL TABLE."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.relations import relations_read
from driftflow.dialects.sqlite.keys import WITHOUT_ROWID, never_null, settle
from driftflow.dialects.sqlite.normal import normal
from driftflow.dialects.sqlite.parse.column import Draft, column_definition
from driftflow.dialects.sqlite.parse.constraint import OPENS_TABLE_CONSTRAINT, table_constraint
from driftflow.dialects.sqlite.parse.cursor import Cursor, Unread
from driftflow.dialects.sqlite.tokens import Token, TokenFault, name_of, tokenize
from driftflow.dialects.sqlite.types import is_rowid_type
from driftflow.model.catalog import Constraint, ForeignKey, NotNull, PrimaryKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import CreateTable, CreateTableAs
from driftflow.model.record import replace


def create_table(cursor: Cursor, *, temporary: bool) -> CreateTable | CreateTableAs:
    """Behind CREATE [TEMP] TABLE."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    temporary = temporary or name.schema.lower() == "temp"
    if temporary:
        name = Name(schema="temp", name=name.name)
    if cursor.accept("AS"):
        query = cursor.rest()
        return CreateTableAs(
            name=name,
            query=normal(query),
            reads=relations_read(cursor.over(query)),
            if_not_exists=if_not_exists,
            temporary=temporary,
        )
    body = Cursor(cursor.parenthesised(), cursor.sql)
    columns, behind = _body(body)
    options = _options(cursor)
    constraints = tuple(constraint for draft in columns for constraint in draft.constraints)
    constraints += tuple(_plain_rowid_key(constraint, columns, options) for constraint in behind)
    table = Table(
        name=name,
        columns=tuple(draft.column() for draft in columns),
        constraints=constraints,
        kind="temporary" if temporary else "table",
        options=options,
        definition=_definition(cursor, name),
    )
    return CreateTable(table=settle(_not_null_kept(table)), if_not_exists=if_not_exists)


def _not_null_kept(table: Table) -> Table:
    """NOT NULL beside a key that keeps NULL out anyway is a constraint of its own: nothing else would tell that it was written."""
    there = {one.column.lower() for one in table.constraints if isinstance(one, NotNull)}
    written = (one.name for one in table.columns if not one.nullable and one.name.lower() not in there)
    kept = tuple(NotNull(column=name) for name in written if never_null(table, name))
    return replace(table, constraints=(*table.constraints, *kept)) if kept else table


def _body(body: Cursor) -> tuple[list[Draft], list[Constraint]]:
    known = column_names(body.tokens)
    drafts = [column_definition(body, known)]
    while body.accept(","):
        if body.peek().key in OPENS_TABLE_CONSTRAINT:
            break
        drafts.append(column_definition(body, known))
    behind: list[Constraint] = []
    while not body.done:
        constraint, autoincrement = table_constraint(body, known)
        if constraint is not None:
            behind.append(constraint)
        for draft in drafts:
            draft.autoincrement = draft.autoincrement or (draft.name.lower() == autoincrement.lower() != "")
        body.accept(",")  # SQLite takes constraints without a comma between them
    return drafts, behind


def _plain_rowid_key(constraint: Constraint, columns: list[Draft], options: tuple[str, ...]) -> Constraint:
    """PRIMARY KEY (id DESC) behind the columns is the rowid, and its direction means nothing (measured)."""
    if not isinstance(constraint, PrimaryKey) or len(constraint.columns) != 1 or WITHOUT_ROWID in options:
        return constraint
    name = constraint.columns[0].lower()
    rowid = any(draft.name.lower() == name and is_rowid_type(draft.type) for draft in columns)
    return replace(constraint, parts=()) if rowid else constraint


def references_behind_columns(definition: str) -> frozenset[str] | None:
    """Columns (lower case) whose REFERENCES stands behind the column itself, and goes with it; None when the text is not read.

    The catalog does not keep the difference, and only DROP COLUMN makes one.
    """
    try:
        tokens, _ = tokenize(definition)
        cursor = Cursor(tokens, definition)
        cursor.until("(")
        drafts, _ = _body(Cursor(cursor.parenthesised(), definition))
    except (TokenFault, Unread):
        return None
    return frozenset(draft.name.lower() for draft in drafts if any(isinstance(one, ForeignKey) for one in draft.constraints))


def column_names(tokens: Sequence[Token]) -> frozenset[str]:
    """Names of the columns, lower case, before their definitions are read: an expression may name a column that comes later."""
    names, depth, starts = set(), 0, True
    for token in tokens:
        if starts and token.key not in OPENS_TABLE_CONSTRAINT:
            names.add(name_of(token).lower())
        depth += (token.key == "(") - (token.key == ")")
        starts = depth == 0 and token.key == ","
    return frozenset(names)


def _options(cursor: Cursor) -> tuple[str, ...]:
    found: set[str] = set()
    while not cursor.done:
        if cursor.accept("WITHOUT", "ROWID"):
            found.add("WITHOUT ROWID")
        elif cursor.accept("STRICT"):
            found.add("STRICT")
        else:
            raise Unread(f"a table option was expected {cursor.here()}")
        if not cursor.accept(","):
            break
    return tuple(sorted(found))


def _definition(cursor: Cursor, name: Name) -> str:
    """The text as SQLite keeps it in sqlite_schema: its own `CREATE TABLE `, then the source from the name on."""
    opening = next(index for index, token in enumerate(cursor.tokens) if token.key == "(")
    last = cursor.tokens[-1]
    return f"CREATE TABLE {cursor.sql[cursor.tokens[opening - 1].start : last.end]}"


def create_virtual_table(cursor: Cursor) -> CreateTable:
    """Behind CREATE VIRTUAL TABLE. Its arguments are the module's own language, kept as written."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    cursor.expect("USING")
    module = cursor.name()
    arguments: tuple[str, ...] = ()
    if cursor.at("("):
        arguments = _arguments(cursor.parenthesised(), cursor.sql)
    table = Table(name=name, kind="virtual", access_method=module.lower(), options=arguments, definition=cursor.sql)
    return CreateTable(table=table, if_not_exists=if_not_exists)


def _arguments(tokens: Sequence[Token], sql: str) -> tuple[str, ...]:
    groups: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.key == "(") - (token.key == ")")
        if depth == 0 and token.key == ",":
            groups.append([])
        else:
            groups[-1].append(token)
    return tuple(" ".join(sql[group[0].start : group[-1].end].split()) for group in groups if group)
