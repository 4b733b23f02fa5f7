"""`convert schema=FILE`: the documents of a column whose type changes, held against a JSON Schema before anything is done."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError, SourceError
from driftflow.model.catalog import Column, Table
from driftflow.model.names import Span, Version
from driftflow.model.plan import Guard
from driftflow.strategies import spoken
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.row_guards import guard_rows
from driftflow.strategies.rules import json_schema, json_schema_extracts
from driftflow.strategies.types.said_conversion import convert_of

DOCUMENTS = ("json", "text", "char", "clob")
"""In the names of types that hold one."""
SAYS_IF_VALID = Version(major=16)
"""PostgreSQL: pg_input_is_valid."""


def document_guards(at: Situation, table: Table, old: Column, new_type: str, document: str = "") -> tuple[Guard, ...]:
    """Rows whose document breaks the schema that the statement's `convert` names, by key; none where it names none. `document` is the value as the
    conversion gives it, where that is not the column itself.

    Raises RefusedError (DF-E731) for a column that holds no documents, (DF-E659) for a schema that cannot be asked here; SourceError (DF-E214).
    """
    request = convert_of(at)
    if request is None or not request.schema:
        return ()
    if not any(word in type.lower() for word in DOCUMENTS for type in (old.type, new_type)):
        raise RefusedError(
            "DF-E731",
            f"{table.name.name}.{old.name} holds no documents that a JSON Schema could be about",
            where=str(request.span),
            why=f"its type goes from {old.type} to {new_type}",
            hint="`schema` is for json, jsonb and text",
        )
    value = at.dialect.quote(old.name)
    broken = breaks(at, table, _text(at, request.schema, request.span), document or value)
    said = f"hold a {old.name} that breaks the schema {request.schema}"
    return (guard_rows(at, table.name, broken, said, hint="correct these rows, or the schema", key=chunk_key(at, table)),)


def _text(at: Situation, named: str, span: Span) -> str:
    path = spoken.input_path(at.migration, named)
    spoken.pinned(at, path, span)
    found = (at.inputs or {}).get(f"{path}#text")
    if found is None:
        raise SourceError("DF-E214", f"the schema {path} was not read", where=str(span), hint="plan from the project's folder")
    return found


def breaks(at: Situation, table: Table, text: str, document: str) -> str:
    """A condition: the document is no JSON, or breaks the schema. NULL keeps to every schema."""
    if at.can(Capability.JSON_SCHEMA_VALID) and not at.can(Capability.JSON_TABLE):
        # MariaDB's own function knows no `"type": "integer"` (error 4193, 11.8): there it is compiled.
        json_schema.readable_by_server(text, at)
        return _cased(document, f"NOT JSON_SCHEMA_VALID({at.dialect.quote_text(text)}, {document})")
    schema = json_schema.read(text, at)
    if at.can(Capability.NOT_VALID_CONSTRAINT):
        kept = as_paths(at, table, schema, document)
        column = table.column(document.strip('"'))
        if column is not None and "json" not in column.type and at.version is not None and at.version >= SAYS_IF_VALID:
            return f"CASE WHEN pg_input_is_valid({document}::text, 'jsonb') THEN NOT ({kept}) ELSE {document} IS NOT NULL END"
        return f"NOT ({kept})"
    if at.can(Capability.SINGLE_WRITER):
        return any_of(document, by_functions(at, schema, document))
    if at.can(Capability.JSON_TABLE):
        return any_of(document, json_schema_extracts.broken(schema, document, at.dialect.quote_text))
    raise json_schema.refused(
        at, "this version has no JSON_SCHEMA_VALID, and no functions by which it could be compiled into a condition"
    )


def as_paths(at: Situation, table: Table, schema: json_schema.Schema, document: str) -> str:
    """That it keeps to the schema, by immutable functions alone. NULL keeps to every schema, as with the function."""
    column = table.column(document.strip('"'))
    cast = document if column is not None and column.type == "jsonb" else f"({document})::jsonb"
    paths = [
        f"jsonb_path_exists({cast}, {at.dialect.literal(f'strict {path}')}::jsonpath)"
        for path in json_schema.broken_paths(schema)
    ]
    return f"NOT ({' OR '.join(paths)})" if paths else f"{cast} IS NULL OR {cast} IS NOT NULL"


def by_functions(at: Situation, schema: json_schema.Schema, document: str) -> Iterator[str]:
    """SQLite: conditions, one of which is true when a valid document breaks the schema."""
    if json_schema.uses(schema, "pattern"):
        raise json_schema.refused(at, "SQLite has no regular expressions of its own, so `pattern` is not compiled")
    return json_schema.broken_by_functions(
        schema, f"json_type({document})", f"json_extract({document}, '$')", at.dialect.quote_text
    )


def any_of(document: str, conditions: Iterator[str]) -> str:
    """A text that is no JSON is broken too."""
    return _cased(document, " OR ".join(f"({one})" for one in conditions) or "0")


def _cased(document: str, broken: str) -> str:
    return f"CASE WHEN {document} IS NULL THEN 0 WHEN NOT json_valid({document}) THEN 1 ELSE ({broken}) END"
