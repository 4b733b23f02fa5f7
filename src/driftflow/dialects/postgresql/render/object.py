"""Views, triggers, routines, types, sequences, policies, schemas, comments."""

from __future__ import annotations

from typing import assert_never

from driftflow.dialects.postgresql.names import literal, quote, quote_name, quote_text
from driftflow.dialects.postgresql.render.clause import (
    column_text,
    constraint_text,
    default_text,
    dotted,
    index_part_text,
    names,
    sequence_options,
    with_options,
)
from driftflow.model.catalog import Index, TypeDefinition
from driftflow.model.operations import (
    AddEnumValue,
    AlterDomain,
    AlterIndex,
    AlterPolicy,
    AlterSequence,
    AlterTrigger,
    Comment,
    CreateExtension,
    CreateIndex,
    CreatePolicy,
    CreateSchema,
    CreateSequence,
    CreateTrigger,
    CreateType,
    CreateView,
    DropFunction,
    RefreshView,
    Reindex,
)


def create_index(operation: CreateIndex) -> str:
    index = operation.index
    text = f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {'CONCURRENTLY ' if operation.concurrently else ''}"
    text += "IF NOT EXISTS " if operation.if_not_exists else ""
    text += f"{quote(index.name.name)} " if index.name.name else ""
    return f"{text}ON {'ONLY ' if operation.only else ''}{quote_name(index.table)}{_index_body(index)}"


def _index_body(index: Index) -> str:
    text = f" USING {quote(index.method)}" if index.method else ""
    text += f" ({', '.join(map(index_part_text, index.parts))})"
    text += f" INCLUDE {names(index.include)}" if index.include else ""
    text += " NULLS NOT DISTINCT" if index.nulls_not_distinct else ""
    text += with_options(index.options)
    text += f" TABLESPACE {quote(index.tablespace)}" if index.tablespace else ""
    return text + (f" WHERE {index.predicate}" if index.predicate else "")


def alter_index(operation: AlterIndex) -> str:
    head = f"ALTER INDEX {'IF EXISTS ' if operation.if_exists else ''}{quote_name(operation.name)}"
    match operation.action:
        case "attach":
            if operation.child is None:
                raise ValueError("attaching an index needs the child's name")
            return f"{head} ATTACH PARTITION {quote_name(operation.child)}"
        case "set" | "reset":
            return f"{head} {operation.action.upper()} ({operation.value})"
        case "tablespace":
            return f"{head} SET TABLESPACE {quote(operation.value)}"
        case "statistics":
            number, target = operation.value.split()
            return f"{head} ALTER COLUMN {number} SET STATISTICS {target}"
        case "depends":
            return f"{head} DEPENDS ON EXTENSION {quote(operation.value)}"
        case "visible":
            raise ValueError("PostgreSQL has no invisible indexes")
        case other:
            assert_never(other)


def reindex(operation: Reindex) -> str:
    if operation.kind == "all":
        raise ValueError("REINDEX of everything has no form on PostgreSQL: name the database")
    options = f"({', '.join(option.replace('=', ' ') for option in operation.options)}) " if operation.options else ""
    concurrently = "CONCURRENTLY " if operation.concurrently else ""
    name = quote_name(operation.name) if operation.name is not None else ""
    return f"REINDEX {options}{operation.kind.upper()} {concurrently}{name}".rstrip()


def create_view(operation: CreateView) -> str:
    view = operation.view
    columns = f" {names(view.columns)}" if view.columns else ""
    if view.materialized:
        exists = "IF NOT EXISTS " if operation.if_not_exists else ""
        data = "" if operation.with_data else " WITH NO DATA"
        return f"CREATE MATERIALIZED VIEW {exists}{quote_name(view.name)}{columns}{with_options(view.options)} AS {view.definition}{data}"
    replaces = "OR REPLACE " if operation.or_replace else ""
    check = f" WITH {operation.check_option} CHECK OPTION" if operation.check_option else ""
    kind = f"{'TEMPORARY ' if operation.temporary else ''}{'RECURSIVE ' if operation.recursive else ''}VIEW"
    return f"CREATE {replaces}{kind} {quote_name(view.name)}{columns}{with_options(view.options)} AS {view.definition}{check}"


def refresh(operation: RefreshView) -> str:
    concurrently = "CONCURRENTLY " if operation.concurrently else ""
    return f"REFRESH MATERIALIZED VIEW {concurrently}{quote_name(operation.name)}{'' if operation.with_data else ' WITH NO DATA'}"


def create_trigger(operation: CreateTrigger) -> str:
    definition = operation.trigger.definition
    return definition.replace("CREATE ", "CREATE OR REPLACE ", 1) if operation.or_replace else definition


def alter_trigger(operation: AlterTrigger) -> str:
    head = f"ALTER TRIGGER {quote(operation.name)} ON {quote_name(operation.table)}"
    if operation.depends_on_extension:
        return f"{head} DEPENDS ON EXTENSION {quote(operation.depends_on_extension)}"
    return f"{head} RENAME TO {quote(operation.to)}"


def drop_function(operation: DropFunction) -> str:
    exists = "IF EXISTS " if operation.if_exists else ""
    none = "*" if operation.kind == "aggregate" else ""
    arguments = "" if operation.arguments is None else f"({operation.arguments or none})"
    kind = {"window": "FUNCTION"}.get(operation.kind, operation.kind.upper())
    return f"DROP {kind} {exists}{quote_name(operation.name)}{arguments}{' CASCADE' if operation.cascade else ''}"


def create_type(operation: CreateType) -> str:
    defined = operation.type
    name = quote_name(defined.name)
    match defined.kind:
        case "enum":
            return f"CREATE TYPE {name} AS ENUM ({', '.join(map(quote_text, defined.labels))})"
        case "composite":
            return f"CREATE TYPE {name} AS ({', '.join(map(column_text, defined.attributes))})"
        case "range":
            return f"CREATE TYPE {name} AS RANGE ({defined.definition})"
        case "base":
            return f"CREATE TYPE {name} ({defined.definition})"
        case "shell":
            return f"CREATE TYPE {name}"
        case "domain":
            return _domain(name, defined)
        case other:
            assert_never(other)


def _domain(name: str, defined: TypeDefinition) -> str:
    text = f"CREATE DOMAIN {name} AS {defined.base}"
    text += f" COLLATE {dotted(defined.collation)}" if defined.collation else ""
    text += f" DEFAULT {default_text(defined.default)}" if defined.default is not None else ""
    text += "" if defined.nullable else " NOT NULL"
    return text + "".join(f" {constraint_text(check)}" for check in defined.checks)


def alter_domain(operation: AlterDomain) -> str:
    head = f"ALTER DOMAIN {quote_name(operation.name)}"
    match operation.action:
        case "set_default":
            return f"{head} SET DEFAULT {default_text(operation.value)}"
        case "drop_default":
            return f"{head} DROP DEFAULT"
        case "set_not_null":
            return f"{head} SET NOT NULL"
        case "drop_not_null":
            return f"{head} DROP NOT NULL"
        case "add_constraint":
            if operation.check is None:
                raise ValueError("adding a constraint to a domain needs the check")
            return f"{head} ADD {constraint_text(operation.check)}"
        case "drop_constraint":
            exists = "IF EXISTS " if operation.if_exists else ""
            return f"{head} DROP CONSTRAINT {exists}{quote(operation.value)}{' CASCADE' if operation.cascade else ''}"
        case "validate_constraint":
            return f"{head} VALIDATE CONSTRAINT {quote(operation.value)}"
        case other:
            assert_never(other)


def add_enum_value(operation: AddEnumValue) -> str:
    exists = "IF NOT EXISTS " if operation.if_not_exists else ""
    text = f"ALTER TYPE {quote_name(operation.name)} ADD VALUE {exists}{quote_text(operation.value)}"
    if operation.before:
        return f"{text} BEFORE {quote_text(operation.before)}"
    return f"{text} AFTER {quote_text(operation.after_value)}" if operation.after_value else text


def create_sequence(operation: CreateSequence) -> str:
    sequence = operation.sequence
    kind = "TEMPORARY " if operation.temporary else ""
    exists = "IF NOT EXISTS " if operation.if_not_exists else ""
    options = sequence_options(sequence.options)
    owner = f" OWNED BY {dotted(sequence.owned_by)}" if sequence.owned_by else ""
    return f"CREATE {kind}SEQUENCE {exists}{quote_name(sequence.name)}{' ' + options if options else ''}{owner}"


def alter_sequence(operation: AlterSequence) -> str:
    pieces = [options] if (options := sequence_options(operation.options)) else []
    if operation.restart is not None:
        pieces.append(f"RESTART WITH {operation.restart}")
    elif operation.restarts:
        pieces.append("RESTART")
    if operation.owned_by is not None:
        pieces.append(f"OWNED BY {dotted(operation.owned_by) if operation.owned_by else 'NONE'}")
    return f"ALTER SEQUENCE {'IF EXISTS ' if operation.if_exists else ''}{quote_name(operation.name)} {' '.join(pieces)}"


ROLE_WORDS = frozenset(("public", "CURRENT_USER", "CURRENT_ROLE", "SESSION_USER"))


def _roles(roles: tuple[str, ...]) -> str:
    return ", ".join(role if role in ROLE_WORDS else quote(role) for role in roles)


def create_policy(operation: CreatePolicy) -> str:
    policy = operation.policy
    text = f"CREATE POLICY {quote(policy.name)} ON {quote_name(policy.table)}"
    text += "" if policy.permissive else " AS RESTRICTIVE"
    text += "" if policy.command == "ALL" else f" FOR {policy.command}"
    text += "" if policy.roles == ("public",) else f" TO {_roles(policy.roles)}"
    return text + _policy_expressions(policy.using, policy.check)


def _policy_expressions(using: str, check: str) -> str:
    return (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")


def alter_policy(operation: AlterPolicy) -> str:
    exists = "IF EXISTS " if operation.table_if_exists else ""
    head = f"ALTER POLICY {exists}{quote(operation.name)} ON {quote_name(operation.table)}"
    if operation.to:
        return f"{head} RENAME TO {quote(operation.to)}"
    roles = f" TO {_roles(operation.roles)}" if operation.roles else ""
    return head + roles + _policy_expressions(operation.using, operation.check)


def create_schema(operation: CreateSchema) -> str:
    owner = f" AUTHORIZATION {operation.owner}" if operation.owner else ""
    return f"CREATE SCHEMA {'IF NOT EXISTS ' if operation.if_not_exists else ''}{quote(operation.name)}{owner}"


def create_extension(operation: CreateExtension) -> str:
    text = f"CREATE EXTENSION {'IF NOT EXISTS ' if operation.if_not_exists else ''}{quote(operation.name)}"
    text += f" SCHEMA {quote(operation.schema)}" if operation.schema else ""
    text += f" VERSION {quote_text(operation.version)}" if operation.version else ""
    return text + (" CASCADE" if operation.cascade else "")


def comment(operation: Comment) -> str:
    kind = {"domain_constraint": "CONSTRAINT"}.get(operation.kind, operation.kind.replace("_", " ").upper())
    return f"COMMENT ON {kind} {operation.target} IS {literal(operation.text)}"
